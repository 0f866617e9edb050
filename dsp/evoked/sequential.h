// Averages until the average is decided, and says how many more sweeps that takes.
//
// One a trace and trial, owned by an evoked pipeline in the place of a bare SweepAverage, on its
// sequence; thread-compatible. After each block of sweeps it looks:
//
//   present?   Hotelling's T-squared (hotelling.h) over `window`. Present once, present for good.
//   precise?   rms of the response over rms of the residual noise in `window`, and standard errors
//              of the amplitude and of both latencies. All from ten interleaved groups of sweeps:
//              the noise from their spread (a plus-minus average of ten parts: of nine times the
//              certainty of that of two), the errors by jackknife (Efron & Tibshirani 1993, 11), so
//              that what it costs to find a peak in noise is in them. A ratio of 3 is an odd-even
//              correlation of 0.82: what reproducibility.h asks
//
//            present and precise ----------------------------> kPresent
//   kMore ---not present, residual noise so low that a response
//            of smallest_response_uv would stand out ---------> kAbsent
//            max_sweeps --------------------------------------> kCapped
//
// Looking often finds a response sooner or later where there is none. Correction: the chance
// false_present_rate is spent over the looks in proportion to the sweeps between them
// (alpha * new sweeps / max_sweeps, a linear spending rule after Lan & DeMets 1983), and each look
// tests at what it may spend, with no credit for the looks' likeness: by Bonferroni's inequality
// the chance of a false "present" at any look is at most false_present_rate, whatever the looks'
// dependence. (Chesnaye et al. 2020 have sharper bounds for blocks tested apart.) Shown in
// sequential_test.cc: under 1 % of trials of noise, where testing each look at 1 % gives several.
//
// Stopping on a lucky look makes amplitudes too large, and so does taking the highest point of a
// noisy peak: amplitude_uv has the jackknife's correction for the latter, and the least ratio of 3
// keeps the former small. On simulated median-nerve SEP: latency bias under 0.1 ms, amplitude
// bias under 5 % at the sweeps that the rule asks for (sequential_test.cc prints both).
//
// More sweeps: noise falls with the root of the sweeps. While the ratio is too low it is the ratio
// that is foretold, from the response's power and its own error; then the errors, which ten groups
// know as well as chi-square of 9 degrees of freedom does. Bounds of 80 %, of what is known now.
//
// Limits of what is said: a response that changes within the trial is averaged all the same; an
// artefact of the stimulus inside `window` is a response to these tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/evoked/hotelling.h"
#include "dsp/evoked/peak.h"
#include "dsp/evoked/sweep_average.h"
#include "dsp/evoked/timebase.h"

namespace remora::dsp {

struct SequentialOptions {
  ComponentPair pair;
  // Where the response is: from before the first component to after the second, without artefact.
  LatencyWindow window;
  std::uint32_t block_sweeps = 20;    // accepted ones from look to look, 10 to 1000
  std::uint32_t min_sweeps = 40;      // no decision before
  std::uint32_t max_sweeps = 500;     // the cap, at most 100000
  double false_present_rate = 0.01;   // over all looks
  double min_ratio = 3.0;             // response over residual noise, rms
  double max_amplitude_error = 0.2;   // standard error, share of the amplitude
  double max_latency_error_ms = 0.3;  // standard error, of either component
  // False: of the first component alone. The second one often is a broad wave, and is not judged.
  bool judge_second_latency = true;
  // Peak to peak. What must not be missed: absent is said when the residual noise is a quarter of
  // it. 0: absent is never said, the cap ends.
  double smallest_response_uv = 0.0;
  MarkingLimits marking = TallestPair();

  // Not the earliest of nearly the same height: ripple would pull that one forward.
  static MarkingLimits TallestPair() {
    MarkingLimits limits;
    limits.rival_share = 1.0;
    return limits;
  }
};

enum class SequentialState : std::uint8_t { kMore, kPresent, kAbsent, kCapped };

// Bits: what a decision waits for.
enum SequentialLack : std::uint32_t {
  kLackNothing = 0,
  kLackPresence = 1u << 0,  // not told from noise yet
  kLackRatio = 1u << 1,
  kLackAmplitude = 1u << 2,  // its error is too large, or there is no pair
  kLackLatency = 1u << 3,
  kLackSweeps = 1u << 4,  // min_sweeps
};

struct SweepsNeeded {
  std::uint32_t estimate = 0;  // more, beyond those averaged; cut at the cap
  std::uint32_t low = 0;       // 80 % bounds
  std::uint32_t high = 0;
  bool beyond_cap = false;  // the estimate is over the cap: it may never be decided
  // Of the trial in all, estimated and not cut; infinite: not by averaging, as far as is known.
  double total = std::numeric_limits<double>::infinity();
};

struct SequentialLook {
  SequentialState state = SequentialState::kMore;
  std::uint32_t lacks = kLackNothing;
  std::uint32_t sweeps = 0;  // accepted
  bool present = false;
  double p_value = 1.0;            // of this look alone
  double p_needed = 0.0;           // what this look might spend
  double ratio = 0.0;              // 0 where the average is no more than its noise
  double residual_noise_uv = 0.0;  // NaN: not known
  double odd_even_correlation = 0.0;
  PairMarking marking;        // of the average as it is
  double amplitude_uv = 0.0;  // of the pair, corrected; NaN without a pair
  // Standard errors; infinite where a group has no pair.
  double amplitude_error_uv = std::numeric_limits<double>::infinity();
  double first_error_ms = std::numeric_limits<double>::infinity();
  double second_error_ms = std::numeric_limits<double>::infinity();
  SweepsNeeded more;
};

class SequentialAverage {
 public:
  // `samples` a sweep.
  // Errors: kInvalidArgument -> pair, window or an option; the message names it.
  static absl::StatusOr<SequentialAverage> Create(const SequentialOptions& options,
                                                  std::size_t samples, const Timebase& timebase);

  // As SweepAverage::Add. A look comes with the last accepted sweep of each block, and at the cap.
  // Sweeps after a decision, or after the cap, are averaged and looked at as before: the caller
  // stops, or not.
  std::optional<SequentialLook> Add(std::span<const double> sweep_uv, Rejection cause);
  // The next trial.
  void Reset();
  // What must not be missed from the next look on (SequentialOptions); what is no size at all, as
  // NaN, is 0. It stays over Reset.
  void SetSmallestResponse(double uv) { options_.smallest_response_uv = uv > 0.0 ? uv : 0.0; }

  const SweepAverage& average() const { return average_; }
  // Of a trial in which nothing was decided: what would be said now, between two blocks. Spends
  // nothing: `present` is that of the last look.
  SequentialLook Now() const;

 private:
  // What the groups say of the whole.
  struct Errors {
    bool known = false;
    double amplitude_uv = 0.0;  // corrected
    double amplitude_error_uv = std::numeric_limits<double>::infinity();
    double first_error_ms = std::numeric_limits<double>::infinity();
    double second_error_ms = std::numeric_limits<double>::infinity();
    double power_error_uv2 = std::numeric_limits<double>::infinity();
  };

  SequentialAverage(const SequentialOptions& options, std::size_t samples,
                    const Timebase& timebase);
  SequentialLook Look() const;
  double NoiseUv() const;
  double LatencyErrorMs(double first_error_ms, double second_error_ms) const;
  Errors Jackknife(const PairMarking& marking) const;
  std::uint32_t Lacks(const SequentialLook& look) const;
  SequentialState Decide(const SequentialLook& look) const;
  SweepsNeeded Estimate(const Errors& errors, const SequentialLook& look) const;

  SequentialOptions options_;
  SweepAverage average_;
  HotellingTest test_;
  std::vector<std::vector<double>> group_sums_;
  std::vector<std::uint32_t> group_counts_;
  std::uint32_t looked_at_ = 0;  // sweeps at the last look
  bool present_ = false;
};

}  // namespace remora::dsp
