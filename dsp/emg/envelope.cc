#include "dsp/emg/envelope.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dsp/filter/streaming_filter.h"

namespace remora::dsp {

absl::StatusOr<EmgEnvelope> EmgEnvelope::Create(double sample_rate_hz, double bin_ms) {
  const double samples = std::round(bin_ms * sample_rate_hz / 1000.0);
  if (!(sample_rate_hz > 0.0) || !(bin_ms <= kMaxEnvelopeBinMs) || !(samples >= 1.0)) {
    return absl::InvalidArgumentError(absl::StrCat("envelope bin ", bin_ms,
                                                   " ms: must hold a sample and be at most ",
                                                   kMaxEnvelopeBinMs, " ms"));
  }
  return EmgEnvelope(static_cast<std::size_t>(samples));
}

void EmgEnvelope::Take(std::span<const double> samples_uv) {
  if (bin_.samples == 0) {
    bin_.first_sample = next_sample_;
    bin_.min_uv = std::numeric_limits<double>::infinity();
    bin_.max_uv = -std::numeric_limits<double>::infinity();
  }
  bin_.samples += static_cast<std::uint32_t>(samples_uv.size());
  next_sample_ += samples_uv.size();
  // In registers: members would be stored with each sample.
  EnvelopeBin bin = bin_;
  double sum_of_squares = sum_of_squares_;
  for (const double sample : samples_uv) {
    // The same bound as the filter's: what it would not take is not measured either.
    if (!(std::abs(sample) <= kLargestSample)) {
      ++bin.non_finite_samples;
      continue;
    }
    bin.min_uv = std::min(bin.min_uv, sample);
    bin.max_uv = std::max(bin.max_uv, sample);
    sum_of_squares += sample * sample;
  }
  bin_ = bin;
  sum_of_squares_ = sum_of_squares;
}

void EmgEnvelope::FinishBin(std::vector<EnvelopeBin>& bins) {
  const std::uint32_t finite = bin_.samples - bin_.non_finite_samples;
  if (finite > 0) {
    bin_.rms_uv = std::sqrt(sum_of_squares_ / finite);
  } else {
    bin_.min_uv = bin_.max_uv = bin_.rms_uv = std::numeric_limits<double>::quiet_NaN();
  }
  bins.push_back(bin_);
  bin_ = {};
  sum_of_squares_ = 0.0;
}

void EmgEnvelope::Push(std::span<const double> samples_uv, std::vector<EnvelopeBin>& bins) {
  while (!samples_uv.empty()) {
    const auto part =
        samples_uv.first(std::min(samples_uv.size(), samples_per_bin_ - bin_.samples));
    samples_uv = samples_uv.subspan(part.size());
    Take(part);
    if (bin_.samples == samples_per_bin_) FinishBin(bins);
  }
}

void EmgEnvelope::Restart(std::vector<EnvelopeBin>& bins) {
  if (bin_.samples > 0) FinishBin(bins);
  next_sample_ = 0;
}

}  // namespace remora::dsp
