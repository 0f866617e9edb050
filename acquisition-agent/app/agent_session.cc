#include "acquisition-agent/app/agent_session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/case_clock.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/record_printer.h"
#include "acquisition-agent/app/spool_repair.h"
#include "acquisition-agent/app/spooled_past.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

// A live source runs at its own pace.
SessionOptions OptionsFor(const SignalSource& source, SessionOptions options) {
  if (source.info().live) options.speed = 1;
  return options;
}

}  // namespace

AgentSession::AgentSession(SessionOptions options, const CasePlan& plan, SignalSource& source,
                           CaseSpool& spool, Executor& executor, const Clock& clock,
                           Console& console)
    : options_(OptionsFor(source, std::move(options))),
      plan_(plan),
      source_(source),
      spool_(spool),
      executor_(executor),
      clock_(clock),
      console_(console),
      outbox_(spool),
      closer_(spool, clock),
      hub_watch_(options_.reader_phone),
      reader_watch_(options_.reader_phone) {
  resumed_ = spool.last_seq(1) > 0;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) recovered_seqs_[lane] = spool.last_seq(lane);
  CaseIdentity identity{spool.case_id(), spool.origin(), spool.info()->boot_id};
  recorder_ = std::make_unique<SpoolRecorder>(identity, spool, clock,
                                              [this](const v1::Record& record, int64_t at_ns) {
                                                if (record.has_alert())
                                                  console_.Say(AlertLine(record.alert(), at_ns));
                                              });
  for (const SpooledInput& input : spool.recovered_inputs()) {
    if (const auto walked = WalkStamped(input.bytes); walked.ok()) {
      known_inputs_.insert(walked->header.key());
    }
  }
}

AgentSession::~AgentSession() = default;

absl::Status AgentSession::Prepare() {
  ASSIGN_OR_RETURN(analysis_, CaseAnalysis::Create(plan_, source_.info(), *recorder_));
  const double speed = options_.speed > 0 ? options_.speed : 1;
  space_watch_ = std::make_unique<SpaceWatch>(
      SpaceWatchOptions{options_.planned_duration, PlannedRates(analysis_->resolved_plan()), speed},
      spool_, clock_, console_);
  if (source_.info().live) acquisition_watch_ = std::make_unique<AcquisitionWatch>(source_.info());
  CasePast past = PastOf(spool_);
  RestoreAlerts(past);
  if (source_.info().live) past_ = std::move(past);
  return absl::OkStatus();
}

void AgentSession::RestoreAlerts(const CasePast& past) {
  const auto restore = [&past](const char* subject, AlertSlot* slot) {
    if (const CasePast::Alert* alert = LastAlertOf(past, subject)) slot->Restore(*alert);
  };
  restore("spool", &short_of_space_);
  restore("restart", &differs_);
  restore("hub-key", &key_alert_);
  restore("hub-record", &witness_alert_);
  space_watch_->Restore(past);
  if (acquisition_watch_ != nullptr) acquisition_watch_->Restore(past);
}

void AgentSession::Post(Duration delay, void (AgentSession::*member)()) {
  executor_.PostAfter(delay, [this, member, alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) (this->*member)();
  });
}

void AgentSession::PumpAfter(Duration delay) { Post(delay, &AgentSession::Pump); }

void AgentSession::Start(std::function<void(absl::Status)> on_done) {
  on_done_ = std::move(on_done);
  state_ = State::kCatchingUp;
  if (spool_.recovery().is_damaged()) {
    console_.Say("The spool is damaged. What can be made again is made again now");
  }
  if (resumed_ && source_.info().live) {
    GoOnLive();
  } else {
    if (source_.info().live) NoteCaseZero(clock_, source_.info().live_zero_ns, spool_);
    v1::Record opening = OpeningRecord(options_.theatre, options_.procedure);
    recorder_->Put(&opening, 0);
    analysis_->Begin();
  }
  if (link_ != nullptr) Post(kClockCheckInterval, &AgentSession::CheckClock);
  PumpAfter(Duration());
}

bool AgentSession::IsCaughtUp() const {
  return recorder_->caught_up() && inputs_replayed_ == spool_.recovered_inputs().size();
}

void AgentSession::Anchor() {
  anchor_source_ns_ = analysis_->now_ns();
  anchor_clock_ = clock_.Now();
  if (!source_.info().live) return;
  anchor_source_ns_ = live_shift_ns_;
  anchor_clock_ = DeviceTime::FromNanoseconds(source_.info().live_zero_ns);
}

int64_t AgentSession::SourceNow() const {
  if (options_.speed == 0 || state_ != State::kRunning) return analysis_->now_ns();
  const double elapsed_ns = static_cast<double>((clock_.Now() - anchor_clock_).nanoseconds());
  return anchor_source_ns_ + static_cast<int64_t>(elapsed_ns * options_.speed);
}

void AgentSession::OnCaughtUp() {
  state_ = State::kRunning;
  Anchor();
  TellDamage();
  if (resumed_) {
    PutNote(absl::StrFormat("The agent was started again and goes on at %.1f s of the source",
                            static_cast<double>(analysis_->now_ns()) / 1e9));
  }
  TellDifferences();
  TellHubKey();
  TellWitness("");
  if (asked_to_close_) {
    RecordOutage();
    closer_.PutTotal(analysis_->now_ns(), /*again=*/true);
  }
  LookAhead();
  while (const std::optional<std::string> bytes = waiting_inputs_.Pop()) {
    v1::Record record;
    if (!record.ParseFromString(*bytes)) continue;
    spool_.AppendInput(items_taken_, *bytes).IgnoreError();  // a full disk is said by the recorder
    TakeInput(record);
  }
}

void AgentSession::PutNote(const std::string& text) {
  v1::Record note;
  note.mutable_source_note()->set_text(text);
  note.mutable_source_note()->set_at_monotonic_ns(analysis_->now_ns());
  recorder_->PutOnce(&note, analysis_->now_ns());
}

void AgentSession::TellDifferences() {
  if (recorder_->mismatches() == 0) {
    if (!differs_.is_on() || state_ != State::kRunning || source_.info().live) return;
    OnceSink sink(*recorder_);
    return differs_.Recover(
        TechnicalAlert("restart", "After this restart all records were made again as on record"),
        analysis_->now_ns(), sink);
  }
  const std::string text = absl::StrCat(
      recorder_->mismatches(), " records made again after the restart differ from those on record ",
      "(another build, or the source has changed); those on record stand");
  console_.Say(text);
  PutNote(text);
  OnceSink sink(*recorder_);
  differs_.Show(TechnicalAlert("restart", text), analysis_->now_ns(), analysis_->now_ns(), sink);
}

void AgentSession::TellDamage() {
  if (!spool_.recovery().is_damaged() || damage_told_) return;
  damage_told_ = true;
  uint64_t missing = 0;
  for (const ShedRange& range : spool_.recovery().missing) {
    missing += range.last_origin_seq - range.first_origin_seq + 1;
  }
  const absl::StatusOr<uint64_t> lost =
      FillHoles({spool_.case_id(), spool_.origin(), spool_.info()->boot_id}, spool_, clock_,
                analysis_->now_ns());
  if (!lost.ok()) {
    console_.Say(absl::StrCat("ALARM the spool cannot be repaired: ", lost.status().message()));
    return;
  }
  const std::string text =
      absl::StrCat("The spool was damaged: ", spool_.recovery().damage.skipped_bytes,
                   " bytes could not be read. Of ", missing, " records, ", *lost,
                   " are lost; the others were made again, or the hub has them");
  console_.Say(text);
  PutNote(text);
}

void AgentSession::Pump() {
  if (state_ != State::kCatchingUp && state_ != State::kRunning) return;
  const DeviceTime slice_end = clock_.Now() + kSliceLength;
  Duration wait;
  do {
    if (state_ == State::kCatchingUp && IsCaughtUp()) OnCaughtUp();
    const absl::StatusOr<bool> taken = TakeNext(&wait);
    if (!taken.ok()) {
      TellFailure(taken.status());
      return Finish(taken.status());
    }
    if (!recorder_->status().ok()) return Finish(recorder_->status());
    if (state_ != State::kCatchingUp && state_ != State::kRunning) return;  // the source is through
    if (!*taken) break;
  } while (clock_.Now() < slice_end);
  if (spool_.has_uncommitted_alert() && !disk_failed_) {
    Commit();
  } else {
    ScheduleCommit(kCommitInterval);
  }
  PumpAfter(wait);
}

absl::StatusOr<bool> AgentSession::TakeNext(Duration* wait) {
  *wait = Duration();
  TakeDueInputs();
  if (!next_item_) {
    ASSIGN_OR_RETURN(next_item_, source_.Next());
    ShiftTimes(live_shift_ns_, &*next_item_);
  }
  if (std::holds_alternative<NothingYet>(*next_item_)) {
    next_item_.reset();
    WatchAcquisition();
    *wait = kLiveAskInterval;
    return false;
  }
  if (std::holds_alternative<EndOfSource>(*next_item_)) {
    analysis_->Take(*next_item_);
    ++items_taken_;
    next_item_.reset();
    TakeDueInputs();
    EndOfCase("end of the source");
    return true;
  }
  if (state_ == State::kRunning && options_.speed > 0 && !source_.info().live) {
    const double ahead_ns =
        static_cast<double>(DueTimeNs(*next_item_) - anchor_source_ns_) / options_.speed -
        static_cast<double>((clock_.Now() - anchor_clock_).nanoseconds());
    if (ahead_ns > 0) {
      *wait = Duration::Nanoseconds(static_cast<int64_t>(std::ceil(ahead_ns)));
      return false;
    }
  }
  if (acquisition_watch_ != nullptr) acquisition_watch_->OnItem(*next_item_);
  analysis_->Take(*next_item_);
  ++items_taken_;
  next_item_.reset();
  return true;
}

void AgentSession::TakeDueInputs() {
  const std::vector<SpooledInput>& inputs = spool_.recovered_inputs();
  while (inputs_replayed_ < inputs.size() && inputs[inputs_replayed_].position <= items_taken_) {
    v1::Record record;
    // The session's own alerts have been taken up with what was done about them.
    if (record.ParseFromString(inputs[inputs_replayed_].bytes)) analysis_->TakeInput(record);
    ++inputs_replayed_;
  }
}

void AgentSession::TakeInput(const v1::Record& record) {
  if (record.has_alert_action()) {
    const v1::AlertAction& action = record.alert_action();
    for (AlertSlot* slot : {&short_of_space_, &differs_, &key_alert_, &witness_alert_}) {
      slot->OnResolved(action);
    }
    space_watch_->OnAlertResolved(action);
    if (acquisition_watch_ != nullptr) acquisition_watch_->OnAlertResolved(action);
  }
  analysis_->TakeInput(record);
}

void AgentSession::EndOfCase(const std::string& reason) {
  // The source may have become shorter than what it was when the spool was written.
  if (state_ == State::kCatchingUp) TellDifferences();
  TellDamage();
  state_ = State::kDraining;
  drain_deadline_ = clock_.Now() + options_.linger;
  if (!TellShed()) TellSpaceAgain();
  TellLastOutages();
  if (!options_.keep_open) {
    v1::Record closing = ClosingRecord(v1::CASE_TRANSITION_CLOSING, reason);
    recorder_->Put(&closing, analysis_->now_ns());
    closer_.PutTotal(analysis_->now_ns());
    if (!spool_.closed()) spool_.Close().IgnoreError();  // a full disk is said by the recorder
  }
  console_.Say(absl::StrFormat("%s after %.1f s of signal", reason,
                               static_cast<double>(analysis_->now_ns()) / 1e9));
  Commit();
  CheckDrained();
}

void AgentSession::Stop(bool close_case) {
  if (state_ == State::kDone || state_ == State::kIdle) return;
  if ((close_case || asked_to_close_) && state_ == State::kRunning) {
    if (!TellShed()) TellSpaceAgain();
    TellLastOutages();
    // Not the analysis' own end: these cannot be made again, and need not, since the spool is
    // closed with them.
    v1::Record closing = ClosingRecord(v1::CASE_TRANSITION_CLOSING, "stopped by a person");
    recorder_->PutOnce(&closing, analysis_->now_ns());
    closer_.PutTotal(analysis_->now_ns());
    spool_.Close().IgnoreError();
    state_ = State::kDraining;
    drain_deadline_ = clock_.Now() + options_.linger;
    Commit();
    CheckDrained();
    return;
  }
  if (!spool_.closed()) {
    console_.Say("Stopped. The case stays open: start again with the same spool to go on with it");
  }
  TellShed();
  Finish(spool_.Commit());
}

void AgentSession::ScheduleCommit(Duration delay) {
  if (commit_scheduled_ || !spool_.has_uncommitted()) return;
  commit_scheduled_ = true;
  Post(delay, &AgentSession::Commit);
}

void AgentSession::Commit() {
  commit_scheduled_ = false;
  if (state_ == State::kDone) return;
  const absl::Status status = spool_.Commit();
  if (!status.ok()) {
    if (!disk_failed_)
      console_.Say(absl::StrCat("ALARM the disk does not take records: ", status.message()));
    disk_failed_ = true;
    ScheduleCommit(kDiskRetryInterval);
    return;
  }
  if (disk_failed_) console_.Say("The disk takes records again");
  disk_failed_ = false;
  WatchSpace();
  if (link_ != nullptr) link_->NotifyPending();
}

void AgentSession::CheckDrained() {
  if (state_ != State::kDraining || spool_.has_uncommitted()) {
    if (state_ == State::kDraining) ScheduleCommit(kCommitInterval);
    return;
  }
  if (link_ == nullptr) return Finish(absl::OkStatus());
  const bool settled = spool_.AllSettled();
  if (settled && (!spool_.closed() || closer_.IsOver())) return Finish(absl::OkStatus());
  if (closer_.Advance()) return Commit();
  if (clock_.Now() < drain_deadline_) return;
  if (refused_)
    return Finish(
        absl::PermissionDeniedError("the hub refuses this agent; its records stay in the spool"));
  if (settled) {
    return Finish(absl::UnavailableError(absl::StrCat(
        "the hub has answered for all records, but no certificate clears the spool",
        not_cleared_.empty() ? "" : " (", not_cleared_, not_cleared_.empty() ? "" : ")",
        "; they stay there, and the next start asks again")));
  }
  Finish(
      absl::UnavailableError("the hub was not reached for all records; they stay in the spool, and "
                             "the next start with it delivers them"));
}

void AgentSession::Finish(absl::Status status) {
  if (state_ == State::kDone) return;
  const absl::Status committed = spool_.Commit();
  if (status.ok()) status = committed;
  state_ = State::kDone;
  if (on_done_) {
    executor_.Post([done = std::move(on_done_), status] { done(status); });
    on_done_ = nullptr;
  }
}

void AgentSession::RecordOutage() {
  if (state_ != State::kRunning) return;
  PutEndedOutages();
  ScheduleCommit(kCommitInterval);
}

void AgentSession::PutEndedOutages() {
  while (const std::optional<Duration> outage = hub_watch_.TakeOutage()) {
    PutOutage(v1::LINK_CONDITION_LIVE, *outage);
  }
}

void AgentSession::TellLastOutages() {
  PutEndedOutages();
  if (link_ == nullptr) return;
  const std::optional<Duration> outage = hub_watch_.AwayFor(clock_.Now());
  if (outage) PutOutage(link_->condition(), *outage);
}

void AgentSession::PutOutage(v1::LinkCondition condition, Duration length) {
  v1::Record record;
  v1::LinkState& link = *record.mutable_link_state();
  link.set_participant(participant_);
  link.set_condition(condition);
  link.set_outage_ms(length.milliseconds());
  link.set_own_view(true);
  recorder_->PutOnce(&record, SourceNow());
}

void AgentSession::WatchReaders(const v1::Record& record, const RecordStamp& stamp) {
  const DeviceTime now = clock_.Now();
  const int64_t hub_now_ns = now.nanoseconds() + hub_offset_ns_.value_or(0);
  const bool old =
      !stamp.unrecorded && hub_now_ns - stamp.recorded_at.nanoseconds() > kOldRecord.nanoseconds();
  reader_watch_.OnRecord(record, stamp.recorded_at, old, now);
}

}  // namespace remora::agent
