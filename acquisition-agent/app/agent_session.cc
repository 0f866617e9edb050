#include "acquisition-agent/app/agent_session.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/app/record_printer.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr uint32_t kCaseFollow = 1;

}  // namespace

AgentSession::AgentSession(SessionOptions options, const CasePlan& plan, SignalSource& source,
                           CaseSpool& spool, Executor& executor, const Clock& clock,
                           Console& console)
    : options_(std::move(options)),
      plan_(plan),
      source_(source),
      spool_(spool),
      executor_(executor),
      clock_(clock),
      console_(console),
      outbox_(spool) {
  resumed_ = spool.last_seq(1) > 0;
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
  return absl::OkStatus();
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
  v1::Record opening = OpeningRecord(options_.theatre, options_.procedure);
  recorder_->Put(&opening, 0);
  analysis_->Begin();
  if (link_ != nullptr) Post(kClockCheckInterval, &AgentSession::CheckClock);
  PumpAfter(Duration());
}

bool AgentSession::IsCaughtUp() const {
  return recorder_->caught_up() && inputs_replayed_ == spool_.recovered_inputs().size();
}

void AgentSession::Anchor() {
  anchor_source_ns_ = analysis_->now_ns();
  anchor_clock_ = clock_.Now();
}

int64_t AgentSession::SourceNow() const {
  if (options_.speed == 0 || state_ != State::kRunning) return analysis_->now_ns();
  const double elapsed_ns = static_cast<double>((clock_.Now() - anchor_clock_).nanoseconds());
  return anchor_source_ns_ + static_cast<int64_t>(elapsed_ns * options_.speed);
}

void AgentSession::Pump() {
  if (state_ != State::kCatchingUp && state_ != State::kRunning) return;
  const DeviceTime slice_end = clock_.Now() + kSliceLength;
  Duration wait;
  do {
    if (state_ == State::kCatchingUp && IsCaughtUp()) {
      state_ = State::kRunning;
      Anchor();
      if (resumed_) {
        v1::Record note;
        note.mutable_source_note()->set_text(
            absl::StrFormat("The agent was started again and goes on at %.1f s of the source",
                            static_cast<double>(analysis_->now_ns()) / 1e9));
        note.mutable_source_note()->set_at_monotonic_ns(analysis_->now_ns());
        recorder_->PutOnce(&note, analysis_->now_ns());
      }
      if (recorder_->mismatches() > 0) {
        console_.Say(absl::StrCat(recorder_->mismatches(),
                                  " records made again differ from those in the spool (another "
                                  "build, or the source has changed); the spool's stand"));
      }
      while (!waiting_inputs_.empty()) {
        const std::string bytes = std::move(waiting_inputs_.front());
        waiting_inputs_.pop_front();
        v1::Record record;
        if (!record.ParseFromString(bytes)) continue;
        spool_.AppendInput(items_taken_, bytes)
            .IgnoreError();  // a full disk is said by the recorder
        TakeInput(record);
      }
    }
    const absl::StatusOr<bool> taken = TakeNext(&wait);
    if (!taken.ok()) return Finish(taken.status());
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
  }
  if (std::holds_alternative<EndOfSource>(*next_item_)) {
    analysis_->Take(*next_item_);
    ++items_taken_;
    next_item_.reset();
    TakeDueInputs();
    EndOfCase("end of the source");
    return true;
  }
  if (state_ == State::kRunning && options_.speed > 0) {
    const double ahead_ns =
        static_cast<double>(DueTimeNs(*next_item_) - anchor_source_ns_) / options_.speed -
        static_cast<double>((clock_.Now() - anchor_clock_).nanoseconds());
    if (ahead_ns > 0) {
      *wait = Duration::Nanoseconds(static_cast<int64_t>(std::ceil(ahead_ns)));
      return false;
    }
  }
  analysis_->Take(*next_item_);
  ++items_taken_;
  next_item_.reset();
  return true;
}

void AgentSession::TakeDueInputs() {
  const std::vector<SpooledInput>& inputs = spool_.recovered_inputs();
  while (inputs_replayed_ < inputs.size() && inputs[inputs_replayed_].position <= items_taken_) {
    v1::Record record;
    if (record.ParseFromString(inputs[inputs_replayed_].bytes)) TakeInput(record);
    ++inputs_replayed_;
  }
}

void AgentSession::TakeInput(const v1::Record& record) { analysis_->TakeInput(record); }

void AgentSession::OnRecord(const DeliveredRecord& delivered) {
  const RecordHeader& header = delivered.record.header;
  if (delivered.follow_id != kCaseFollow || header.origin == spool_.origin()) return;
  if (state_ != State::kCatchingUp && state_ != State::kRunning) return;
  v1::Record record;
  if (!record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size())))
    return;
  if (record.has_message() && record.message().kind() != v1::MESSAGE_KIND_SYSTEM) {
    console_.Say(absl::StrCat(record.message().urgent() ? "URGENT " : "", record.message().sender(),
                              ": ", record.message().text()));
  }
  if (!CaseAnalysis::IsInput(record)) return;
  if (known_inputs_.size() >= kMaxKnownInputs || !known_inputs_.insert(header.key()).second) return;
  if (state_ == State::kCatchingUp) {
    if (waiting_inputs_.size() < kMaxWaitingInputs) {
      waiting_inputs_.emplace_back(delivered.bytes);
    } else {
      known_inputs_.erase(header.key());  // asked for again with the next follow
    }
    return;
  }
  spool_.AppendInput(items_taken_, delivered.bytes)
      .IgnoreError();  // a full disk is said by the recorder
  TakeInput(record);
  Commit();
}

void AgentSession::EndOfCase(const std::string& reason) {
  state_ = State::kDraining;
  drain_deadline_ = clock_.Now() + options_.linger;
  if (!options_.keep_open) {
    for (const v1::CaseTransition step :
         {v1::CASE_TRANSITION_CLOSING, v1::CASE_TRANSITION_CLOSED}) {
      v1::Record closing = ClosingRecord(step, reason);
      recorder_->Put(&closing, analysis_->now_ns());
    }
    if (!spool_.closed()) spool_.Close().IgnoreError();  // a full disk is said by the recorder
  }
  console_.Say(absl::StrFormat("%s after %.1f s of signal", reason,
                               static_cast<double>(analysis_->now_ns()) / 1e9));
  Commit();
  CheckDrained();
}

void AgentSession::Stop(bool close_case) {
  if (state_ == State::kDone || state_ == State::kIdle) return;
  if (close_case && state_ == State::kRunning) {
    // Not the analysis' own end: these cannot be made again, and need not, since the spool is
    // closed with them.
    for (const v1::CaseTransition step :
         {v1::CASE_TRANSITION_CLOSING, v1::CASE_TRANSITION_CLOSED}) {
      v1::Record closing = ClosingRecord(step, "stopped by a person");
      recorder_->PutOnce(&closing, analysis_->now_ns());
    }
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
  TellShed();
  if (link_ != nullptr) link_->NotifyPending();
}

void AgentSession::TellShed() {
  const std::vector<ShedRange> shed = spool_.TakeShed();
  if (shed.empty()) return;
  uint64_t count = 0;
  for (const ShedRange& range : shed) {
    v1::Record record;
    v1::DataGap& gap = *record.mutable_data_gap();
    gap.set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
    gap.set_origin(spool_.origin().ToString());
    gap.set_lane(range.lane);
    gap.set_first_origin_seq(range.first_origin_seq);
    gap.set_last_origin_seq(range.last_origin_seq);
    recorder_->PutOnce(&record, analysis_->now_ns());
    count += range.last_origin_seq - range.first_origin_seq + 1;
  }
  if (!short_of_space_.is_on()) {
    // Through PutOnce, since how full a disk is cannot be made again.
    class OnceSink : public RecordSink {
     public:
      explicit OnceSink(SpoolRecorder& recorder) : recorder_(recorder) {}
      RecordKey Put(v1::Record* record, int64_t at_ns) override {
        return recorder_.PutOnce(record, at_ns);
      }

     private:
      SpoolRecorder& recorder_;
    } sink(*recorder_);
    short_of_space_.Show(
        TechnicalAlert(
            "spool",
            absl::StrCat("The disk is short of space: ", count,
                         " records of EMG or sweeps were given up before the hub had them")),
        analysis_->now_ns(), analysis_->now_ns(), sink);
  }
  ScheduleCommit(kCommitInterval);
}

void AgentSession::CheckClock() {
  if (state_ == State::kDone) return;
  Post(kClockCheckInterval, &AgentSession::CheckClock);
  if (state_ == State::kRunning) RecordClock();
  if (state_ == State::kDraining) CheckDrained();
}

void AgentSession::RecordClock() {
  const DeviceTime now = clock_.Now();
  std::optional<v1::ClockEstimate> estimate = link_->clock_model().Estimate(now);
  if (!estimate || options_.speed == 0) return;
  const bool better =
      !recorded_clock_ || estimate->error_bound_ns() < recorded_clock_->error_bound_ns() / 2;
  if (!better && now - recorded_clock_at_ < kClockRecordInterval) return;
  recorded_clock_ = estimate;
  recorded_clock_at_ = now;
  // From the machine's clock to the source's time line, which the records count in. At another pace
  // than 1 the two part company at a known rate.
  const int64_t source_now_ns = SourceNow();
  v1::Record record;
  v1::ClockEstimate& told = *record.mutable_clock_estimate();
  told = *estimate;
  told.set_boot_id(spool_.info()->boot_id);
  told.set_offset_ns(now.nanoseconds() + estimate->offset_ns() - source_now_ns);
  told.set_at_monotonic_ns(source_now_ns);
  told.set_drift_ppb(estimate->drift_ppb() / options_.speed + (1 / options_.speed - 1) * 1e9);
  recorder_->PutOnce(&record, source_now_ns);
  ScheduleCommit(kCommitInterval);
}

void AgentSession::OnJoined(const v1::Joined& joined) {
  if (joined.case_id() != spool_.case_id().bytes()) return;
  refused_ = false;
  for (const v1::LaneRanges& lane : joined.held()) {
    if (lane.lane() == 1 && !lane.ranges().empty()) case_known_to_hub_ = true;
  }
  Follow();
  link_->NotifyPending();
}

void AgentSession::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  if (acknowledge.case_id() != spool_.case_id().bytes()) return;
  case_known_to_hub_ = true;
  Follow();
  CheckDrained();
}

void AgentSession::Follow() {
  if (following_ || !case_known_to_hub_ || link_ == nullptr || state_ == State::kDone) return;
  v1::Follow follow;
  follow.set_follow_id(kCaseFollow);
  follow.set_case_id(spool_.case_id().ToString());
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  follow.add_lanes(0);
  follow.add_lanes(1);
  if (link_->AddFollow(follow).ok()) following_ = true;
}

void AgentSession::OnFollowEnded(const v1::FollowEnded& ended) {
  if (ended.follow_id() != kCaseFollow) return;
  following_ = false;
  Post(kFollowRetryInterval, &AgentSession::Follow);
}

void AgentSession::OnRecordRefused(const v1::RecordRefused& refused) {
  console_.Say(absl::StrCat("The hub refuses record ", refused.lane(), "/", refused.origin_seq(),
                            ": ", refused.text()));
  CheckDrained();
}

void AgentSession::OnRefused(const v1::Refused& refused) {
  if (refused.follow_id() == kCaseFollow) {
    following_ = false;
    Post(kFollowRetryInterval, &AgentSession::Follow);
    return;
  }
  if (!refused_) console_.Say(absl::StrCat("ALARM the hub refuses this agent: ", refused.text()));
  refused_ = true;
}

void AgentSession::OnLinkCondition(v1::LinkCondition condition, Duration /*previous*/) {
  switch (condition) {
    case v1::LINK_CONDITION_LIVE:
      console_.Say("The hub is reached; the reader can see this theatre");
      break;
    case v1::LINK_CONDITION_STALE:
      console_.Say("The link to the hub is stale (2 s): the reader's picture is delayed");
      break;
    case v1::LINK_CONDITION_LOST:
      console_.Say(
          "ALARM the link to the hub is lost (10 s): no remote reader. Alarms go on here; call the "
          "reader");
      break;
    case v1::LINK_CONDITION_UNSUPERVISED:
      console_.Say("ALARM no remote supervision for 60 s: telephone the reader");
      break;
    default:
      break;
  }
}

void AgentSession::CheckDrained() {
  if (state_ != State::kDraining || spool_.has_uncommitted()) {
    if (state_ == State::kDraining) ScheduleCommit(kCommitInterval);
    return;
  }
  if (link_ == nullptr || spool_.AllSettled()) return Finish(absl::OkStatus());
  if (clock_.Now() < drain_deadline_) return;
  if (refused_)
    return Finish(
        absl::PermissionDeniedError("the hub refuses this agent; its records stay in the spool"));
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

}  // namespace remora::agent
