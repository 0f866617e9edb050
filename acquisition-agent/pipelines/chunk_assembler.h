// Assembles a rate group's blocks into chunks, and marks each channel in use: clipping, samples
// around a wrap of the converter (told as clipped: the true voltage is not known), flatness, hum,
// numbers that are none, and bursts on all channels at once (diathermy).
//
//   blocks -- Push, Break --> chunks, marked channel by channel
//                                |  may wait until the stimuli in them are known (AddEvoked)
//                              Judge --> and for bursts
//
// Bursts are judged last, because what muscles answer to a stimulus is loud on all channels too,
// and a stimulus may be found behind the samples of its time: on a trigger channel.
//
// Thread-compatible, on the agent's sequence. Chunks of a segment are contiguous and kChunkMs long;
// the last one before a gap, or before the end, may be shorter. Memory: one chunk.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
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
  // what is loud then is no burst. Before the chunk that holds it is judged.
  void AddEvoked(int64_t from_ns, int64_t to_ns);
  // Appends the chunks that are complete now.
  void Push(const SampleBlock& block, std::vector<Chunk>* chunks);
  // A gap or a jump of time: gives out what is held; what follows starts a segment.
  void Break(std::vector<Chunk>* chunks);
  // Marks bursts, and learns how loud the channels are. Each of its chunks once, in their order,
  // before anybody works with it. One that cannot be judged (less than 20 ms of it are not evoked)
  // is as the chunk before it; the next such one is not: a burst that ended while muscles answer
  // one stimulus after the other would never end.
  void Judge(Chunk* chunk);

  // The chunk that is being filled, as far as it came; nothing where none is. Only its samples: for
  // LookAt.
  const Chunk* open() const { return current_.samples > 0 ? &current_ : nullptr; }
  // The first samples of a chunk of this assembler: of the one that was judged last, or of the open
  // one when all before it were judged. Judged by themselves where they can be (samples at the
  // limit; a burst on all channels, from 20 ms on that are not evoked) and else as the chunk
  // before, its burst included: what a sweep rests on that ends here. The same for an open chunk as
  // for the whole one.
  Chunk LookAt(const Chunk& chunk, int64_t samples) const;

 private:
  // Loudness of a channel when nothing is wrong: what a burst is compared with.
  struct Loudness {
    double rms_uv = 0;   // 0: not known yet
    uint32_t marks = 0;  // of the last chunk
  };
  // Samples of a chunk, from the first to before the last.
  struct Range {
    int64_t from;
    int64_t to;
  };

  void StartChunk(const SampleBlock& block, int64_t offset);
  void Finish(std::vector<Chunk>* chunks);
  // What of it is not evoked.
  std::vector<Range> SpontaneousIn(const Chunk& chunk) const;
  // Of these samples; nothing where they are too few.
  std::optional<double> RmsOf(std::span<const double> samples,
                              const std::vector<Range>& ranges) const;
  void MarkChannel(const ChannelInfo& channel, Chunk* chunk, int k);
  // Runs of samples at the limit of the channel, around a wrap, or that are none.
  void FindRuns(const ChannelInfo& channel, const dsp::BlockQuality& quality, Chunk* chunk, int k);
  // `near_wrap`: indexes, ascending.
  void MarkRuns(const ChannelInfo& channel, const std::vector<size_t>& near_wrap, Chunk* chunk,
                int k) const;

  const SourceInfo& source_;
  const int rate_group_;
  const double sample_rate_hz_;
  const double mains_hz_;
  const int64_t chunk_samples_;
  std::vector<int> in_use_;  // by place in the group
  std::vector<Loudness> loudness_;
  bool burst_ = false;                                   // the last chunk, by its own samples
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
