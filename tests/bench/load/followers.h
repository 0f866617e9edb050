#pragma once

// All followers of the follow process, by what they speak. Each returns when the run is over.

#include "tests/bench/load/control_page.h"
#include "tests/bench/load/follower.h"
#include "tests/bench/load/load_options.h"

namespace remora::bench {

// Each on a gRPC connection of its own; counts and nothing else, on gRPC's threads.
void FollowOverGrpc(const LoadOptions& options, ControlPage* page, Tally* tally);

// One thread that reads all sockets, since a browser has its own engine and a client library would
// be the bottleneck.
void FollowOverWebSocket(const LoadOptions& options, ControlPage* page, Tally* tally);

// With the link that readers use: every record is walked, cursors and digests are kept.
void FollowWithSdk(const LoadOptions& options, ControlPage* page, Tally* tally);

}  // namespace remora::bench
