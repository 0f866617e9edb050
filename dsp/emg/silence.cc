#include "dsp/emg/silence.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

constexpr double kUnitMs = 50.0;
constexpr double kLongestMs = 600000.0;
// The burst is over below this many times the usual level.
constexpr double kBurstEndOverUsual = 2.0;

std::size_t UnitsIn(double ms) {
  return static_cast<std::size_t>(std::max(1.0, std::ceil(ms / kUnitMs)));
}

}  // namespace

absl::StatusOr<SilenceWatch> SilenceWatch::Create(const SilenceOptions& options) {
  if (!(options.sample_rate_hz >= 500.0 && options.sample_rate_hz <= 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate_hz ", options.sample_rate_hz, ": EMG needs 500 to 1000000 Hz"));
  }
  for (const double ms :
       {options.before_ms, options.burst_max_ms, options.silence_ms, options.give_up_ms}) {
    if (!(ms >= kUnitMs && ms <= kLongestMs)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a time of ", ms, " ms: must be ", kUnitMs, " to ", kLongestMs));
    }
  }
  if (!(options.threshold_over_floor > 0.0 && options.active_share > 0.0 &&
        options.active_share <= 1.0 && options.burst_over_usual > kBurstEndOverUsual &&
        options.burst_min_uv > 0.0 && options.give_up_ms >= options.silence_ms)) {
    return absl::InvalidArgumentError("a limit of silence after a burst is out of range");
  }
  return SilenceWatch(options);
}

SilenceWatch::SilenceWatch(const SilenceOptions& options)
    : options_(options),
      unit_samples_(static_cast<std::size_t>(std::lround(kUnitMs * options.sample_rate_hz / 1e3))),
      units_before_(UnitsIn(options.before_ms)),
      burst_units_(UnitsIn(options.burst_max_ms)),
      silent_units_needed_(UnitsIn(options.silence_ms)),
      give_up_units_(UnitsIn(options.give_up_ms)) {}

std::optional<SilenceAfterBurst> SilenceWatch::Push(std::span<const double> samples_uv,
                                                    std::uint32_t hints, double noise_floor_uv) {
  std::optional<SilenceAfterBurst> told;
  const bool is_known = hints == kNoArtefact && noise_floor_uv > 0.0;
  floor_uv_ = noise_floor_uv;
  while (!samples_uv.empty()) {
    const auto run = samples_uv.first(std::min(samples_uv.size(), unit_samples_ - filled_));
    samples_uv = samples_uv.subspan(run.size());
    double peak_uv = peak_uv_;
    bool all_finite = true;
    for (const double sample : run) {
      const double height_uv = std::abs(sample);
      all_finite &= height_uv < 1e30;
      peak_uv = std::max(peak_uv, height_uv);
    }
    peak_uv_ = peak_uv;
    unknown_ = unknown_ || !is_known || !all_finite;
    position_ += run.size();
    filled_ += run.size();
    if (filled_ < unit_samples_) break;
    if (const auto found = FinishUnit()) told = found;
  }
  return told;
}

void SilenceWatch::Restart() {
  state_ = State::kWatching;
  before_.clear();
  peak_uv_ = 0.0;
  unknown_ = false;
  filled_ = 0;
}

bool SilenceWatch::Usual(double* level_uv, double* share) const {
  std::vector<double> peaks;
  std::size_t judged = 0;
  for (const Unit& unit : before_) {
    if (unit.mark == Mark::kUnknown) continue;
    ++judged;
    if (unit.mark == Mark::kActive) peaks.push_back(unit.peak_uv);
  }
  if (2 * judged < units_before_ || peaks.empty()) return false;
  *share = static_cast<double>(peaks.size()) / static_cast<double>(judged);
  const auto middle = peaks.begin() + static_cast<std::ptrdiff_t>(peaks.size() / 2);
  std::nth_element(peaks.begin(), middle, peaks.end());
  *level_uv = *middle;
  return *share >= options_.active_share;
}

void SilenceWatch::Remember(const Unit& unit) {
  before_.push_back(unit);
  if (before_.size() > units_before_) before_.pop_front();
}

std::optional<SilenceAfterBurst> SilenceWatch::FinishUnit() {
  Unit unit{Mark::kQuiet, peak_uv_};
  if (unknown_) {
    unit.mark = Mark::kUnknown;
  } else if (peak_uv_ > options_.threshold_over_floor * floor_uv_) {
    unit.mark = Mark::kActive;
  }
  peak_uv_ = 0.0;
  unknown_ = false;
  filled_ = 0;

  double level_uv = 0.0;
  double share = 0.0;
  const bool tall = unit.mark == Mark::kActive && unit.peak_uv >= options_.burst_min_uv;
  if (state_ == State::kWatching && tall && Usual(&level_uv, &share) &&
      unit.peak_uv >= options_.burst_over_usual * level_uv) {
    state_ = State::kBurst;
    found_ = {position_ - unit_samples_, position_ - 1, unit.peak_uv, level_uv, share, 0.0};
    units_since_ = 1;
    return std::nullopt;
  }
  const bool goes_on =
      unit.mark == Mark::kActive && unit.peak_uv > kBurstEndOverUsual * found_.usual_peak_uv;
  if (state_ == State::kBurst && goes_on) {
    found_.burst_last_sample = position_ - 1;
    found_.burst_peak_uv = std::max(found_.burst_peak_uv, unit.peak_uv);
    if (++units_since_ > burst_units_) state_ = State::kTooLong;
    return std::nullopt;
  }
  if (state_ == State::kTooLong && !goes_on) state_ = State::kWatching;
  if (state_ == State::kBurst) {
    state_ = State::kListening;
    units_since_ = silent_units_ = 0;
  }
  if (state_ == State::kListening) {
    ++units_since_;
    if (unit.mark == Mark::kQuiet) ++silent_units_;
    // The burst's own tail, in the unit after it, is no activity.
    const bool active = unit.mark == Mark::kActive && units_since_ > 1;
    if (silent_units_ == silent_units_needed_) {
      SilenceAfterBurst told = found_;
      told.silent_ms = static_cast<double>(silent_units_) * kUnitMs;
      Restart();
      return told;
    }
    if (active || units_since_ >= give_up_units_) state_ = State::kWatching;
  }
  Remember(unit);
  return std::nullopt;
}

}  // namespace remora::dsp
