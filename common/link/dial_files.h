#pragma once

// How a program that people start reaches its hub: the files of its command line, read into what a
// dialer needs. One place for agent and reader, so that the same options mean the same.

#include <string>

#include "absl/status/status.h"
#include "common/file_system.h"
#include "common/link/grpc_dialer.h"

namespace remora {

struct DialFiles {
  std::string token;  // of the one line that is the token
  bool tls = false;
  // PEM; of use with TLS alone.
  std::string ca;           // whom to trust; empty: the system's
  std::string certificate;  // this program's own, with its key, where the proxy asks for one
  std::string key;
};

// Fills `dial` but for its address. InvalidArgument: files that TLS needs without TLS, half a pair,
// no PEM, or a token file without a token; the texts name the options --tls, --ca, --certificate
// and --key, or the file. NotFound, Unavailable: a file cannot be read.
absl::Status ReadDialFiles(FileSystem& files, const DialFiles& from, GrpcDialerOptions* dial);

}  // namespace remora
