// A natural cubic spline through equally spaced samples: where a response turns between two of
// them. Immutable, thread-safe. A motor response recorded at 3 kHz reads up to 1 % too low on its
// samples alone; on the spline it does not.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace remora::dsp {

class CubicSpline {
 public:
  // At least two finite samples.
  explicit CubicSpline(std::span<const double> samples);

  // `position` in samples, 0 to size - 1; beyond, the ends' value.
  double At(double position) const;

  struct Extreme {
    double position = 0.0;  // samples
    double value = 0.0;
  };
  // The largest and the smallest value between two positions, ends included: exact, not sampled.
  Extreme Largest(double from, double to) const { return Find(from, to, 1.0); }
  Extreme Smallest(double from, double to) const;

 private:
  Extreme Find(double from, double to, double sign) const;

  std::vector<double> values_;
  std::vector<double> curvatures_;  // second derivatives at the samples
};

}  // namespace remora::dsp
