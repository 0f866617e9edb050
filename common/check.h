#pragma once

// REMORA_CHECK(condition, "what it means"): an invariant of our own, on in release builds. Never
// for input from outside. Prints file, line and the text, and aborts.

namespace remora {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* text);
}

#define REMORA_CHECK(condition, text) \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::remora::CheckFailed(__FILE__, __LINE__, #condition, text))
