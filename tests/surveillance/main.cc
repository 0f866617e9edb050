// remora-bench-surveillance: the tables of docs/surveillance-performance.md, in Markdown.
//
//   remora-bench-surveillance CAUSES [CASES [SEED [FEATURES.csv...]]]
//
// CAUSES is the table of causes; each FEATURES.csv one of real responses that the simulated ones
// are held against. Exit codes: 0 measured, 1 a table cannot be read, 2 usage.
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/plan/cause_file.h"
#include "tests/surveillance/cause_figures.h"
#include "tests/surveillance/criteria_figures.h"
#include "tests/surveillance/motor_variation.h"
#include "tests/surveillance/muscle_population.h"

namespace remora::surveillance {
namespace {

constexpr int kBesideRuns = 500;

void PrintVariation(const std::string& name, const MotorVariation& variation) {
  absl::PrintF("| %s | %d | %d | %.0f | %.2f | %.2f | %.2f | %.1f | %.1f | %.2f |\n", name,
               variation.trials, variation.absent, variation.median_uv, variation.cv,
               variation.log_spread, variation.log_robust_spread, variation.log_skewness,
               variation.log_kurtosis, variation.serial_correlation);
}

// Of one muscle with this CV, without dropouts.
MotorVariation OfSimulated(double cv, std::uint64_t seed) {
  PopulationSettings settings;
  settings.least_cv = settings.most_cv = cv;
  settings.least_baseline_uv = settings.most_baseline_uv = 1000;
  settings.dropout_rate = 0;
  MusclePopulation population(settings, 1, seed);
  std::vector<double> amplitudes;
  for (int i = 0; i < 2000; ++i) amplitudes.push_back(population.Next({1.0})[0]);
  return *MeasureVariation(amplitudes);
}

int Run(const std::vector<std::string>& arguments) {
  int cases = 200;
  std::uint64_t seed = 1;
  const bool usable = !arguments.empty() &&
                      (arguments.size() < 2 || absl::SimpleAtoi(arguments[1], &cases)) &&
                      (arguments.size() < 3 || absl::SimpleAtoi(arguments[2], &seed));
  if (!usable || cases < 1) {
    std::fputs("usage: remora-bench-surveillance CAUSES [CASES [SEED [FEATURES.csv...]]]\n",
               stderr);
    return 2;
  }
  const auto files = MakePosixFileSystem();
  const auto model = agent::LoadCauses(*files, arguments[0]);
  if (!model.ok()) {
    std::fprintf(stderr, "%s\n", model.status().ToString().c_str());
    return 1;
  }
  absl::PrintF(
      "| responses | trials | absent | median uV | CV | spread of ln | its robust one | skewness | "
      "kurtosis | trial to trial |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
      "|\n");
  for (size_t i = 3; i < arguments.size(); ++i) {
    const auto amplitudes = ReadAmplitudes(arguments[i]);
    const auto variation = amplitudes.ok() ? MeasureVariation(*amplitudes) : amplitudes.status();
    if (!variation.ok()) {
      std::fprintf(stderr, "%s\n", variation.status().ToString().c_str());
      return 1;
    }
    const size_t slash = arguments[i].rfind('/');
    PrintVariation(arguments[i].substr(slash == std::string::npos ? 0 : slash + 1), *variation);
  }
  for (const double cv : {0.3, 0.6, 0.9}) {
    PrintVariation(absl::StrFormat("simulated, CV %.1f", cv), OfSimulated(cv, seed));
  }
  absl::PrintF("\n%s", TableOf(MeasureAll(cases, seed)));
  absl::PrintF("\n%s", TableOf(*model, MeasureCauses(*model, cases, seed)));
  const BesideFigures beside = MeasureBeside(*model, kBesideRuns, seed);
  absl::PrintF("\nSurgical in the first two in %d of %d injuries with something beside them.\n",
               beside.surgical_in_two, beside.runs);
  return 0;
}

}  // namespace
}  // namespace remora::surveillance

int main(int argc, char** argv) { return remora::surveillance::Run({argv + 1, argv + argc}); }
