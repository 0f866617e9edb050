#include "reader-client/cc/sdk/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/link/grpc_dialer.h"
#include "common/status_macros.h"
#include "reader-client/cc/sdk/refusal.h"

namespace remora::reader {
namespace {

// Follow ids below this are the caller's.
constexpr uint32_t kDirectoryFollow = 0x7fffffff;
// How often a waiting call looks again, should a wake-up be lost in a reconnection.
constexpr Duration kLookAgain = Duration::Milliseconds(200);
// Shorter digits could be any case's.
constexpr size_t kMinimumIdDigits = 4;

bool IsOver(v1::CaseStage stage) {
  return stage == v1::CASE_STAGE_CLOSED || stage == v1::CASE_STAGE_SEALED ||
         stage == v1::CASE_STAGE_ABANDONED;
}

}  // namespace

Client::Client(ClientOptions options, LinkObserver* observer)
    : options_(std::move(options)),
      observer_(observer),
      clock_(MakeSystemClock()),
      random_(MakeSystemRandom()),
      executor_(std::make_unique<ThreadExecutor>(*clock_, "remora-link")),
      origin_(OriginId::Draw(*random_)) {}

Client::~Client() {
  Run([this] { link_.reset(); });
  executor_->Stop();
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(ClientOptions options,
                                                        LinkObserver* observer) {
  auto client = std::unique_ptr<Client>(new Client(std::move(options), observer));
  RETURN_IF_ERROR(client->Start());
  return client;
}

absl::Status Client::Start() {
  GrpcDialerOptions dialer;
  dialer.address = options_.hub;
  dialer.token = options_.token;
  dialer.tls = options_.tls;
  dialer.root_certificates_pem = options_.root_certificates_pem;
  dialer.client_certificate_pem = options_.client_certificate_pem;
  dialer.client_key_pem = options_.client_key_pem;
  ASSIGN_OR_RETURN(dialer_, MakeGrpcDialer(dialer, *executor_));
  LinkOptions link;
  link.origin = origin_;
  link.software = options_.software;
  link.shown_at_once = options_.shown_at_once;
  Run([&] {
    link_ = std::make_unique<ParticipantLink>(link, *executor_, *clock_, *random_, *dialer_,
                                              static_cast<LinkObserver&>(*this));
    link_->Start();
  });
  const DeviceTime deadline = clock_->Now() + options_.connect_timeout;
  MutexLock lock(&mutex_);
  while (!welcomed_) {
    RETURN_IF_ERROR(ended_);
    const Duration left = deadline - clock_->Now();
    if (left <= Duration()) {
      return absl::UnavailableError(
          absl::StrCat("no hub answers at ", options_.hub, ": is remora-hub running there?"));
    }
    changed_.WaitFor(&mutex_, std::chrono::nanoseconds(left.nanoseconds()));
  }
  return absl::OkStatus();
}

void Client::Run(std::function<void()> call) {
  Mutex mutex;
  ConditionVariable done;
  bool ran = false;
  executor_->Post([&] {
    call();
    MutexLock lock(&mutex);
    ran = true;
    done.NotifyOne();
  });
  MutexLock lock(&mutex);
  while (!ran) done.Wait(&mutex);
}

void Client::Post(std::function<void(ParticipantLink&)> call) {
  executor_->Post([this, call = std::move(call)] {
    if (link_ != nullptr) call(*link_);
  });
}

absl::StatusOr<std::vector<v1::CaseSummary>> Client::Cases(Duration timeout) {
  absl::Status followed;
  Run([&] {
    v1::Follow follow;
    follow.set_follow_id(kDirectoryFollow);
    follow.set_directory(true);
    follow.set_delivery(v1::DELIVERY_LIVE);
    followed = link_->AddFollow(follow);
  });
  if (!followed.ok() && !absl::IsAlreadyExists(followed) && !absl::IsInvalidArgument(followed)) {
    return followed;
  }
  const DeviceTime deadline = clock_->Now() + timeout;
  MutexLock lock(&mutex_);
  while (true) {
    RETURN_IF_ERROR(ended_);
    RETURN_IF_ERROR(directory_refusal_);
    if (directory_.is_whole()) return directory_.Cases();
    const Duration left = deadline - clock_->Now();
    if (left <= Duration()) return absl::UnavailableError("the hub gave no directory in time");
    changed_.WaitFor(&mutex_, std::chrono::nanoseconds(left.nanoseconds()));
  }
}

absl::StatusOr<v1::CaseSummary> Client::FindCase(const std::string& name, Duration timeout) {
  ASSIGN_OR_RETURN(const std::vector<v1::CaseSummary> cases, Cases(timeout));
  std::vector<v1::CaseSummary> found;
  bool found_running = false;
  for (const v1::CaseSummary& summary : cases) {
    const std::string hex = CaseId::FromBytes(summary.case_id()).Hex();
    const bool by_id =
        name.size() >= kMinimumIdDigits && absl::StartsWith(hex, absl::AsciiStrToLower(name));
    if (!by_id && !absl::EqualsIgnoreCase(summary.theatre(), name)) continue;
    const bool running = by_id || !IsOver(summary.stage());
    if (running && !found_running) found.clear();
    found_running |= running;
    if (running || !found_running) found.push_back(summary);
  }
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no case '", name,
        "': give a theatre or the first digits of a case id; `remora cases` lists them"));
  }
  if (found.size() > 1) {
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' could be ", found.size(),
                                                   " cases: give more digits of the case id"));
  }
  return found.front();
}

absl::Status Client::Follow(v1::Follow follow) {
  absl::Status status;
  Run([&] { status = link_->AddFollow(follow); });
  return status;
}

void Client::CancelFollow(uint32_t follow_id) {
  Run([&] { link_->CancelFollow(follow_id); });
}

MemoryOutbox* Client::OutboxFor(const CaseId& case_id) {
  auto& outbox = outboxes_[case_id];
  if (outbox == nullptr) {
    outbox = std::make_unique<MemoryOutbox>(*clock_, case_id, origin_);
    // AlreadyExists cannot be, and too many cases show in the publishing that never ends.
    link_->AddOutbox(case_id, "", outbox.get()).IgnoreError();
  }
  return outbox.get();
}

absl::StatusOr<RecordKey> Client::PublishFromObserver(const CaseId& case_id, v1::Record record) {
  ASSIGN_OR_RETURN(const RecordKey key, OutboxFor(case_id)->Publish(std::move(record)));
  link_->NotifyPending();
  return key;
}

absl::Status Client::PublishState(const CaseId& case_id, const RecordKey& key) {
  absl::Status state;
  Run([&] {
    const MemoryOutbox& outbox = *outboxes_.at(case_id);
    const std::string refusal = outbox.RefusalText(key);
    const auto join_refusal = join_refusals_.find(case_id);
    if (!refusal.empty()) {
      state = absl::FailedPreconditionError(refusal);
    } else if (join_refusal != join_refusals_.end()) {
      state = join_refusal->second;
    } else if (!outbox.IsAcknowledged(key)) {
      state = absl::UnavailableError("not on record: the hub did not confirm it in time");
    }
  });
  return state;
}

absl::StatusOr<RecordKey> Client::Publish(const CaseId& case_id, v1::Record record,
                                          Duration timeout) {
  absl::StatusOr<RecordKey> key = absl::InternalError("not run");
  Run([&] { key = PublishFromObserver(case_id, std::move(record)); });
  RETURN_IF_ERROR(key.status());
  const DeviceTime deadline = clock_->Now() + timeout;
  while (true) {
    const absl::Status state = PublishState(case_id, *key);
    if (state.ok()) return *key;
    if (!absl::IsUnavailable(state)) return state;
    MutexLock lock(&mutex_);
    RETURN_IF_ERROR(ended_);
    const Duration left = deadline - clock_->Now();
    if (left <= Duration()) return state;
    changed_.WaitFor(&mutex_, std::chrono::nanoseconds(std::min(left, kLookAgain).nanoseconds()));
  }
}

std::optional<BoundedHubTime> Client::HubNow() const {
  return link_->clock_model().ToHub(clock_->Now());
}

void Client::TellSeen(const CaseId& case_id, AsSeen* seen) {
  if (welcome_.role() == v1::ROLE_AGENT || join_refusals_.contains(case_id)) return;
  std::optional<v1::ViewSeen> view = seen->Take(clock_->Now(), LinkNow(), HubNow());
  if (!view) return;
  view->set_actor(welcome_.display_name());
  v1::Record record;
  *record.mutable_view_seen() = *std::move(view);
  // A queue that is full holds enough of what was seen.
  PublishFromObserver(case_id, std::move(record)).IgnoreError();
}

void Client::OnState(LinkState state) {
  if (observer_ != nullptr) observer_->OnState(state);
}

void Client::OnWelcome(const v1::Welcome& welcome) {
  {
    MutexLock lock(&mutex_);
    if (!welcomed_) welcome_ = welcome;
    welcomed_ = true;
    changed_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnWelcome(welcome);
}

void Client::OnLinkCondition(v1::LinkCondition condition, Duration previous) {
  if (observer_ != nullptr) observer_->OnLinkCondition(condition, previous);
}

void Client::OnRecord(const DeliveredRecord& delivered) {
  if (observer_ != nullptr) observer_->OnRecord(delivered);
}

void Client::OnSnapshot(const v1::Snapshot& snapshot) {
  if (observer_ != nullptr) observer_->OnSnapshot(snapshot);
}

void Client::OnGap(const v1::Gap& gap) {
  if (observer_ != nullptr) observer_->OnGap(gap);
}

void Client::OnDirectory(const v1::DirectoryUpdate& update) {
  {
    MutexLock lock(&mutex_);
    directory_.Apply(update);
    changed_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnDirectory(update);
}

void Client::OnFollowEnded(const v1::FollowEnded& ended) {
  if (observer_ != nullptr) observer_->OnFollowEnded(ended);
}

void Client::OnHistoryPage(const v1::HistoryPage& page) {
  if (observer_ != nullptr) observer_->OnHistoryPage(page);
}

void Client::OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) {
  if (observer_ != nullptr) observer_->OnHubHeartbeat(heartbeat);
}

void Client::OnRecording(const v1::Recording& recording) {
  if (observer_ != nullptr) observer_->OnRecording(recording);
}

void Client::OnJoined(const v1::Joined& joined) {
  join_refusals_.erase(CaseId::FromBytes(joined.case_id()));
  if (observer_ != nullptr) observer_->OnJoined(joined);
}

void Client::OnAcknowledged(const v1::Acknowledge& acknowledge) {
  {
    MutexLock lock(&mutex_);
    changed_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnAcknowledged(acknowledge);
}

void Client::OnRecordRefused(const v1::RecordRefused& refused) {
  {
    MutexLock lock(&mutex_);
    changed_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnRecordRefused(refused);
}

void Client::OnRefused(const v1::Refused& refused) {
  if (!refused.case_id().empty() && refused.follow_id() == 0 && refused.request_id() == 0) {
    join_refusals_[CaseId::FromBytes(refused.case_id())] = RefusalStatus(refused);
  }
  {
    MutexLock lock(&mutex_);
    if (refused.follow_id() == kDirectoryFollow) directory_refusal_ = RefusalStatus(refused);
    changed_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnRefused(refused);
}

void Client::OnEnded(const absl::Status& status) {
  {
    MutexLock lock(&mutex_);
    ended_ = status;
    changed_.NotifyAll();
  }
  if (observer_ != nullptr) observer_->OnEnded(status);
}

}  // namespace remora::reader
