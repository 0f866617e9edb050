#pragma once

// One participant's conversation: hello first, then its publishing side (RecordIntake) and its
// following side (FollowDesk). See session.h for how a transport drives it.
//
//   kGreeting --hello is good--> kTalking --End, or the transport goes--> kEnded
//       '--anything else, or kHelloDeadline-------------------------------^
//
// What it writes, first to last: its own control messages, whether a case is recorded, lanes 0-1,
// acknowledgements, directory, heartbeat, everything else (delivery.h).

#include <deque>
#include <memory>
#include <set>
#include <string>

#include "hub/participants/follow_desk.h"
#include "hub/participants/record_intake.h"
#include "hub/participants/session.h"
#include "hub/participants/session_context.h"

namespace remora::hub {

// The host's side of a session.
class SessionKeeper {
 public:
  virtual ~SessionKeeper() = default;
  virtual void OnSessionDirty(class SessionImpl* session) = 0;
  virtual void OnSessionGone(class SessionImpl* session) = 0;
};

class SessionImpl final : public Session, private SessionContext {
 public:
  // All outlive the session.
  SessionImpl(const Identity& identity, Peer* peer, HubServices& services, Journal& journal,
              SessionKeeper& keeper);
  ~SessionImpl() override;

  void OnMessage(absl::string_view up_untrusted) override;
  WriteBatch TakeBatch(size_t max_bytes) override;

  // At the end of a drain: asks the transport to write if something waits.
  void AnnounceWrites();
  // Each kTickInterval: deadlines, heartbeat, what a budget or an interval held back.
  void Tick();

  size_t queued_bytes() const { return desk_ ? desk_->delivery().queued_bytes() : 0; }
  size_t follow_count() const { return desk_ ? desk_->follow_count() : 0; }

 private:
  enum class Stage { kGreeting, kTalking, kEnded };

  void Send(const v1::Down& down) override;
  void Wake() override;
  void TellRecording(const Room& room) override;
  void End(v1::RefusalReason reason, absl::string_view text) override;

  // What the identity may no longer see ends, before anything more is written.
  void EndForbidden();
  void OnSignOfLife();
  // Who is asked answers: it is told lost when it is silent, also where there is enough to write.
  bool IsQuestionDue(DeviceTime now) const;
  void OnRecords(absl::string_view frames_untrusted);
  void OnHello(const v1::Up& up);
  void OnControl(const v1::Up& up);
  void OnClockProbe(const v1::ClockProbe& probe, HubTime received);
  bool HasSomething() const;
  // The next Recording that is due; false: none.
  bool TakeRecording(v1::Down* down);
  // The next message that is this session's own; false: none.
  bool TakeOwn(v1::Down* down);

  Peer* peer_;
  Journal& journal_;
  SessionKeeper& keeper_;
  Stage stage_ = Stage::kGreeting;
  const DeviceTime opened_at_;
  DeviceTime written_at_;
  DeviceTime heard_at_;
  DeviceTime asked_at_;
  bool heartbeat_due_ = false;
  // WantWrite was called, and TakeBatch was not since.
  bool announced_ = false;
  std::deque<SharedBytes> control_;
  // Cases of which it is to be said whether they are recorded.
  std::set<CaseId> recording_due_;
  std::unique_ptr<RecordIntake> intake_;
  std::unique_ptr<FollowDesk> desk_;
};

}  // namespace remora::hub
