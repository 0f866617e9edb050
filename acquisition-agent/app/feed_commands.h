// The subcommands of remora-agent for who brings an amplifier (docs/bring-your-amplifier.md):
//
//   remora-agent feed-check ENDPOINT [--seconds S] [--key FILE --server-key FILE]
//   remora-agent feed-keys DIR
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/feed/conformance.h"
#include "acquisition-agent/sources/feed/transport.h"
#include "common/clock.h"

namespace remora::agent {

// Runs the subcommand that the arguments begin with; its exit code. Nothing: they begin with none.
// feed-check: 0 conforms, 1 does not, 2 usage, 5 nothing came. feed-keys: 0 made, 1 not, 2 usage.
std::optional<int> RunFeedCommand(int argc, char** argv);

// Listens for `time` and hands what comes to `judge`. What the connection told last.
std::string Listen(feed::Transport& transport, const Clock& clock, Duration time,
                   feed::ConformanceJudge* judge);

// The checklist as people read it, a line each and what to do below those that ask for it.
std::string FormatFindings(const std::vector<feed::Finding>& findings);

}  // namespace remora::agent
