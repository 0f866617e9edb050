// Analyses a source as fast as it can, with no hub and no disk, and gives out every record: the way
// to try a montage on an old file. The same input, plan and seed give the same bytes.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "common/limits.h"

namespace remora::agent {

struct DryRunOptions {
  std::string theatre = "dry run";
  // Of case, origin and boot ids.
  uint64_t seed = 1;
  bool keep_open = false;
};

struct DryRunSummary {
  CaseIdentity identity;
  std::array<uint64_t, kLaneCount> records{};
  uint64_t bytes = 0;
  uint64_t alerts_raised = 0;
  uint64_t alerts_recovered = 0;
  // Records that the hub would refuse: a fault of the agent's.
  uint64_t invalid = 0;
  std::string first_invalid;
  AnalysisSummary analysis;
  int64_t duration_ns = 0;
};

// `on_record` is called for each record, in the order made; `on_progress` now and then with the
// source's time.
//   kInvalidArgument  the plan does not fit the source
//   kDataLoss, kUnavailable  the source failed; what was given out until then stands
absl::StatusOr<DryRunSummary> DryRun(
    const CasePlan& plan, SignalSource& source, const DryRunOptions& options,
    const std::function<void(const v1::Record&, absl::string_view bytes)>& on_record,
    const std::function<void(int64_t now_ns)>& on_progress);

// The first and last records of a case's life; also for a run with a hub.
v1::Record OpeningRecord(const std::string& theatre, const std::string& procedure);
v1::Record ClosingRecord(v1::CaseTransition transition, const std::string& reason);

}  // namespace remora::agent
