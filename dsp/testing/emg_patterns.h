// A muscle whose trains are known: A, B and C, contacts, single units, diathermy, in noise.
// Test-only.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {

enum class TruePattern : std::uint8_t { kA, kBSpikes, kBBursts, kC, kDiathermy, kContact, kUnits };
inline constexpr std::size_t kTruePatterns = 7;

inline const char* TruePatternName(TruePattern pattern) {
  static constexpr const char* kNames[] = {"A",         "B spikes", "B bursts", "C",
                                           "diathermy", "contact",  "units"};
  return kNames[static_cast<std::size_t>(pattern)];
}

struct TrueEvent {
  TruePattern pattern = TruePattern::kA;
  std::size_t first = 0;  // samples
  std::size_t end = 0;
  double peak_uv = 0.0;
  double rate_hz = 0.0;
};

class EmgPatternSimulator {
 public:
  EmgPatternSimulator(std::uint64_t seed, double sample_rate_hz)
      : noise_(seed), rate_hz_(sample_rate_hz) {}

  // Appends an event of the pattern, of random kind within its definition, after a pause.
  void Add(TruePattern pattern, double peak_uv) {
    Pause(Between(0.8, 2.0));
    TrueEvent event{pattern, samples_.size(), 0, peak_uv, 0.0};
    std::vector<double> shape;
    switch (pattern) {
      case TruePattern::kA:
        shape = Fast(&event.rate_hz);
        break;
      case TruePattern::kBSpikes:
        shape = RegularSpikes(&event.rate_hz);
        break;
      case TruePattern::kBBursts:
        shape = RegularBursts(&event.rate_hz);
        break;
      case TruePattern::kC:
        shape = Continuous(Between(1.0, 5.0));
        break;
      case TruePattern::kDiathermy:
        shape = Diathermy(Between(0.5, 5.0));
        break;
      case TruePattern::kContact:
        shape = Continuous(Between(0.08, 0.3));
        break;
      case TruePattern::kUnits:
        shape = IrregularUnits();
        break;
    }
    const double largest = std::max(MaxAbs(shape), 1e-9);
    for (const double value : shape) samples_.push_back(value * peak_uv / largest);
    event.end = samples_.size();
    events_.push_back(event);
  }
  void Pause(double seconds) {
    // One by one: GCC 12 warns falsely of resize() where it builds with -fsanitize=thread.
    for (std::size_t i = In(seconds); i > 0; --i) samples_.push_back(0.0);
  }
  void AddNoise(double rms_uv) {
    for (double& sample : samples_) sample += rms_uv * noise_.Gaussian();
  }

  std::vector<double>& samples() { return samples_; }
  const std::vector<TrueEvent>& events() const { return events_; }
  double Between(double low, double high) { return low + (high - low) * (noise_.Uniform() + 0.5); }

 private:
  struct Unit {
    double sigma_s;
    bool triphasic;
    double sign;
    double height;
  };
  std::size_t In(double seconds) const { return static_cast<std::size_t>(seconds * rate_hz_); }

  Unit DrawUnit() {
    return {1e-3 * Between(0.6, 1.3), noise_.Uniform() > 0.0, noise_.Uniform() > 0.0 ? 1.0 : -1.0,
            std::exp(0.5 * noise_.Gaussian())};
  }
  // One motor unit's potential, its middle at `at_s`; height about 1.
  void AddUnit(const Unit& unit, double at_s, double height, std::vector<double>& shape) const {
    const auto first = static_cast<std::ptrdiff_t>((at_s - 5.0 * unit.sigma_s) * rate_hz_);
    const auto last = static_cast<std::ptrdiff_t>((at_s + 5.0 * unit.sigma_s) * rate_hz_);
    for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(first, 0);
         i <= last && i < static_cast<std::ptrdiff_t>(shape.size()); ++i) {
      const double t = (static_cast<double>(i) / rate_hz_ - at_s) / unit.sigma_s;
      const double bell = std::exp(-0.5 * t * t);
      const double value = unit.triphasic ? (1.0 - t * t) * bell : 1.65 * t * bell;
      shape[static_cast<std::size_t>(i)] += unit.sign * height * value;
    }
  }

  // Cycles of a sinusoid with a little second and third harmonic; each interval is off by 4 %,
  // each height by 10 %; the rate wanders by up to 8 %.
  std::vector<double> Fast(double* rate_hz) {
    *rate_hz = Between(65.0, 205.0);
    const double seconds = Between(0.25, 3.0);
    const double second = Between(0.0, 0.2);
    const double third = Between(0.0, 0.15);
    const double wander_hz = Between(0.3, 1.0);
    std::vector<double> shape(In(seconds), 0.0);
    double phase = 0.0;
    double interval = 1.0;
    double height = 1.0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const double angle = 2.0 * std::numbers::pi * phase;
      shape[i] = height * (std::sin(angle) + second * std::sin(2.0 * angle + 1.0) +
                           third * std::sin(3.0 * angle));
      const double t = static_cast<double>(i) / rate_hz_;
      const double now_hz =
          *rate_hz * (1.0 + 0.08 * std::sin(2.0 * std::numbers::pi * wander_hz * t));
      phase += now_hz / rate_hz_ / interval;
      if (phase < 1.0) continue;
      phase -= 1.0;
      interval = std::max(0.7, 1.0 + 0.04 * noise_.Gaussian());
      height = std::max(0.5, 1.0 + 0.1 * noise_.Gaussian());
    }
    return shape;
  }

  // Grows from 30 % in its first third, a second at most.
  static double Onset(double at_s, double seconds) {
    return std::min(1.0, 0.3 + 0.7 * at_s / std::min(1.0, seconds / 3.0));
  }

  std::vector<double> RegularSpikes(double* rate_hz) {
    *rate_hz = Between(4.0, 35.0);
    const double seconds = std::max(Between(1.5, 5.0), 8.0 / *rate_hz);
    std::vector<double> shape(In(seconds), 0.0);
    const Unit unit = DrawUnit();
    for (double at = 0.01; at < seconds - 0.01;) {
      AddUnit(unit, at, Onset(at, seconds) * std::max(0.4, 1.0 + 0.1 * noise_.Gaussian()), shape);
      at += std::max(0.5, 1.0 + 0.08 * noise_.Gaussian()) / *rate_hz;
    }
    return shape;
  }

  std::vector<double> RegularBursts(double* rate_hz) {
    *rate_hz = Between(3.0, 9.0);
    const double seconds = std::max(Between(2.0, 6.0), 8.0 / *rate_hz);
    std::vector<double> shape(In(seconds), 0.0);
    std::vector<Unit> units;
    for (int i = 0; i < 4; ++i) units.push_back(DrawUnit());
    const double length = std::clamp(Between(0.2, 0.4) / *rate_hz, 0.03, 0.09);
    for (double at = 0.01; at < seconds - length;) {
      const double height = Onset(at, seconds) * std::max(0.4, 1.0 + 0.1 * noise_.Gaussian());
      for (double inside = 0.0; inside < length; inside += Between(0.002, 0.008)) {
        AddUnit(units[static_cast<std::size_t>(Between(0.0, 3.99))], at + inside,
                height * Between(0.5, 1.0), shape);
      }
      at += std::max(0.5, 1.0 + 0.08 * noise_.Gaussian()) / *rate_hz;
    }
    return shape;
  }

  // Units that overlap at random times.
  std::vector<double> Continuous(double seconds) {
    std::vector<double> shape(In(seconds), 0.0);
    std::vector<Unit> units;
    for (int i = 0; i < 8; ++i) units.push_back(DrawUnit());
    const double per_second = Between(200.0, 450.0);
    for (double at = 0.0; at < seconds;) {
      const Unit& unit = units[static_cast<std::size_t>(Between(0.0, 7.99))];
      AddUnit(unit, at, unit.height, shape);
      at += -std::log(std::max(1e-9, noise_.Uniform() + 0.5)) / per_second;
    }
    return shape;
  }

  // Broad noise, steady or in pulses of the mains, with hum and jumps of the electrode.
  std::vector<double> Diathermy(double seconds) {
    std::vector<double> shape(In(seconds), 0.0);
    const bool pulses = noise_.Uniform() > 0.0;
    const double hum = Between(0.0, 0.8);
    const double mains_hz = noise_.Uniform() > 0.0 ? 50.0 : 60.0;
    double jump = 0.0;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      const double angle = 2.0 * std::numbers::pi * mains_hz * static_cast<double>(i) / rate_hz_;
      if (noise_.Uniform() > 0.5 - 3.0 / rate_hz_) jump = Between(-2.0, 2.0);
      const double gate = pulses ? std::abs(std::sin(angle)) : 1.0;
      shape[i] = gate * noise_.Gaussian() + hum * std::sin(angle) + jump;
    }
    return shape;
  }

  // One to three a second, at no rhythm.
  std::vector<double> IrregularUnits() {
    const double seconds = Between(2.0, 4.0);
    std::vector<double> shape(In(seconds), 0.0);
    const Unit unit = DrawUnit();
    for (double at = 0.02; at < seconds;) {
      AddUnit(unit, at, 1.0, shape);
      at += 0.1 - std::log(std::max(1e-9, noise_.Uniform() + 0.5)) / 2.5;
    }
    return shape;
  }

  TestNoise noise_;
  double rate_hz_;
  std::vector<double> samples_;
  std::vector<TrueEvent> events_;
};

}  // namespace remora::dsp
