// libFuzzer target for the parser of scenarios: any text gives a scenario that the simulator can
// run, and whose truth is made of numbers, or an error.
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "acquisition-agent/sources/simulator/simulator_source.h"

namespace {

using namespace remora::agent::sim;  // NOLINT

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "scenario_fuzz: %s\n", what);
  std::abort();
}

void CheckTruth(const SimulatedTruth& truth, const Scenario& scenario, double time_s) {
  const auto sound = [](const ResponseFactors& factors) {
    return std::isfinite(factors.amplitude) && factors.amplitude >= 0 &&
           std::isfinite(factors.latency) && std::isfinite(factors.delay_ms);
  };
  for (const Site& site : scenario.channels) {
    Require(sound(truth.Mep(site, time_s)) && sound(truth.Cmap(site, time_s)), "a muscle's truth");
  }
  Require(sound(truth.Sep(Nerve::kMedian, Side::kLeft, Level::kCortical, time_s)), "SEP's truth");
  Require(sound(truth.Dwave(true, time_s)) && sound(truth.Larynx(Side::kLeft, time_s)),
          "D-wave's or larynx's truth");
  const Block block = truth.TrainOfFour(Region::kArm, Side::kLeft, time_s);
  Require(block.t1 >= 0 && block.ratio >= 0 && block.ratio <= 1, "a train-of-four's truth");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  auto scenario =
      ParseScenario(absl::string_view(reinterpret_cast<const char*>(bytes), size), "fuzz");
  if (!scenario.ok()) return 0;
  SimulatorOptions options;
  options.scenario = *std::move(scenario);
  options.scenario.sample_rate_hz = 500;
  options.block_ms = 250;
  const Scenario copy = options.scenario;
  auto source = SimulatorSource::Create(std::move(options));
  Require(source.ok(), "parsed, but the simulator does not take it");
  for (int i = 0; i < 40; ++i) {
    const auto item = (*source)->Next();
    const auto* block = item.ok() ? std::get_if<remora::agent::SampleBlock>(&*item) : nullptr;
    if (block == nullptr) continue;
    for (const double sample : block->samples) Require(std::isfinite(sample), "a sample");
  }
  for (const double time_s : {0.0, 3.3, 61.0, 4000.0, 600'000.0}) {
    CheckTruth((*source)->truth(), copy, time_s);
  }
  return 0;
}
