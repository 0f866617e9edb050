// Signals and files for the tests of dsp. Test-only.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

namespace remora::dsp {

// Folder of the reference recordings: REMORA_DATA, or ../shared/data beside the source.
inline std::string DataFolder() {
  if (const char* folder = std::getenv("REMORA_DATA")) return folder;
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  return std::string(source != nullptr ? source : ".") + "/../shared/data";
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline bool FileExists(const std::string& path) { return std::ifstream(path).good(); }

// Deterministic noise on every platform (the standard distributions differ between libraries).
class TestNoise {
 public:
  explicit TestNoise(std::uint64_t seed) : state_(seed) {}

  double Uniform() {  // -0.5 .. 0.5
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0 - 0.5;
  }
  double Gaussian() {  // sum of 12 uniforms: variance 1, tails to 6
    double sum = 0.0;
    for (int i = 0; i < 12; ++i) sum += Uniform();
    return sum;
  }
  std::vector<double> Gaussian(std::size_t samples, double rms) {
    std::vector<double> noise(samples);
    for (double& sample : noise) sample = rms * Gaussian();
    return noise;
  }

 private:
  std::uint64_t state_;
};

// 0, 1, 2, ...
inline std::vector<double> Ramp(std::size_t samples) {
  std::vector<double> ramp(samples);
  for (std::size_t i = 0; i < samples; ++i) ramp[i] = static_cast<double>(i);
  return ramp;
}

inline std::vector<double> Sine(std::size_t samples, double frequency_hz, double sample_rate_hz,
                                double amplitude) {
  std::vector<double> sine(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    sine[i] = amplitude * std::sin(2.0 * std::numbers::pi * frequency_hz * static_cast<double>(i) /
                                   sample_rate_hz);
  }
  return sine;
}

inline double MaxAbs(const std::vector<double>& values) {
  double largest = 0.0;
  for (const double value : values) largest = std::fmax(largest, std::abs(value));
  return largest;
}

}  // namespace remora::dsp
