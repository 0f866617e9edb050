// libFuzzer target for the parser of scenarios: any text gives a scenario that the simulator can
// run, or an error.
#include <cstdio>
#include <cstdlib>

#include "acquisition-agent/sources/simulator/simulator_source.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using remora::agent::sim::ParseScenario;
  using remora::agent::sim::SimulatorOptions;
  using remora::agent::sim::SimulatorSource;
  auto scenario =
      ParseScenario(absl::string_view(reinterpret_cast<const char*>(bytes), size), "fuzz");
  if (!scenario.ok()) return 0;
  SimulatorOptions options;
  options.scenario = *std::move(scenario);
  options.scenario.sample_rate_hz = 500;
  auto source = SimulatorSource::Create(std::move(options));
  if (!source.ok()) {
    std::fprintf(stderr, "scenario_fuzz: parsed, but %s\n", source.status().ToString().c_str());
    std::abort();
  }
  for (int i = 0; i < 20; ++i) (void)(*source)->Next();
  return 0;
}
