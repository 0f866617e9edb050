#pragma once

// What a journal knows of the end of a case: its head, what it holds of each origin, and whether an
// append has failed since. Every journal checks an append against it before writing anything, and
// advances it when the append is committed. Thread-compatible value.
//
//               append fails                    append from last_seq + 1 commits
//   in order ------------------> waits for a retry -----------------------------> in order
//                                 |  ^
//                                 +--+ any append that begins later: Unavailable
//
// A caller's mistake is InvalidArgument, not an abort: one room's error must not take the other
// rooms down. It counts as a failed append, so that nothing later of that case slips in.

#include <map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/journal/journal.h"
#include "hub/journal/run_rows.h"

namespace remora::hub {

class CaseTail {
 public:
  using OriginLane = std::pair<OriginId, uint32_t>;

  explicit CaseTail(CaseHead head) : head_(std::move(head)) {}
  CaseTail(CaseHead head, std::vector<OriginLaneHeld> origins);

  // The rows of `append`, if it follows on the tail. Unavailable: an earlier append failed, and the
  // room has not tried that one again. InvalidArgument: the room's mistake; the text says which.
  absl::StatusOr<AppendRows> Accept(const CaseAppend& append, size_t max_row_bytes) const;
  // After Accept and a commit.
  void Advance(const CaseAppend& append, const AppendRows& rows);
  // After a failure of any kind.
  void MarkFailed() { failed_ = true; }
  bool failed() const { return failed_; }

  const CaseHead& head() const { return head_; }
  const std::map<OriginLane, OriginLaneHeld>& origins() const { return origins_; }
  std::vector<OriginLaneHeld> OriginList() const;

 private:
  absl::StatusOr<AppendRows> AcceptRefusals(const CaseAppend& append) const;
  absl::Status CheckLanes(const CaseAppend& append) const;
  absl::Status CheckOrigins(const CaseAppend& append) const;

  CaseHead head_;
  std::map<OriginLane, OriginLaneHeld> origins_;
  bool failed_ = false;
};

// Whose the origins are, each once.
std::vector<OriginOwner> OwnersOf(const std::vector<OriginLaneHeld>& origins);

// What the frames of an append weigh, for limits.
size_t AppendBytes(const CaseAppend& append);

}  // namespace remora::hub
