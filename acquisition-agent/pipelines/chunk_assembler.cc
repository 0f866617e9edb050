#include "acquisition-agent/pipelines/chunk_assembler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {
namespace {

// An electrode in the air: hum is nearly all there is, and more of it than a connected one picks
// up.
constexpr double kFloatingMainsFraction = 0.9;
constexpr double kFloatingRmsUv = 25;
// A burst is this much louder than the channel usually is, at least this loud, on this share of the
// channels.
constexpr double kBurstFactor = 8;
constexpr double kBurstRmsUv = 100;
constexpr double kBurstShare = 0.6;
// On fewer, what is on all of them may be what they are there for.
constexpr int kLeastBurstChannels = 3;
// How fast the usual loudness follows: a time constant of 20 chunks.
constexpr double kLoudnessShare = 0.05;
// With a smaller share of a chunk that is not evoked, its loudness says nothing.
constexpr double kSpontaneousShare = 0.2;

// Where a sample is not at a limit of its channel, well within its range, as nearly all are:
// IsClipped divides.
std::pair<double, double> InsideOf(const ChannelInfo& channel) {
  const double one = channel.uv_offset + (channel.digital_min + 0.75) * channel.uv_per_count;
  const double other = channel.uv_offset + (channel.digital_max - 0.75) * channel.uv_per_count;
  return {std::min(one, other), std::max(one, other)};
}

bool IsBurst(const std::optional<double>& rms_uv, double usual_uv) {
  return rms_uv && usual_uv > 0 && *rms_uv > kBurstRmsUv && *rms_uv > kBurstFactor * usual_uv;
}

bool IsBurstOfAll(int bursting, int connected) {
  return connected >= kLeastBurstChannels && bursting >= kBurstShare * connected;
}

}  // namespace

std::vector<double> Derive(const Chunk& chunk, const std::vector<int>& plus,
                           const std::vector<int>& minus) {
  std::vector<double> derived(static_cast<size_t>(chunk.samples), 0.0);
  const auto add = [&](const std::vector<int>& inputs, double sign) {
    for (const int k : inputs) {
      const double share = sign / static_cast<double>(inputs.size());
      for (size_t i = 0; i < derived.size(); ++i) derived[i] += share * chunk.channels[k][i];
    }
  };
  add(plus, 1);
  add(minus, -1);
  return derived;
}

DerivationInputs InputsOf(const ResolvedDerivation& derivation, const SourceInfo& source) {
  DerivationInputs inputs;
  const std::vector<int>& group = source.rate_groups[derivation.rate_group].channels;
  const auto place = [&](int channel) {
    return static_cast<int>(std::find(group.begin(), group.end(), channel) - group.begin());
  };
  for (const int channel : derivation.plus) inputs.plus.push_back(place(channel));
  for (const int channel : derivation.minus) inputs.minus.push_back(place(channel));
  inputs.all = inputs.plus;
  inputs.all.insert(inputs.all.end(), inputs.minus.begin(), inputs.minus.end());
  for (const int k : inputs.all) {
    inputs.uv_per_count =
        std::max(inputs.uv_per_count, std::fabs(source.channels[group[k]].uv_per_count));
  }
  return inputs;
}

ChunkAssembler::ChunkAssembler(const SourceInfo& source, int rate_group,
                               const std::vector<int>& in_use, double mains_hz)
    : source_(source),
      rate_group_(rate_group),
      sample_rate_hz_(source.rate_groups[rate_group].sample_rate_hz),
      mains_hz_(mains_hz),
      chunk_samples_(std::max<int64_t>(1, std::llround(sample_rate_hz_ * kChunkMs / 1000))) {
  const std::vector<int>& group = source.rate_groups[rate_group].channels;
  for (size_t k = 0; k < group.size(); ++k) {
    if (std::find(in_use.begin(), in_use.end(), group[k]) != in_use.end()) {
      in_use_.push_back(static_cast<int>(k));
    }
  }
  loudness_.resize(group.size());
  wraps_.resize(group.size());
  for (const int k : in_use_) {
    const ChannelInfo& channel = source.channels[group[k]];
    if (!channel.is_voltage) continue;
    dsp::WrapOptions options;
    options.sample_rate_hz = sample_rate_hz_;
    options.low_uv = std::min(channel.physical_min, channel.physical_max);
    options.high_uv = std::max(channel.physical_min, channel.physical_max);
    // A source that does not know its range has none to wrap round.
    if (absl::StatusOr<dsp::WrapDetector> wrap = dsp::WrapDetector::Create(options); wrap.ok()) {
      wraps_[k] = *wrap;
    }
  }
}

void ChunkAssembler::StartChunk(const SampleBlock& block, int64_t offset) {
  const double step_ns = 1e9 / sample_rate_hz_;
  const double start_ns =
      static_cast<double>(block.start_time_ns) + static_cast<double>(offset) * step_ns;
  if (segment_ended_) {
    // Positions are device time in sample steps, so that they count on over a gap; what the
    // source's first sample is off the grid stays in position_zero_ns.
    next_position_ =
        std::max(next_position_, static_cast<int64_t>(std::llround(start_ns / step_ns)));
    position_zero_ns_ = start_ns - static_cast<double>(next_position_) * step_ns;
    segment_ended_ = false;
    starts_segment_ = true;
    for (std::optional<dsp::WrapDetector>& wrap : wraps_) {
      if (wrap) wrap->Reset();
    }
  } else {
    // Samples of a clock of their own drift against the time that they are told in.
    const double ahead_ns =
        start_ns - static_cast<double>(next_position_) * step_ns - position_zero_ns_;
    if (std::fabs(ahead_ns) > kLeastDriftSamples * step_ns) position_zero_ns_ += ahead_ns;
  }
  current_ = Chunk();
  current_.rate_group = rate_group_;
  current_.sample_rate_hz = sample_rate_hz_;
  current_.first_position = next_position_;
  current_.starts_segment = starts_segment_;
  current_.position_zero_ns = position_zero_ns_;
  current_.channels.resize(loudness_.size());
  current_.marks.resize(loudness_.size());
  starts_segment_ = false;
}

void ChunkAssembler::Push(const SampleBlock& block, std::vector<Chunk>* chunks) {
  if (!segment_ended_) {
    // A source that leaves time out without saying so. Not by the count of samples: a clock that is
    // slewed is ahead of that by several samples of 5 us before a chunk is full.
    const auto apart_ns = static_cast<double>(block.start_time_ns - blocks_end_ns_);
    if (std::fabs(apart_ns) > 1.5e9 / sample_rate_hz_) Break(chunks);
  }
  blocks_end_ns_ = block.end_time_ns;
  int64_t taken = 0;
  while (taken < block.samples_per_channel) {
    if (current_.samples == 0) StartChunk(block, taken);
    const int64_t count =
        std::min<int64_t>(chunk_samples_ - current_.samples, block.samples_per_channel - taken);
    for (const int k : in_use_) {
      const std::span<const double> samples =
          block.channel(k).subspan(static_cast<size_t>(taken), static_cast<size_t>(count));
      current_.channels[k].insert(current_.channels[k].end(), samples.begin(), samples.end());
    }
    current_.samples += count;
    next_position_ += count;
    taken += count;
    if (current_.samples == chunk_samples_) Finish(chunks);
  }
}

void ChunkAssembler::Break(std::vector<Chunk>* chunks) {
  if (current_.samples > 0) Finish(chunks);
  segment_ended_ = true;
}

void ChunkAssembler::Finish(std::vector<Chunk>* chunks) {
  current_.end_ns = current_.TimeOf(static_cast<double>(next_position_));
  const std::vector<int>& group = source_.rate_groups[rate_group_].channels;
  for (const int k : in_use_) {
    const ChannelInfo& channel = source_.channels[group[k]];
    if (channel.is_voltage) MarkChannel(channel, &current_, k);
  }
  chunks->push_back(std::move(current_));
  current_ = Chunk();
}

void ChunkAssembler::MarkChannel(const ChannelInfo& channel, Chunk* chunk, int k) {
  dsp::QualityLimits limits;
  limits.flat_range_uv = std::max(limits.flat_range_uv, 1.5 * std::fabs(channel.uv_per_count));
  limits.mains_hz = mains_hz_;
  const dsp::BlockQuality quality =
      dsp::AssessBlock(chunk->channels[k], chunk->sample_rate_hz, limits);
  ChannelMarks& marks = chunk->marks[k];
  marks.marks = quality.marks & (dsp::kQualityFlat | dsp::kQualityMains);
  marks.rms_uv = quality.rms_uv;
  if (quality.mains_fraction > kFloatingMainsFraction && quality.rms_uv > kFloatingRmsUv) {
    marks.marks |= kMarkFloating;
  }
  FindRuns(channel, quality, chunk, k);
}

void ChunkAssembler::FindRuns(const ChannelInfo& channel, const dsp::BlockQuality& quality,
                              Chunk* chunk, int k) {
  std::optional<dsp::WrapDetector>& wrap = wraps_[k];
  const std::vector<double>& samples = chunk->channels[k];
  std::vector<size_t> near_wrap;
  if (quality.non_finite_samples > 0) {
    if (wrap) near_wrap = wrap->Push(samples);
  } else {
    if (wrap) near_wrap = wrap->Push(samples, quality.low_uv, quality.high_uv);
    const auto [low, high] = InsideOf(channel);
    if (near_wrap.empty() && quality.low_uv > low && quality.high_uv < high) return;
  }
  MarkRuns(channel, near_wrap, chunk, k);
}

void ChunkAssembler::MarkRuns(const ChannelInfo& channel, const std::vector<size_t>& near_wrap,
                              Chunk* chunk, int k) const {
  ChannelMarks& marks = chunk->marks[k];
  const std::vector<double>& samples = chunk->channels[k];
  auto next_wrapped = near_wrap.begin();
  const auto [low, high] = InsideOf(channel);
  for (int64_t i = 0; i < chunk->samples; ++i) {
    const double sample = samples[static_cast<size_t>(i)];
    const bool wrapped = next_wrapped != near_wrap.end() && *next_wrapped == static_cast<size_t>(i);
    if (wrapped) ++next_wrapped;
    if (!wrapped && ((sample > low && sample < high) || !channel.IsClipped(sample))) continue;
    const uint32_t mark = std::isfinite(sample) ? dsp::kQualityClipping : dsp::kQualityNonFinite;
    const int64_t position = chunk->first_position + i;
    if (!marks.runs.empty() && marks.runs.back().last + 1 == position &&
        marks.runs.back().marks == mark) {
      marks.runs.back().last = position;
    } else {
      marks.runs.push_back({position, position, mark});
    }
  }
}

Chunk ChunkAssembler::LookAt(const Chunk& chunk, int64_t samples) const {
  samples = std::clamp<int64_t>(samples, 1, chunk.samples);
  Chunk look;
  look.rate_group = chunk.rate_group;
  look.sample_rate_hz = chunk.sample_rate_hz;
  look.first_position = chunk.first_position;
  look.starts_segment = chunk.starts_segment;
  look.position_zero_ns = chunk.position_zero_ns;
  look.samples = samples;
  look.end_ns = look.TimeOf(static_cast<double>(chunk.first_position + samples));
  look.channels.resize(chunk.channels.size());
  look.marks = chunk.marks;
  const bool is_open = &chunk == &current_;
  const std::vector<int>& group = source_.rate_groups[rate_group_].channels;
  const std::vector<Range> spontaneous = SpontaneousIn(look);
  int connected = 0;
  int judged = 0;
  int bursting = 0;
  for (const int k : in_use_) {
    const std::span<const double> first(chunk.channels[k].data(), static_cast<size_t>(samples));
    look.channels[k].assign(first.begin(), first.end());
    const ChannelInfo& channel = source_.channels[group[k]];
    if (!channel.is_voltage) continue;
    ChannelMarks& marks = look.marks[k];
    const uint32_t before = is_open ? loudness_[k].marks : chunk.marks_before[k];
    marks.marks = before & ~kMarkInterference;
    if (is_open) {
      // The detector stands where this chunk began.
      std::optional<dsp::WrapDetector> wrap = wraps_[k];
      MarkRuns(channel, wrap ? wrap->Push(look.channels[k]) : std::vector<size_t>(), &look, k);
    } else {
      const int64_t end = chunk.first_position + samples;
      std::erase_if(marks.runs, [&](const ChannelMarks::Run& run) { return run.first >= end; });
      for (ChannelMarks::Run& run : marks.runs) run.last = std::min(run.last, end - 1);
    }
    if (marks.marks & (dsp::kQualityFlat | kMarkFloating)) continue;
    ++connected;
    const std::optional<double> rms_uv = RmsOf(look.channels[k], spontaneous);
    judged += rms_uv.has_value();
    bursting += IsBurst(rms_uv, is_open ? loudness_[k].rms_uv : chunk.usual_rms_uv[k]);
  }
  const bool burst_before = is_open ? burst_ && !chunk.starts_segment : chunk.burst_before;
  const bool burst = judged > 0 ? IsBurstOfAll(bursting, connected) : burst_before;
  for (const int k : in_use_) {
    if (burst) look.marks[k].marks |= kMarkInterference;
  }
  return look;
}

void ChunkAssembler::AddEvoked(int64_t from_ns, int64_t to_ns) {
  if (evoked_ns_.size() >= kMaxWaitingTriggers) evoked_ns_.pop_front();
  const std::pair<int64_t, int64_t> stretch{from_ns, to_ns};
  evoked_ns_.insert(std::upper_bound(evoked_ns_.begin(), evoked_ns_.end(), stretch), stretch);
}

std::vector<ChunkAssembler::Range> ChunkAssembler::SpontaneousIn(const Chunk& chunk) const {
  const int64_t start_ns = chunk.TimeOf(static_cast<double>(chunk.first_position));
  const auto sample_at = [&](int64_t time_ns) {
    // Times beyond the chunk need no position.
    if (time_ns <= start_ns) return int64_t{0};
    if (time_ns >= chunk.end_ns) return chunk.samples;
    const auto position = static_cast<int64_t>(std::ceil(chunk.PositionOf(time_ns)));
    return std::clamp<int64_t>(position - chunk.first_position, 0, chunk.samples);
  };
  std::vector<Range> ranges;
  int64_t next = 0;
  for (const auto& [from_ns, to_ns] : evoked_ns_) {
    if (from_ns >= chunk.end_ns) break;
    if (to_ns <= start_ns) continue;
    const int64_t from = sample_at(from_ns);
    if (from > next) ranges.push_back({next, from});
    next = std::max(next, sample_at(to_ns));
  }
  if (next < chunk.samples) ranges.push_back({next, chunk.samples});
  return ranges;
}

std::optional<double> ChunkAssembler::RmsOf(std::span<const double> samples,
                                            const std::vector<Range>& ranges) const {
  double sum = 0;
  double squares = 0;
  int64_t count = 0;
  for (const Range& range : ranges) {
    for (int64_t i = range.from; i < range.to; ++i) {
      const double sample = samples[static_cast<size_t>(i)];
      if (!std::isfinite(sample)) continue;
      sum += sample;
      squares += sample * sample;
      ++count;
    }
  }
  if (static_cast<double>(count) < kSpontaneousShare * static_cast<double>(chunk_samples_)) {
    return std::nullopt;
  }
  const double n = static_cast<double>(count);
  return std::sqrt(std::max(0.0, squares / n - (sum / n) * (sum / n)));
}

void ChunkAssembler::Judge(Chunk* chunk) {
  const int64_t start_ns = chunk->TimeOf(static_cast<double>(chunk->first_position));
  while (!evoked_ns_.empty() && evoked_ns_.front().second <= start_ns) evoked_ns_.pop_front();
  for (const Loudness& channel : loudness_) {
    chunk->marks_before.push_back(channel.marks);
    chunk->usual_rms_uv.push_back(channel.rms_uv);
  }
  chunk->burst_before = burst_ && !chunk->starts_segment;
  const std::vector<Range> spontaneous = SpontaneousIn(*chunk);
  const bool all_of_it = chunk->samples == chunk_samples_ && spontaneous.size() == 1 &&
                         spontaneous[0].from == 0 && spontaneous[0].to == chunk->samples;
  const std::vector<int>& group = source_.rate_groups[rate_group_].channels;
  std::vector<std::optional<double>> rms_uv(chunk->channels.size());
  int connected = 0;
  int judged = 0;
  int bursting = 0;
  for (const int k : in_use_) {
    const ChannelMarks& marks = chunk->marks[k];
    if (!source_.channels[group[k]].is_voltage) continue;
    if (marks.marks & (dsp::kQualityFlat | kMarkFloating)) continue;
    ++connected;
    rms_uv[k] = all_of_it ? marks.rms_uv : RmsOf(chunk->channels[k], spontaneous);
    judged += rms_uv[k].has_value();
    bursting += IsBurst(rms_uv[k], loudness_[k].rms_uv);
  }
  burst_ = judged > 0 && IsBurstOfAll(bursting, connected);
  const bool burst = burst_ || (judged == 0 && chunk->burst_before);
  for (const int k : in_use_) {
    if (burst) chunk->marks[k].marks |= kMarkInterference;
    loudness_[k].marks = chunk->marks[k].marks;
    if (burst || !rms_uv[k]) continue;
    double& usual = loudness_[k].rms_uv;
    usual = usual == 0 ? *rms_uv[k] : usual + kLoudnessShare * (*rms_uv[k] - usual);
  }
}

}  // namespace remora::agent
