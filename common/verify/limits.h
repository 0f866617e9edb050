#pragma once

// Limits of verifying, each with its reason.

#include <cstddef>

#include "common/limits.h"

namespace remora {

// Findings that are told one by one: the first few show where; the rest is counted.
inline constexpr size_t kMaxFindings = 50;
// What is read of a file at once; it holds the largest record.
inline constexpr size_t kVerifyReadBytes = 1024 * 1024;
// A witness: a head of some 200 bytes in hexadecimal.
inline constexpr size_t kMaxWitnessBytes = 4096;
// The head of a record's file: a line a key, and one for each year of a hub's life and more.
inline constexpr size_t kMaxRecordFileHeadBytes = 64 * 1024;
inline constexpr size_t kMaxRecordFileKeys = 256;

static_assert(kVerifyReadBytes > kMaxRecordBytes + 1024);

}  // namespace remora
