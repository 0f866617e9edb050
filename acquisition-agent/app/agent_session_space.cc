// AgentSession: a disk that is short of space, or will be.
#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/limits.h"

namespace remora::agent {

// As fast as it can is no pace that could be looked ahead from.
void AgentSession::LookAhead() {
  if (state_ != State::kRunning || options_.speed == 0) return;
  OnceSink sink(*recorder_);
  space_watch_->OnPhase(analysis_->phase());
  space_watch_->Look(analysis_->now_ns(), sink);
  ScheduleCommit(kCommitInterval);
  Post(kSpaceLookInterval, &AgentSession::LookAhead);
}

void AgentSession::WatchSpace() {
  if (watching_space_) return;
  if (!spool_.short_of_space() && !spool_.has_shed() && !short_of_space_.is_on()) return;
  watching_space_ = true;
  TellShed();
  Post(kSpaceInterval, &AgentSession::LookForSpace);
}

void AgentSession::LookForSpace() {
  watching_space_ = false;
  if (state_ == State::kDone) return;
  spool_.CheckSpace();
  // One of an earlier life not before this one has come to where that ended.
  if (!TellShed() && state_ == State::kRunning) TellSpaceAgain();
  WatchSpace();
}

void AgentSession::TellSpaceAgain() {
  // Behind the close nothing can be told.
  if (!short_of_space_.is_on() || spool_.short_of_space() || spool_.closed()) return;
  // After a restart nobody has asked the disk yet.
  const absl::StatusOr<uint64_t> free_bytes = spool_.FreeBytesForBulk();
  if (!free_bytes.ok() || *free_bytes == 0) return;
  OnceSink sink(*recorder_);
  short_of_space_.Recover(TechnicalAlert("spool", "The disk has space again"), analysis_->now_ns(),
                          sink);
  ScheduleCommit(kCommitInterval);
}

bool AgentSession::TellShed() {
  const std::vector<ShedRange> shed = spool_.TakeShed();
  uint64_t count = 0;
  for (const ShedRange& range : shed) {
    v1::Record record;
    v1::DataGap& gap = *record.mutable_data_gap();
    gap.set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
    gap.set_origin(spool_.origin().ToString());
    gap.set_lane(range.lane);
    gap.set_first_origin_seq(range.first_origin_seq);
    gap.set_last_origin_seq(range.last_origin_seq);
    gap.set_from_monotonic_ns(range.from_monotonic_ns);
    gap.set_to_monotonic_ns(range.to_monotonic_ns);
    recorder_->PutOnce(&record, analysis_->now_ns());
    count += range.last_origin_seq - range.first_origin_seq + 1;
  }
  if (count > 0 && !short_of_space_.is_on()) {
    // Through PutOnce, since how full a disk is cannot be made again.
    OnceSink sink(*recorder_);
    short_of_space_.Show(
        TechnicalAlert(
            "spool",
            absl::StrCat("The disk is short of space: ", count,
                         " records of EMG or sweeps were given up before the hub had them")),
        analysis_->now_ns(), analysis_->now_ns(), sink);
  }
  ScheduleCommit(kCommitInterval);
  return count > 0;
}

}  // namespace remora::agent
