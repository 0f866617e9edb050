#pragma once

// Writes protobuf fields by hand, where bytes that are encoded already go into a message around
// them (snapshots, checkpoints) without being parsed again. Thread-safe functions.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace remora {

inline void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// A length-delimited field: bytes, string or an encoded message.
inline void AppendBytesField(uint32_t field, absl::string_view bytes, std::string* out) {
  AppendVarint((uint64_t{field} << 3) | 2, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes.data(), bytes.size());
}

inline void AppendVarintField(uint32_t field, uint64_t value, std::string* out) {
  if (value == 0) return;
  AppendVarint(uint64_t{field} << 3, out);
  AppendVarint(value, out);
}

inline void AppendFixed64Field(uint32_t field, uint64_t value, std::string* out) {
  if (value == 0) return;
  AppendVarint((uint64_t{field} << 3) | 1, out);
  for (int i = 0; i < 8; ++i) out->push_back(static_cast<char>(value >> (8 * i)));
}

}  // namespace remora
