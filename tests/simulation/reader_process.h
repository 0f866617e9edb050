#pragma once

// A reader as a process: the real link, follows with their checkers, and an outbox in memory for
// what it says. When it is killed it starts anew, with a new origin and without cursors.
// Sequence-bound to the simulation.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/link/memory_outbox.h"
#include "tests/simulation/linked_process.h"

namespace remora::simulation {

class ReaderProcess final : public LinkedProcess {
 public:
  struct Plan : LinkedProcess::Plan {
    v1::Role role = v1::ROLE_NEUROPHYSIOLOGIST;
    std::vector<v1::Follow> follows;
    bool directory = false;
    // Records count as shown so long after they came; zero: at once.
    Duration screen_delay;
  };

  ReaderProcess(Context& context, Plan plan);
  ~ReaderProcess() override;

  void Start();
  void Crash(bool silently);

  // Says something in the case that it follows first.
  void Publish(v1::Record body);
  // The case that it follows first. Of a technologist.
  void CloseWithGaps();
  CaseId home() const { return CaseId::FromBytes(plan_.follows.front().case_id()); }
  // It ends in order; Start() brings it back.
  void Leave();
  // What the hub said of a follow of a case that it has archived; empty: nothing.
  std::string told_archived(const CaseId& case_id) const;
  bool asks_for(const CaseId& case_id) const;
  // Asks for a part of a case again.
  void AskHistory();

  const Plan& plan() const { return plan_; }
  std::string display_name() const { return "Dr " + plan_.name; }
  // In words, what is not as it must be once all is quiet.
  std::string Lack() const;
  void CheckEnd();

  void OnRecord(const DeliveredRecord& delivered) override;
  void OnSnapshot(const v1::Snapshot& snapshot) override;
  void OnGap(const v1::Gap& gap) override;
  void OnDirectory(const v1::DirectoryUpdate& update) override;
  void OnFollowEnded(const v1::FollowEnded& ended) override;
  void OnHistoryPage(const v1::HistoryPage& page) override;
  void OnHubHeartbeat(const v1::HubHeartbeat& heartbeat) override;
  void OnRecording(const v1::Recording& recording) override;
  void OnRefused(const v1::Refused& refused) override;
  void OnJoined(const v1::Joined& joined) override;
  void OnAcknowledged(const v1::Acknowledge& acknowledge) override;

 private:
  struct History {
    v1::HistoryRequest request;
    uint64_t at_seq = 0;
    uint64_t times_gone_back = 0;
  };

  void AddFollow(const v1::Follow& follow);
  FollowChecker* CheckerOf(uint32_t follow_id);
  std::string LackOfCases() const;
  void CheckHistory(History* history, const v1::HistoryPage& page);

  const Plan plan_;
  std::unique_ptr<MemoryOutbox> outbox_;
  std::map<uint32_t, std::unique_ptr<FollowChecker>> checkers_;
  std::map<uint32_t, History> histories_;
  std::map<std::string, uint64_t> directory_heads_;
  std::map<uint32_t, uint64_t> snapshot_session_;  // its number, by follow
  std::map<uint32_t, std::string> told_archived_;  // by follow
  uint32_t next_request_ = 1;
};

}  // namespace remora::simulation
