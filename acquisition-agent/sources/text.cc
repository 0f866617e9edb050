#include "acquisition-agent/sources/text.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace remora::agent {
namespace {

// The length of the well-formed sequence at `i`, or 0.
size_t SequenceLength(absl::string_view s, size_t i) {
  const auto byte = [&](size_t k) -> uint32_t {
    return i + k < s.size() ? static_cast<uint8_t>(s[i + k]) : 0u;
  };
  const auto continues = [&](size_t k) { return (byte(k) & 0xC0u) == 0x80u; };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (lead == 0xED && byte(1) >= 0xA0) return 0;  // surrogate
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;   // overlong
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;  // above U+10FFFF
    return 4;
  }
  return 0;
}

void AppendLatin1(uint8_t byte, std::string* out) {
  if (byte < 0x20 || (byte >= 0x7F && byte < 0xA0)) {
    out->push_back(' ');
  } else if (byte < 0x80) {
    out->push_back(static_cast<char>(byte));
  } else {
    out->push_back(static_cast<char>(0xC0 | (byte >> 6)));
    out->push_back(static_cast<char>(0x80 | (byte & 0x3F)));
  }
}

}  // namespace

bool IsValidUtf8(absl::string_view bytes) {
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = SequenceLength(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string CleanText(absl::string_view bytes) {
  const bool utf8 = IsValidUtf8(bytes);
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = utf8 ? SequenceLength(bytes, i) : 1;
    const bool control_c1 = length == 2 && static_cast<uint8_t>(bytes[i]) == 0xC2 &&
                            static_cast<uint8_t>(bytes[i + 1]) < 0xA0;
    if (length == 1 || control_c1) {
      AppendLatin1(static_cast<uint8_t>(control_c1 ? ' ' : bytes[i]), &out);
    } else {
      absl::StrAppend(&out, bytes.substr(i, length));
    }
    i += length;
  }
  absl::StripAsciiWhitespace(&out);
  return out;
}

}  // namespace remora::agent
