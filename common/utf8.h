#pragma once

#include "absl/strings/string_view.h"

namespace remora {

// Well-formed UTF-8 (RFC 3629): shortest forms, no surrogates, nothing over U+10FFFF. Thread-safe.
bool IsValidUtf8(absl::string_view text);

}  // namespace remora
