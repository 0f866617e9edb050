// Files that a header names, in memory. Test-only.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/byte_reader.h"

namespace remora::agent {

using MemoryFiles = std::map<std::string, std::vector<uint8_t>>;

inline std::vector<uint8_t> BytesOf(const std::string& text) {
  return std::vector<uint8_t>(text.begin(), text.end());
}

// The files are copied.
inline OpenNamed OpenFrom(MemoryFiles files) {
  return [files = std::move(files)](
             const std::string& name) -> absl::StatusOr<std::unique_ptr<ByteReader>> {
    const auto it = files.find(name);
    if (it == files.end()) return absl::NotFoundError(absl::StrCat("cannot open ", name));
    return std::make_unique<MemoryByteReader>(it->second);
  };
}

}  // namespace remora::agent
