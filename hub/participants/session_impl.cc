#include "hub/participants/session_impl.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/record_codec.h"
#include "hub/participants/features.h"
#include "hub/participants/session_limits.h"

namespace remora::hub {
namespace {

// Of a frame: field 1 of Up.
constexpr char kRecordsTag = 0x0a;
// Field 11 of Up at the end of its records.
constexpr absl::string_view kBacklog("\x58\x01", 2);
constexpr char kNotBoth[] = "records or one control message, not both";

// Takes Up.backlog off the end of records. A record may end in the same bytes: only what is left
// of whole frames is the mark.
bool TakeBacklogMark(absl::string_view* frames_untrusted) {
  if (!absl::EndsWith(*frames_untrusted, kBacklog)) return false;
  absl::string_view rest = *frames_untrusted;
  while (!rest.empty() && rest.front() == kRecordsTag && TakeFrame(&rest).ok()) {
  }
  if (rest != kBacklog) return false;
  frames_untrusted->remove_suffix(kBacklog.size());
  return true;
}

}  // namespace

SessionImpl::SessionImpl(const Identity& who, Peer* peer, HubServices& hub, Journal& journal,
                         SessionKeeper& keeper)
    : SessionContext(who, hub),
      peer_(peer),
      journal_(journal),
      keeper_(keeper),
      opened_at_(hub.clock->Now()),
      written_at_(opened_at_) {}

SessionImpl::~SessionImpl() {
  desk_.reset();
  intake_.reset();
  keeper_.OnSessionGone(this);
}

void SessionImpl::OnMessage(absl::string_view up_untrusted) {
  if (stage_ == Stage::kEnded) return;
  if (up_untrusted.size() > kMaxMessageBytes) {
    return End(v1::REFUSAL_REASON_TOO_LARGE,
               absl::StrCat("a message has at most ", kMaxMessageBytes, " bytes"));
  }
  if (!up_untrusted.empty() && up_untrusted.front() == kRecordsTag) {
    return OnRecords(up_untrusted);
  }
  v1::Up up;
  if (!up.ParseFromArray(up_untrusted.data(), static_cast<int>(up_untrusted.size()))) {
    return End(v1::REFUSAL_REASON_MALFORMED, "this is no Up message");
  }
  if (up.records_size() > 0) return End(v1::REFUSAL_REASON_MALFORMED, kNotBoth);
  if (stage_ == Stage::kGreeting) return OnHello(up);
  OnSignOfLife();
  OnControl(up);
}

void SessionImpl::OnSignOfLife() {
  heard_at_ = services.clock->Now();
  intake_->OnSignOfLife();
  desk_->OnSignOfLife();
}

// Nothing but records: walked in place, since this is the hub's hot path.
void SessionImpl::OnRecords(absl::string_view frames_untrusted) {
  const bool backlog = TakeBacklogMark(&frames_untrusted);
  for (absl::string_view rest = frames_untrusted; !rest.empty();) {
    if (rest.front() != kRecordsTag) return End(v1::REFUSAL_REASON_MALFORMED, kNotBoth);
    if (!TakeFrame(&rest).ok()) {
      return End(v1::REFUSAL_REASON_MALFORMED, "this is no Up message");
    }
  }
  if (stage_ == Stage::kGreeting) {
    return End(v1::REFUSAL_REASON_MALFORMED, "the first message must be a hello");
  }
  OnSignOfLife();
  while (!frames_untrusted.empty() && stage_ == Stage::kTalking) {
    intake_->OnRecord(*TakeFrame(&frames_untrusted), backlog);
  }
}

void SessionImpl::OnHello(const v1::Up& up) {
  if (up.control_case() != v1::Up::kHello) {
    return End(v1::REFUSAL_REASON_MALFORMED, "the first message must be a hello");
  }
  const v1::Hello& hello = up.hello();
  if (hello.minimum_version() > kProtocolVersion ||
      hello.maximum_version() < kOldestProtocolVersion) {
    return End(v1::REFUSAL_REASON_VERSION,
               absl::StrCat("this hub speaks versions ", kOldestProtocolVersion, " to ",
                            kProtocolVersion, " of the protocol, you ", hello.minimum_version(),
                            " to ", hello.maximum_version()));
  }
  version = std::min<uint32_t>(hello.maximum_version(), kProtocolVersion);
  if (!origin.Assign(hello.origin()) || origin.is_zero()) {
    return End(v1::REFUSAL_REASON_MALFORMED, "origin must be 16 random bytes");
  }
  if (hello.features_size() > static_cast<int>(kMaxHelloFeatures)) {
    return End(v1::REFUSAL_REASON_TOO_MANY, "too many features");
  }
  if (services.draining) {
    return End(v1::REFUSAL_REASON_DRAINING, "the hub is about to stop; try again soon");
  }
  if (!services.directory->origins().Bind(origin, identity.name)) {
    return End(v1::REFUSAL_REASON_ORIGIN_BOUND,
               "this origin belongs to somebody else: start with a store of your own");
  }
  stage_ = Stage::kTalking;
  SessionContext& context = *this;
  intake_ = std::make_unique<RecordIntake>(context);
  desk_ = std::make_unique<FollowDesk>(context, journal_);
  v1::Down down;
  v1::Welcome* welcome = down.mutable_welcome();
  welcome->set_version(version);
  for (const absl::string_view feature : CommonFeatures(hello.features(), kHubFeatures)) {
    welcome->add_features(std::string(feature));
  }
  welcome->set_participant(identity.name);
  welcome->set_display_name(identity.display_name);
  welcome->set_role(identity.role);
  welcome->set_hub_unix_ns(services.hub_time->Now().nanoseconds());
  welcome->set_heartbeat_interval_ms(static_cast<uint32_t>(kHeartbeatInterval.milliseconds()));
  welcome->set_bulk_window_bytes(kFirstBulkWindowBytes);
  welcome->set_software(services.software);
  welcome->set_hub_boot_id(services.boot_id);
  welcome->mutable_record_keys()->Add(services.record_keys.begin(), services.record_keys.end());
  Send(down);
}

void SessionImpl::OnControl(const v1::Up& up) {
  switch (up.control_case()) {
    case v1::Up::kHello:
      return End(v1::REFUSAL_REASON_MALFORMED, "hello comes once");
    case v1::Up::kJoin:
      return intake_->OnJoin(up.join());
    case v1::Up::kLeave:
      return intake_->OnLeave(up.leave());
    case v1::Up::kFollow:
      return desk_->OnFollow(up.follow());
    case v1::Up::kCancelFollow:
      return desk_->OnCancel(up.cancel_follow());
    case v1::Up::kShown:
      return desk_->OnShown(up.shown());
    case v1::Up::kHistoryRequest:
      return desk_->OnHistory(up.history_request());
    case v1::Up::kClockProbe:
      return OnClockProbe(up.clock_probe(), services.hub_time->Now());
    default:
      return;  // a heartbeat: that it came is all it says
  }
}

void SessionImpl::OnClockProbe(const v1::ClockProbe& probe, HubTime received) {
  v1::Down down;
  v1::ClockReply* reply = down.mutable_clock_reply();
  reply->set_probe_id(probe.probe_id());
  reply->set_sent_monotonic_ns(probe.sent_monotonic_ns());
  reply->set_received_unix_ns(received.nanoseconds());
  reply->set_replied_unix_ns(services.hub_time->Now().nanoseconds());
  Send(down);
}

void SessionImpl::Send(const v1::Down& down) {
  if (stage_ == Stage::kEnded) return;
  if (control_.size() >= kMaxWaitingControl) {
    return End(v1::REFUSAL_REASON_TOO_MANY,
               "too many answers wait for you: read what you are sent");
  }
  control_.emplace_back(down.SerializeAsString());
  Wake();
}

void SessionImpl::End(v1::RefusalReason reason, absl::string_view text) {
  if (stage_ == Stage::kEnded) return;
  stage_ = Stage::kEnded;
  services.metrics->Count(metric::kMessagesRefused,
                          absl::StrCat("reason=", v1::RefusalReason_Name(reason)), 1);
  v1::Down down;
  down.mutable_refused()->set_reason(reason);
  down.mutable_refused()->set_text(std::string(text));
  control_.emplace_back(down.SerializeAsString());
  Wake();
  const bool permission =
      reason == v1::REFUSAL_REASON_NOT_PERMITTED || reason == v1::REFUSAL_REASON_ORIGIN_BOUND;
  const bool later = reason == v1::REFUSAL_REASON_DRAINING || reason == v1::REFUSAL_REASON_TOO_MANY;
  peer_->CloseAfterWrites(permission ? absl::PermissionDeniedError(text)
                          : later    ? absl::UnavailableError(text)
                                     : absl::InvalidArgumentError(text));
}

void SessionImpl::TellRecording(const Room& room) {
  if (!KnowsUnrecorded()) return;
  recording_due_.insert(room.case_id());
  Wake();
}

bool SessionImpl::TakeRecording(v1::Down* down) {
  while (!recording_due_.empty()) {
    const Room* room = services.directory->Find(*recording_due_.begin());
    recording_due_.erase(recording_due_.begin());
    if (room == nullptr) continue;
    *down->mutable_recording() = room->RecordingMessage();
    return true;
  }
  return false;
}

void SessionImpl::Wake() { keeper_.OnSessionDirty(this); }

bool SessionImpl::HasSomething() const {
  if (!control_.empty()) return true;
  if (stage_ != Stage::kTalking) return false;
  return heartbeat_due_ || !recording_due_.empty() || intake_->HasNext() ||
         desk_->HasDirectory(services.clock->Now()) || desk_->delivery().HasSomething();
}

void SessionImpl::EndForbidden() {
  if (stage_ != Stage::kTalking || identity.theatres.empty()) return;
  intake_->EndForbidden();
  desk_->EndForbidden();
}

void SessionImpl::AnnounceWrites() {
  EndForbidden();
  if (announced_ || !HasSomething()) return;
  announced_ = true;
  peer_->WantWrite();
}

bool SessionImpl::TakeOwn(v1::Down* down) {
  if (intake_->TakeNext(down) || desk_->TakeDirectory(services.clock->Now(), down)) return true;
  if (!heartbeat_due_) return false;
  heartbeat_due_ = false;
  asked_at_ = services.clock->Now();
  v1::HubHeartbeat* heartbeat = down->mutable_heartbeat();
  heartbeat->set_hub_unix_ns(services.hub_time->Now().nanoseconds());
  desk_->FillHeads(heartbeat);
  heartbeat->set_question_id(desk_->delivery().OnHeartbeat());
  return true;
}

WriteBatch SessionImpl::TakeBatch(size_t max_bytes) {
  announced_ = false;
  EndForbidden();
  WriteBatch batch;
  DownSlices down;
  if (!control_.empty()) {
    down.slices.push_back(std::move(control_.front()));
    control_.pop_front();
    down.bytes = down.slices.front().size();
  } else if (stage_ == Stage::kTalking) {
    const size_t limit = std::min(max_bytes, kMaxBatchBytes);
    v1::Down own;
    const bool told = TakeRecording(&own);
    if (!told) desk_->delivery().TakeEvents(limit, &down);
    if (told || (down.empty() && TakeOwn(&own))) {
      down.slices.emplace_back(own.SerializeAsString());
      down.bytes = down.slices.front().size();
    }
    if (down.empty()) desk_->delivery().TakeOther(limit, &down);
  }
  if (!down.empty()) written_at_ = services.clock->Now();
  batch.slices = std::move(down.slices);
  batch.bytes = down.bytes;
  batch.more = !batch.empty() && HasSomething();
  return batch;
}

bool SessionImpl::IsQuestionDue(DeviceTime now) const {
  return desk_->is_watched() && now - heard_at_ >= kSilenceAskedAfter &&
         now - asked_at_ >= kHeartbeatInterval;
}

void SessionImpl::Tick() {
  const DeviceTime now = services.clock->Now();
  if (stage_ == Stage::kGreeting && now - opened_at_ >= kHelloDeadline) {
    return End(v1::REFUSAL_REASON_MALFORMED, "no hello came");
  }
  EndForbidden();
  if (stage_ == Stage::kTalking) intake_->Tick();
  if (stage_ == Stage::kTalking &&
      (now - written_at_ >= kHeartbeatInterval || IsQuestionDue(now))) {
    heartbeat_due_ = true;
  }
  if (HasSomething()) Wake();
}

}  // namespace remora::hub
