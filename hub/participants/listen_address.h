#pragma once

// Where a listener stands, as an engineer writes it: "127.0.0.1:7443", "[::1]:7443",
// "localhost:7443", "unix:/run/remora/hub.sock". Immutable value.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::hub {

struct ListenAddress {
  // A numeric address ("127.0.0.1", "::1"); empty for a Unix socket.
  std::string host;
  // 0: the system chooses.
  uint16_t port = 0;
  std::string unix_path;

  // InvalidArgument: what is wrong and what would be right. Names other than "localhost" are not
  // looked up.
  static absl::StatusOr<ListenAddress> Parse(absl::string_view text);

  bool is_unix() const { return !unix_path.empty(); }
  // Reached from this machine alone.
  bool is_local() const;
  std::string ToString() const;
};

}  // namespace remora::hub
