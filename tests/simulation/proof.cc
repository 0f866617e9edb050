#include "tests/simulation/proof.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/fold/case_fold.h"
#include "common/verify/record_file.h"

namespace remora::simulation {
namespace {

CaseFold FoldTo(const CaseId& case_id, const Oracle::Case& truth, uint64_t head_seq) {
  CaseFold fold(case_id);
  for (uint64_t seq = 1; seq <= head_seq; ++seq) {
    const Oracle::Entry& entry = truth.entries[seq - 1];
    if (entry.key.lane >= kControlLaneCount) continue;
    FoldedRecord folded;
    folded.bytes.frame = SharedBytes(entry.bytes);
    folded.seq = seq;
    folded.recorded_unix_ns = entry.recorded_unix_ns;
    folded.lane = entry.key.lane;
    fold.Apply(folded);
  }
  return fold;
}

// Without what the room knows beside the fold.
std::string Bare(v1::CaseSummary summary) {
  summary.clear_head_seq();
  summary.clear_last_record_unix_ns();
  summary.clear_recording();
  summary.clear_modalities();
  return summary.SerializeAsString();
}

}  // namespace

std::string CheckSnapshotState(const CaseId& case_id, const Oracle::Case& truth,
                               const v1::Snapshot& snapshot) {
  if (snapshot.head_seq() > truth.head() || snapshot.cursor().epoch() != truth.epoch) return "";
  const CaseFold fold = FoldTo(case_id, truth, snapshot.head_seq());
  v1::CaseState expected;
  if (!expected.ParseFromString(fold.EncodeSnapshotState(snapshot.state().summary())) ||
      expected.SerializeAsString() != snapshot.state().SerializeAsString()) {
    return absl::StrCat("a snapshot's state is not that of the record up to seq ",
                        snapshot.head_seq());
  }
  // A case that is not on disk yet is found by what is shown of it.
  if (snapshot.head_seq() == 0) return "";
  if (Bare(fold.Summary()) != Bare(snapshot.state().summary())) {
    return absl::StrCat("a snapshot's summary is not that of the record up to seq ",
                        snapshot.head_seq());
  }
  return "";
}

std::string CheckCheckpoint(const CaseId& case_id, const Oracle::Case& truth,
                            const hub::Checkpoint& checkpoint) {
  if (checkpoint.seq > truth.head()) return "a checkpoint of more than is on disk";
  const CaseFold fold = FoldTo(case_id, truth, checkpoint.seq);
  // Notes of the room follow.
  if (absl::StartsWith(checkpoint.state, fold.EncodeCheckpoint())) return "";
  return absl::StrCat("a checkpoint is not the fold of the record up to seq ", checkpoint.seq);
}

VerifyReport Verify(const CaseId& case_id, const Oracle::Case& truth,
                    const std::string& public_key) {
  RecordVerifier verifier(case_id, {public_key});
  for (const Oracle::Entry& entry : truth.entries) verifier.Take(entry.bytes);
  return verifier.Finish();
}

std::string ArchiveOf(const CaseId& case_id, const Oracle::Case& truth,
                      const std::string& public_key) {
  RecordFileEncoder encoder({case_id, {public_key}});
  std::string file = encoder.head();
  for (const Oracle::Entry& entry : truth.entries) file += encoder.Add(entry.bytes);
  return file + encoder.End();
}

CaseEnd EndOf(const Oracle::Case& truth) {
  CaseEnd end;
  for (auto entry = truth.entries.rbegin(); entry != truth.entries.rend(); ++entry) {
    if (entry->kind == v1::Record::kCertificate) end.certified = true;
    if (entry->kind != v1::Record::kCaseLifecycle) continue;
    v1::Record record;
    if (!record.ParseFromString(entry->bytes)) break;
    end.closed = record.case_lifecycle().transition() == v1::CASE_TRANSITION_CLOSED;
    break;
  }
  end.certified &= end.closed;
  return end;
}

}  // namespace remora::simulation
