// Follows one component pair from average to average.
//
// The extreme of a fixed window jumps: when a response shrinks, a shoulder or a ripple of noise
// becomes the lowest point, and the marker leaps by milliseconds while the response has moved by
// one. A technologist does not do that: the eye lays the baseline over the trace and follows the
// same wave. So does this:
//  1. the baseline's waveform around the pair is stretched in time (all conduction slows: cooling,
//     ischaemia) and, separately, shifted (a peripheral delay: cold limb), and correlated with the
//     trace; the better model predicts where both components are now;
//  2. each pair of extremes in the windows costs its distance from the prediction, from the last
//     confident marking and from the predicted interval (both components move together), less what
//     its prominence speaks for it; the cheapest wins;
//  3. what a person should look at is said: PairMarking::doubts, confidence.
//
// One tracker a trace, owned by its pipeline, thread-compatible. Costs about 0.5 ms a call for 100
// ms at 10 kHz. No baseline yet: Track marks as MarkPair does and doubts nothing for it.
//
// A marking with doubts does not move "the last confident marking", so a wrong turn is not
// followed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dsp/evoked/peak.h"
#include "dsp/evoked/timebase.h"

namespace remora::dsp {

struct TrackerOptions {
  MarkingLimits marking;
  // Range of the stretch searched, of the baseline's latency. 0.85: re-warming; 1.35: far beyond
  // alarm.
  double min_stretch = 0.85;
  double max_stretch = 1.35;
  // Template: from this much before the first component to this much after the second, ms.
  double template_before_ms = 4.0;
  double template_after_ms = 6.0;
  // Scale of the cost of lying away from the prediction, ms per 20 ms of latency.
  double prediction_tolerance_ms = 1.0;
  // How far from it a first component is doubted, ms per 20 ms of latency. 3 %: a marker that noise
  // has moved by more could turn a 10 % criterion by itself.
  double doubt_distance_ms = 0.6;
  // Change of latency, share of the baseline's, beyond which a marking is doubted. Cooling to 32 C
  // delays an N20 by 15 % (clinical figures: 22.6 to 25.9 ms).
  double max_plausible_change = 0.25;
  // Shape correlation below which the prediction is not trusted and the marking is doubted.
  double min_shape_correlation = 0.7;
};

struct TrackedPair {
  PairMarking marking;
  // Where the waveform as a whole says the components are; NaN without a baseline.
  double predicted_first_ms = 0.0;
  double predicted_second_ms = 0.0;
  double stretch = 1.0;            // predicted_first_ms over the baseline's latency
  double shape_correlation = 0.0;  // of the trace with the moved baseline, -1..1
};

class PeakTracker {
 public:
  // Errors: kInvalidArgument -> pair or options.
  static absl::StatusOr<PeakTracker> Create(ComponentPair pair, TrackerOptions options = {});

  // The waveform and markers to follow: marked by MarkPair, or by a person (`marking` given).
  // Errors: kFailedPrecondition -> no response to follow (kAbsent); kInvalidArgument -> non-finite
  // samples, or a marking outside the sweep. On an error the earlier baseline stays.
  absl::Status SetBaseline(std::span<const double> sweep_uv, const Timebase& timebase,
                           double residual_noise_uv,
                           std::optional<PairMarking> marking = std::nullopt);
  bool has_baseline() const { return !baseline_uv_.empty(); }
  const PairMarking& baseline() const { return baseline_; }

  // Marks the pair in a new average and remembers it if there is no doubt.
  TrackedPair Track(std::span<const double> sweep_uv, const Timebase& timebase,
                    double residual_noise_uv);

  const ComponentPair& pair() const { return pair_; }

 private:
  struct Prediction {
    double first_ms = 0.0;
    double second_ms = 0.0;
    double correlation = -1.0;
  };
  struct Candidate {
    Extremum first;
    Extremum second;
    double amplitude_uv = 0.0;
    double cost = 0.0;
  };

  PeakTracker(ComponentPair pair, TrackerOptions options);
  Prediction Predict(std::span<const double> sweep_uv, const Timebase& timebase) const;
  double CorrelateMoved(std::span<const double> sweep_uv, const Timebase& timebase, double stretch,
                        double shift_ms) const;
  double Implausibility(double relative_latency) const;
  double ToleranceMs(double latency_ms) const;
  std::vector<Candidate> Candidates(std::span<const double> sweep_uv, const Timebase& timebase,
                                    const Prediction& prediction) const;
  double Cost(const Candidate& candidate, const Prediction& prediction) const;
  std::uint32_t Doubts(const Candidate& chosen, const std::vector<Candidate>& candidates,
                       const Prediction& prediction) const;

  ComponentPair pair_;
  TrackerOptions options_;
  std::vector<double> baseline_uv_;
  std::vector<double> template_uv_;  // the baseline around the pair, from template_start_ms_
  double template_start_ms_ = 0.0;
  Timebase baseline_timebase_;
  PairMarking baseline_;
  std::optional<PairMarking> last_confident_;
};

}  // namespace remora::dsp
