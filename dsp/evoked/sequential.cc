#include "dsp/evoked/sequential.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/evoked/reproducibility.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kGroups = 10;
// Fewer make groups of one sweep.
constexpr std::uint32_t kLeastForGroups = 2 * kGroups;
constexpr std::uint32_t kMostSweeps = 100000;
// A feature of the presence test about each 2.5 ms: half a cortical component.
constexpr double kFeatureMs = 2.5;
// Bounds of 80 %: of a standard deviation, and of a variance known from ten groups.
constexpr double kBound = 1.2816;
constexpr double kVarianceLow = 9.0 / 14.684;
constexpr double kVarianceHigh = 9.0 / 4.168;
// A response of so many times the residual noise, peak to peak, would stand out.
constexpr double kStandsOut = 4.0;

double MeanSquare(std::span<const double> values) {
  double squares = 0.0;
  for (const double value : values) squares += value * value;
  return values.empty() ? 0.0 : squares / static_cast<double>(values.size());
}

// Standard error and mean of leave-one-out values.
struct JackknifeOf {
  explicit JackknifeOf(const std::array<double, kGroups>& values) {
    for (const double value : values) mean += value / static_cast<double>(kGroups);
    for (const double value : values) error += (value - mean) * (value - mean);
    error = std::sqrt(error * (kGroups - 1.0) / kGroups);
  }
  double mean = 0.0;
  double error = 0.0;
};

std::size_t FeaturesFor(const LatencyWindow& window) {
  const double count = std::round((window.end_ms - window.start_ms) / kFeatureMs);
  return static_cast<std::size_t>(
      std::clamp(count, 3.0, static_cast<double>(kMaxHotellingFeatures)));
}

// Sweeps at which something is enough: a guess and its bounds.
struct Range {
  double estimate = 0.0;
  double low = 0.0;
  double high = 0.0;

  void Widen(const Range& other) {
    estimate = std::max(estimate, other.estimate);
    low = std::max(low, other.low);
    high = std::max(high, other.high);
  }
};

Range ForError(double sweeps, double error, double limit) {
  const double factor = (error / limit) * (error / limit);
  return {sweeps * factor, sweeps * factor * kVarianceLow, sweeps * factor * kVarianceHigh};
}

// Sweeps at which a response of this noncentrality a sweep passes the presence test.
double ForPresence(double noncentrality, double features, double level, double most) {
  const auto passes = [&](double sweeps) {
    const double d2 = sweeps - features;
    const double statistic = features + noncentrality * sweeps;
    return FisherUpperTail(statistic * d2 / (features * (sweeps - 1.0)), features, d2) <= level;
  };
  if (!(noncentrality > 0.0) || !passes(most)) return std::numeric_limits<double>::infinity();
  double low = features + 1.0;
  double high = most;
  while (high - low > 1.0) {
    const double middle = 0.5 * (low + high);
    (passes(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

absl::StatusOr<SequentialAverage> SequentialAverage::Create(const SequentialOptions& options,
                                                            std::size_t samples,
                                                            const Timebase& timebase) {
  absl::Status status = ValidateComponentPair(options.pair);
  if (!status.ok()) return status;
  if (!(timebase.sample_rate_hz > 0.0) ||
      SamplesIn(options.window, timebase, samples).count < 2 * kMaxHotellingFeatures) {
    return absl::InvalidArgumentError(
        absl::StrCat("window ", options.window.start_ms, " to ", options.window.end_ms,
                     " ms: must hold ", 2 * kMaxHotellingFeatures, " samples of the sweep"));
  }
  if (options.block_sweeps < 10 || options.block_sweeps > 1000) {
    return absl::InvalidArgumentError(
        absl::StrCat("block_sweeps ", options.block_sweeps, ": must be 10 to 1000"));
  }
  if (options.min_sweeps < kLeastForGroups || options.max_sweeps < options.min_sweeps ||
      options.max_sweeps > kMostSweeps) {
    return absl::InvalidArgumentError(
        absl::StrCat("min_sweeps ", options.min_sweeps, " and max_sweeps ", options.max_sweeps,
                     ": must rise, from ", kLeastForGroups, " to ", kMostSweeps));
  }
  const struct {
    const char* name;
    double value;
    double most;
  } positives[] = {
      {"false_present_rate", options.false_present_rate, 0.2},
      {"min_ratio", options.min_ratio, 1000.0},
      {"max_amplitude_error", options.max_amplitude_error, 1.0},
      {"max_latency_error_ms", options.max_latency_error_ms, 1000.0},
  };
  for (const auto& option : positives) {
    if (!(option.value > 0.0 && option.value <= option.most)) {
      return absl::InvalidArgumentError(absl::StrCat(
          option.name, " ", option.value, ": must be positive and at most ", option.most));
    }
  }
  if (!(options.smallest_response_uv >= 0.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("smallest_response_uv ", options.smallest_response_uv, ": must be 0 or more"));
  }
  return SequentialAverage(options, samples, timebase);
}

SequentialAverage::SequentialAverage(const SequentialOptions& options, std::size_t samples,
                                     const Timebase& timebase)
    : options_(options),
      average_(samples, timebase),
      test_(options.window, timebase, samples, FeaturesFor(options.window)),
      group_sums_(kGroups, std::vector<double>(samples, 0.0)),
      group_counts_(kGroups, 0) {}

std::optional<SequentialLook> SequentialAverage::Add(std::span<const double> sweep_uv,
                                                     Rejection cause) {
  if (average_.Add(sweep_uv, cause) != Rejection::kNone) return std::nullopt;
  test_.Add(sweep_uv);
  const std::uint32_t sweeps = average_.accepted();
  const std::size_t group = (sweeps - 1) % kGroups;
  ++group_counts_[group];
  std::vector<double>& sum = group_sums_[group];
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += sweep_uv[i];
  if (sweeps - looked_at_ < options_.block_sweeps && sweeps != options_.max_sweeps) {
    return std::nullopt;
  }
  SequentialLook look = Look();
  // After the cap nothing is left to spend.
  const std::uint32_t paid_until = std::min(sweeps, options_.max_sweeps);
  const std::uint32_t paid_before = std::min(looked_at_, options_.max_sweeps);
  look.p_needed = options_.false_present_rate * (paid_until - paid_before) / options_.max_sweeps;
  present_ = present_ || look.p_value <= look.p_needed;
  looked_at_ = sweeps;
  look.present = present_;
  look.lacks = Lacks(look);
  look.state = Decide(look);
  return look;
}

void SequentialAverage::Reset() {
  average_.Reset();
  test_.Reset();
  for (std::vector<double>& sum : group_sums_) std::fill(sum.begin(), sum.end(), 0.0);
  std::fill(group_counts_.begin(), group_counts_.end(), 0);
  looked_at_ = 0;
  present_ = false;
}

SequentialLook SequentialAverage::Now() const {
  SequentialLook look = Look();
  look.present = present_;
  look.lacks = Lacks(look);
  look.state = Decide(look);
  return look;
}

SequentialLook SequentialAverage::Look() const {
  SequentialLook look;
  look.sweeps = average_.accepted();
  look.p_value = test_.PValue();
  look.residual_noise_uv = NoiseUv();
  const SampleRange range =
      SamplesIn(options_.window, average_.timebase(), average_.mean_uv().size());
  const double noise_uv2 = look.residual_noise_uv * look.residual_noise_uv;
  const double power_uv2 = MeanSquare(average_.mean_uv().subspan(range.first, range.count));
  if (noise_uv2 > 0.0) {
    look.ratio = std::sqrt(std::max(0.0, power_uv2 - noise_uv2) / noise_uv2);
  } else if (noise_uv2 == 0.0 && power_uv2 > 0.0) {
    look.ratio = std::numeric_limits<double>::infinity();
  }
  look.odd_even_correlation =
      Correlation(average_.odd_uv().subspan(range.first, range.count),
                  average_.even_uv().subspan(range.first, range.count));
  look.marking = MarkPair(average_.mean_uv(), average_.timebase(), options_.pair,
                          look.residual_noise_uv, options_.marking);
  const Errors errors = Jackknife(look.marking);
  look.amplitude_uv =
      errors.known ? errors.amplitude_uv : std::numeric_limits<double>::quiet_NaN();
  look.amplitude_error_uv = errors.amplitude_error_uv;
  look.first_error_ms = errors.first_error_ms;
  look.second_error_ms = errors.second_error_ms;
  look.more = Estimate(errors, look);
  return look;
}

double SequentialAverage::NoiseUv() const {
  const std::uint32_t sweeps = average_.accepted();
  if (sweeps < kLeastForGroups) return std::numeric_limits<double>::quiet_NaN();
  const SampleRange range =
      SamplesIn(options_.window, average_.timebase(), average_.mean_uv().size());
  double squares = 0.0;
  for (std::size_t group = 0; group < kGroups; ++group) {
    const double count = group_counts_[group];
    for (std::size_t i = range.first; i < range.first + range.count; ++i) {
      const double away = group_sums_[group][i] / count - average_.mean_uv()[i];
      squares += count * away * away;
    }
  }
  return std::sqrt(squares / (kGroups - 1.0) / sweeps / static_cast<double>(range.count));
}

double SequentialAverage::LatencyErrorMs(double first_error_ms, double second_error_ms) const {
  return options_.judge_second_latency ? std::max(first_error_ms, second_error_ms) : first_error_ms;
}

SequentialAverage::Errors SequentialAverage::Jackknife(const PairMarking& marking) const {
  Errors errors;
  const std::uint32_t sweeps = average_.accepted();
  if (sweeps < kLeastForGroups) return errors;
  // The same two waves: how precisely they stand, not whether others are taller.
  ComponentPair pair = options_.pair;
  const double half_ms = 0.5 * marking.inter_peak_ms;
  pair.first_window = {marking.first.latency_ms - half_ms, marking.first.latency_ms + half_ms};
  pair.second_window = {marking.second.latency_ms - half_ms, marking.second.latency_ms + half_ms};
  const SampleRange range =
      SamplesIn(options_.window, average_.timebase(), average_.mean_uv().size());
  std::array<double, kGroups> amplitudes{};
  std::array<double, kGroups> firsts{};
  std::array<double, kGroups> seconds{};
  std::array<double, kGroups> powers{};
  std::vector<double> without(average_.mean_uv().size());
  bool all_marked = (marking.doubts & (kDoubtNoExtremum | kDoubtBadInput)) == 0;
  for (std::size_t group = 0; group < kGroups; ++group) {
    const double rest = sweeps - group_counts_[group];
    for (std::size_t i = 0; i < without.size(); ++i) {
      without[i] = (average_.mean_uv()[i] * sweeps - group_sums_[group][i]) / rest;
    }
    powers[group] = MeanSquare(std::span(without).subspan(range.first, range.count));
    if (!all_marked) continue;
    const PairMarking mark = MarkPair(without, average_.timebase(), pair, 0.0, options_.marking);
    all_marked = (mark.doubts & kDoubtNoExtremum) == 0;
    amplitudes[group] = mark.amplitude_uv;
    firsts[group] = mark.first.latency_ms;
    seconds[group] = mark.second.latency_ms;
  }
  errors.power_error_uv2 = JackknifeOf(powers).error;
  if (!all_marked) return errors;
  const JackknifeOf amplitude(amplitudes);
  errors.known = true;
  errors.amplitude_uv = kGroups * marking.amplitude_uv - (kGroups - 1.0) * amplitude.mean;
  errors.amplitude_error_uv = amplitude.error;
  errors.first_error_ms = JackknifeOf(firsts).error;
  errors.second_error_ms = JackknifeOf(seconds).error;
  return errors;
}

std::uint32_t SequentialAverage::Lacks(const SequentialLook& look) const {
  std::uint32_t lacks = kLackNothing;
  if (!look.present) lacks |= kLackPresence;
  if (!(look.ratio >= options_.min_ratio)) lacks |= kLackRatio;
  if (!(look.amplitude_error_uv <= options_.max_amplitude_error * look.amplitude_uv)) {
    lacks |= kLackAmplitude;
  }
  if (!(LatencyErrorMs(look.first_error_ms, look.second_error_ms) <=
        options_.max_latency_error_ms)) {
    lacks |= kLackLatency;
  }
  if (look.sweeps < options_.min_sweeps) lacks |= kLackSweeps;
  return lacks;
}

SequentialState SequentialAverage::Decide(const SequentialLook& look) const {
  if (look.lacks == kLackNothing) return SequentialState::kPresent;
  if (!look.present && look.sweeps >= options_.min_sweeps &&
      kStandsOut * look.residual_noise_uv <= options_.smallest_response_uv) {
    return SequentialState::kAbsent;
  }
  return look.sweeps >= options_.max_sweeps ? SequentialState::kCapped : SequentialState::kMore;
}

SweepsNeeded SequentialAverage::Estimate(const Errors& errors, const SequentialLook& look) const {
  const double sweeps = look.sweeps;
  const double most = options_.max_sweeps;
  constexpr double kNever = std::numeric_limits<double>::infinity();
  Range needed{static_cast<double>(options_.min_sweeps), static_cast<double>(options_.min_sweeps),
               static_cast<double>(options_.min_sweeps)};

  const double noise_uv2 = look.residual_noise_uv * look.residual_noise_uv;
  const double wanted_uv2 = options_.min_ratio * options_.min_ratio * noise_uv2;
  const double power_uv2 = look.ratio * look.ratio * noise_uv2;
  const auto for_power = [&](double power) {
    return power > 0.0 ? sweeps * wanted_uv2 / power : kNever;
  };
  needed.Widen({for_power(power_uv2), for_power(power_uv2 + kBound * errors.power_error_uv2),
                for_power(power_uv2 - kBound * errors.power_error_uv2)});
  // The errors of a pair that hardly stands out say little of what they will be: not before.
  if (look.ratio < options_.min_ratio) {
    needed.high = std::max(needed.high, needed.estimate);
  } else if (errors.known && errors.amplitude_uv > 0.0) {
    needed.Widen(ForError(sweeps, errors.amplitude_error_uv,
                          options_.max_amplitude_error * errors.amplitude_uv));
    needed.Widen(ForError(sweeps, LatencyErrorMs(errors.first_error_ms, errors.second_error_ms),
                          options_.max_latency_error_ms));
  } else {
    needed.high = kNever;
  }
  if (!present_ && sweeps > 0.0) {
    const double features = static_cast<double>(test_.features());
    const double excess = std::max(0.0, test_.Statistic() - features);
    const double spread = std::sqrt(2.0 * features + 4.0 * excess);
    const double level = options_.false_present_rate * options_.block_sweeps / most;
    const auto at = [&](double total) {
      return ForPresence(total / sweeps, features, level, kMostSweeps);
    };
    needed.Widen({at(excess), at(excess + kBound * spread), at(excess - kBound * spread)});
  }
  const auto more = [&](double total) {
    const double capped = std::min(total, most);
    return static_cast<std::uint32_t>(std::ceil(std::max(0.0, capped - sweeps)));
  };
  return {more(needed.estimate), more(needed.low), more(needed.high), !(needed.estimate <= most),
          needed.estimate};
}

}  // namespace remora::dsp
