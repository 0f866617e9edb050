#include "dsp/eeg/after_discharge.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kBinMs = 100.0;
constexpr std::size_t kMostBins = 100;
constexpr double kLevelRank = 0.95;
constexpr double kWidestSpikeMs = 250.0;
constexpr double kMeanMs = 300.0;
// Two phases of one wave are one spike: 25 a second at most.
constexpr double kRefractoryMs = 40.0;
constexpr std::uint32_t kLeastSpikes = 5;
constexpr double kIntervalDeviation = 0.5;

}  // namespace

absl::StatusOr<AfterDischargeDetector> AfterDischargeDetector::Create(
    const AfterDischargeOptions& options) {
  if (!(options.sample_rate_hz >= 100.0 && options.sample_rate_hz <= 50000.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate_hz ", options.sample_rate_hz, ": must be 100 to 50000"));
  }
  if (!(options.over_background > 0.0 && options.over_background <= 1000.0 &&
        options.min_uv > 0.0 && options.saturation_uv > options.min_uv)) {
    return absl::InvalidArgumentError("a height of after-discharges is out of range");
  }
  for (const double ms : {options.settle_ms, options.watch_ms, options.shortest_ms,
                          options.max_gap_ms}) {
    if (!(ms > 0.0 && ms <= 600000.0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a time of ", ms, " ms: must be positive and at most 600000"));
    }
  }
  return AfterDischargeDetector(options);
}

AfterDischargeDetector::AfterDischargeDetector(const AfterDischargeOptions& options)
    : options_(options),
      widest_(SamplesOf(kWidestSpikeMs)),
      half_(static_cast<std::size_t>(SamplesOf(kMeanMs / 2.0))) {}

double AfterDischargeDetector::MsOf(std::uint64_t samples) const {
  return static_cast<double>(samples) * 1000.0 / options_.sample_rate_hz;
}

std::uint64_t AfterDischargeDetector::SamplesOf(double ms) const {
  return static_cast<std::uint64_t>(std::max(1.0, std::round(ms * options_.sample_rate_hz / 1e3)));
}

void AfterDischargeDetector::Push(std::span<const double> samples_uv, bool stimulating,
                                  std::vector<AfterDischarge>& discharges) {
  for (const double sample : samples_uv) {
    if (stimulating) {
      BeginStimulation(discharges);
      stimulus_end_ = position_ + 1;
    } else {
      Take(sample, discharges);
    }
    ++position_;
  }
}

void AfterDischargeDetector::Skip(std::uint64_t samples, std::vector<AfterDischarge>& discharges) {
  Over(/*interrupted=*/true, discharges);
  state_ = State::kBackground;
  bins_.clear();
  bin_filled_ = 0;
  bin_peak_uv_ = 0.0;
  background_uv_ = 0.0;
  ForgetAround();
  position_ += samples;
}

void AfterDischargeDetector::BeginStimulation(std::vector<AfterDischarge>& discharges) {
  if (state_ == State::kStimulating) return;
  Over(/*interrupted=*/true, discharges);
  // Where too little came since the last one, its background still holds.
  if (state_ == State::kBackground && bins_.size() >= kLeastBins) {
    std::vector<double> sorted(bins_.begin(), bins_.end());
    const auto rank = sorted.begin() + static_cast<std::ptrdiff_t>(
                                           kLevelRank * static_cast<double>(sorted.size() - 1));
    std::nth_element(sorted.begin(), rank, sorted.end());
    background_uv_ = *rank;
    threshold_uv_ = std::max(options_.min_uv, options_.over_background * background_uv_);
  }
  state_ = State::kStimulating;
  ForgetAround();
}

void AfterDischargeDetector::Take(double sample_uv, std::vector<AfterDischarge>& discharges) {
  if (state_ == State::kStimulating) {
    state_ = State::kSettling;
    since_ = position_;
  }
  if (state_ == State::kSettling && MsOf(position_ - since_) >= options_.settle_ms) {
    state_ = State::kWatching;
    since_ = position_;
    ForgetSpikes();
  }
  if (state_ == State::kSettling) return;
  if (!(std::abs(sample_uv) < options_.saturation_uv)) {
    Over(/*interrupted=*/true, discharges);
    ForgetAround();
    return;
  }
  const std::optional<double> centred = Centred(sample_uv);
  if (!centred) return;
  at_ = position_ - half_;
  if (state_ == State::kBackground) {
    TakeBackground(*centred);
  } else {
    Look(*centred, discharges);
  }
}

std::optional<double> AfterDischargeDetector::Centred(double sample_uv) {
  around_.push_back(sample_uv);
  around_sum_ += sample_uv;
  const std::size_t full = 2 * half_ + 1;
  if (around_.size() < full) return std::nullopt;
  if (around_.size() > full) {
    around_sum_ -= around_.front();
    around_.pop_front();
  }
  return around_[half_] - around_sum_ / static_cast<double>(full);
}

void AfterDischargeDetector::ForgetAround() {
  around_.clear();
  around_sum_ = 0.0;
}

void AfterDischargeDetector::TakeBackground(double uv) {
  bin_peak_uv_ = std::max(bin_peak_uv_, std::abs(uv));
  if (++bin_filled_ < SamplesOf(kBinMs)) return;
  bins_.push_back(bin_peak_uv_);
  if (bins_.size() > kMostBins) bins_.pop_front();
  bin_filled_ = 0;
  bin_peak_uv_ = 0.0;
}

void AfterDischargeDetector::Look(double uv, std::vector<AfterDischarge>& discharges) {
  const double height_uv = std::abs(uv);
  if (background_uv_ > 0.0) {
    if (!over_ && height_uv > threshold_uv_) {
      over_ = true;
      over_since_ = at_;
      over_peak_uv_ = 0.0;
    }
    if (over_ && height_uv > over_peak_uv_) {
      over_peak_uv_ = height_uv;
      over_top_ = at_;
    }
    if (over_ && height_uv < 0.5 * threshold_uv_) {
      over_ = false;
      if (at_ - over_since_ <= widest_) CountSpike(discharges);
    }
  }
  if (spikes_ > 0 && MsOf(at_ - last_spike_) > options_.max_gap_ms) {
    Over(/*interrupted=*/false, discharges);
  }
  const bool watched = MsOf(at_ - since_) > options_.watch_ms;
  if (state_ == State::kWatching && spikes_ == 0 && watched) state_ = State::kBackground;
}

void AfterDischargeDetector::CountSpike(std::vector<AfterDischarge>& discharges) {
  if (spikes_ > 0 && MsOf(over_top_ - last_spike_) < kRefractoryMs) {
    peak_uv_ = std::max(peak_uv_, over_peak_uv_);
    return;
  }
  if (spikes_ == 0) {
    first_spike_ = over_top_;
  } else {
    const double interval_ms = MsOf(over_top_ - last_spike_);
    interval_squares_ += interval_ms * interval_ms;
  }
  ++spikes_;
  last_spike_ = over_top_;
  peak_uv_ = std::max(peak_uv_, over_peak_uv_);
  const double duration_ms = MsOf(last_spike_ - first_spike_);
  if (state_ != State::kWatching || spikes_ < kLeastSpikes || duration_ms < options_.shortest_ms) {
    return;
  }
  const double mean_ms = duration_ms / (spikes_ - 1);
  const double variance = interval_squares_ / (spikes_ - 1) - mean_ms * mean_ms;
  if (std::sqrt(std::max(0.0, variance)) > kIntervalDeviation * mean_ms) return;
  state_ = State::kDischarge;
  discharges.push_back(Describe(DischargePhase::kBegan));
}

void AfterDischargeDetector::Over(bool interrupted, std::vector<AfterDischarge>& discharges) {
  if (state_ == State::kDischarge) {
    discharges.push_back(Describe(DischargePhase::kEnded));
    discharges.back().interrupted = interrupted;
    state_ = State::kBackground;
    bins_.clear();  // the cortex is not what it was
  }
  ForgetSpikes();
}

void AfterDischargeDetector::ForgetSpikes() {
  spikes_ = 0;
  interval_squares_ = peak_uv_ = 0.0;
  over_ = false;
}

AfterDischarge AfterDischargeDetector::Describe(DischargePhase phase) const {
  AfterDischarge discharge;
  discharge.phase = phase;
  discharge.first_sample = first_spike_;
  discharge.last_sample = last_spike_;
  discharge.duration_ms = MsOf(last_spike_ - first_spike_);
  discharge.after_stimulus_ms = MsOf(first_spike_ - stimulus_end_);
  discharge.spikes = spikes_;
  if (discharge.duration_ms > 0.0) discharge.rate_hz = 1e3 * (spikes_ - 1) / discharge.duration_ms;
  discharge.peak_uv = peak_uv_;
  discharge.background_uv = background_uv_;
  return discharge;
}

}  // namespace remora::dsp
