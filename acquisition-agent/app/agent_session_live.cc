// AgentSession: a live source. After a restart its case goes on behind a gap, with nothing made
// again; and where it stands still, or fails, the theatre and its readers are told.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/spool_repair.h"
#include "acquisition-agent/app/spooled_past.h"

namespace remora::agent {

void AgentSession::GoOnLive() {
  recorder_->SkipRecovered();
  // They stand on record; what they asked of an analysis that is gone cannot be asked of this one.
  inputs_replayed_ = spool_.recovered_inputs().size();
  // The case's time goes on by the wall clock, the only one that went through the restart.
  const LastCapture last = LastCaptureOf(spool_);
  const int64_t away_ns = std::max<int64_t>(0, clock_.WallNow().nanoseconds() - last.wall_unix_ns);
  const int64_t now_ns = last.monotonic_ns + away_ns;
  live_shift_ns_ = now_ns - (clock_.Now().nanoseconds() - source_.info().live_zero_ns);
  v1::Record record;
  v1::DataGap& gap = *record.mutable_data_gap();
  gap.set_cause(v1::DATA_GAP_CAUSE_AGENT_RESTARTED);
  gap.set_from_monotonic_ns(last.monotonic_ns);
  gap.set_to_monotonic_ns(now_ns);
  recorder_->PutOnce(&record, now_ns);
  const CasePast past = PastOf(spool_);
  const std::vector<std::string> todo = analysis_->Restore(past);
  const std::string text = absl::StrFormat(
      "The agent was away for %.1f s while its live source went on. Averages begin anew; baselines "
      "and alerts of averaged traces go on. Alerts of muscles and electrodes that were on are not "
      "followed further",
      static_cast<double>(away_ns) / 1e9);
  console_.Say(text);
  analysis_->Take(SourceEvent{now_ns, 0, text, /*is_remark=*/true});
  for (const std::string& words : todo) {
    console_.Say(absl::StrCat("AMBER ", words));
    PutNote(words);
  }
}

void AgentSession::WatchAcquisition() {
  if (acquisition_watch_ == nullptr || state_ != State::kRunning) return;
  // Through PutOnce: nothing of a live source can be made again.
  OnceSink sink(*recorder_);
  if (acquisition_watch_->Look(SourceNow(), sink)) ScheduleCommit(kCommitInterval);
}

void AgentSession::TellFailure(const absl::Status& failure) {
  if (acquisition_watch_ == nullptr || state_ != State::kRunning) return;
  OnceSink sink(*recorder_);
  acquisition_watch_->OnFailure(std::string(failure.message()), SourceNow(), sink);
}

}  // namespace remora::agent
