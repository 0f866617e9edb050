// Waveforms by table: adding one costs a few multiplications a sample and nothing transcendental.
// Immutable, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acquisition-agent/sources/simulator/random.h"

namespace remora::agent::sim {

// Values at equal steps from the wave's beginning (0) to its end (1), straight lines between.
class WaveShape {
 public:
  // At least two values. `reference`: the part of the length that a latency refers to.
  WaveShape(std::vector<double> values, double reference);

  double reference() const { return reference_; }
  // `position` from 0 to 1; beyond, 0.
  double At(double position) const {
    const double at = position * scale_;
    if (!(at >= 0) || at >= scale_) return 0;
    const auto i = static_cast<size_t>(at);
    const double part = at - static_cast<double>(i);
    return values_[i] + part * (values_[i + 1] - values_[i]);
  }

 private:
  std::vector<double> values_;
  double scale_;
  double reference_;
};

// A bell of peak 1 whose length is 10 standard deviations; latencies refer to its middle. Within
// 2e-5 of the true one.
const WaveShape& GaussianShape();
inline constexpr double kGaussianSigmas = 10;

// A compound muscle action potential: negative then positive, 1 from peak to peak; latencies refer
// to its onset.
const WaveShape& CmapShape();

// A corticospinal volley of 1 from peak to peak; latencies refer to its first peak.
const WaveShape& VolleyShape();

// A muscle's answer to a transcranial train: 4 to 8 Gabor bursts as `random` draws them, together 1
// from peak to peak; latencies refer to its onset. Its length is to be kMepShapeS.
WaveShape MakeMepShape(SimRandom random);
inline constexpr double kMepShapeS = 0.024;

// An electrode's charge after a stimulus: 1 at once, then down by e each sixteenth of its length.
const WaveShape& DecayShape();
inline constexpr double kDecayTimes = 16;

// A sharp wave and a slow one behind it, peak 1: one discharge of an irritated cortex.
const WaveShape& SpikeWaveShape();

}  // namespace remora::agent::sim
