// AgentSession: what comes from the hub, and what is known of the hub's clock.
#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/app/agent_session.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

constexpr uint32_t kCaseFollow = 1;
constexpr uint32_t kLiveFollow = 2;
constexpr uint32_t kFirstOldFollow = 3;

}  // namespace

void AgentSession::OnRecord(const DeliveredRecord& delivered) {
  const RecordHeader& header = delivered.record.header;
  if (delivered.follow_id == kLiveFollow) return OnShownUnrecorded(delivered);
  // What is not on record yet says nothing about the record.
  if (header.origin == spool_.origin() || delivered.record.stamp.unrecorded) return;
  v1::Record record;
  if (!record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size())))
    return;
  if (const auto witness = witnesses_.find(header.case_id);
      witness != witnesses_.end() && header.lane == 1) {
    TellWitness(witness->second.OnRecord(delivered.record, record,
                                         hub_key_ == nullptr ? "" : hub_key_->key()));
  }
  if (OldCase* old = OldFollowedAs(delivered.follow_id); old != nullptr) {
    old->closer.OnStep(record.case_lifecycle().transition());
    if (record.has_certificate()) {
      TakeCertificate(old->spool->case_id(), record.certificate(), old->closer);
    }
    return;
  }
  if (delivered.follow_id != kCaseFollow) return;
  WatchReaders(record, delivered.record.stamp);
  TakeStep(record.case_lifecycle().transition());
  if (record.has_certificate()) TakeCertificate(spool_.case_id(), record.certificate(), closer_);
  if (state_ != State::kCatchingUp && state_ != State::kRunning) return;
  SayMessage(record, header.key(), false);
  if (!CaseAnalysis::IsInput(record)) return;
  if (known_inputs_.contains(header.key())) return;
  if (known_inputs_.size() >= options_.max_known_inputs) {
    OnceSink sink(*recorder_);
    PutSystemMessage(absl::StrCat("Not carried out: this case has had ", known_inputs_.size(),
                                  " commands, the most that the agent takes. Call the theatre"),
                     header.key(), analysis_->now_ns(), sink);
    return ScheduleCommit(kCommitInterval);
  }
  known_inputs_.insert(header.key());
  if (state_ == State::kCatchingUp) {
    if (!waiting_inputs_.Push(std::string(delivered.bytes), delivered.bytes.size())) {
      known_inputs_.erase(header.key());  // asked for again with the next follow
    }
    return;
  }
  spool_.AppendInput(items_taken_, delivered.bytes)
      .IgnoreError();  // a full disk is said by the recorder
  TakeInput(record);
  Commit();
}

// A record of lanes 0-1 that may not be on record: shown, and nothing is done for it.
void AgentSession::OnShownUnrecorded(const DeliveredRecord& delivered) {
  const RecordHeader& header = delivered.record.header;
  v1::Record record;
  if (header.origin == spool_.origin() ||
      !record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size()))) {
    return;
  }
  WatchReaders(record, delivered.record.stamp);
  SayMessage(record, header.key(), delivered.record.stamp.unrecorded);
  if (delivered.record.stamp.unrecorded && CaseAnalysis::IsInput(record)) {
    console_.Say("A command of a reader waits: it is carried out when the hub has it on record");
  }
}

void AgentSession::SayMessage(const v1::Record& record, const RecordKey& key, bool unrecorded) {
  if (!record.has_message() || record.message().kind() == v1::MESSAGE_KIND_SYSTEM) return;
  if (said_.contains(key)) return;
  if (following_live_) {
    // It comes again with its place.
    said_order_.Push(key, 0, [this](const RecordKey& oldest) { said_.erase(oldest); });
    said_.insert(key);
  }
  console_.Say(absl::StrCat(record.message().urgent() ? "URGENT " : "", record.message().sender(),
                            ": ", record.message().text(),
                            unrecorded ? " (NOT RECORDED yet)" : ""));
}

void AgentSession::CheckClock() {
  if (state_ == State::kDone) return;
  Post(kClockCheckInterval, &AgentSession::CheckClock);
  if (state_ == State::kRunning) {
    RecordClock();
    RecordOutage();
    if (const std::string words = reader_watch_.Tell(clock_.Now()); !words.empty()) {
      console_.Say(words);
    }
  }
  if (state_ == State::kDraining) CheckDrained();
  for (auto& [case_id, old] : old_cases_) Advance(old);
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

void AgentSession::TakeStep(v1::CaseTransition step) {
  closer_.OnStep(step);
  if (step == v1::CASE_TRANSITION_REOPENED) asked_to_close_ = false;
  if (step == v1::CASE_TRANSITION_ABANDONED) {
    console_.Say(
        "ALARM the case was abandoned: the hub takes nothing new of it. What is made from now on "
        "is "
        "kept here alone. Stop the agent, or start it with a new case");
  }
  if (step != v1::CASE_TRANSITION_CLOSING && step != v1::CASE_TRANSITION_CLOSED &&
      step != v1::CASE_TRANSITION_ABANDONED) {
    return;
  }
  asked_to_close_ = true;
  if (state_ != State::kRunning && state_ != State::kDraining) return;
  RecordOutage();
  closer_.PutTotal(analysis_->now_ns(), /*again=*/true);
  ScheduleCommit(kCommitInterval);
}

void AgentSession::TakeCertificate(const CaseId& case_id, const v1::Certificate& certificate,
                                   SpoolCloser& closer) {
  const absl::Status status =
      closer.OnCertificate(certificate, hub_key_ == nullptr ? "" : hub_key_->key());
  if (&closer == &closer_) not_cleared_ = std::string(status.message());
  // While the source runs there is always more than a certificate can name.
  if (&closer != &closer_ || state_ == State::kDraining) {
    console_.Say(
        status.ok()
            ? absl::StrCat("The hub has certified all records of case ", case_id.Hex())
            : absl::StrCat("The spool of case ", case_id.Hex(), " is kept: ", status.message()));
  }
  CheckDrained();
}

void AgentSession::AlsoClose(CaseSpool& old) {
  const auto follow_id = static_cast<uint32_t>(kFirstOldFollow + old_cases_.size());
  old_cases_.try_emplace(old.case_id(), OldCase{&old, SpoolCloser(old, clock_), follow_id});
}

bool AgentSession::IsCleared(const CaseId& case_id) const {
  if (case_id == spool_.case_id()) return closer_.IsOver();
  const auto old = old_cases_.find(case_id);
  return old != old_cases_.end() && old->second.closer.IsOver();
}

OldCase* AgentSession::OldFollowedAs(uint32_t follow_id) {
  for (auto& [case_id, old] : old_cases_) {
    if (old.follow_id == follow_id) return &old;
  }
  return nullptr;
}

void AgentSession::AdvanceOld(absl::string_view case_id) {
  const auto old = old_cases_.find(CaseId::FromBytes(case_id));
  if (old != old_cases_.end()) Advance(old->second);
}

void AgentSession::Advance(OldCase& old) {
  if (old.archived) return;
  FollowOld(old);
  if (!old.closer.Advance()) return;
  if (const absl::Status status = old.spool->Commit(); !status.ok()) {
    console_.Say(absl::StrCat("The close of case ", old.spool->case_id().Hex(),
                              " cannot be written: ", status.message()));
  }
  link_->NotifyPending();
}

// For its certificate. Once the hub holds something of it, so that there is a case to follow.
void AgentSession::FollowOld(OldCase& old) {
  if (old.following || old.spool->held(1).empty() || link_ == nullptr) return;
  v1::Follow follow;
  follow.set_follow_id(old.follow_id);
  follow.set_case_id(old.spool->case_id().ToString());
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  follow.add_lanes(1);
  old.following = link_->AddFollow(follow).ok();
}

void AgentSession::OnJoined(const v1::Joined& joined) {
  AdvanceOld(joined.case_id());
  if (joined.case_id() != spool_.case_id().bytes()) return;
  refused_ = false;
  FindOwnAbsence();
  reader_watch_.OnJoined(clock_.Now());
  if (const std::string words = hub_watch_.OnJoined(); !words.empty()) console_.Say(words);
  FollowAsRecorded();
  for (const v1::LaneRanges& lane : joined.held()) {
    if (lane.lane() == 1 && !lane.ranges().empty()) case_known_to_hub_ = true;
  }
  Follow();
  link_->NotifyPending();
}

void AgentSession::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  AdvanceOld(acknowledge.case_id());
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
  following_live_ = hub_watch_.unrecorded();
  if (following_live_) {
    follow.set_follow_id(kLiveFollow);
    follow.set_delivery(v1::DELIVERY_LIVE);
  } else if (complete_cursor_.epoch() != 0) {
    *follow.mutable_cursor() = complete_cursor_;
  }
  if (link_->AddFollow(follow).ok()) following_ = true;
}

void AgentSession::FollowAsRecorded() {
  if (!following_ || link_ == nullptr || following_live_ == hub_watch_.unrecorded()) return;
  if (!following_live_) complete_cursor_ = link_->CursorOf(kCaseFollow);
  link_->CancelFollow(following_live_ ? kLiveFollow : kCaseFollow);
  following_ = false;
  Follow();
}

void AgentSession::OnFollowEnded(const v1::FollowEnded& ended) {
  // Asked for again with the next look at it.
  if (OldCase* old = OldFollowedAs(ended.follow_id()); old != nullptr) old->following = false;
  if (ended.follow_id() != kCaseFollow && ended.follow_id() != kLiveFollow) return;
  if (ended.follow_id() == kCaseFollow) complete_cursor_.Clear();
  following_ = false;
  Post(kFollowRetryInterval, &AgentSession::Follow);
}

void AgentSession::OnRecordRefused(const v1::RecordRefused& refused) {
  console_.Say(absl::StrCat("The hub refuses record ", refused.lane(), "/", refused.origin_seq(),
                            ": ", refused.text()));
  AdvanceOld(refused.case_id());
  CheckDrained();
}

void AgentSession::OnRefused(const v1::Refused& refused) {
  if (refused.follow_id() >= kFirstOldFollow) return;  // the link asks again, or ends it
  if (refused.follow_id() == kCaseFollow || refused.follow_id() == kLiveFollow) {
    following_ = false;
    Post(kFollowRetryInterval, &AgentSession::Follow);
    return;
  }
  if (const auto old = old_cases_.find(CaseId::FromBytes(refused.case_id()));
      old != old_cases_.end()) {
    // Not of the case that runs. Nothing of it is given up.
    if (std::exchange(old->second.refused, refused.text()) != refused.text()) {
      console_.Say(absl::StrCat("Case ", old->first.Hex(),
                                " of an earlier run stays in the spool: ", refused.text()));
    }
    old->second.archived |= refused.reason() == v1::REFUSAL_REASON_WRONG_STAGE;
    return;
  }
  // That it cannot record for now was told in better words, and alarmed.
  if (refused.reason() == v1::REFUSAL_REASON_TOO_MANY && hub_watch_.unrecorded()) return;
  if (!refused_) console_.Say(absl::StrCat("ALARM the hub refuses this agent: ", refused.text()));
  refused_ = true;
}

void AgentSession::OnWelcome(const v1::Welcome& welcome) {
  participant_ = welcome.participant();
  hub_watch_.OnWelcome();
  hub_offset_ns_ = welcome.hub_unix_ns() - clock_.Now().nanoseconds();
  // A hub that shows no key is not the one that is known.
  if (hub_key_ == nullptr || !HubKey::IsShownIn(welcome)) return;
  const absl::Status key = hub_key_->OnWelcome(welcome);
  const bool told = key_trouble_.value_or("") == key.message();
  key_trouble_ = std::string(key.message());
  if (!key.ok() && !told) console_.Say(absl::StrCat("ALARM ", *key_trouble_));
  TellHubKey();
}

void AgentSession::TellHubKey() {
  if (state_ != State::kRunning || !key_trouble_) return;
  if (key_trouble_->empty() != key_alert_.is_on()) return;
  OnceSink sink(*recorder_);
  const int64_t now_ns = analysis_->now_ns();
  if (key_trouble_->empty()) {
    key_alert_.Recover(TechnicalAlert("hub-key", "The hub signs with the key that is known"),
                       now_ns, sink);
  } else {
    key_alert_.Show(TechnicalAlert("hub-key", *key_trouble_), now_ns, now_ns, sink);
  }
  ScheduleCommit(kCommitInterval);
}

void AgentSession::KeepWitnesses(FileSystem& files, const std::string& folder) {
  witnesses_.try_emplace(spool_.case_id(), files, folder, spool_.case_id());
  for (const auto& [case_id, old] : old_cases_) {
    witnesses_.try_emplace(case_id, files, folder, case_id);
  }
}

void AgentSession::OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) {
  for (const v1::CaseHead& head : heartbeat.heads()) {
    if (head.case_id() == spool_.case_id().bytes() &&
        head.recording() != v1::RECORDING_CONDITION_UNSPECIFIED) {
      v1::Recording recording;
      recording.set_case_id(head.case_id());
      recording.set_condition(head.recording());
      OnRecording(recording);
    }
    const auto witness = witnesses_.find(CaseId::FromBytes(head.case_id()));
    if (witness != witnesses_.end()) TellWitness(witness->second.OnHead(head));
  }
}

// Empty: what was found before, now that there is a case to put it in.
void AgentSession::TellWitness(const std::string& contradiction) {
  if (!contradiction.empty()) {
    console_.Say(absl::StrCat("ALARM ", contradiction));
    witness_trouble_ = contradiction;
  }
  if (witness_trouble_.empty() || state_ != State::kRunning) return;
  OnceSink sink(*recorder_);
  const int64_t now_ns = analysis_->now_ns();
  witness_alert_.Show(TechnicalAlert("hub-record", witness_trouble_), now_ns, now_ns, sink);
  witness_trouble_.clear();
  ScheduleCommit(kCommitInterval);
}

void AgentSession::OnLinkCondition(v1::LinkCondition condition, Duration /*previous*/) {
  const std::string words = hub_watch_.OnCondition(condition, link_->age(), clock_.Now());
  if (!words.empty()) console_.Say(words);
  if (condition >= v1::LINK_CONDITION_LOST) reader_watch_.OnHubLost();
  RecordOutage();
}

void AgentSession::OnRecording(const v1::Recording& recording) {
  if (recording.case_id() != spool_.case_id().bytes()) return;
  const std::string words = hub_watch_.OnRecording(recording);
  if (!words.empty()) console_.Say(words);
  FollowAsRecorded();
}

// The newest estimate that the spool had when it was opened.
OriginClocks AgentSession::ClocksBefore() const {
  OriginClocks clocks;
  const uint64_t last = recovered_seqs_[1];
  for (uint64_t seq = last; seq > 0 && last - seq < kMaxEventsLookedThrough; --seq) {
    const absl::StatusOr<std::string> bytes = spool_.Read(1, seq);
    v1::Record record;
    if (!bytes.ok() || !record.ParseFromString(*bytes) || !record.has_clock_estimate()) continue;
    clocks.Put(spool_.origin(), record.clock_estimate());
    break;
  }
  return clocks;
}

// The first record that the hub does not hold was made when it got no more. When that was, the
// hub's own clock says, by the estimate of that time: the machine's wall clock may have been set
// since, by minutes or days. A spool without an estimate says nothing.
void AgentSession::FindOwnAbsence() {
  if (!resumed_ || absence_found_ || !hub_offset_ns_) return;
  absence_found_ = true;
  const OriginClocks clocks = ClocksBefore();
  constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();
  int64_t first_missing_ns = kUnknown;
  int64_t last_ns = 0;
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    const uint64_t last = recovered_seqs_[lane];
    if (last == 0) continue;
    const auto missing = spool_.held(lane).Missing(1, last);
    const absl::StatusOr<std::string> bytes =
        spool_.Read(lane, missing.empty() ? last : missing.front().first);
    v1::Record record;
    if (!bytes.ok() || !record.ParseFromString(*bytes)) continue;
    const int64_t made_ns = clocks.HubUnixNs(MadeAtOf(record, kUnknown));
    if (made_ns == kUnknown) continue;
    if (missing.empty()) {
      last_ns = std::max(last_ns, made_ns);
    } else {
      first_missing_ns = std::min(first_missing_ns, made_ns);
    }
  }
  const int64_t since_ns = first_missing_ns == kUnknown ? last_ns : first_missing_ns;
  if (since_ns == 0) return;
  const Duration away =
      Duration::Nanoseconds(clock_.Now().nanoseconds() + *hub_offset_ns_ - since_ns);
  if (away >= kShortestOutage && away <= kLongestOutage) hub_watch_.WasAway(away);
}

}  // namespace remora::agent
