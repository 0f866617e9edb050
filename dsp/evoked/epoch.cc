#include "dsp/evoked/epoch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

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
  const double samples = std::round(length_ms * rate_hz / 1000.0) + 1.0;
  const double held = samples + kLateTriggerMs * rate_hz / 1000.0 + 64.0;
  if (!(held <= static_cast<double>(kMaxRingValues))) {
    return absl::InvalidArgumentError(absl::StrCat("a window of ", length_ms, " ms at ", rate_hz,
                                                   " Hz needs more than ", kMaxRingValues,
                                                   " samples of memory"));
  }
  absl::StatusOr<SampleRing> ring =
      SampleRing::Create(options.channels, static_cast<std::size_t>(held));
  if (!ring.ok()) return ring.status();
  return EpochCutter(options, static_cast<std::size_t>(samples), *std::move(ring));
}

EpochCutter::EpochCutter(const EpochOptions& options, std::size_t samples_per_epoch,
                         SampleRing ring)
    : start_sample_(static_cast<std::int64_t>(
          std::llround(options.window.start_ms * options.sample_rate_hz / 1000.0))),
      samples_per_epoch_(samples_per_epoch),
      ring_(std::move(ring)) {
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

Epoch EpochCutter::Cut(const Trigger& trigger) const {
  Epoch epoch;
  epoch.trigger_id = trigger.id;
  epoch.trigger_sample = trigger.sample;
  epoch.samples = samples_per_epoch_;
  const Position position = Split(trigger.sample);
  const bool whole = position.fraction == 0.0;
  const std::size_t taps = whole ? 1 : kTapsBefore + kTapsAfter + 1;
  const std::size_t count = samples_per_epoch_ + taps - 1;
  SampleRing::Stretch line =
      ring_.Copy(position.base + start_sample_ - (whole ? 0 : kTapsBefore), count, {});
  const auto is_missing = [&](std::size_t i) {
    return line.missing_before[i + taps] != line.missing_before[i];
  };
  for (std::size_t i = 0; i < samples_per_epoch_; ++i) epoch.missing_samples += is_missing(i);
  if (whole) {
    epoch.values_uv = std::move(line.values);
  } else {
    epoch.values_uv.resize(ring_.channels() * samples_per_epoch_);
  }
  for (std::size_t channel = 0; channel < ring_.channels(); ++channel) {
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
  while (!triggers_.empty() && LastNeeded(triggers_.front().sample) < ring_.end()) {
    epochs.push_back(Cut(triggers_.front()));
    triggers_.pop_front();
  }
}

void EpochCutter::SkipGap(std::int64_t to, std::vector<Epoch>& epochs) {
  // One by one, so that what the ring still holds is there for the triggers before the gap; a
  // whole ring of nothing is the same wherever it stands.
  for (std::size_t i = 0; i < ring_.samples() && ring_.end() < to && !triggers_.empty(); ++i) {
    ring_.Skip(1);
    YieldComplete(epochs);
  }
  if (ring_.end() < to) ring_.Skip(to - ring_.end());
  YieldComplete(epochs);
}

absl::StatusOr<PushReport> EpochCutter::Push(std::uint64_t first_sample,
                                             std::span<const std::span<const double>> channels,
                                             std::vector<Epoch>& epochs) {
  if (channels.size() != ring_.channels()) {
    return absl::InvalidArgumentError(
        absl::StrCat("block of ", channels.size(), " channels, expected ", ring_.channels()));
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
    ring_.Start(first);
  }
  if (first > ring_.end()) {
    report.gap_samples = static_cast<std::uint64_t>(first - ring_.end());
    SkipGap(first, epochs);
  }
  std::size_t done = static_cast<std::size_t>(
      std::min<std::int64_t>(ring_.end() - first, static_cast<std::int64_t>(length)));
  report.overlapping_samples = done;
  std::vector<std::span<const double>> piece(channels.size());
  while (done < length) {
    // In pieces, so that a block longer than the ring does not overwrite what a trigger waits for.
    const std::size_t count = std::min(length - done, ring_.samples() - samples_per_epoch_ - 8);
    std::transform(channels.begin(), channels.end(), piece.begin(),
                   [&](std::span<const double> all) { return all.subspan(done, count); });
    ring_.Append(piece);
    done += count;
    YieldComplete(epochs);
  }
  YieldComplete(epochs);
  return report;
}

void EpochCutter::Flush(std::vector<Epoch>& epochs) {
  for (const Trigger& trigger : triggers_) epochs.push_back(Cut(trigger));
  Restart();
}

void EpochCutter::Restart() {
  triggers_.clear();
  ring_.Start(0);
  started_ = false;
}

}  // namespace remora::dsp
