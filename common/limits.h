#pragma once

// Limits that agent, hub and reader share, each with its reason.

#include <cstddef>
#include <cstdint>

namespace remora {

// Lanes 0-5; 0-2 are control (strictly in order), 3-5 are bulk.
inline constexpr uint32_t kLaneCount = 6;
inline constexpr uint32_t kControlLaneCount = 3;

// A block or single trace: at 2 Mbit/s, 4 KiB are 16 ms on the wire, so an alert never waits longer
// than that behind one. A sweep with its two sub-averages may take twice as much.
inline constexpr size_t kMaxBlockBytes = 4 * 1024;
inline constexpr size_t kMaxSweepBytes = 8 * 1024;
// Lanes 0-2: an alert carries two reduced traces; a plan carries montage and criteria.
inline constexpr size_t kMaxControlBytes = 64 * 1024;
inline constexpr size_t kMaxRecordBytes = kMaxControlBytes;

// One write on a stream: larger ones would make alerts wait behind bytes already given away.
inline constexpr size_t kMaxBatchBytes = 64 * 1024;
// One message on a stream, either way: a snapshot is the largest.
inline constexpr size_t kMaxMessageBytes = 4 * 1024 * 1024;

// Cases in one DirectoryUpdate: even with all participants that a case may have, and all texts at
// their longest (some 50 KiB), they fit into a message.
inline constexpr size_t kMaxDirectoryPage = 64;
static_assert(kMaxDirectoryPage * 56 * 1024 < kMaxMessageBytes);

// Samples in one PackedSamples.
inline constexpr uint32_t kMaxPackedSamples = 65'536;

inline constexpr size_t kMaxTextBytes = 2'000;  // messages, annotations
inline constexpr size_t kMaxReasonBytes = 1'000;
inline constexpr size_t kMaxNameBytes = 128;  // trace ids, theatres, participants

// Bodies of lanes 0-2 by what they are made of (MaxBodyBytes): what people write is kept in a
// case's state, where one that is padded would take the place of many. Each has room for what a
// later version may add; a plan, a baseline, an alert and a certificate may fill their lane's
// limit.
inline constexpr size_t kMaxNamesBodyBytes = 512;        // up to three names, ids, numbers
inline constexpr size_t kMaxReasonBodyBytes = 2 * 1024;  // and one text of 1,000
inline constexpr size_t kMaxTextBodyBytes = 3 * 1024;    // and one of 2,000, or two of 1,000

static_assert(3 * kMaxNameBytes + 100 < kMaxNamesBodyBytes &&
                  kMaxReasonBytes + kMaxNamesBodyBytes + 100 < kMaxReasonBodyBytes &&
                  kMaxTextBytes + kMaxNamesBodyBytes + 100 < kMaxTextBodyBytes,
              "a body without padding fits");
static_assert(kMaxSweepBytes < kMaxBatchBytes, "a batch holds at least one sweep");
static_assert(kMaxRecordBytes <= kMaxBatchBytes, "a batch holds at least one record");

}  // namespace remora
