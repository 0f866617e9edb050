#include "dsp/evoked/epoch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Beyond this a double no longer counts single samples.
constexpr std::int64_t kMaxPosition = std::int64_t{1} << 52;
// A trigger nearer to a sample than this is on it: no interpolation, no neighbours needed.
constexpr double kWholeSampleTolerance = 1e-9;
constexpr auto kTapsBefore = static_cast<std::int64_t>(kSamplesBeforeShift);
constexpr auto kTapsAfter = static_cast<std::int64_t>(kSamplesBehindShift);

// 6-point Lagrange weights for a position `fraction` after the third point.
std::array<double, 6> LagrangeWeights(double fraction) {
  std::array<double, 6> weights;
  for (int i = 0; i < 6; ++i) {
    double weight = 1.0;
    for (int j = 0; j < 6; ++j) {
      if (j != i) weight *= (fraction + 2.0 - j) / static_cast<double>(i - j);
    }
    weights[static_cast<std::size_t>(i)] = weight;
  }
  return weights;
}

struct Position {
  std::int64_t base;
  double fraction;
};

Position Split(double sample) {
  const double nearest = std::round(sample);
  if (std::abs(sample - nearest) < kWholeSampleTolerance) {
    return {static_cast<std::int64_t>(nearest), 0.0};
  }
  const double base = std::floor(sample);
  return {static_cast<std::int64_t>(base), sample - base};
}

}  // namespace

void ShiftSamples(std::span<const double> line, double fraction, std::span<double> output) {
  const std::array<double, 6> weights = LagrangeWeights(fraction);
  for (std::size_t i = 0; i < output.size(); ++i) {
    double value = 0.0;
    for (std::size_t tap = 0; tap < weights.size(); ++tap) value += weights[tap] * line[i + tap];
    output[i] = value;
  }
}

absl::StatusOr<EpochCutter> EpochCutter::Create(const EpochOptions& options) {
  const double rate_hz = options.sample_rate_hz;
  if (!std::isfinite(rate_hz) || rate_hz <= 0.0) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample rate ", rate_hz, " Hz: must be positive"));
  }
  const LatencyWindow& window = options.window;
  const double length_ms = window.end_ms - window.start_ms;
  if (!(std::abs(window.start_ms) <= kMaxEpochMs) || !(length_ms > 0.0) ||
      !(length_ms <= kMaxEpochMs)) {
    return absl::InvalidArgumentError(
        absl::StrCat("epoch window ", window.start_ms, " to ", window.end_ms,
                     " ms: must end after it starts and hold at most ", kMaxEpochMs, " ms"));
  }
  if (options.channels < 1 || options.channels > kMaxEpochChannels) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.channels, " channels: must be 1 to ", kMaxEpochChannels));
  }
  const double samples = std::round(length_ms * rate_hz / 1000.0) + 1.0;
  const double ring = samples + (kLateTriggerMs * rate_hz / 1000.0) + 64.0;
  if (ring * static_cast<double>(options.channels) > static_cast<double>(kMaxRingValues)) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.channels, " channels at ", rate_hz, " Hz with a window of ", length_ms,
        " ms need more than ", kMaxRingValues, " samples of memory: split the channels"));
  }
  return EpochCutter(options, static_cast<std::size_t>(samples));
}

EpochCutter::EpochCutter(const EpochOptions& options, std::size_t samples_per_epoch)
    : start_sample_(static_cast<std::int64_t>(
          std::llround(options.window.start_ms * options.sample_rate_hz / 1000.0))),
      channels_(options.channels),
      samples_per_epoch_(samples_per_epoch),
      ring_samples_(samples_per_epoch + 64 +
                    static_cast<std::size_t>(kLateTriggerMs * options.sample_rate_hz / 1000.0)),
      ring_(channels_ * ring_samples_, kNaN),
      missing_(ring_samples_, true) {
  timebase_.sample_rate_hz = options.sample_rate_hz;
  timebase_.start_ms = static_cast<double>(start_sample_) * 1000.0 / options.sample_rate_hz;
}

absl::Status EpochCutter::AddTrigger(double trigger_sample, std::uint64_t trigger_id) {
  if (!(trigger_sample >= 0.0 && trigger_sample <= static_cast<double>(kMaxPosition))) {
    return absl::InvalidArgumentError(
        absl::StrCat("trigger at sample ", trigger_sample, ": not a position in the stream"));
  }
  if (triggers_.size() >= kMaxPendingTriggers) {
    return absl::ResourceExhaustedError(absl::StrCat(
        kMaxPendingTriggers, " triggers wait for their samples: is the signal still arriving?"));
  }
  const auto after = std::upper_bound(
      triggers_.begin(), triggers_.end(), trigger_sample,
      [](double sample, const Trigger& trigger) { return sample < trigger.sample; });
  triggers_.insert(after, Trigger{trigger_sample, trigger_id});
  return absl::OkStatus();
}

std::int64_t EpochCutter::LastNeeded(double trigger_sample) const {
  const Position position = Split(trigger_sample);
  const std::int64_t last =
      position.base + start_sample_ + static_cast<std::int64_t>(samples_per_epoch_) - 1;
  return position.fraction == 0.0 ? last : last + kTapsAfter;
}

std::size_t EpochCutter::RingIndex(std::int64_t sample) const {
  return static_cast<std::size_t>(sample % static_cast<std::int64_t>(ring_samples_));
}

// What the epoch rests on, out of the ring and of what follows it (which may be nothing) into a
// line; how many of its positions are missing in front of each, so that a stretch is asked for by a
// difference.
EpochCutter::Line EpochCutter::Gather(std::int64_t first, std::size_t count,
                                      std::span<const std::span<const double>> next) const {
  constexpr std::int64_t kMissing = -1;
  constexpr std::int64_t kFirstNext = std::int64_t{1} << 62;  // from here on: in `next`
  Line line;
  line.missing_before.resize(count + 1);
  const std::int64_t next_end =
      next_sample_ + (next.empty() ? 0 : static_cast<std::int64_t>(next.front().size()));
  std::vector<std::int64_t> from(count, kMissing);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t sample = first + static_cast<std::int64_t>(i);
    if (started_ && sample >= first_held_ && sample < next_sample_ && sample >= 0) {
      const std::size_t index = RingIndex(sample);
      if (!missing_[index]) from[i] = static_cast<std::int64_t>(index);
    } else if (started_ && sample >= next_sample_ && sample < next_end) {
      from[i] = kFirstNext + (sample - next_sample_);
    }
    line.missing_before[i + 1] = line.missing_before[i] + (from[i] == kMissing ? 1 : 0);
  }
  line.values.resize(channels_ * count);
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    double* values = line.values.data() + channel * count;
    const double* ring = ring_.data() + channel * ring_samples_;
    for (std::size_t i = 0; i < count; ++i) {
      if (from[i] == kMissing) {
        values[i] = kNaN;
      } else if (from[i] >= kFirstNext) {
        values[i] = next[channel][static_cast<std::size_t>(from[i] - kFirstNext)];
      } else {
        values[i] = ring[from[i]];
      }
    }
  }
  return line;
}

Epoch EpochCutter::Cut(const Trigger& trigger,
                       std::span<const std::span<const double>> next) const {
  Epoch epoch;
  epoch.trigger_id = trigger.id;
  epoch.trigger_sample = trigger.sample;
  epoch.samples = samples_per_epoch_;
  const Position position = Split(trigger.sample);
  const bool whole = position.fraction == 0.0;
  const std::size_t taps = whole ? 1 : kTapsBefore + kTapsAfter + 1;
  const std::size_t count = samples_per_epoch_ + taps - 1;
  Line line = Gather(position.base + start_sample_ - (whole ? 0 : kTapsBefore), count, next);
  const auto is_missing = [&](std::size_t i) {
    return line.missing_before[i + taps] != line.missing_before[i];
  };
  for (std::size_t i = 0; i < samples_per_epoch_; ++i) epoch.missing_samples += is_missing(i);
  if (whole) {
    epoch.values_uv = std::move(line.values);
  } else {
    epoch.values_uv.resize(channels_ * samples_per_epoch_);
  }
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const auto cut =
        std::span(epoch.values_uv).subspan(channel * samples_per_epoch_, samples_per_epoch_);
    if (!whole) {
      ShiftSamples(std::span(line.values).subspan(channel * count, count), position.fraction, cut);
    }
    for (std::size_t i = 0; i < samples_per_epoch_; ++i) {
      if (std::isfinite(cut[i])) continue;
      if (!is_missing(i)) ++epoch.non_finite_samples;
      cut[i] = kNaN;
    }
  }
  return epoch;
}

void EpochCutter::YieldComplete(std::vector<Epoch>& epochs) {
  while (!triggers_.empty() && LastNeeded(triggers_.front().sample) < next_sample_) {
    epochs.push_back(Cut(triggers_.front(), {}));
    triggers_.pop_front();
  }
}

void EpochCutter::Advance(std::size_t samples) {
  next_sample_ += static_cast<std::int64_t>(samples);
  first_held_ = std::max(first_held_, next_sample_ - static_cast<std::int64_t>(ring_samples_));
}

void EpochCutter::SkipGap(std::int64_t to, std::vector<Epoch>& epochs) {
  // A whole ring of missing positions is the same wherever it stands, so a long gap is one jump.
  for (std::size_t i = 0; i < ring_samples_ && next_sample_ < to; ++i) {
    missing_[RingIndex(next_sample_)] = true;
    Advance(1);
    if (!triggers_.empty()) YieldComplete(epochs);
  }
  if (next_sample_ < to) Advance(static_cast<std::size_t>(to - next_sample_));
  YieldComplete(epochs);
}

absl::StatusOr<PushReport> EpochCutter::Push(std::uint64_t first_sample,
                                             std::span<const std::span<const double>> channels,
                                             std::vector<Epoch>& epochs) {
  if (channels.size() != channels_) {
    return absl::InvalidArgumentError(
        absl::StrCat("block of ", channels.size(), " channels, expected ", channels_));
  }
  const std::size_t length = channels.front().size();
  for (const auto& channel : channels) {
    if (channel.size() != length) {
      return absl::InvalidArgumentError(
          absl::StrCat("block with channels of ", length, " and ", channel.size(), " samples"));
    }
  }
  if (first_sample > static_cast<std::uint64_t>(kMaxPosition)) {
    return absl::InvalidArgumentError(
        absl::StrCat("block at sample ", first_sample, ": not a position in a stream"));
  }

  PushReport report;
  const auto first = static_cast<std::int64_t>(first_sample);
  if (!started_) {
    started_ = true;
    first_held_ = next_sample_ = first;
  }
  if (first > next_sample_) {
    report.gap_samples = static_cast<std::uint64_t>(first - next_sample_);
    SkipGap(first, epochs);
  }
  std::size_t done = static_cast<std::size_t>(
      std::min<std::int64_t>(next_sample_ - first, static_cast<std::int64_t>(length)));
  report.overlapping_samples = done;
  while (done < length) {
    // In pieces, so that a block longer than the ring does not overwrite what a trigger waits for.
    const std::size_t piece = std::min(length - done, ring_samples_ - samples_per_epoch_ - 8);
    for (std::size_t i = 0; i < piece;) {
      const std::size_t index = RingIndex(next_sample_ + static_cast<std::int64_t>(i));
      const std::size_t run = std::min(piece - i, ring_samples_ - index);
      const auto at = static_cast<std::ptrdiff_t>(index);
      std::fill_n(missing_.begin() + at, run, false);
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        std::copy_n(channels[channel].begin() + static_cast<std::ptrdiff_t>(done + i), run,
                    ring_.begin() + static_cast<std::ptrdiff_t>(channel * ring_samples_) + at);
      }
      i += run;
    }
    Advance(piece);
    done += piece;
    YieldComplete(epochs);
  }
  YieldComplete(epochs);
  return report;
}

std::optional<Epoch> EpochCutter::Peek(double trigger_sample, std::uint64_t trigger_id,
                                       std::span<const std::span<const double>> next) const {
  if (!started_ || next.size() != channels_ || !(trigger_sample >= 0.0) ||
      !(trigger_sample <= static_cast<double>(kMaxPosition))) {
    return std::nullopt;
  }
  const auto length = static_cast<std::int64_t>(next.front().size());
  if (LastNeeded(trigger_sample) >= next_sample_ + length) return std::nullopt;
  return Cut({trigger_sample, trigger_id}, next);
}

void EpochCutter::Flush(std::vector<Epoch>& epochs) {
  for (const Trigger& trigger : triggers_) epochs.push_back(Cut(trigger, {}));
  Restart();
}

void EpochCutter::Restart() {
  triggers_.clear();
  missing_.assign(ring_samples_, true);
  started_ = false;
  first_held_ = next_sample_ = 0;
}

}  // namespace remora::dsp
