#pragma once

// Files that people write, in protobuf text format. One clear message for what is wrong:
// "FILE:LINE:COLUMN: what is wrong". Thread-safe.

#include <string>

#include "absl/status/status.h"
#include "common/file_system.h"
#include "google/protobuf/message.h"

namespace remora {

// Reads `path` into `message`. NotFound, or InvalidArgument with file, line, column and, for a
// misspelt field, the nearest field that exists.
absl::Status ReadTextProto(FileSystem& files, const std::string& path,
                           google::protobuf::Message* message);

// The same from text; `name` stands for the file in messages.
absl::Status ParseTextProto(const std::string& text, const std::string& name,
                            google::protobuf::Message* message);

}  // namespace remora
