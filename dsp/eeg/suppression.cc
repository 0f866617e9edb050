#include "dsp/eeg/suppression.h"

#include <algorithm>
#include <cmath>

namespace remora::dsp {
namespace {

constexpr double kLargestRateHz = 50'000.0;
constexpr double kLongestWindowMs = 600'000.0;

std::size_t SamplesOf(double ms, double rate_hz) {
  return static_cast<std::size_t>(std::llround(ms * rate_hz / 1000.0));
}

}  // namespace

absl::StatusOr<SuppressionRatio> SuppressionRatio::Create(const SuppressionOptions& options) {
  const auto within = [](double value, double most) { return value > 0.0 && value <= most; };
  if (!within(options.sample_rate_hz, kLargestRateHz)) {
    return absl::InvalidArgumentError("the sample rate is out of range");
  }
  if (!(options.limit_uv > 0.0) || !within(options.window_ms, kLongestWindowMs) ||
      !within(options.shortest_ms, options.window_ms) ||
      SamplesOf(options.shortest_ms, options.sample_rate_hz) < 2) {
    return absl::InvalidArgumentError("a limit of burst suppression is out of range");
  }
  return SuppressionRatio(options);
}

SuppressionRatio::SuppressionRatio(const SuppressionOptions& options)
    : limit_uv_(options.limit_uv),
      shortest_samples_(SamplesOf(options.shortest_ms, options.sample_rate_hz)),
      window_(SamplesOf(options.window_ms, options.sample_rate_hz), Mark::kUnknown) {}

void SuppressionRatio::Push(std::span<const double> samples_uv) {
  for (const double sample : samples_uv) {
    if (!std::isfinite(sample)) {
      run_ = 0;
      Take(Mark::kUnknown);
      continue;
    }
    run_ = std::abs(sample) < limit_uv_ ? run_ + 1 : 0;
    Take(run_ >= shortest_samples_ ? Mark::kSuppressed : Mark::kActive);
    if (run_ != shortest_samples_) continue;
    // Now it is known of those before it, too.
    for (std::size_t back = 1; back <= run_; ++back) {
      Replace((next_ + window_.size() - back) % window_.size(), Mark::kSuppressed);
    }
  }
}

void SuppressionRatio::Skip(std::uint64_t samples) {
  run_ = 0;
  const std::uint64_t all = window_.size();
  for (std::uint64_t i = 0; i < std::min(samples, all); ++i) Take(Mark::kUnknown);
}

std::optional<double> SuppressionRatio::percent() const {
  const std::size_t judged = active_ + suppressed_;
  if (2 * judged < window_.size()) return std::nullopt;
  return 100.0 * static_cast<double>(suppressed_) / static_cast<double>(judged);
}

void SuppressionRatio::Take(Mark mark) {
  Replace(next_, mark);
  next_ = (next_ + 1) % window_.size();
}

void SuppressionRatio::Replace(std::size_t place, Mark mark) {
  const auto count = [this](Mark of) -> std::size_t* {
    return of == Mark::kActive ? &active_ : of == Mark::kSuppressed ? &suppressed_ : nullptr;
  };
  if (std::size_t* was = count(window_[place])) --*was;
  window_[place] = mark;
  if (std::size_t* is = count(mark)) ++*is;
}

}  // namespace remora::dsp
