#pragma once

// The hub as one process: makes the parts, joins them, serves until a signal comes, and takes them
// down in an order that loses nothing. Threads: the caller's (waits for the signal), the hub's
// sequence with gRPC, the web server's, the journal's.

#include "common/clock.h"
#include "common/clock_sync.h"
#include "common/file_system.h"
#include "common/random.h"
#include "hub/app/hub_options.h"
#include "hub/ops/signals.h"
#include "hub/participants/authenticator.h"

namespace remora::hub {

// What the machine gives; outlives the program.
struct Machine {
  Clock& clock;
  const ClockSync& clock_sync;
  Random& random;
  FileSystem& files;
  TerminationSignals& signals;
};

// Returns the exit code: 0 after a signal, 1 when it could not start or its journal failed at the
// end. Says on standard error what went wrong.
int RunHub(const HubOptions& options, Authenticator& authenticator, const Machine& machine);

}  // namespace remora::hub
