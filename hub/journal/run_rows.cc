#include "hub/journal/run_rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::hub {
namespace {

struct WalkedRun {
  std::vector<uint64_t> seqs;
  int64_t first_recorded_unix_ns = 0;
  int64_t last_recorded_unix_ns = 0;
};

absl::Status CheckRecord(const StampedRecord& record, const CaseHead& head,
                         RecordClass record_class) {
  if (record.header.case_id != head.case_id) {
    return absl::InvalidArgumentError(absl::StrCat("record of case ", record.header.case_id.Hex()));
  }
  if (ClassOfLane(record.header.lane) != record_class) {
    return absl::InvalidArgumentError(absl::StrCat(
        "record of lane ", record.header.lane, " in the ", RecordClassName(record_class), " run"));
  }
  if (record.stamp.unrecorded || record.stamp.epoch != head.epoch) {
    return absl::InvalidArgumentError(
        absl::StrCat("record stamped ", record.stamp.unrecorded ? "unrecorded " : "", "in epoch ",
                     record.stamp.epoch, ", the case is in ", head.epoch));
  }
  return absl::OkStatus();
}

// Walks the run, adding rows.
absl::StatusOr<WalkedRun> WalkRun(const Run& run, const CaseHead& head, size_t max_row_bytes,
                                  std::vector<RunRow>* rows) {
  WalkedRun walked;
  walked.seqs.reserve(run.count);
  absl::string_view rest = run.frames.view();
  RunRow row{run.record_class, LastSeqOfClass(head.lane_seq, run.record_class), 0, 0, 0,
             rest.substr(0, 0)};
  while (!rest.empty()) {
    const absl::string_view before = rest;
    ASSIGN_OR_RETURN(const absl::string_view bytes, TakeFrame(&rest));
    ASSIGN_OR_RETURN(const StampedRecord record, WalkStamped(bytes));
    const uint64_t seq = record.stamp.seq;
    const int64_t recorded = record.stamp.recorded_at.nanoseconds();
    if (absl::Status status = CheckRecord(record, head, run.record_class); !status.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("seq ", seq, ": ", status.message()));
    }
    if (walked.seqs.empty()) {
      walked.first_recorded_unix_ns = recorded;
    } else if (seq <= walked.seqs.back() || recorded < walked.last_recorded_unix_ns) {
      return absl::InvalidArgumentError(
          absl::StrCat("seq ", seq, " after ", walked.seqs.back(), ": number or time goes back"));
    }
    const size_t frame_bytes = before.size() - rest.size();
    if (row.count > 0 && row.frames.size() + frame_bytes > max_row_bytes) {
      rows->push_back(row);
      row = RunRow{run.record_class, row.last_seq, 0, 0, 0, before.substr(0, 0)};
    }
    if (row.count == 0) row.first_seq = seq;
    row.last_seq = seq;
    ++row.count;
    row.frames = absl::string_view(row.frames.data(), row.frames.size() + frame_bytes);
    walked.seqs.push_back(seq);
    walked.last_recorded_unix_ns = recorded;
  }
  if (walked.seqs.empty()) return absl::InvalidArgumentError("a run without records");
  if (walked.seqs.front() != run.first_seq || walked.seqs.back() != run.last_seq ||
      walked.seqs.size() != run.count) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", RecordClassName(run.record_class), " run says ", run.count,
                     " records, seq ", run.first_seq, "-", run.last_seq, ", and holds ",
                     walked.seqs.size(), ", seq ", walked.seqs.front(), "-", walked.seqs.back()));
  }
  rows->push_back(row);
  return walked;
}

// That two ascending lists together are first, first + 1, ... last.
absl::Status CheckDense(const std::vector<WalkedRun>& runs, uint64_t first, uint64_t last) {
  static const std::vector<uint64_t> kNone;
  const std::vector<uint64_t>& a = runs[0].seqs;
  const std::vector<uint64_t>& b = runs.size() > 1 ? runs[1].seqs : kNone;
  size_t i = 0;
  size_t j = 0;
  for (uint64_t expected = first; i < a.size() || j < b.size(); ++expected) {
    if (i < a.size() && a[i] == expected) {
      ++i;
    } else if (j < b.size() && b[j] == expected) {
      ++j;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("seq ", expected, " is missing or doubled"));
    }
  }
  if (first + a.size() + b.size() - 1 != last) {
    return absl::InvalidArgumentError(absl::StrCat("the append says it ends at seq ", last,
                                                   ", and ends at ",
                                                   first + a.size() + b.size() - 1));
  }
  return absl::OkStatus();
}

}  // namespace

const char* RecordClassName(RecordClass record_class) {
  return record_class == RecordClass::kControl ? "control" : "bulk";
}

uint64_t LastSeqOfClass(const std::array<uint64_t, kLaneCount>& lane_seq,
                        RecordClass record_class) {
  uint64_t last_seq = 0;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (ClassOfLane(lane) == record_class) last_seq = std::max(last_seq, lane_seq[lane]);
  }
  return last_seq;
}

absl::StatusOr<AppendRows> CutIntoRows(const CaseAppend& append, const CaseHead& head,
                                       size_t max_row_bytes) {
  if (append.runs.empty() || append.runs.size() > 2 ||
      (append.runs.size() == 2 && append.runs[0].record_class == append.runs[1].record_class)) {
    return absl::InvalidArgumentError("an append holds one or two runs, of different classes");
  }
  AppendRows cut;
  std::vector<WalkedRun> walked;
  for (const Run& run : append.runs) {
    ASSIGN_OR_RETURN(WalkedRun one, WalkRun(run, head, max_row_bytes, &cut.rows));
    if (one.first_recorded_unix_ns < head.last_recorded_unix_ns) {
      return absl::InvalidArgumentError("recorded before the case's last record");
    }
    if (one.seqs.back() != LastSeqOfClass(append.lane_seq, run.record_class)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "lane_seq says that the ", RecordClassName(run.record_class), " lanes end at seq ",
          LastSeqOfClass(append.lane_seq, run.record_class), "; they end at ", one.seqs.back()));
    }
    cut.records += one.seqs.size();
    cut.last_recorded_unix_ns = std::max(cut.last_recorded_unix_ns, one.last_recorded_unix_ns);
    walked.push_back(std::move(one));
  }
  RETURN_IF_ERROR(CheckDense(walked, head.last_seq + 1, append.last_seq));
  return cut;
}

}  // namespace remora::hub
