#pragma once

// What a process with a real link has, whoever it is: its clock and its port into the network, a
// link while it is up, and the checks of every participant. Sequence-bound to the simulation.

#include <cstdint>
#include <memory>
#include <string>

#include "common/link/participant_link.h"
#include "common/random.h"
#include "tests/simulation/context.h"
#include "tests/simulation/follow_checker.h"
#include "tests/simulation/participant.h"

namespace remora::simulation {

class LinkedProcess : public LinkObserver {
 public:
  struct Plan {
    std::string name;
    LinkPlan link;
    SimulatedClock::Plan clock;
    Speaks speaks = Speaks::kAll;
    uint64_t seed = 0;
    uint64_t id = 0;
  };

  bool is_up() const { return link_ != nullptr; }
  Process& process() { return process_; }
  ClientPort& port() { return port_; }
  ParticipantLink* link() { return link_.get(); }
  LinkWatch& watch() { return watch_; }

  void OnState(LinkState state) override;
  void OnRecordRefused(const v1::RecordRefused& refused) override;
  void OnLinkCondition(v1::LinkCondition condition, Duration previous) override;

 protected:
  // Whoever derives ends the link before its own state goes.
  LinkedProcess(Context& context, const Plan& plan, const std::string& display_name, v1::Role role);

  // Dials when it is started, and not before.
  void MakeLink(LinkOptions options);
  // A follow of this link, and its checker.
  std::unique_ptr<FollowChecker> CheckedFollow(const v1::Follow& follow);
  // That it has joined, in this session.
  void NoteJoined();
  bool is_joined() const { return joined_session_ == link_->counters().sessions; }
  // In words, why it has no session; empty: it has one, or stands still for now.
  std::string LackOfSession() const;
  // Whether it is so because the case was purged.
  bool IsRefusedAsPurged(const v1::Refused& refused, const CaseId& case_id);
  // A record came; false: it is not on record yet.
  bool CheckRecorded(const DeliveredRecord& delivered);

  Context& context_;
  Process process_;
  const std::unique_ptr<Random> random_;
  ClientPort port_;
  OriginId origin_;
  std::unique_ptr<ParticipantLink> link_;
  uint64_t joined_session_ = 0;  // by number
  LinkWatch watch_;
  AckChecker acks_;

 private:
  const std::string name_;
  const bool speaks_all_;
};

}  // namespace remora::simulation
