#include "dsp/evoked/sweep_average.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace remora::dsp {
namespace {

SampleRange RangeOf(const LatencyWindow& window, const Timebase& timebase, std::size_t samples) {
  if (!(window.start_ms < window.end_ms)) return {0, samples};
  return SamplesIn(window, timebase, samples);
}

bool AllFinite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// Moves a mean of `count - 1` sweeps to one of `count`.
void Blend(std::span<const double> sweep, std::uint32_t count, std::vector<double>& mean) {
  const double share = 1.0 / static_cast<double>(count);
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += (sweep[i] - mean[i]) * share;
}

}  // namespace

const char* RejectionName(Rejection cause) {
  switch (cause) {
    case Rejection::kNone:
      return "none";
    case Rejection::kGap:
      return "gap";
    case Rejection::kNonFinite:
      return "not finite";
    case Rejection::kClipping:
      return "clipping";
    case Rejection::kFlat:
      return "flat";
    case Rejection::kAmplitude:
      return "amplitude";
    case Rejection::kExternal:
      return "external";
  }
  return "unknown";
}

Rejection JudgeSweep(std::span<const double> sweep_uv, const Timebase& timebase,
                     const RejectionLimits& limits, std::uint32_t raw_marks) {
  if ((raw_marks & kQualityGap) != 0) return Rejection::kGap;
  if ((raw_marks & kQualityNonFinite) != 0 || !AllFinite(sweep_uv) || sweep_uv.empty()) {
    return Rejection::kNonFinite;
  }
  if ((raw_marks & kQualityClipping) != 0) return Rejection::kClipping;
  const auto [low, high] = std::minmax_element(sweep_uv.begin(), sweep_uv.end());
  if ((raw_marks & kQualityFlat) != 0 || *high - *low <= limits.flat_range_uv) {
    return Rejection::kFlat;
  }
  const SampleRange range = RangeOf(limits.window, timebase, sweep_uv.size());
  for (const double value : sweep_uv.subspan(range.first, range.count)) {
    if (std::abs(value) > limits.max_abs_uv) return Rejection::kAmplitude;
  }
  return Rejection::kNone;
}

std::uint32_t EpochMarks(const Epoch& epoch) {
  return epoch.missing_samples > 0 ? kQualityGap : kQualityGood;
}

SweepAverage::SweepAverage(std::size_t samples, Timebase timebase)
    : timebase_(timebase),
      mean_(std::max<std::size_t>(samples, 1), 0.0),
      odd_(mean_.size(), 0.0),
      even_(mean_.size(), 0.0) {}

Rejection SweepAverage::Add(std::span<const double> sweep_uv, Rejection cause) {
  if (cause == Rejection::kNone && (sweep_uv.size() != mean_.size() || !AllFinite(sweep_uv))) {
    cause = Rejection::kNonFinite;
  }
  if (cause != Rejection::kNone) {
    ++rejected_[static_cast<std::size_t>(cause)];
    return cause;
  }
  if (accepted() % 2 == 0) {
    Blend(sweep_uv, ++odd_count_, odd_);
  } else {
    Blend(sweep_uv, ++even_count_, even_);
  }
  Blend(sweep_uv, accepted(), mean_);
  return cause;
}

void SweepAverage::Reset() {
  for (std::vector<double>* mean : {&mean_, &odd_, &even_}) {
    std::fill(mean->begin(), mean->end(), 0.0);
  }
  odd_count_ = even_count_ = 0;
  rejected_.fill(0);
}

std::uint32_t SweepAverage::rejected() const {
  return std::accumulate(rejected_.begin(), rejected_.end(), std::uint32_t{0});
}

std::uint32_t SweepAverage::rejected(Rejection cause) const {
  return rejected_[static_cast<std::size_t>(cause)];
}

double SweepAverage::PlusMinusNoiseUv(const LatencyWindow& window) const {
  const SampleRange range = RangeOf(window, timebase_, mean_.size());
  if (even_count_ == 0 || range.count == 0) return std::numeric_limits<double>::quiet_NaN();
  double squares = 0.0;
  for (std::size_t i = range.first; i < range.first + range.count; ++i) {
    squares += (odd_[i] - even_[i]) * (odd_[i] - even_[i]);
  }
  // Variance of a difference of means of n1 and n2 sweeps is (n1 + n2)^2 / (n1 n2) times that of
  // the mean of all.
  const double odd = odd_count_;
  const double even = even_count_;
  return std::sqrt(squares / static_cast<double>(range.count) * odd * even) / (odd + even);
}

}  // namespace remora::dsp
