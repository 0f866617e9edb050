#pragma once

// One accepted record as everybody in the hub shares it: room, journal, all followers. The bytes
// are made once; a frame is copied by reference. Immutable value.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/shared_bytes.h"

namespace remora::hub {

// Names what a newer record replaces on a slow link: a kind of record of one trace. Owned by its
// room, which outlives all frames that point here.
struct TraceKey {
  // Dense from 0 within the room.
  uint32_t index = 0;
  std::string trace_id;
};

struct RecordFrame {
  // Field 1 of a Down message: tag 0x0a, length, the record with its stamp.
  SharedBytes bytes;
  // 0: shown unrecorded, it has no place in the order.
  uint64_t seq = 0;
  int64_t recorded_unix_ns = 0;
  uint64_t origin_seq = 0;
  // Lanes 2-5; null in lanes 0-1.
  const TraceKey* trace = nullptr;
  // The body's field number.
  uint32_t kind = 0;
  // Tells origins apart within the room.
  uint32_t origin_index = 0;
  uint8_t lane = 0;
  // Bytes of tag and length.
  uint8_t header_bytes = 0;
  // A sweep that is still growing.
  bool provisional = false;
  // From its sender's backlog: too late to be shown as live.
  bool late = false;

  absl::string_view record() const { return bytes.view().substr(header_bytes); }
  size_t record_bytes() const { return bytes.size() - header_bytes; }
  // Made later than `other` by the same origin, or recorded later; or the same, now on disk.
  bool IsNewerThan(const RecordFrame& other) const {
    if (origin_index == other.origin_index) {
      return origin_seq > other.origin_seq || (origin_seq == other.origin_seq && other.seq == 0);
    }
    if (seq == 0 || other.seq == 0) return recorded_unix_ns > other.recorded_unix_ns;
    return seq > other.seq;
  }
};

}  // namespace remora::hub
