#include "tests/surveillance/muscle_population.h"

#include <cmath>
#include <cstddef>

namespace remora::surveillance {
namespace {

// A normal part, and in one trial of four an exponential fall on top.
constexpr double kNormalPart = 0.75;
constexpr double kFallRate = 0.25;
constexpr double kMeanFall = 1.0;
constexpr double kSkewLowersCv = 0.22;
constexpr double kVariance = kNormalPart * kNormalPart + 2 * kFallRate * kMeanFall * kMeanFall -
                             kFallRate * kFallRate * kMeanFall * kMeanFall;

}  // namespace

MusclePopulation::MusclePopulation(const PopulationSettings& settings, int muscles,
                                   std::uint64_t seed)
    : settings_(settings), random_(seed) {
  for (int i = 0; i < muscles; ++i) {
    Muscle muscle;
    double cv = Even(settings.least_cv, settings.most_cv);
    // Skewed to the small side, the same spread of the logarithms makes less of a CV.
    cv *= 1 + kSkewLowersCv * cv;
    muscle.log_spread = std::sqrt(std::log(1 + cv * cv));
    muscle.baseline_uv =
        std::exp(Even(std::log(settings.least_baseline_uv), std::log(settings.most_baseline_uv)));
    muscle.serial_correlation =
        Even(settings.least_serial_correlation, settings.most_serial_correlation);
    muscles_.push_back(muscle);
  }
}

double MusclePopulation::Even(double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random_);
}

double MusclePopulation::Skewed() {
  double value = kNormalPart * std::normal_distribution<double>(0, 1)(random_);
  if (Even(0, 1) < kFallRate)
    value -= std::exponential_distribution<double>(1 / kMeanFall)(random_);
  return (value + kFallRate * kMeanFall) / std::sqrt(kVariance);
}

std::vector<double> MusclePopulation::Next(const std::vector<double>& share) {
  const double common = Skewed();
  std::vector<double> amplitudes;
  for (size_t i = 0; i < muscles_.size(); ++i) {
    Muscle& muscle = muscles_[i];
    const double rho = muscle.serial_correlation;
    muscle.own = rho * muscle.own + std::sqrt(1 - rho * rho) * Skewed();
    const double both =
        std::sqrt(1 - settings_.shared) * muscle.own + std::sqrt(settings_.shared) * common;
    const double uv = muscle.baseline_uv * share[i] * std::exp(muscle.log_spread * both);
    amplitudes.push_back(Even(0, 1) < settings_.dropout_rate ? 0 : uv);
  }
  return amplitudes;
}

}  // namespace remora::surveillance
