#pragma once

// From what a room appends to what is stored: checks the frames of an append to the last byte and
// cuts its runs into rows. Every journal uses it before it writes anything. Pure functions.

#include <array>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hub/journal/journal.h"

namespace remora::hub {

// What one stored row holds: a piece of a run, of at most kMaxRowBytes.
struct RunRow {
  RecordClass record_class = RecordClass::kControl;
  // The last seq of the class before this row, 0 if none: a reader finds by it that a row is gone.
  uint64_t after_seq = 0;
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  uint32_t count = 0;
  absl::string_view frames;  // within the append's bytes
};

struct AppendRows {
  std::vector<RunRow> rows;  // of each class ascending in seq
  uint64_t records = 0;
  int64_t last_recorded_unix_ns = 0;
};

// InvalidArgument unless every frame is a stamped record of this case, epoch and class, the two
// classes together are dense from head.last_seq + 1 to append.last_seq, each run is what it says
// (first, last, count), and recorded times do not go back.
absl::StatusOr<AppendRows> CutIntoRows(const CaseAppend& append, const CaseHead& head,
                                       size_t max_row_bytes);

// The last seq of a class, from those of its lanes; 0 if none.
uint64_t LastSeqOfClass(const std::array<uint64_t, kLaneCount>& lane_seq, RecordClass record_class);

// For messages: "control" or "bulk".
const char* RecordClassName(RecordClass record_class);

}  // namespace remora::hub
