#include "dsp/spectral/welch.h"

#include <fftw3.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

// A leaf; the annotated mutex is common's, which dsp does not know.
std::mutex& PlannerLock() {
  static std::mutex& lock = *new std::mutex;
  return lock;
}

// Periodic, as for spectra: the sample behind the last one would be the first one again.
std::vector<double> HannWindow(std::size_t samples) {
  std::vector<double> window(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(samples);
    window[i] = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * part);
  }
  return window;
}

}  // namespace

// A real transform of one length, with its buffers.
class WelchEstimator::Transform {
 public:
  explicit Transform(std::size_t samples)
      : in_(fftw_alloc_real(samples)), out_(fftw_alloc_complex(samples / 2 + 1)) {
    const std::lock_guard lock(PlannerLock());
    // Estimated, not measured: a plan does not depend on how busy the machine was.
    plan_ = fftw_plan_dft_r2c_1d(static_cast<int>(samples), in_, out_, FFTW_ESTIMATE);
  }
  ~Transform() {
    {
      const std::lock_guard lock(PlannerLock());
      fftw_destroy_plan(plan_);
    }
    fftw_free(in_);
    fftw_free(out_);
  }
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;

  double* in() { return in_; }
  void Run() { fftw_execute(plan_); }
  double SquareOf(std::size_t bin) const {
    return out_[bin][0] * out_[bin][0] + out_[bin][1] * out_[bin][1];
  }

 private:
  double* const in_;
  fftw_complex* const out_;
  fftw_plan plan_;
};

absl::StatusOr<WelchEstimator> WelchEstimator::Create(const WelchOptions& options) {
  if (!std::isfinite(options.sample_rate_hz) || options.sample_rate_hz <= 0.0) {
    return absl::InvalidArgumentError("the sample rate is not positive");
  }
  const std::size_t samples = options.segment_samples;
  if (samples < 8 || samples > kMaxSegmentSamples || samples % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a segment is of an even number of samples, 8 to ", kMaxSegmentSamples, ", not ", samples));
  }
  return WelchEstimator(options, std::make_unique<Transform>(samples));
}

WelchEstimator::WelchEstimator(const WelchOptions& options, std::unique_ptr<Transform> transform)
    : options_(options),
      window_(HannWindow(options.segment_samples)),
      window_power_(std::inner_product(window_.begin(), window_.end(), window_.begin(), 0.0)),
      transform_(std::move(transform)) {}

WelchEstimator::WelchEstimator(WelchEstimator&&) noexcept = default;
WelchEstimator& WelchEstimator::operator=(WelchEstimator&&) noexcept = default;
WelchEstimator::~WelchEstimator() = default;

std::size_t WelchEstimator::segment_samples() const { return options_.segment_samples; }

absl::StatusOr<Spectrum> WelchEstimator::Estimate(std::span<const double> samples_uv) {
  const std::size_t length = options_.segment_samples;
  if (samples_uv.size() < length) {
    return absl::InvalidArgumentError(
        absl::StrCat(samples_uv.size(), " samples are less than a segment of ", length));
  }
  const auto is_finite = [](double sample) { return std::isfinite(sample); };
  if (!std::all_of(samples_uv.begin(), samples_uv.end(), is_finite)) {
    return absl::InvalidArgumentError("a sample is not finite");
  }
  const std::size_t step = length / 2;
  const std::size_t segments = (samples_uv.size() - length) / step + 1;
  Spectrum spectrum;
  spectrum.resolution_hz = options_.sample_rate_hz / static_cast<double>(length);
  spectrum.density_uv2_per_hz.assign(length / 2 + 1, 0.0);
  for (std::size_t segment = 0; segment < segments; ++segment) {
    const auto samples = samples_uv.subspan(segment * step, length);
    const double mean =
        std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(length);
    for (std::size_t i = 0; i < length; ++i) {
      transform_->in()[i] = window_[i] * (samples[i] - mean);
    }
    transform_->Run();
    for (std::size_t bin = 0; bin <= length / 2; ++bin) {
      spectrum.density_uv2_per_hz[bin] += transform_->SquareOf(bin);
    }
  }
  // One-sided: what lies at negative frequencies is counted with the positive ones.
  const double scale =
      1.0 / (options_.sample_rate_hz * window_power_ * static_cast<double>(segments));
  for (std::size_t bin = 0; bin <= length / 2; ++bin) {
    const bool alone = bin == 0 || bin == length / 2;
    spectrum.density_uv2_per_hz[bin] *= alone ? scale : 2.0 * scale;
  }
  return spectrum;
}

}  // namespace remora::dsp
