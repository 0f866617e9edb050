// What an electrode picks up besides the nervous system's answers.
#pragma once

#include <array>
#include <cstdint>

#include "acquisition-agent/sources/simulator/random.h"

namespace remora::agent::sim {

// Noise with a power density that falls as 1/f from 0.5 to about 30 Hz and as 1/f^2 above, like the
// EEG under anaesthesia; standard deviation 1. Four one-pole low-passes on one white noise, their
// corners two octaves apart and weighted by the square root of the corner frequency's inverse; the
// variance is computed, not measured.
class PinkNoise {
 public:
  PinkNoise(double sample_rate_hz, SimRandom random);
  double Next();

 private:
  static constexpr int kPoles = 4;
  SimRandom random_;
  std::array<double, kPoles> keep_ = {};  // how much of the state stays
  std::array<double, kPoles> gain_ = {};
  std::array<double, kPoles> state_ = {};
};

// Heart beats, 70 a minute with some variation: a QRS complex of peak 1 and a small T wave.
class HeartBeat {
 public:
  explicit HeartBeat(SimRandom random);
  // The wave at `time_s`; times must not go back by more than a beat.
  double At(double time_s);

 private:
  SimRandom random_;
  double previous_beat_s_ = -10;
  double beat_s_ = 0.4;
};

// A motor unit's discharge: biphasic, peak 1, within 4 ms of its middle.
double Discharge(double since_middle_ms);
inline constexpr double kDischargeHalfMs = 4.0;

}  // namespace remora::agent::sim
