#pragma once

// What the programs of the long runs have in common: their arguments, and a state that they load
// first and save as they go.

#include <functional>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "tests/faults/runs/run_state.h"

namespace remora::testing {

// Of the agent.
struct RunArguments {
  explicit RunArguments(double default_speed) : speed(default_speed) {}
  double speed;
  std::string plan;
};

// Parses the arguments, those above and --state with them, and gives `run` the state. What it
// returns is the program's exit code; 2: it could not begin, or not go on.
int RunMain(CLI::App& app, int argc, char** argv, RunArguments& arguments,
            const std::function<absl::StatusOr<int>(RunState& state)>& run);

}  // namespace remora::testing
