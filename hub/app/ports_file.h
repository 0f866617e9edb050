#pragma once

// Tells other programs where this hub listens: {"grpc":"127.0.0.1:40001","http":"127.0.0.1:40002",
// "grpc_port":40001,"http_port":40002,"pid":4711}. Appears whole, once the hub serves.

#include <string>

#include "absl/status/status.h"
#include "common/file_system.h"
#include "hub/participants/listen_address.h"

namespace remora::hub {

// Replaces the file at `path`. As the file system says.
absl::Status WritePortsFile(FileSystem& files, const std::string& path, const ListenAddress& grpc,
                            const ListenAddress& http, int64_t pid);

}  // namespace remora::hub
