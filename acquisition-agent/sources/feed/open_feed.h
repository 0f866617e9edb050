// From what a person writes (endpoints, key files) to a transport that listens there.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "acquisition-agent/sources/feed/transport.h"
#include "common/clock.h"
#include "common/file_system.h"

namespace remora::agent::feed {

struct FeedPlace {
  std::string endpoints;         // as ParseEndpoints takes them
  std::string key_file;          // this agent's NAME.key_secret; empty: plain, on this machine only
  std::string server_key_files;  // the devices' NAME.key, one for all or one each, with commas
};

//   kInvalidArgument  endpoints or keys; the message says what would be right
//   kNotFound, kPermissionDenied  a key file
//   kUnavailable      no sockets
absl::StatusOr<std::unique_ptr<Transport>> OpenFeedTransport(FileSystem& files,
                                                             const FeedPlace& place,
                                                             std::shared_ptr<const Clock> clock);

}  // namespace remora::agent::feed
