#include "acquisition-agent/sources/simulator/wave_shape.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

namespace remora::agent::sim {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr int kPoints = 1025;
constexpr double kOnsetPart = 0.05;

std::vector<double> Tabulate(const std::function<double(double)>& wave) {
  std::vector<double> values(kPoints);
  for (int i = 0; i < kPoints; ++i) values[i] = wave(static_cast<double>(i) / (kPoints - 1));
  return values;
}

// Scales to 1 from peak to peak.
void Normalise(std::vector<double>* values) {
  const auto [low, high] = std::minmax_element(values->begin(), values->end());
  const double height = *high - *low;
  for (double& value : *values) value /= height;
}

double Place(const std::vector<double>& values, const std::function<bool(double)>& is_it) {
  const auto it = std::find_if(values.begin(), values.end(), is_it);
  return static_cast<double>(it - values.begin()) / static_cast<double>(values.size() - 1);
}

double Onset(const std::vector<double>& values) {
  return Place(values, [](double v) { return std::abs(v) >= kOnsetPart; });
}

double Bell(double x, double sigma) { return std::exp(-0.5 * x * x / (sigma * sigma)); }

}  // namespace

WaveShape::WaveShape(std::vector<double> values, double reference)
    : values_(std::move(values)),
      scale_(static_cast<double>(values_.size() - 1)),
      reference_(reference) {}

const WaveShape& GaussianShape() {
  static const auto* const shape =
      new WaveShape(Tabulate([](double x) { return Bell(x - 0.5, 1 / kGaussianSigmas); }), 0.5);
  return *shape;
}

const WaveShape& CmapShape() {
  static const auto* const shape = [] {
    std::vector<double> values = Tabulate([](double x) {
      const double window = std::sin(kPi * x);
      return -std::sin(2 * kPi * x) * window * window;
    });
    Normalise(&values);
    const double onset = Onset(values);
    return new WaveShape(std::move(values), onset);
  }();
  return *shape;
}

const WaveShape& VolleyShape() {
  static const auto* const shape = [] {
    std::vector<double> values = Tabulate([](double x) {
      const double window = std::sin(kPi * x);
      return std::sin(2 * kPi * x) * window * window;
    });
    Normalise(&values);
    const double top = *std::max_element(values.begin(), values.end());
    const double peak = Place(values, [&](double v) { return v >= top; });
    return new WaveShape(std::move(values), peak);
  }();
  return *shape;
}

WaveShape MakeMepShape(SimRandom random) {
  const int bursts = 4 + static_cast<int>(random.NextBits() % 5);
  std::vector<double> sum(kPoints, 0.0);
  for (int k = 0; k < bursts; ++k) {
    // The first stands near the onset; its size keeps the onset from depending on the others.
    const double middle_s = 0.004 + 0.013 * k / bursts + (k == 0 ? 0 : 0.001 * random.Uniform());
    const double sigma_s = 0.0010 + 0.0010 * random.Uniform();
    const double turns_hz = 120 + 130 * random.Uniform();
    const double phase = 2 * kPi * random.Uniform();
    const double height =
        (k == 0 ? 0.8 : 0.5 + 0.5 * random.Uniform()) * (1 - 0.6 * static_cast<double>(k) / bursts);
    for (int i = 0; i < kPoints; ++i) {
      const double since_s = kMepShapeS * i / (kPoints - 1) - middle_s;
      sum[i] += height * Bell(since_s, sigma_s) * std::cos(2 * kPi * turns_hz * since_s + phase);
    }
  }
  // Begins and ends at 0.
  for (int i = 0; i < kPoints; ++i) {
    const double x = static_cast<double>(i) / (kPoints - 1);
    sum[i] *= std::min(1.0, std::min(x, 1 - x) / 0.08);
  }
  Normalise(&sum);
  const double onset = Onset(sum);
  return WaveShape(std::move(sum), onset);
}

const WaveShape& DecayShape() {
  static const auto* const shape =
      new WaveShape(Tabulate([](double x) { return std::exp(-kDecayTimes * x); }), 0);
  return *shape;
}

const WaveShape& SpikeWaveShape() {
  static const auto* const shape =
      new WaveShape(Tabulate([](double x) {
                      const double ends = std::min(1.0, std::min(x, 1 - x) / 0.05);
                      return ends * (Bell(x - 0.15, 0.04) - 0.4 * Bell(x - 0.55, 0.15));
                    }),
                    0.15);
  return *shape;
}

}  // namespace remora::agent::sim
