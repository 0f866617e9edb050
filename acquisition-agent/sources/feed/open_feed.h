// From what a person writes (endpoints, key files) to a transport that listens there.
#pragma once

#include <cstdint>
#include <functional>
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

// The permission bits of a file.
using FileModeReader = std::function<absl::StatusOr<uint32_t>(const std::string& path)>;
absl::StatusOr<uint32_t> ModeOfFile(const std::string& path);

//   kInvalidArgument  endpoints or keys; the message says what would be right
//   kNotFound, kPermissionDenied  a key file; or others than its owner may read the secret one
//   kUnavailable      no sockets
absl::StatusOr<std::unique_ptr<Transport>> OpenFeedTransport(
    FileSystem& files, const FeedPlace& place, std::shared_ptr<const Clock> clock,
    const FileModeReader& mode_of = ModeOfFile);

}  // namespace remora::agent::feed
