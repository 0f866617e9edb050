// The filters of many continuous streams, run together: what each stream's OnChunk does by itself,
// to the bit, in a small part of the time (dsp/filter/sos_bank.h).
//
// Held by what looks at several channels at once (emg_group.h); thread-compatible, on its sequence.
// Streams of one rate and one filter share a bank; any others have banks of their own.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "acquisition-agent/pipelines/continuous_stream.h"
#include "dsp/filter/sos_bank.h"

namespace remora::agent {

class ContinuousBank {
 public:
  // `streams` live as long as the bank. InvalidArgument: a filter that is not stable.
  static absl::StatusOr<ContinuousBank> Create(std::vector<ContinuousStream*> streams);

  // The next chunk for all streams, which were told the same stimuli: appends to each stream's
  // pieces what became known.
  void OnChunk(const Chunk& chunk, const std::vector<std::vector<Piece>*>& pieces);
  void OnEnd(const std::vector<std::vector<Piece>*>& pieces);

 private:
  // Streams whose samples go through the same sections.
  struct Alike {
    std::vector<size_t> streams;
    dsp::SosBank filter;
    dsp::SosBank anti_alias;
  };

  ContinuousBank() = default;
  void FilterFrom(const std::vector<size_t>& first, const std::vector<std::vector<Piece>*>& pieces);
  // One piece of each, all of the same samples.
  void FilterPieces(Alike* alike, const std::vector<Piece*>& pieces);

  std::vector<ContinuousStream*> streams_;
  std::vector<Alike> alike_;
  std::vector<double> uv_;      // of all streams, one behind the other
  std::vector<double> smooth_;  // and behind the anti-alias filter
};

}  // namespace remora::agent
