#pragma once

// A participant's end of the session with a hub (docs/protocol.md): agent, reader and command line.
// Keeps one session open for as long as it runs, re-dials when it ends, goes on where it was:
// follows with their cursors, publishing with what the hub lacks. Estimates the hub's clock, and
// decides from local age alone whether the link is live.
//
//             Start                stream open           welcome
//   kStopped ------> kDialing -----------------> kGreeting -----> kLive
//      ^   Stop,        ^   | failed, closed, timed out  |          | closed, half open,
//      |   ended        |   v                            v          v refused for a while
//      '----------------+-- kWaiting <---------------------------------
//                  back-off over
//
// 1. The application sees each record of a follow once, in the order of its lane, also across
// sessions.
// 2. A record is offered at most once between one Joined and the next, which may come at any time;
// an outbox decides what is offered again then.
// 3. Nothing is written while a write is outstanding; nothing runs unless something is due.
//
// Sequence-bound to `executor`, on which the observer and the outboxes are called too. The observer
// may call back into the link, but not destroy it.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/clock_model.h"
#include "common/executor.h"
#include "common/ids.h"
#include "common/link/limits.h"
#include "common/link/outbox.h"
#include "common/link/stream.h"
#include "common/random.h"
#include "common/record_codec.h"
#include "common/shared_bytes.h"
#include "remora/v1/room.pb.h"

namespace remora {

enum class LinkState { kStopped, kWaiting, kDialing, kGreeting, kLive };

// A record as it came down.
struct DeliveredRecord {
  uint32_t follow_id = 0;
  // Counts the sessions of this link, from 1: give it back to MarkShown.
  uint64_t session = 0;
  StampedRecord record;
  // The journal's bytes, within `message`.
  absl::string_view bytes;
  // Keeps `bytes` alive for as long as it is held; shared by all records of one batch.
  SharedBytes message;
};

class LinkObserver {
 public:
  virtual ~LinkObserver() = default;
  virtual void OnState(LinkState /*state*/) {}
  virtual void OnWelcome(const v1::Welcome& /*welcome*/) {}
  // The condition changed; `previous` lasted that long. LIVE is only said in a live session.
  virtual void OnLinkCondition(v1::LinkCondition /*condition*/, Duration /*previous*/) {}
  virtual void OnRecord(const DeliveredRecord& /*delivered*/) {}
  virtual void OnSnapshot(const v1::Snapshot& /*snapshot*/) {}
  virtual void OnGap(const v1::Gap& /*gap*/) {}
  // A complete one voids what was known; those behind it, the rest of a large directory among them,
  // add to it.
  virtual void OnDirectory(const v1::DirectoryUpdate& /*update*/) {}
  // The follow is over, by the hub's word or because it was refused for good (after OnRefused).
  virtual void OnFollowEnded(const v1::FollowEnded& /*ended*/) {}
  // With an `error` the rest could not be read: the last page of its request.
  virtual void OnHistoryPage(const v1::HistoryPage& /*page*/) {}
  virtual void OnHubHeartbeat(const v1::HubHeartbeat& /*heartbeat*/) {}
  // Whether what is shown of a case is on record has changed; or, after a join or a follow, it is
  // not.
  virtual void OnRecording(const v1::Recording& /*recording*/) {}
  // After the outbox was told.
  virtual void OnJoined(const v1::Joined& /*joined*/) {}
  virtual void OnAcknowledged(const v1::Acknowledge& /*acknowledge*/) {}
  virtual void OnRecordRefused(const v1::RecordRefused& /*refused*/) {}
  // Something is refused; see `text`. With a request_id: this history request, which is over. Else
  // with a follow_id: this follow; for TOO_MANY, NO_SUCH_CASE and DRAINING the link asks again by
  // itself, else OnFollowEnded comes next. Else with a case_id: publishing there; for these reasons
  // and THEATRE_CLAIMED it goes on or is asked for again, else it is over for the session. With
  // none: the session.
  virtual void OnRefused(const v1::Refused& /*refused*/) {}
  // The link has stopped by itself, for good: InvalidArgument (version), PermissionDenied,
  // Unauthenticated. Start tries again.
  virtual void OnEnded(const absl::Status& /*status*/) {}
};

struct LinkOptions {
  OriginId origin;
  // For the hub's log, for example "remora-agent 0.1.0".
  std::string software;
  std::vector<std::string> features;
  // Whether a refused session ends the link. An agent goes on trying, at the longest back-off: the
  // hub's configuration may be mended while it waits, and nobody is there to start it again.
  bool end_when_refused = true;
  // Each record counts as shown when OnRecord returns. False: the application calls MarkShown.
  bool shown_at_once = true;
};

struct LinkCounters {
  uint64_t sessions = 0;
  uint64_t dials = 0;
  uint64_t records_received = 0;
  uint64_t duplicates_dropped = 0;
  // Messages or records that could not be read: each ends the session.
  uint64_t unreadable = 0;
  // Records of a case that is not followed (any more).
  uint64_t not_followed = 0;
  // A complete follow of all lanes whose `seq` was not the next one: there must be none.
  uint64_t sequence_holes = 0;
  uint64_t record_batches_sent = 0;
  uint64_t clock_steps = 0;
};

class ParticipantLink {
 public:
  // All outlive the link.
  ParticipantLink(LinkOptions options, Executor& executor, const Clock& clock, Random& random,
                  Dialer& dialer, LinkObserver& observer);
  // Ends the session; nothing is called any more.
  ~ParticipantLink();

  void Start();
  void Stop();

  // Asks for records, now and in each later session. `follow` as room.proto says; its `cursor` is
  // where the first session starts. InvalidArgument: id 0 or in use, no or a malformed target.
  // AlreadyExists: the case (or the directory) is followed already. ResourceExhausted: kMaxFollows.
  absl::Status AddFollow(const v1::Follow& follow);
  void CancelFollow(uint32_t follow_id);
  // Where this follow is: what a next session would start from. The empty cursor for an unknown
  // one.
  v1::Cursor CursorOf(uint32_t follow_id) const;

  // Publishes from `outbox` in `case_id`, now and in each later session. `theatre` is an agent's
  // claim. AlreadyExists, ResourceExhausted (kMaxOutboxes).
  absl::Status AddOutbox(const CaseId& case_id, const std::string& theatre, Outbox* outbox);
  // Leaves the case; the outbox is not called any more.
  void RemoveOutbox(const CaseId& case_id);
  // An outbox has something new.
  void NotifyPending();

  // Bulk bytes (lanes 2-5) that came in `session` have been shown. Coalesced.
  void MarkShown(uint64_t session, uint64_t bulk_bytes);

  // Answered by OnHistoryPage or OnRefused with its request_id, or not at all when the session
  // ends. InvalidArgument: request_id 0. Unavailable: no live session. ResourceExhausted:
  // kMaxWaitingRequests wait already.
  absl::Status RequestHistory(const v1::HistoryRequest& request);

  LinkState state() const;
  v1::LinkCondition condition() const;
  // Since the last sign of life from the hub; since Start where there was none.
  Duration age() const;
  const ClockModel& clock_model() const;
  const LinkCounters& counters() const;

 private:
  std::unique_ptr<class LinkMachine> machine_;
};

}  // namespace remora
