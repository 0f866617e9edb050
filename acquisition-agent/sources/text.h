// Text from recordings, made safe to show: recordings come in UTF-8, Latin-1 and worse.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace remora::agent {

// Valid UTF-8 is kept. Anything else is read as Latin-1. Control characters become spaces (a
// terminal would obey them), trailing and leading spaces are removed.
std::string CleanText(absl::string_view bytes);

// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsValidUtf8(absl::string_view bytes);

}  // namespace remora::agent
