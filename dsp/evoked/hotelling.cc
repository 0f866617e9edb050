#include "dsp/evoked/hotelling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace remora::dsp {
namespace {

constexpr int kMostSteps = 500;

double AwayFromZero(double value) {
  constexpr double kTiny = 1e-300;
  return std::abs(value) < kTiny ? kTiny : value;
}

// The continued fraction of the incomplete beta function; converges for x < (a + 1) / (a + b + 2).
double BetaFraction(double x, double a, double b) {
  double c = 1.0;
  double d = 1.0 / AwayFromZero(1.0 - (a + b) * x / (a + 1.0));
  double value = d;
  for (int step = 1; step <= kMostSteps; ++step) {
    const double m = step;
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / AwayFromZero(1.0 + even * d);
    c = AwayFromZero(1.0 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / AwayFromZero(1.0 + odd * d);
    c = AwayFromZero(1.0 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1.0) < 1e-14) break;
  }
  return value;
}

// I_x(a, b).
double IncompleteBeta(double x, double a, double b) {
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1.0) / (a + b + 2.0)) return front * BetaFraction(x, a, b) / a;
  return 1.0 - front * BetaFraction(1.0 - x, b, a) / b;
}

// y' A^-1 y of a symmetric matrix by Cholesky (A is overwritten); 0 if A is not positive definite.
double InverseForm(std::vector<double> a, std::vector<double> y) {
  const std::size_t n = y.size();
  double largest = 0.0;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, a[i * n + i]);
  double form = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      if (j < i) {
        a[i * n + j] = sum / a[j * n + j];
      } else {
        if (!(sum > 1e-12 * largest)) return 0.0;
        a[i * n + i] = std::sqrt(sum);
      }
    }
    for (std::size_t k = 0; k < i; ++k) y[i] -= a[i * n + k] * y[k];
    y[i] /= a[i * n + i];
    form += y[i] * y[i];
  }
  return form;
}

}  // namespace

double FisherUpperTail(double f, double d1, double d2) {
  if (!(f > 0.0)) return 1.0;
  return IncompleteBeta(d2 / (d2 + d1 * f), 0.5 * d2, 0.5 * d1);
}

HotellingTest::HotellingTest(const LatencyWindow& window, const Timebase& timebase,
                             std::size_t sweep_samples, std::size_t features)
    : range_(SamplesIn(window, timebase, sweep_samples)) {
  const std::size_t count =
      std::min(std::clamp<std::size_t>(features, 1, kMaxHotellingFeatures), range_.count);
  mean_.assign(count, 0.0);
  features_of_sweep_.assign(count, 0.0);
  scatter_.assign(count * count, 0.0);
}

void HotellingTest::Reset() {
  sweeps_ = 0;
  std::fill(mean_.begin(), mean_.end(), 0.0);
  std::fill(scatter_.begin(), scatter_.end(), 0.0);
}

void HotellingTest::Add(std::span<const double> sweep_uv) {
  const std::size_t count = mean_.size();
  for (std::size_t part = 0; part < count; ++part) {
    const std::size_t begin = range_.first + part * range_.count / count;
    const std::size_t end = range_.first + (part + 1) * range_.count / count;
    double sum = 0.0;
    for (std::size_t i = begin; i < end; ++i) sum += sweep_uv[i];
    features_of_sweep_[part] = sum / static_cast<double>(end - begin);
  }
  ++sweeps_;
  const double sweeps = sweeps_;
  for (std::size_t i = 0; i < count; ++i) features_of_sweep_[i] -= mean_[i];
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      scatter_[i * count + j] +=
          features_of_sweep_[i] * features_of_sweep_[j] * (sweeps - 1.0) / sweeps;
    }
  }
  for (std::size_t i = 0; i < count; ++i) mean_[i] += features_of_sweep_[i] / sweeps;
}

double HotellingTest::Statistic() const {
  if (mean_.empty() || sweeps_ <= mean_.size()) return 0.0;
  // n y' S^-1 y with S = scatter / (n - 1).
  const double sweeps = sweeps_;
  return sweeps * (sweeps - 1.0) * InverseForm(scatter_, mean_);
}

double HotellingTest::PValue() const {
  const double statistic = Statistic();
  if (!(statistic > 0.0)) return 1.0;
  const double d1 = static_cast<double>(mean_.size());
  const double d2 = static_cast<double>(sweeps_) - d1;
  const double f = statistic * d2 / (d1 * (static_cast<double>(sweeps_) - 1.0));
  return FisherUpperTail(f, d1, d2);
}

}  // namespace remora::dsp
