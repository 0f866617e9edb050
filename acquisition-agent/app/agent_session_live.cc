// AgentSession: a live source. After a restart its case goes on behind a gap, with nothing made
// again; and where it stands still, or fails, the theatre and its readers are told.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/case_clock.h"
#include "acquisition-agent/surveillance/wording.h"

namespace remora::agent {
namespace {

std::string AwayInWords(const CaseTime& time) {
  const double away_s = static_cast<double>(time.away_ns()) / 1e9;
  switch (time.by) {
    case CaseTime::By::kMachineClock:
      break;
    case CaseTime::By::kWallClock:
      return absl::StrFormat("%.1f s by the wall clock", away_s);
    case CaseTime::By::kLeast:
      return absl::StrFormat("at least %.1f s (the wall clock cannot be right)", away_s);
  }
  return absl::StrFormat("%.1f s", away_s);
}

}  // namespace

void AgentSession::GoOnLive() {
  recorder_->SkipRecovered();
  // They stand on record; what they asked of an analysis that is gone cannot be asked of this one.
  inputs_replayed_ = spool_.recovered_inputs().size();
  const CaseTime time = CaseTimeOf(spool_, clock_);
  live_shift_ns_ = time.now_ns - (clock_.Now().nanoseconds() - source_.info().live_zero_ns);
  NoteCaseZero(clock_, source_.info().live_zero_ns - live_shift_ns_, spool_);
  v1::Record record;
  v1::DataGap& gap = *record.mutable_data_gap();
  gap.set_cause(v1::DATA_GAP_CAUSE_AGENT_RESTARTED);
  gap.set_from_monotonic_ns(time.last_ns);
  gap.set_to_monotonic_ns(time.now_ns);
  recorder_->PutOnce(&record, time.now_ns);
  const std::string text = absl::StrFormat(
      "The agent was away for %s while its live source went on. Averages begin anew, as do "
      "what trains add up to, the patient's own thresholds and the train-of-four's control; "
      "baselines and alerts go on",
      AwayInWords(time));
  console_.Say(text);
  // Before the past: what is awaited is awaited from now on.
  analysis_->Take(SourceEvent{time.now_ns, 0, text, /*is_remark=*/true});
  const std::vector<std::string> todo = analysis_->Restore(std::exchange(past_, CasePast()));
  for (const std::string& words : todo) {
    console_.Say(absl::StrCat("AMBER ", words));
    PutNote(words);
  }
  TellLostCommands();
}

// A command is written before its answer, and the power may go between the two.
void AgentSession::TellLostCommands() {
  for (const SpooledInput& input : spool_.recovered_inputs()) {
    if (input.after[0] != recovered_seqs_[0] || input.after[1] != recovered_seqs_[1]) continue;
    v1::Record record;
    if (!record.ParseFromString(input.bytes) || !record.has_baseline_set()) continue;
    OnceSink sink(*recorder_);
    PutSystemMessage(absl::StrCat("Baseline of ", record.baseline_set().trace_id(),
                                  " not set: the agent was started again meanwhile. Ask again"),
                     {OriginId::FromBytes(record.origin()), record.lane(), record.origin_seq()},
                     analysis_->now_ns(), sink);
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
