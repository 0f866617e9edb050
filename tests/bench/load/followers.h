#pragma once

// All followers of the follow process, by what they speak. Each returns when the run is over.

#include "tests/bench/load/control_page.h"
#include "tests/bench/load/follower.h"
#include "tests/bench/load/load_options.h"

namespace remora::bench {

// Each on a connection of its own with gRPC's own library; counts and nothing else, on its threads.
void FollowOverGrpc(const LoadOptions& options, ControlPage* page, Tally* tally);

// The same protocol without that library: socket_follower.h.
void FollowOverLeanGrpc(const LoadOptions& options, ControlPage* page, Tally* tally);

// socket_follower.h: a browser has an engine of its own.
void FollowOverWebSocket(const LoadOptions& options, ControlPage* page, Tally* tally);

// With the link that readers use: every record is walked, cursors and digests are kept.
void FollowWithSdk(const LoadOptions& options, ControlPage* page, Tally* tally);

}  // namespace remora::bench
