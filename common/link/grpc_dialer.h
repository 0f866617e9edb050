#pragma once

// Opens sessions over gRPC (remora.v1.SessionService). The one place in common/ that sees gRPC, and
// the only one that turns its threads' callbacks into tasks of the link's sequence. Messages stay
// the bytes that came. Thread-compatible; Dial on the executor's sequence.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/executor.h"
#include "common/link/stream.h"

namespace remora {

struct GrpcDialerOptions {
  // "127.0.0.1:7443", "[::1]:7443", "hub.example:443" or "unix:/run/remora/hub.sock".
  std::string address;
  // Sent as `authorization: Bearer TOKEN`; none when empty.
  std::string token;

  // TLS, as a proxy in front of the hub speaks it. PEM texts; empty roots: the system's.
  bool tls = false;
  std::string root_certificates_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;

  // A follower: no large HTTP/2 windows, or a slow one would be shown the past (HTTP/2 alone can
  // hold 10 s of waveforms). False for who mostly publishes.
  bool reads_live = true;
  // Lets a token travel in the clear beyond this machine. For tests on networks of their own.
  bool plaintext_beyond_loopback = false;
};

// InvalidArgument: no address; or a token without TLS to an address that is not loopback or a
// Unix socket. `executor` outlives the dialer; the dialer's end is the end of its streams.
absl::StatusOr<std::unique_ptr<Dialer>> MakeGrpcDialer(const GrpcDialerOptions& options,
                                                       Executor& executor);

}  // namespace remora
