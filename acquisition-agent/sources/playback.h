// A part of a recording, once or again and again: the options from, to and loop of every recording.
//
// Wraps the source of any format. It opens the recording anew for each round, so each round is
// delivered as the first: bit for bit the samples, the same stimuli.
//
//   recording:        |------[from=======to]-----|
//   device time:              0 ..... L   L ..... 2L  ...      L = to - from
//
// Device time 0 is `from`; the first sample of a rate group comes less than one sample period
// later, and info() tells the civil time of that moment. Samples are taken from `from` (included)
// to `to` (not included); the last block of a part ends at `to`, though the period of its last
// sample may end later. What happened before `from`, or at `to` and later, is left out. Marks that
// were set after the very last sample come at the end of the round where there are more rounds than
// one. Each further round begins with a Gap (kTimeJumpedBack by L): filters and epochs start anew,
// device time and sample indexes go on.
//
// Thread-compatible. Errors as SignalSource's; kDataLoss also where a recording cannot be opened
// again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

struct PlaybackOptions {
  int64_t from_ns = 0;           // device time of the recording, >= 0
  std::optional<int64_t> to_ns;  // > from_ns; beyond the end counts as the end
  int64_t rounds = 1;            // 0: without end

  bool whole() const { return from_ns == 0 && !to_ns && rounds == 1; }
};

using OpenRecording = std::function<absl::StatusOr<std::unique_ptr<SignalSource>>()>;

class PlaybackSource : public SignalSource {
 public:
  // Opens the recording once. Where nothing was asked for, gives the recording itself.
  //   kInvalidArgument  the part is shorter than 1 ms, or lies beyond the end
  static absl::StatusOr<std::unique_ptr<SignalSource>> Open(OpenRecording open,
                                                            const PlaybackOptions& options);

  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;

 private:
  PlaybackSource(OpenRecording open, std::unique_ptr<SignalSource> recording,
                 const PlaybackOptions& options);

  absl::Status BeginRound();
  // The item as this source tells it; nothing where it lies outside the part.
  std::optional<Item> Fit(Item item);
  std::optional<Item> FitBlock(SampleBlock block);
  std::optional<Item> FitGap(Gap gap) const;
  int64_t OutNs(int64_t recording_ns) const { return recording_ns - from_ns_ + round_start_ns_; }

  const OpenRecording open_;
  std::unique_ptr<SignalSource> recording_;
  const int64_t from_ns_;
  const int64_t to_ns_;
  const bool to_the_end_;  // to_ns_ is the recording's own end
  const int64_t rounds_;
  SourceInfo info_;
  int64_t round_ = 1;
  int64_t round_start_ns_ = 0;      // device time
  std::vector<int64_t> delivered_;  // samples, by rate group
  std::vector<bool> reached_to_;    // by rate group, in this round
  bool round_ended_ = false;
  bool ended_ = false;
};

}  // namespace remora::agent
