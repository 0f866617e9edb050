// The running average of evoked sweeps, with what it takes to believe it.
//
// Built by an evoked pipeline for each trace and block of sweeps; thread-compatible. Keeps the
// mean, the means of the odd and even accepted sweeps, counts of rejected sweeps by cause, and the
// plus-minus estimate of the noise left in the average (Wong & Bickford 1980; odd and even halves
// subtracted, so that the response cancels and the noise stays).
//
// Invariants: 1. a sweep that is rejected changes nothing but its counter; 2. a non-finite sample
// never enters a mean; 3. accepted + sum of rejected = sweeps offered.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "dsp/evoked/epoch.h"
#include "dsp/evoked/timebase.h"
#include "dsp/filter/signal_quality.h"

namespace remora::dsp {

// Why a sweep was not averaged, the first that applies in this order.
enum class Rejection : std::uint8_t {
  kNone = 0,
  kGap,  // samples of the window never arrived
  kNonFinite,
  kClipping,   // on the raw channel
  kFlat,       // disconnected electrode
  kAmplitude,  // |uV| over the limit
  kExternal,   // the caller's reason: diathermy, paused by a person
};
inline constexpr std::size_t kRejectionCauses = 7;
const char* RejectionName(Rejection cause);

struct RejectionLimits {
  // Largest |uV| of the filtered sweep inside `window`. Infinity: no limit.
  double max_abs_uv = std::numeric_limits<double>::infinity();
  // Where it is looked for; an empty window (start >= end) is the whole sweep. Leave the stimulus
  // artefact outside when it is not blanked.
  LatencyWindow window;
  // Peak-to-peak at or below which a sweep is flat, uV.
  double flat_range_uv = 0.05;
};

// Judges a filtered sweep. Clipping cannot be seen after a filter: pass the marks of the raw epoch
// (AssessBlock on the raw samples), or kQualityGood.
Rejection JudgeSweep(std::span<const double> sweep_uv, const Timebase& timebase,
                     const RejectionLimits& limits, std::uint32_t raw_marks = kQualityGood);

// Marks of an epoch from the cutter that concern no particular channel (kQualityGap).
std::uint32_t EpochMarks(const Epoch& epoch);

class SweepAverage {
 public:
  // `samples` a sweep, at least 1.
  SweepAverage(std::size_t samples, Timebase timebase);

  // Adds the sweep when `cause` is kNone, otherwise counts it. A sweep of the wrong length, or with
  // a non-finite sample in spite of kNone, counts as kNonFinite. Returns the cause that was
  // counted.
  Rejection Add(std::span<const double> sweep_uv, Rejection cause);
  void Reset();

  std::uint32_t accepted() const { return odd_count_ + even_count_; }
  std::uint32_t rejected() const;
  std::uint32_t rejected(Rejection cause) const;
  std::uint32_t offered() const { return accepted() + rejected(); }

  // All zeros while nothing is accepted.
  std::span<const double> mean_uv() const { return mean_; }
  std::span<const double> odd_uv() const { return odd_; }    // 1st, 3rd, ... accepted
  std::span<const double> even_uv() const { return even_; }  // 2nd, 4th, ...

  // Rms over `window` (empty: all) of the plus-minus average: the noise left in mean_uv, in uV.
  // NaN with fewer than 2 accepted sweeps or no sample in the window: unknown is not zero.
  double PlusMinusNoiseUv(const LatencyWindow& window = {}) const;

  const Timebase& timebase() const { return timebase_; }

 private:
  Timebase timebase_;
  std::vector<double> mean_;
  std::vector<double> odd_;
  std::vector<double> even_;
  std::uint32_t odd_count_ = 0;
  std::uint32_t even_count_ = 0;
  std::array<std::uint32_t, kRejectionCauses> rejected_{};
};

}  // namespace remora::dsp
