#include "dsp/filter/sos.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace remora::dsp {
namespace {

double SlowestPoleRadius(const Section& section) {
  const double discriminant = section.a1 * section.a1 - 4.0 * section.a2;
  if (discriminant < 0.0) return std::sqrt(section.a2);
  // The larger root by the sum without cancellation.
  return 0.5 * (std::abs(section.a1) + std::sqrt(discriminant));
}

}  // namespace

std::complex<double> ResponseAt(const Cascade& cascade, double frequency_hz,
                                double sample_rate_hz) {
  const double omega = 2.0 * std::numbers::pi * frequency_hz / sample_rate_hz;
  const std::complex<double> delay = std::polar(1.0, -omega);
  std::complex<double> response = 1.0;
  for (const Section& s : cascade) {
    response *= (s.b0 + delay * (s.b1 + delay * s.b2)) / (1.0 + delay * (s.a1 + delay * s.a2));
  }
  return response;
}

std::vector<SectionState> SteadyState(const Cascade& cascade) {
  std::vector<SectionState> states;
  states.reserve(cascade.size());
  double input = 1.0;
  for (const Section& s : cascade) {
    const double denominator = 1.0 + s.a1 + s.a2;
    if (denominator == 0.0) {
      states.push_back({0.0, 0.0});
      continue;
    }
    // From the steady output, not by solving for the states as SciPy does: that loses digits where
    // a pole is near z = 1, and this gives exactly no output for a constant into a high-pass.
    const double output = input * (s.b0 + s.b1 + s.b2) / denominator;
    states.push_back({output - s.b0 * input, s.b2 * input - s.a2 * output});
    input = output;
  }
  return states;
}

bool IsStable(const Cascade& cascade) {
  return std::all_of(cascade.begin(), cascade.end(), [](const Section& s) {
    return std::abs(s.a2) < 1.0 && std::abs(s.a1) < 1.0 + s.a2;
  });
}

std::size_t SettlingSamples(const Cascade& cascade, double remaining) {
  constexpr double kCap = static_cast<double>(std::numeric_limits<std::int32_t>::max());
  double radius = 0.0;
  for (const Section& section : cascade) radius = std::max(radius, SlowestPoleRadius(section));
  if (radius <= 0.0) return cascade.empty() ? 0 : 2;
  if (radius >= 1.0) return static_cast<std::size_t>(kCap);
  // A section forgets nothing sooner than its own two delays.
  const double samples = std::max(2.0, std::ceil(std::log(remaining) / std::log(radius)));
  return static_cast<std::size_t>(std::min(samples, kCap));
}

}  // namespace remora::dsp
