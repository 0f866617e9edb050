// The average of one entry, with the rule that says when it is decided (dsp/evoked/sequential.h).
//
// Owned by a SepPipeline, on its sequence; thread-compatible. With `sequential` in the plan the
// rule ends the average. Without it, the rule as it stands by default only says how many more
// sweeps it would ask for, and nothing where it cannot be applied (under 20 sweeps an average).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "dsp/evoked/peak.h"
#include "dsp/evoked/sequential.h"
#include "dsp/evoked/sweep_average.h"
#include "remora/v1/plan.pb.h"

namespace remora::agent {

// The first two components of an entry. `near_expected`: not in their whole windows, but near where
// they usually lie.
dsp::ComponentPair PairOf(const v1::EvokedPlan& plan, bool near_expected);
dsp::Polarity PolarityOf(v1::Polarity polarity);
// The part of a component's window that is near `at_ms`; all of it where that is 0.
dsp::LatencyWindow WindowNear(const v1::ComponentPlan& component, double at_ms);

// What noise adds to the amplitude of a pair, as the rule estimates it, and which pair that is.
struct AmplitudeBias {
  double uv = 0;  // 0: not known
  double first_ms = 0;
  double second_ms = 0;

  // Of `marking`, uV: at most its amplitude, and 0 unless it is certainly that pair.
  double Of(const dsp::PairMarking& marking, const dsp::Timebase& timebase) const;
};

class DecidedAverage {
 public:
  // `plan` with its defaults. InvalidArgument: a `sequential` that the rate or the windows do not
  // allow; says what.
  static absl::StatusOr<DecidedAverage> Create(const v1::EvokedPlan& plan, size_t samples,
                                               const dsp::Timebase& timebase);

  // As SweepAverage::Add.
  dsp::Rejection Add(std::span<const double> uv, dsp::Rejection cause);
  void Reset();
  // Peak to peak: an average whose noise is a quarter of it, and that has no response, is decided.
  // 0, as in the beginning: no response is never decided, the maximum ends it.
  void SetSmallestResponse(double uv) {
    if (rule_) rule_->SetSmallestResponse(uv);
  }

  const dsp::SweepAverage& sweeps() const { return rule_ ? rule_->average() : plain_; }
  // Accepted sweeps that end it, decided or not.
  uint32_t most() const { return most_; }
  // Accepted sweeps with which it may end next: more than there are.
  uint32_t next_end() const;
  // The plan's rule has ended it; never without `sequential`.
  bool decided() const;
  // Of this average, however it ends; not known without `sequential`, or while nothing is present.
  AmplitudeBias amplitude_bias() const;
  // Estimate of the sweeps that it still takes until the rule is content; 0 when it is, or nothing
  // can be said yet; kMostSweepsAsked when averaging does not lead there.
  uint32_t more_needed() const;

 private:
  DecidedAverage(size_t samples, const dsp::Timebase& timebase, uint32_t most, bool ends)
      : plain_(samples, timebase), most_(most), ends_(ends) {}

  dsp::SweepAverage plain_;  // where there is no rule
  std::optional<dsp::SequentialAverage> rule_;
  std::optional<dsp::SequentialLook> last_;  // of this average
  uint32_t most_;
  bool ends_;
};

}  // namespace remora::agent
