// The named limits of the EDF and BDF reader. Beyond one of them a file is refused with a message:
// they keep memory bounded whatever a header claims.
#pragma once

#include <cstdint>

namespace remora::agent::edf {

// The format's field could say 9999; the largest amplifiers record some 600 signals. Bounds the
// header to 1 MiB.
inline constexpr int kMaxSignals = 4096;
// One record is held in memory whole. The format recommends 60 KiB; exports of one long record
// exist.
inline constexpr int64_t kMaxRecordBytes = 64 << 20;
// Ten hours of four nerves at 5 Hz are 720,000 stimuli. 24 bytes each.
inline constexpr int64_t kMaxAnnotations = 2'000'000;
// Distinct annotation texts together.
inline constexpr int64_t kMaxAnnotationTextBytes = 16 << 20;
// A longer text is cut, and noted. (A whole annotation signal of one record may be megabytes.)
inline constexpr int64_t kMaxTextBytes = 4096;
// Breaks in the recorded time; each is 24 bytes.
inline constexpr int64_t kMaxSegments = 1'000'000;
// Keeps every time sum in int64 nanoseconds with room to spare; no operation lasts longer.
inline constexpr int64_t kMaxRecordingNs = int64_t{3660} * 86'400 * 1'000'000'000;
// How much is read at once when short records are scanned for annotations.
inline constexpr int64_t kScanChunkBytes = 1 << 20;
// Notes are for people; beyond this many they are counted only.
inline constexpr int kMaxNotes = 32;

static_assert(kScanChunkBytes <= kMaxRecordBytes);
static_assert(kMaxRecordingNs < INT64_MAX / 8);

}  // namespace remora::agent::edf
