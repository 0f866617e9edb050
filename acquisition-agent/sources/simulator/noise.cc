#include "acquisition-agent/sources/simulator/noise.h"

#include <cmath>
#include <numbers>

namespace remora::agent::sim {

PinkNoise::PinkNoise(double sample_rate_hz, SimRandom random) : random_(random) {
  double corner_hz = 0.5;
  for (int k = 0; k < kPoles; ++k, corner_hz *= 4) {
    keep_[k] = std::exp(-2 * std::numbers::pi * corner_hz / sample_rate_hz);
    gain_[k] = (1 - keep_[k]) / std::sqrt(corner_hz);
  }
  double variance = 0;
  for (int i = 0; i < kPoles; ++i) {
    for (int j = 0; j < kPoles; ++j) variance += gain_[i] * gain_[j] / (1 - keep_[i] * keep_[j]);
  }
  for (double& gain : gain_) gain /= std::sqrt(variance);
  // Ten time constants of the slowest pole: what follows is stationary.
  const int warm_up = static_cast<int>(3.2 * sample_rate_hz);
  for (int i = 0; i < warm_up; ++i) Next();
}

double PinkNoise::Next() {
  const double white = random_.Gaussian();
  double sum = 0;
  for (int k = 0; k < kPoles; ++k) {
    state_[k] = keep_[k] * state_[k] + gain_[k] * white;
    sum += state_[k];
  }
  return sum;
}

HeartBeat::HeartBeat(SimRandom random) : random_(random) {}

double HeartBeat::At(double time_s) {
  while (time_s > beat_s_ + 0.45) {
    previous_beat_s_ = beat_s_;
    beat_s_ += 60.0 / 70.0 * (1 + 0.03 * random_.Gaussian());
  }
  const auto bump = [](double x, double width) { return std::exp(-0.5 * x * x / (width * width)); };
  double wave = 0;
  for (const double beat_s : {previous_beat_s_, beat_s_}) {
    const double since_s = time_s - beat_s;
    if (std::abs(since_s) < 0.08) {
      wave += bump(since_s, 0.010) - 0.25 * bump(since_s + 0.025, 0.008) -
              0.3 * bump(since_s - 0.028, 0.009);
    } else if (since_s > 0.08 && since_s < 0.45) {
      wave += 0.2 * bump(since_s - 0.25, 0.04);
    }
  }
  return wave;
}

double Discharge(double since_middle_ms) {
  constexpr double kWidthMs = 0.8;
  if (std::abs(since_middle_ms) >= kDischargeHalfMs) return 0;
  const double x = since_middle_ms / kWidthMs;
  return -x * std::exp(0.5 - 0.5 * x * x);
}

}  // namespace remora::agent::sim
