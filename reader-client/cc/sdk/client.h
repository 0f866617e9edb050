#pragma once

// A reader's session with a hub, for programs that may block: the command line, scripts, tests.
// Everything that a browser can do, through the same stream.
//
//   ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(options, observer));
//   ASSIGN_OR_RETURN(v1::CaseSummary room, client->FindCase("OR 2", timeout));
//   RETURN_IF_ERROR(client->Follow(...));
//   ASSIGN_OR_RETURN(RecordKey id, client->Publish(case_id, record, timeout));   // on record now
//
// Thread-safe; not to be destroyed on its own sequence. The observer is called on the client's own
// sequence and must not block. It re-connects by itself and goes on where it was; calls that wait
// give Unavailable when the hub was not there in time.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/file_system.h"
#include "common/link/memory_outbox.h"
#include "common/link/participant_link.h"
#include "common/mutex.h"
#include "common/random.h"
#include "common/thread_executor.h"
#include "reader-client/cc/sdk/as_seen.h"
#include "reader-client/cc/sdk/directory_view.h"
#include "remora/v1/directory.pb.h"
#include "remora/v1/record.pb.h"

namespace remora::reader {

struct ClientOptions {
  // "127.0.0.1:7443" or "unix:PATH".
  std::string hub;
  std::string token;
  // As GrpcDialerOptions: how a proxy in front of the hub is reached.
  bool tls = false;
  std::string root_certificates_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;
  // For the hub's log.
  std::string software = "remora";
  Duration connect_timeout = Duration::Seconds(5);
  // As LinkOptions: false for an observer that says itself what was shown.
  bool shown_at_once = true;
};

class Client : private LinkObserver {
 public:
  // Waits for the hub's welcome. Unavailable: no hub in time. Unauthenticated, PermissionDenied:
  // refused. `observer` may be null; it outlives the client.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(ClientOptions options,
                                                         LinkObserver* observer);
  ~Client() override;

  const v1::Welcome& welcome() const { return welcome_; }
  const Clock& clock() const { return *clock_; }

  // The whole directory as the hub has it now. PermissionDenied: not for this identity.
  absl::StatusOr<std::vector<v1::CaseSummary>> Cases(Duration timeout);
  // By theatre ("OR 2"; an open case wins over a closed one), or by the first hexadecimal digits of
  // its id. NotFound; InvalidArgument where it could be several.
  absl::StatusOr<v1::CaseSummary> FindCase(const std::string& name, Duration timeout);

  // Follows from now on, also after a reconnection; what arrives goes to the observer.
  absl::Status Follow(v1::Follow follow);
  void CancelFollow(uint32_t follow_id);

  // Publishes a record of which only the body is set, and waits until it is on record.
  // Refused: as RefusalStatus (refusal.h), with the hub's reason.
  absl::StatusOr<RecordKey> Publish(const CaseId& case_id, v1::Record record, Duration timeout);

  // Publishes without waiting, from the observer's own calls (the client's sequence).
  absl::StatusOr<RecordKey> PublishFromObserver(const CaseId& case_id, v1::Record record);

  // Answered by the observer's OnHistoryPage. Only on the client's sequence.
  absl::Status RequestHistory(const v1::HistoryRequest& request) {
    return link_->RequestHistory(request);
  }

  // The hub's time now, by the clock model. Only on the client's sequence.
  std::optional<BoundedHubTime> HubNow() const;

  // How the link is, from its own age. Only on the client's sequence.
  AsSeen::Link LinkNow() const { return {link_->condition(), link_->age()}; }
  // Puts on record what was shown, where that is due and this identity reads for a person. Only on
  // the client's sequence.
  void TellSeen(const CaseId& case_id, AsSeen* seen);

  // Runs `call` on the client's sequence and waits for it.
  void Run(std::function<void()> call);
  // Runs `call` on the client's sequence, later; never after the client's end.
  void Post(std::function<void(ParticipantLink&)> call);

 private:
  explicit Client(ClientOptions options, LinkObserver* observer);

  absl::Status Start();
  MemoryOutbox* OutboxFor(const CaseId& case_id);
  // How publishing of `key` stands: OK on record, Unavailable not yet, else refused.
  absl::Status PublishState(const CaseId& case_id, const RecordKey& key);

  void OnState(LinkState state) override;
  void OnWelcome(const v1::Welcome& welcome) override;
  void OnLinkCondition(v1::LinkCondition condition, Duration previous) override;
  void OnRecord(const DeliveredRecord& delivered) override;
  void OnSnapshot(const v1::Snapshot& snapshot) override;
  void OnGap(const v1::Gap& gap) override;
  void OnDirectory(const v1::DirectoryUpdate& update) override;
  void OnFollowEnded(const v1::FollowEnded& ended) override;
  void OnHistoryPage(const v1::HistoryPage& page) override;
  void OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) override;
  void OnRecording(const v1::Recording& recording) override;
  void OnJoined(const v1::Joined& joined) override;
  void OnAcknowledged(const v1::Acknowledge& acknowledge) override;
  void OnRecordRefused(const v1::RecordRefused& refused) override;
  void OnRefused(const v1::Refused& refused) override;
  void OnEnded(const absl::Status& status) override;

  const ClientOptions options_;
  LinkObserver* const observer_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<ThreadExecutor> executor_;
  std::unique_ptr<Dialer> dialer_;
  std::unique_ptr<ParticipantLink> link_;                     // on the executor's sequence only
  std::map<CaseId, std::unique_ptr<MemoryOutbox>> outboxes_;  // likewise
  std::map<CaseId, absl::Status> join_refusals_;              // likewise
  OriginId origin_;
  v1::Welcome welcome_;  // set before Connect returns

  Mutex mutex_;
  ConditionVariable changed_;
  bool welcomed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);
  absl::Status directory_refusal_ ABSL_GUARDED_BY(mutex_);
  DirectoryView directory_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora::reader
