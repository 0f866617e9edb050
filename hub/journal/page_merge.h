#pragma once

// Makes one page of a case's records out of the stored runs of both classes, in ascending `seq`.
// A run that overlaps nothing is copied whole; only where classes interleave, or a run reaches over
// the range, are frames walked. Thread-compatible.

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "hub/journal/journal.h"

namespace remora::hub {

// A stored row, opened.
struct StoredRun {
  uint64_t first_seq = 0;
  uint64_t last_seq = 0;
  SharedBytes frames;
};

// The stored rows of one class of one case, ascending, from the first that reaches the range.
class RunSource {
 public:
  virtual ~RunSource() = default;
  // Nothing after the last. DataLoss: a row is not what was written.
  virtual absl::StatusOr<std::optional<StoredRun>> Next() = 0;
};

// Reads from each source (null: class not asked for) only as far as the page needs. The page ends
// before the record that would exceed request.max_bytes, but has at least one if there is one.
absl::StatusOr<ReadResult> MergePage(const ReadRequest& request, RunSource* control,
                                     RunSource* bulk);

}  // namespace remora::hub
