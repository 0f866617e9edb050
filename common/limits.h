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

// Samples in one PackedSamples.
inline constexpr uint32_t kMaxPackedSamples = 65'536;

inline constexpr size_t kMaxTextBytes = 2'000;     // messages, annotations
inline constexpr size_t kMaxReasonBytes = 1'000;
inline constexpr size_t kMaxNameBytes = 128;       // trace ids, theatres, participants

static_assert(kMaxSweepBytes < kMaxBatchBytes, "a batch holds at least one sweep");
static_assert(kMaxRecordBytes <= kMaxBatchBytes, "a batch holds at least one record");

}  // namespace remora
