#pragma once

// A theatre's agent as a process: the real spool over the fake file system, the real outbox and the
// real link; in place of an analysis it makes records as the workload asks. It can be killed, lose
// its power with what was not synced, be paused, and have its disk fill or fail. What the spool has
// committed is a promise, held against the spool each time it is opened. Sequence-bound to the
// simulation.

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/app/hub_watch.h"
#include "acquisition-agent/spool/case_spool.h"
#include "acquisition-agent/spool/spool_outbox.h"
#include "common/testing/fake_file_system.h"
#include "tests/simulation/linked_process.h"

namespace remora::simulation {

class AgentProcess final : public LinkedProcess {
 public:
  struct Plan : LinkedProcess::Plan {
    std::string theatre;
    CaseId case_id;
    bool follows = false;  // lanes 0-1 of its own case, as the real one does
  };

  AgentProcess(Context& context, Plan plan);
  ~AgentProcess() override;

  void Start();
  // `loses_power`: what was not synced may be lost, and the machine has another boot.
  void Crash(bool loses_power);
  // It ends in order, and does not come back.
  void Retire();
  bool retired() const { return retired_; }
  // It ends in order; Start() brings it back with what its spool holds.
  void Leave();
  // Comes back with a record that the hub has not seen.
  void ComeBackLate(v1::Record body);
  // What the hub said when it took nothing more of the case; empty: it did not.
  const std::string& told_archived() const { return told_archived_; }
  // That what came late is on record, refused, or still in the spool; else what is wrong.
  std::string CheckLate() const;

  // A new record of the theatre; nothing while it is down.
  void Put(v1::Record body);
  // The source is over: from now on it brings the case to its close, through crashes too.
  void Close();
  bool closes() const { return closes_; }
  // The hub refuses to close it again and again: a person has to.
  bool needs_person() const { return close_tries_ >= kCloseTries; }

  // The disk: from now on full, or whole again; one write or sync that fails.
  void FillDisk();
  void FreeDisk();
  void FailDiskOnce(bool at_sync);

  const Plan& plan() const { return plan_; }
  const CaseId& case_id() const { return plan_.case_id; }
  const agent::CaseSpool* spool() const { return spool_.get(); }
  FollowChecker* checker() { return checker_.get(); }
  // In words, what is not as it must be once all is quiet.
  std::string Lack() const;
  // Everything that was promised is on record, refused for good, or given up and said so.
  void CheckEnd();
  // The last record of a lane that the spool promises to keep.
  RecordKey LastKey(uint32_t lane) const;

  void OnRecord(const DeliveredRecord& delivered) override;
  void OnFollowEnded(const v1::FollowEnded& ended) override;
  void OnRefused(const v1::Refused& refused) override;
  void OnJoined(const v1::Joined& joined) override;
  void OnAcknowledged(const v1::Acknowledge& acknowledge) override;
  void OnLinkCondition(v1::LinkCondition condition, Duration previous) override;

 private:
  static constexpr int kCloseTries = 3;

  void OpenSpool();
  void CheckPromises();
  void PutGap(const agent::ShedRange& lost);
  // Numbers of a lane that are not on record, though DataGaps, refusals and records say nothing.
  uint64_t Unexplained(uint32_t lane, const SeqRanges& named) const;
  void ScheduleCommit(Duration delay);
  void Commit();
  void PutShed();
  // What was said of the close is read back from the spool.
  void LookBack();
  void AdvanceClose();
  void PutTotal();
  void PutOutage(Duration outage);
  void Follow();

  const Plan plan_;
  FakeFileSystem files_;
  std::unique_ptr<agent::CaseSpool> spool_;
  std::unique_ptr<agent::SpoolOutbox> outbox_;
  std::unique_ptr<FollowChecker> checker_;
  std::array<uint64_t, kLaneCount> promised_{};
  std::map<std::pair<uint32_t, uint64_t>, uint64_t> made_;  // lane, number: hash of its bytes
  bool commit_posted_ = false;
  bool closes_ = false;
  bool closing_said_ = false;
  uint64_t closed_seq_ = 0;  // of its newest CLOSED, in lane 1
  int close_tries_ = 0;
  std::unique_ptr<agent::HubWatch> hub_watch_;
  bool follows_now_ = false;
  bool retired_ = false;
  std::string told_archived_;
  std::vector<RecordKey> late_;
};

}  // namespace remora::simulation
