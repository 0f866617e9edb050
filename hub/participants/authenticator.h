#pragma once

// Who stands behind a token. Implemented by hub/identity; asked by the transports before a session
// exists. Thread-safe: gRPC asks on the hub's sequence, the web server on its own thread.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hub/participants/session.h"

namespace remora::hub {

class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Unauthenticated: nobody has this token. The text never repeats it.
  virtual absl::StatusOr<Identity> Authenticate(absl::string_view token_untrusted) = 0;
};

}  // namespace remora::hub
