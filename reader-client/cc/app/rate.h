#pragma once

// A rate as a person writes it: "20kB/s", "160 kbit/s", "0.2MB/s", "20000" (bytes a second).

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::reader {

// Bytes a second, at least 1. InvalidArgument: what would do.
absl::StatusOr<uint32_t> ParseRate(absl::string_view text);

}  // namespace remora::reader
