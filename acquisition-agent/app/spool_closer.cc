#include "acquisition-agent/app/spool_closer.h"

#include <algorithm>

#include "acquisition-agent/app/certificate_check.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/app/spool_repair.h"

namespace remora::agent {

SpoolCloser::Total SpoolCloser::TotalNow() const {
  Total total{};
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) total[lane] = spool_.last_seq(lane);
  return total;
}

void SpoolCloser::Put(v1::Record* record, int64_t at_ns) {
  SpoolRecorder recorder({spool_.case_id(), spool_.origin(), spool_.info()->boot_id}, spool_,
                         clock_, nullptr);
  recorder.PutOnce(record, at_ns);
}

void SpoolCloser::PutTotal(int64_t at_ns, bool again) {
  Total now = TotalNow();
  ++now[1];  // of the total itself
  bool changed = again;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    // Of lane 1 a total counts itself; a step may stand behind it.
    changed |= lane == 1 ? now[lane] > said_[lane] + 1 : now[lane] != said_[lane];
  }
  if (!changed) return;
  v1::Record record;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (now[lane] == 0) continue;
    v1::LaneTotal* total = record.mutable_publisher_total()->add_lanes();
    total->set_lane(lane);
    total->set_last_origin_seq(now[lane]);
  }
  Put(&record, at_ns);
  said_ = now;
}

void SpoolCloser::LookBack() {
  looked_back_ = true;
  bool has_total = false;
  for (uint64_t seq = spool_.last_seq(1); seq > 0; --seq) {
    const absl::StatusOr<std::string> bytes = spool_.Read(1, seq);
    v1::Record record;
    if (!bytes.ok() || !record.ParseFromString(*bytes)) continue;
    if (record.has_publisher_total() && !has_total) {
      has_total = true;
      said_ = {};
      for (const v1::LaneTotal& lane : record.publisher_total().lanes()) {
        if (lane.lane() < kLaneCount) said_[lane.lane()] = lane.last_origin_seq();
      }
    }
    if (!record.has_case_lifecycle()) continue;
    const v1::CaseLifecycle& step = record.case_lifecycle();
    if (step.transition() == v1::CASE_TRANSITION_CLOSED) {
      closed_seq_ = std::max(closed_seq_, seq);
    }
    reason_ = step.reason();
    if (step.transition() == v1::CASE_TRANSITION_CLOSING) return;
  }
}

bool SpoolCloser::Advance() {
  if (!spool_.closed() || spool_.has_uncommitted() || !spool_.AllSettled()) return false;
  if (!looked_back_) LookBack();
  if (closed_by_other_ || IsOver()) return false;
  const bool again = closed_seq_ != 0;
  if (again) {
    if (!spool_.refused(1).Contains(closed_seq_)) return false;
    const DeviceTime now = clock_.Now();
    if (!retry_at_) retry_at_ = now + retry_delay_;
    if (now < *retry_at_) return false;
    retry_at_.reset();
    retry_delay_ = std::min(retry_delay_ * 2, kLongestCloseRetry);
  }
  const int64_t at_ns = LastTimeNs(spool_);
  PutTotal(at_ns, again);
  v1::Record closed = ClosingRecord(v1::CASE_TRANSITION_CLOSED, reason_);
  Put(&closed, at_ns);
  closed_seq_ = spool_.last_seq(1);
  return true;
}

void SpoolCloser::OnStep(v1::CaseTransition step) {
  if (step == v1::CASE_TRANSITION_CLOSED || step == v1::CASE_TRANSITION_ABANDONED) {
    closed_by_other_ = true;
  }
  if (step == v1::CASE_TRANSITION_REOPENED) closed_by_other_ = false;
}

absl::Status SpoolCloser::OnCertificate(const v1::Certificate& certificate,
                                        absl::string_view public_key) {
  cleared_.reset();  // the newest stands for those before
  absl::Status status = CheckClears(spool_, certificate, public_key);
  if (status.ok()) cleared_ = TotalNow();
  return status;
}

bool SpoolCloser::IsOver() const {
  return spool_.closed() && !spool_.has_uncommitted() && cleared_ == TotalNow();
}

}  // namespace remora::agent
