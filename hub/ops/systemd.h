#pragma once

// Tells systemd how the service is (Type=notify), where it asked to be told. Thread-safe.

#include "absl/strings/string_view.h"

namespace remora::hub {

// Sends `state` ("READY=1") to the socket named by `notify_socket` (the environment's
// NOTIFY_SOCKET; null or empty: does nothing). False when it could not be sent.
bool NotifySystemd(const char* notify_socket, absl::string_view state);

}  // namespace remora::hub
