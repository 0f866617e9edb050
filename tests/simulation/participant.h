#pragma once

// What is checked of every participant's link: acknowledgements are true, link states are said in
// time, the hub's time lies within its bound. Sequence-bound to the simulation.

#include <array>
#include <map>
#include <optional>
#include <string>

#include "common/limits.h"
#include "common/link/participant_link.h"
#include "common/seq_ranges.h"
#include "remora/v1/room.pb.h"
#include "tests/simulation/context.h"

namespace remora::simulation {

// Of one origin in one case: what is acknowledged is on disk, and what is on disk is not refused.
class AckChecker {
 public:
  AckChecker(Context& context, std::string who) : context_(context), who_(std::move(who)) {}

  void OnHeld(const CaseId& case_id, const OriginId& origin,
              const google::protobuf::RepeatedPtrField<v1::LaneRanges>& held);
  // All that was ever acknowledged is on disk now. In words what is not.
  std::string Lack(const CaseId& case_id, const OriginId& origin) const;
  void Forget() { acknowledged_ = {}; }
  uint64_t count() const;

 private:
  Context& context_;
  const std::string who_;
  std::array<SeqRanges, kLaneCount> acknowledged_;
};

// Link states by local age alone (2, 10, 60 s), and the hub's time.
class LinkWatch {
 public:
  LinkWatch(Context& context, const Process& process) : context_(context), process_(process) {}

  // The process starts; it reads a message.
  void OnStart();
  void OnHeard() { heard_at_ = context_.loop.now(); }
  // Now and then: the condition is that of the age.
  void Check(const ParticipantLink& link);
  void OnCondition(const ParticipantLink& link, v1::LinkCondition condition);
  // What the participant itself says of an outage that has just ended.
  void CheckOutage(Duration told);
  // The hub's clock said so when the participant's own said `at`: its estimate is not wrong by more
  // than its bound.
  void CheckHubTime(const ParticipantLink& link, DeviceTime at, int64_t hub_unix_ns);
  // A record came: it was recorded before now.
  void CheckLatency(const ParticipantLink& link, int64_t recorded_unix_ns);
  const Process& process() const { return process_; }

 private:
  Context& context_;
  const Process& process_;
  // True times of the last sign of life, and of the one before an outage that has begun.
  Duration heard_at_;
  std::optional<Duration> away_from_;
  Duration outage_;  // the last that has ended
};

// A record's bytes as its origin encodes them.
std::string EncodeRecord(const CaseId& case_id, const OriginId& origin, uint64_t origin_seq,
                         const Clock& clock, v1::Record body);

}  // namespace remora::simulation
