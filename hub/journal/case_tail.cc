#include "hub/journal/case_tail.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/limits.h"

namespace remora::hub {
namespace {

void InsertAll(const std::vector<SeqRanges::Range>& ranges, SeqRanges* into) {
  for (const SeqRanges::Range& range : ranges) into->InsertRange(range.first, range.last);
}

}  // namespace

CaseTail::CaseTail(CaseHead head, std::vector<OriginLaneHeld> origins) : head_(std::move(head)) {
  for (OriginLaneHeld& held : origins) {
    const OriginLane key{held.origin, held.lane};
    origins_[key] = std::move(held);
  }
}

absl::StatusOr<AppendRows> CaseTail::Accept(const CaseAppend& append, size_t max_row_bytes) const {
  uint64_t first_seq = append.runs.empty() ? append.last_seq + 1 : append.runs[0].first_seq;
  for (const Run& run : append.runs) first_seq = std::min(first_seq, run.first_seq);
  const uint64_t expected = head_.last_seq + 1;
  if (failed_ && first_seq > expected) {
    return absl::UnavailableError(absl::StrCat("case ", head_.case_id.Hex(),
                                               ": an earlier append failed; append again from seq ",
                                               expected));
  }
  const auto refuse = [this](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("case ", head_.case_id.Hex(), ": ", what));
  };
  if (first_seq != expected) {
    return refuse(absl::StrCat("append from seq ", first_seq, ", expected ", expected));
  }
  if (append.last_seq > kMaxSeq) return refuse("no more numbers");
  if (absl::Status status = CheckLanes(append); !status.ok()) return refuse(status.message());
  if (absl::Status status = CheckOrigins(append); !status.ok()) return refuse(status.message());
  absl::StatusOr<AppendRows> rows =
      append.runs.empty() ? AcceptRefusals(append) : CutIntoRows(append, head_, max_row_bytes);
  if (!rows.ok()) return refuse(rows.status().message());
  return rows;
}

absl::StatusOr<AppendRows> CaseTail::AcceptRefusals(const CaseAppend& append) const {
  if (head_.last_seq == 0) return absl::InvalidArgumentError("a case begins with a record");
  if (append.chain != head_.chain) {
    return absl::InvalidArgumentError("an append without records changes the chain");
  }
  if (append.origins.empty()) return absl::InvalidArgumentError("an append of nothing");
  for (const OriginAdvance& advance : append.origins) {
    if (!advance.added.empty() || advance.refused.empty()) {
      return absl::InvalidArgumentError("an append without records carries refused numbers alone");
    }
  }
  AppendRows rows;
  rows.last_recorded_unix_ns = head_.last_recorded_unix_ns;
  return rows;
}

absl::Status CaseTail::CheckLanes(const CaseAppend& append) const {
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (append.lane_seq[lane] < head_.lane_seq[lane]) {
      return absl::InvalidArgumentError(absl::StrCat("lane ", lane, " goes back from seq ",
                                                     head_.lane_seq[lane], " to ",
                                                     append.lane_seq[lane]));
    }
    const bool moves = append.lane_seq[lane] != head_.lane_seq[lane];
    const bool has_run = std::any_of(append.runs.begin(), append.runs.end(), [&](const Run& run) {
      return run.record_class == ClassOfLane(lane);
    });
    if (moves && !has_run) {
      return absl::InvalidArgumentError(
          absl::StrCat("lane ", lane, " goes on without a run of its class"));
    }
  }
  return absl::OkStatus();
}

absl::Status CaseTail::CheckOrigins(const CaseAppend& append) const {
  for (const OriginAdvance& advance : append.origins) {
    SeqRanges used;
    if (const auto held = origins_.find({advance.origin, advance.lane}); held != origins_.end()) {
      used = held->second.held;
      InsertAll(held->second.refused.ranges(), &used);
    }
    for (const auto* ranges : {&advance.added, &advance.refused}) {
      for (const SeqRanges::Range& range : *ranges) {
        if (advance.lane >= kLaneCount || range.first == 0 || range.last < range.first) {
          return absl::InvalidArgumentError("an origin's lane or range that cannot be");
        }
        const std::vector<SeqRanges::Range> missing = used.Missing(range.first, range.last);
        if (missing.size() != 1 || missing[0] != range) {
          return absl::InvalidArgumentError(
              absl::StrCat("records ", range.first, "-", range.last, " of origin ",
                           advance.origin.Hex(), " lane ", advance.lane, " are here already"));
        }
      }
      InsertAll(*ranges, &used);
    }
  }
  return absl::OkStatus();
}

void CaseTail::Advance(const CaseAppend& append, const AppendRows& rows) {
  head_.last_seq = append.last_seq;
  head_.last_recorded_unix_ns = rows.last_recorded_unix_ns;
  head_.chain = append.chain;
  head_.lane_seq = append.lane_seq;
  for (const OriginAdvance& advance : append.origins) {
    OriginLaneHeld& held = origins_[{advance.origin, advance.lane}];
    held.origin = advance.origin;
    held.lane = advance.lane;
    InsertAll(advance.added, &held.held);
    InsertAll(advance.refused, &held.refused);
    if (held.participant.empty()) held.participant = advance.participant;
    held.late_count += advance.late_count;
    held.duplicate_count += advance.duplicate_count;
    InsertAll(advance.late, &held.late);
  }
  failed_ = false;
}

std::vector<OriginLaneHeld> CaseTail::OriginList() const {
  std::vector<OriginLaneHeld> list;
  list.reserve(origins_.size());
  for (const auto& [key, held] : origins_) list.push_back(held);
  return list;
}

std::vector<OriginOwner> OwnersOf(const std::vector<OriginLaneHeld>& origins) {
  std::vector<OriginOwner> owners;
  for (const OriginLaneHeld& held : origins) {
    // By origin, then by lane.
    if (!owners.empty() && owners.back().origin == held.origin) continue;
    owners.push_back({held.origin, held.participant});
  }
  return owners;
}

size_t AppendBytes(const CaseAppend& append) {
  size_t bytes = 0;
  for (const Run& run : append.runs) bytes += run.frames.size();
  return bytes;
}

}  // namespace remora::hub
