// Is there a response in these sweeps at all? Hotelling's T-squared test of the mean sweep against
// zero.
//
// A sweep is reduced to its means over a few equal parts of a window ("time-voltage means"); under
// no response these have mean zero, whatever their spectrum: their covariance is estimated from the
// same sweeps, so that coloured noise needs no correction. That the sweeps do not depend on one
// another is assumed: a stimulus rate that does not divide the mains, and a high-pass above the
// slow EEG. A stimulus artefact in the window is a response to this test.
//
// Source: Golding et al. 2009 (J Am Acad Audiol 20:448) for cortical, Chesnaye et al. 2018 (Int J
// Audiol 57:468) for brainstem responses, where it needed the fewest sweeps of those compared.
//
// Value type of an average's owner; thread-compatible. Memory: features squared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "dsp/evoked/timebase.h"

namespace remora::dsp {

inline constexpr std::size_t kMaxHotellingFeatures = 16;

class HotellingTest {
 public:
  // `features` is cut to 1 .. kMaxHotellingFeatures, and to the samples in the window.
  HotellingTest(const LatencyWindow& window, const Timebase& timebase, std::size_t sweep_samples,
                std::size_t features);

  // A sweep of sweep_samples, finite (the average's owner sees to that).
  void Add(std::span<const double> sweep_uv);
  void Reset();

  std::uint32_t sweeps() const { return sweeps_; }
  std::size_t features() const { return mean_.size(); }
  // T-squared; 0 with sweeps up to the number of features, or where they do not vary.
  double Statistic() const;
  // Chance of a statistic at least as large without a response; 1 where Statistic() is 0 for the
  // reasons named there. Right for Gaussian noise; for heavier tails it errs to the safe side.
  double PValue() const;

 private:
  SampleRange range_;
  std::uint32_t sweeps_ = 0;
  std::vector<double> mean_;
  std::vector<double> scatter_;  // sum of outer products about the mean, row by row
  std::vector<double> features_of_sweep_;
};

// Upper tail of Fisher's F with d1 and d2 degrees of freedom (both positive), f >= 0: within 1e-10.
// By the continued fraction of the incomplete beta function (Lentz 1976).
double FisherUpperTail(double f, double d1, double d2);

}  // namespace remora::dsp
