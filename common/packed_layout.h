#pragma once

// Where the bytes of packed samples lie (docs/sample-codec.md): shared by the codec and by the walk
// that checks bulk bodies without unpacking them. Thread-safe functions.

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/limits.h"

namespace remora {

// A group pays one byte for its width; 128 samples keep that under 1 % at 12 bits a sample.
inline constexpr size_t kPackedGroupSamples = 128;
inline constexpr int kMaxPackedWidthBits = 32;

// Bytes of a group behind its width.
inline constexpr size_t PackedGroupBytes(int width_bits, size_t samples) {
  return (static_cast<size_t>(width_bits) * samples + 7) / 8;
}

// Null when `packed` is laid out as exactly `sample_count` samples; else what is wrong.
inline const char* CheckPackedLayout(uint32_t sample_count, absl::string_view packed) {
  if (sample_count == 0 || sample_count > kMaxPackedSamples) {
    return "sample_count must be 1 to 65536";
  }
  size_t at = 0;
  for (size_t left = sample_count; left > 0;) {
    if (at >= packed.size()) return "fewer bytes than sample_count needs";
    const int width = static_cast<uint8_t>(packed[at]);
    if (width > kMaxPackedWidthBits) return "a group's width is over 32 bits";
    const size_t size = std::min(left, kPackedGroupSamples);
    at += 1 + PackedGroupBytes(width, size);
    left -= size;
  }
  if (at > packed.size()) return "fewer bytes than sample_count needs";
  if (at < packed.size()) return "more bytes than sample_count needs";
  return nullptr;
}

}  // namespace remora
