#include "dsp/motor/cubic_spline.h"

#include <algorithm>
#include <cmath>

namespace remora::dsp {
namespace {

// Of (t - t^3) / 6 from 0 to 1, rounded up.
constexpr double kLargestBend = 0.0642;

// Pivots of the elimination below come so near to 2 + sqrt 3 that a double does not tell them
// apart: each is 14 times nearer than the one before it.
constexpr std::size_t kPivotsApart = 16;

// Second derivatives m of the natural spline: m[i-1] + 4 m[i] + m[i+1] = 6 (second difference), 0
// at both ends. Thomas' elimination.
std::vector<double> NaturalCurvatures(std::span<const double> y) {
  std::vector<double> curvatures(y.size(), 0.0);
  std::vector<double> upper(y.size(), 0.0);
  for (std::size_t i = 1; i + 1 < y.size(); ++i) {
    upper[i] = i > kPivotsApart ? upper[i - 1] : 1.0 / (4.0 - upper[i - 1]);
    curvatures[i] = (6.0 * (y[i - 1] - 2.0 * y[i] + y[i + 1]) - curvatures[i - 1]) * upper[i];
  }
  for (std::size_t i = y.size() - 1; i-- > 1;) curvatures[i] -= upper[i] * curvatures[i + 1];
  return curvatures;
}

}  // namespace

CubicSpline::CubicSpline(std::span<const double> samples)
    : values_(samples.begin(), samples.end()), curvatures_(NaturalCurvatures(samples)) {}

double CubicSpline::At(double position) const {
  const double last = static_cast<double>(values_.size() - 1);
  const double inside = std::clamp(position, 0.0, last);
  const auto piece = std::min(static_cast<std::size_t>(inside), values_.size() - 2);
  const double t = inside - static_cast<double>(piece);
  const double s = 1.0 - t;
  return s * values_[piece] + t * values_[piece + 1] +
         ((s * s * s - s) * curvatures_[piece] + (t * t * t - t) * curvatures_[piece + 1]) / 6.0;
}

CubicSpline::Extreme CubicSpline::Smallest(double from, double to) const {
  return Find(from, to, -1.0);
}

CubicSpline::Extreme CubicSpline::Find(double from, double to, double sign) const {
  const double last = static_cast<double>(values_.size() - 1);
  const double low = std::clamp(from, 0.0, last);
  const double high = std::clamp(to, low, last);
  Extreme best{low, At(low)};
  const auto offer = [&](double position) {
    if (position < low || position > high) return;
    const double value = At(position);
    if (sign * value > sign * best.value) best = {position, value};
  };
  offer(high);
  // The best sample first: few pieces reach beyond it.
  const auto first = static_cast<std::size_t>(std::ceil(low));
  std::size_t tallest = first;
  for (std::size_t i = first; i < values_.size() && static_cast<double>(i) <= high; ++i) {
    if (sign * values_[i] > sign * values_[tallest]) tallest = i;
  }
  offer(static_cast<double>(tallest));
  for (auto piece = static_cast<std::size_t>(low); piece + 1 < values_.size(); ++piece) {
    const auto left = static_cast<double>(piece);
    if (left > high) break;
    const double m0 = curvatures_[piece], m1 = curvatures_[piece + 1];
    // A piece leaves the line between its samples by at most 2 / (9 sqrt 3) of both curvatures.
    const double bend = kLargestBend * (std::abs(m0) + std::abs(m1));
    if (std::max(sign * values_[piece], sign * values_[piece + 1]) + bend < sign * best.value) {
      continue;
    }
    // Where the piece's derivative a t^2 + b t + c is 0.
    const double a = (m1 - m0) / 2.0;
    const double b = m0;
    const double c = values_[piece + 1] - values_[piece] - m0 / 3.0 - m1 / 6.0;
    const double root = b * b - 4.0 * a * c;
    if (root < 0.0) continue;
    // The form that loses no digits where a is small.
    const double q = -0.5 * (b + std::copysign(std::sqrt(root), b));
    for (const double t : {q / a, c / q}) {
      if (t > 0.0 && t < 1.0) offer(left + t);
    }
  }
  return best;
}

}  // namespace remora::dsp
