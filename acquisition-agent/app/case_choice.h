// Which case of a spool folder a run goes on with, or begins.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/app/console.h"
#include "acquisition-agent/app/options.h"
#include "acquisition-agent/app/spool_folder.h"
#include "acquisition-agent/plan/case_plan.h"
#include "common/clock.h"
#include "common/random.h"

namespace remora::agent {

struct Cases {
  std::unique_ptr<CaseSpool> current;  // with its info
  bool resumed = false;
  // Of earlier runs, closed, and not yet wholly with the hub.
  std::vector<std::unique_ptr<CaseSpool>> old;
};

// The open case of the folder, if it was begun with the same source and plan; else a new one. With
// options.new_case, open ones are closed first. A closed one that was damaged is repaired;
// `console` hears of it.
//   kInvalidArgument  an open case of another setup; a --case that is none, or closed
//   else              as SpoolFolder::OpenCases
absl::StatusOr<Cases> ChooseCase(const AgentOptions& options, const CasePlan& plan,
                                 SpoolFolder& folder, Random& random, const Clock& clock,
                                 Console& console);

}  // namespace remora::agent
