// How much a response differs from one trial to the next, over a whole case.
//
// From the steps between accepted trials, so that what goes slowly (fade, an injury that creeps)
// does not count. Muscles have more small responses than a normal distribution has: so it is the
// root mean square of the steps, of which wild ones count no more than four robust spreads. Pure,
// thread-compatible. Values are in the scale that the criterion works in: logarithms for muscles,
// microvolts for averages.
#pragma once

#include <deque>
#include <optional>

namespace remora::dsp {

class TrialSpread {
 public:
  void Add(double value);
  // The standard deviation of one trial; 0: fewer than seven trials, nothing is known.
  double spread() const;

 private:
  std::optional<double> last_;
  std::deque<double> steps_;  // bounded
};

}  // namespace remora::dsp
