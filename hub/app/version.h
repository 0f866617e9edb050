#pragma once

// The program's version: REMORA_VERSION is the CMake project's.

namespace remora::hub {
inline constexpr char kVersion[] = REMORA_VERSION;
}  // namespace remora::hub
