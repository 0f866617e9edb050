// One entry of a spool file: what is written, checked and found again.
//
//   offset  0  u32  magic "RMSP"
//           4  u32  bytes of the payload
//           8  u8   type      9  u8 lane      10  u16 zero
//          12  u64  number: origin_seq of a record, position of an input
//          20  u32  ordinal: which of the lane's reproducible records this is, from 1; 0: any other
//          24  u32  CRC-32 (zlib) of bytes 4-23 and the payload
//          28       payload
//
// All little endian. Any bit that is turned, and any end that is cut off, is found; the magic lets
// a reader go on after damage. Pure functions, thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace remora::agent {

enum class EntryType : uint8_t {
  kSegmentHeader = 1,  // payload: version, case id, origin, class of the segment
  kRecord = 2,         // payload: the record's bytes
  kInput = 3,          // payload: a stamped record from elsewhere that was taken in at `number`
  kHeld = 4,           // payload: ranges that the hub has acknowledged, of `lane`
  kInfo = 5,           // payload: CaseInfo
  kShed = 6,           // payload: ranges of `lane` that were given up for lack of space
  kClosed = 7,         // the case is over; no payload
};

struct Entry {
  EntryType type = EntryType::kRecord;
  uint8_t lane = 0;
  uint64_t number = 0;
  uint32_t ordinal = 0;
  absl::string_view payload;
};

inline constexpr size_t kEntryHeaderBytes = 28;

void AppendEntry(const Entry& entry, std::string* bytes);

// The entry at the start of `bytes_untrusted`, or nothing: cut off, damaged, or no entry. The
// payload points into it.
std::optional<Entry> ParseEntry(absl::string_view bytes_untrusted);
inline size_t EntryBytes(const Entry& entry) { return kEntryHeaderBytes + entry.payload.size(); }

// Where the next intact entry begins at or after `from`; the size of `bytes_untrusted` when there
// is none.
size_t FindEntry(absl::string_view bytes_untrusted, size_t from);

}  // namespace remora::agent
