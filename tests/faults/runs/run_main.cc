#include "tests/faults/runs/run_main.h"

#include <iostream>

#include "tests/integration/rig.h"

namespace remora::testing {

int RunMain(CLI::App& app, int argc, char** argv, RunArguments& arguments,
            const std::function<absl::StatusOr<int>(RunState& state)>& run) {
  arguments.plan = SourcePath("acquisition-agent/plans/scoliosis.plan");
  std::string path;
  app.add_option("--state", path, "FILE of what was done so far")->required();
  app.add_option("--plan", arguments.plan, "the agent's");
  app.add_option("--speed", arguments.speed, "of the agent's source");
  CLI11_PARSE(app, argc, argv);
  absl::StatusOr<RunState> state = RunState::Load(path);
  const absl::StatusOr<int> code = state.ok() ? run(*state) : state.status();
  if (code.ok()) return *code;
  std::cerr << code.status().message() << "\n";
  return 2;
}

}  // namespace remora::testing
