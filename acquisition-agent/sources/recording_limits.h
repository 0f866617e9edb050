// The named limits of the readers of BrainVision and WFDB recordings, and of what they share.
// Beyond one of them a recording is refused with a message: they keep memory bounded whatever a
// header claims.
#pragma once

#include <cstdint>

namespace remora::agent {

// The largest amplifiers record some 600 signals.
inline constexpr int kMaxChannels = 4096;
// A header of 4096 channels with long names, and its comments.
inline constexpr uint64_t kMaxHeaderFileBytes = 4 << 20;
// Two million markers of 60 bytes.
inline constexpr uint64_t kMaxMarkerFileBytes = 128 << 20;
// Ten hours of four nerves at 5 Hz are 720,000 stimuli. 24 bytes each.
inline constexpr int64_t kMaxMarks = 2'000'000;
// Distinct texts of marks; each with the stimulus that it may stand for is some 300 bytes.
inline constexpr int64_t kMaxDistinctTexts = 200'000;
// And all together.
inline constexpr int64_t kMaxMarkTextBytes = 16 << 20;
// A longer text is cut, and noted.
inline constexpr int64_t kMaxMarkText = 4096;
// Breaks in the recorded time.
inline constexpr int64_t kMaxStretches = 1'000'000;
// Keeps every time sum in int64 nanoseconds with room to spare; no operation lasts longer.
inline constexpr int64_t kMaxRecordedNs = int64_t{3660} * 86'400 * 1'000'000'000;
// The fastest sampling that is read, and the slowest frames.
inline constexpr double kMaxRateHz = 1e7;
inline constexpr double kMinRateHz = 1e-3;
// A frame is held in memory whole, and so is each block.
inline constexpr int64_t kMaxFrameSamples = 4 << 20;
// Beyond this a WFDB record's checksums are not verified at opening: some seconds of reading.
inline constexpr int64_t kMaxVerifiedBytes = 256 << 20;

static_assert(kMaxRecordedNs < INT64_MAX / 8);
static_assert(kMaxMarkText < kMaxMarkTextBytes);

}  // namespace remora::agent
