// Where feeds are heard: endpoints of ZeroMQ, and the keys that they need. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::agent::feed {

// One endpoint, "tcp://HOST:PORT" or "ipc://PATH", without a wildcard: the device binds.
absl::Status CheckEndpoint(absl::string_view endpoint);

// Nothing on its way leaves this machine: only there may a feed do without keys.
bool IsLocal(absl::string_view endpoint);

// "tcp://a:1,tcp://b:2": 1 to kMaxDevices, each once.
absl::StatusOr<std::vector<std::string>> ParseEndpoints(absl::string_view text);

}  // namespace remora::agent::feed
