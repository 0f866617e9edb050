#include "dsp/assess/trial_spread.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "dsp/assess/robust.h"

namespace remora::dsp {
namespace {

// Ten hours of a trial in five minutes.
constexpr size_t kMostSteps = 128;
constexpr size_t kLeastSteps = 6;
// How much a trial is like the one before it: FDI at rest 0.1 (the MEP recordings that the tests
// read), under anaesthesia more. Steps of correlated trials are smaller than their spread.
constexpr double kSerialCorrelation = 0.2;
// A step beyond so many robust spreads counts as one of so many: an electrode that fell off.
constexpr double kWildSpreads = 4;

}  // namespace

void TrialSpread::Add(double value) {
  if (last_) {
    steps_.push_back(value - *last_);
    if (steps_.size() > kMostSteps) steps_.pop_front();
  }
  last_ = value;
}

double TrialSpread::spread() const {
  if (steps_.size() < kLeastSteps) return 0;
  const double robust = RobustSpread({steps_.begin(), steps_.end()}, 0);
  double squares = 0;
  for (const double step : steps_) {
    const double tame = std::min(std::abs(step), kWildSpreads * robust);
    squares += tame * tame;
  }
  return std::sqrt(squares / static_cast<double>(steps_.size()) / (2 * (1 - kSerialCorrelation)));
}

}  // namespace remora::dsp
