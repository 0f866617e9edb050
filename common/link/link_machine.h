#pragma once

// The inside of ParticipantLink, in three parts: link_machine.cc (life and timers),
// link_machine_down.cc (what comes), link_machine_up.cc (what goes).

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/link/back_off.h"
#include "common/link/clock_prober.h"
#include "common/link/follow_cursor.h"
#include "common/link/participant_link.h"

namespace remora {

class LinkMachine {
 public:
  LinkMachine(LinkOptions options, Executor& executor, const Clock& clock, Random& random,
              Dialer& dialer, LinkObserver& observer);
  ~LinkMachine();

  void Start();
  void Stop();
  absl::Status AddFollow(const v1::Follow& follow);
  void CancelFollow(uint32_t follow_id);
  v1::Cursor CursorOf(uint32_t follow_id) const;
  absl::Status AddOutbox(const CaseId& case_id, const std::string& theatre, Outbox* outbox);
  void RemoveOutbox(const CaseId& case_id);
  void NotifyPending();
  void MarkShown(uint64_t session, uint64_t bulk_bytes);
  absl::Status RequestHistory(const v1::HistoryRequest& request);

  LinkState state() const { return state_; }
  v1::LinkCondition condition() const { return condition_; }
  Duration age() const { return clock_.Now() - last_sign_; }
  const ClockModel& clock_model() const { return clock_model_; }
  const LinkCounters& counters() const { return counters_; }

 private:
  // One stream and who listens to it. A session that has ended is cut off from the link at once,
  // but destroyed later: its own callback may be what ended it.
  class Session : public Stream::Listener {
   public:
    explicit Session(LinkMachine* machine) : machine_(machine) {}
    void OnMessage(SharedBytes down) override {
      if (machine_ != nullptr) machine_->OnMessage(std::move(down));
    }
    void OnWritable() override {
      if (machine_ != nullptr) machine_->OnWritable();
    }
    void OnClosed(absl::Status status) override {
      if (machine_ != nullptr) machine_->OnClosed(status);
    }
    void CutOff() { machine_ = nullptr; }
    std::unique_ptr<Stream> stream;

   private:
    LinkMachine* machine_;
  };

  struct FollowState {
    v1::Follow follow;  // without its cursor
    FollowCursor cursor;
    bool sent = false;  // in this session
    DeviceTime due{};   // not before, while not sent
    BackOff retry{kFirstRetry, kLongestRetry};
  };

  // kDue: to be asked. kJoined: records go up, also while the hub cannot record. kRefused: for this
  // session. A Joined is taken in each but the last, asked for or not.
  enum class JoinState { kDue, kSent, kJoined, kRefused };
  struct OutboxState {
    CaseId case_id;
    std::string theatre;
    Outbox* outbox;
    JoinState join = JoinState::kDue;
    // When to ask: in kDue, and in kJoined after a record was refused for now.
    std::optional<DeviceTime> join_due = DeviceTime();
    BackOff retry{kFirstRetry, kLongestRetry};
  };

  // Life (link_machine.cc).
  void Dial();
  void OnWritable();
  void OnClosed(const absl::Status& status);
  // Ends the session without a word; the next dial comes after the back-off.
  void Redial(bool slowly = false);
  // Ends the link, or slows it down (LinkOptions::end_when_refused).
  void EndForGood(const absl::Status& status);
  void DropSession();
  void EnterState(LinkState state);
  void UpdateCondition();
  void OnTimer();
  // Posts a wake-up for what is due next; all entries end with it.
  void Reschedule();
  std::optional<DeviceTime> NextDue() const;
  bool IsCurrentSession(uint64_t session) const { return session == session_number_ && session_; }
  FollowState* FindFollow(absl::string_view case_id);

  // What comes (link_machine_down.cc).
  void OnMessage(SharedBytes message);
  void OnRecords(const SharedBytes& message);
  void OnRecord(absl::string_view bytes, const StampedRecord& record, const SharedBytes& message);
  void OnControl(const v1::Down& down);
  // The hub wants to know what was shown.
  void OnAsked(uint32_t question);
  void OnWelcome(const v1::Welcome& welcome);
  void OnRefused(const v1::Refused& refused);
  void OnFollowRefused(const v1::Refused& refused);
  void OnJoinRefused(const v1::Refused& refused);
  void OnSessionRefused(const v1::Refused& refused);
  void OnAcknowledge(const v1::Acknowledge& acknowledge);
  void OnRecordRefused(const v1::RecordRefused& refused);
  void OnSnapshot(const v1::Snapshot& snapshot);
  void OnJoined(const v1::Joined& joined);
  void OnUnreadable();

  // What goes (link_machine_up.cc).
  void Pump();
  // The next message, or nothing.
  std::string NextUp(DeviceTime now);
  bool NextControl(DeviceTime now, v1::Up* up);
  std::string NextRecords();
  OutboxState* FindOutbox(absl::string_view case_id);
  bool IsShownDue(DeviceTime now) const { return ShownDue() && now >= *ShownDue(); }
  std::optional<DeviceTime> ShownDue() const;

  const LinkOptions options_;
  Executor& executor_;
  const Clock& clock_;
  Random& random_;
  Dialer& dialer_;
  LinkObserver& observer_;

  LinkState state_ = LinkState::kStopped;
  std::unique_ptr<Session> session_;
  uint64_t session_number_ = 0;  // of the dial; what DeliveredRecord says
  BackOff back_off_{kFirstBackOff, kLongestBackOff};
  DeviceTime redial_at_;
  DeviceTime dialled_at_;
  DeviceTime live_since_;
  bool hello_sent_ = false;

  v1::LinkCondition condition_ = v1::LINK_CONDITION_UNSPECIFIED;
  DeviceTime condition_since_;
  DeviceTime last_sign_;
  DeviceTime last_write_;

  std::map<uint32_t, FollowState> follows_;
  std::vector<uint32_t> cancels_;  // follows that the hub knows and that are cancelled
  std::vector<OutboxState> outboxes_;
  std::vector<CaseId> leaves_;
  size_t next_outbox_ = 0;
  std::deque<v1::HistoryRequest> history_;
  bool pumping_ = false;

  uint64_t bulk_bytes_ = 0;      // came in this session
  uint64_t shown_bytes_ = 0;     // of these, what was shown
  uint64_t reported_bytes_ = 0;  // of these, what was reported
  // What had come when the hub last asked: to be reported as it is shown.
  uint64_t asked_bytes_ = 0;
  bool answer_due_ = false;
  // The hub's last.
  uint32_t question_ = 0;
  DeviceTime shown_reported_at_;

  uint64_t hub_boot_id_ = 0;
  uint32_t hub_version_ = 0;
  ClockModel clock_model_;
  ClockProber prober_;
  LinkCounters counters_;

  std::optional<DeviceTime> wake_at_;
  // Tasks that were posted hold it weakly: they do nothing once the link is gone.
  std::shared_ptr<LinkMachine*> alive_;
};

}  // namespace remora
