// A run in a theatre: threads, clock, spool folder and the link to the hub around an AgentSession.
#pragma once

#include "acquisition-agent/app/options.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/sources/source.h"
#include "common/file_system.h"

namespace remora::agent {

// Runs until the source has ended and the hub has everything, or SIGINT or SIGTERM. The exit code.
int RunLive(const AgentOptions& options, const CasePlan& plan, SignalSource& source,
            FileSystem& files);

}  // namespace remora::agent
