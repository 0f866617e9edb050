// Assembles a rate group's blocks into chunks, and judges each channel in use: clipping, samples
// around a wrap of the converter (told as clipped: the true voltage is not known), flatness, hum,
// numbers that are none, and bursts on all channels at once (diathermy).
//
// Thread-compatible, on the agent's sequence. Chunks of a segment are contiguous and kChunkMs long;
// the last one before a gap, or before the end, may be shorter. Memory: one chunk.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/filter/wrap_detector.h"

namespace remora::agent {

class ChunkAssembler {
 public:
  // `in_use`: indexes into the source's channels; those of other groups are ignored.
  ChunkAssembler(const SourceInfo& source, int rate_group, const std::vector<int>& in_use,
                 double mains_hz);

  // Muscles answer a stimulus from the one time to the other, on any number of channels at once:
  // what is loud then is no burst. Before the block that holds it.
  void AddEvoked(int64_t from_ns, int64_t to_ns);
  // Appends the chunks that are complete now.
  void Push(const SampleBlock& block, std::vector<Chunk>* chunks);
  // A gap or a jump of time: gives out what is held; what follows starts a segment.
  void Break(std::vector<Chunk>* chunks);

  // The chunk that is being filled, as far as it came; nothing where none is. Only its samples, and
  // what was known when it began: for LookAt.
  const Chunk* open() const { return current_.samples > 0 ? &current_ : nullptr; }
  // The first samples of a chunk of this assembler, whole or open, judged by themselves where they
  // can be (samples at the limit, a burst on all channels) and else as the chunk before: what a
  // sweep rests on that ends here. The same for an open chunk as for the whole one.
  Chunk LookAt(const Chunk& chunk, int64_t samples) const;

 private:
  // Loudness of a channel when nothing is wrong: what a burst is compared with.
  struct Loudness {
    double rms_uv = 0;   // 0: not known yet
    uint32_t marks = 0;  // of the last chunk
  };

  void StartChunk(const SampleBlock& block, int64_t offset);
  void Finish(std::vector<Chunk>* chunks);
  void Judge(Chunk* chunk);
  // Of what is not evoked; nothing where that is too little.
  std::optional<double> SpontaneousRms(const Chunk& chunk, int k) const;
  bool IsEvoked(int64_t from_ns, int64_t to_ns) const;
  void JudgeChannel(const ChannelInfo& channel, Chunk* chunk, int k, dsp::BlockQuality* quality);
  // Runs of samples at the limit of the channel, around a wrap, or that are none.
  void FindRuns(const ChannelInfo& channel, std::optional<dsp::WrapDetector>* wrap, Chunk* chunk,
                int k) const;

  const SourceInfo& source_;
  const int rate_group_;
  const double sample_rate_hz_;
  const double mains_hz_;
  const int64_t chunk_samples_;
  std::vector<int> in_use_;  // by place in the group
  std::vector<Loudness> loudness_;
  std::vector<std::optional<dsp::WrapDetector>> wraps_;  // of voltages in use
  bool segment_ended_ = true;
  bool starts_segment_ = true;
  int64_t blocks_end_ns_ = 0;  // of the last block
  int64_t next_position_ = 0;
  double position_zero_ns_ = 0;
  std::deque<std::pair<int64_t, int64_t>> evoked_ns_;  // from, to; by from
  Chunk current_;
};

}  // namespace remora::agent
