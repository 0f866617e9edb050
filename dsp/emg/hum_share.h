// How much of a muscle's raw signal is hum, where parts of it say nothing: blanked, clipped, lost,
// or answers to stimuli, which are as slow as hum and larger.
//
// One a channel, on the pipeline's sequence; thread-compatible. What is left of the last 300 ms is
// fitted by sines at the mains and two harmonics, by least squares over the samples that are there
// (Lomb 1976, for one frequency; here several at once, and each block's own mean and slope): over
// 300 ms a train of 60 a second is not taken for hum. One of 45 or 55 is, where stimuli come five
// times a second and leave less than half: seen in such holes they look alike.
//
// Memory: sums of the blocks of 300 ms. Delay: hum is half of what is known up to 200 ms after it
// begins, and 300 ms after its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "dsp/filter/sample_stretch.h"

namespace remora::dsp {

class HumShare {
 public:
  // `sample_rate_hz` over four times `mains_hz`, that over 0: or else the share is always 0.
  HumShare(double sample_rate_hz, double mains_hz);

  // The next samples, at most some 100 ms of them, without those of `left_out` (ascending) and
  // those that are not finite.
  void Push(std::span<const double> samples_uv, std::span<const SampleStretch> left_out);
  // After a gap.
  void Restart();

  // Part of the power (mean removed) that is hum, 0 to 1; 0 while less than 80 ms are known.
  double share() const;

 private:
  static constexpr std::size_t kHarmonics = 3;
  static constexpr std::size_t kWaves = 2 * kHarmonics;
  // Sums over one block, of means of `step_` samples.
  struct Sums {
    std::size_t samples = 0;  // with those left out
    std::size_t kept = 0;
    double energy = 0.0;  // about the mean, of kept samples
    // Of waves by waves, and of waves by samples, freed of the block's own mean and slope.
    std::array<std::array<double, kWaves>, kWaves> waves{};
    std::array<double, kWaves> with_samples{};
  };

  Sums SumsOf(std::span<const double> samples_uv, std::span<const SampleStretch> left_out) const;

  double sample_rate_hz_;
  double mains_hz_;
  std::size_t step_ = 1;
  std::size_t harmonics_ = 0;
  std::uint64_t position_ = 0;
  std::deque<Sums> blocks_;
  std::size_t known_samples_ = 0;  // of blocks_
};

}  // namespace remora::dsp
