#pragma once

// Who is in a case, and how the links of its agent and its readers are: what is recorded because
// someone came or went, or because time passed. It decides; the room writes the records.
//
//   presence:  here <-> gone, where gone is said kPresenceGrace after the last session has ended
//   link:      LIVE --2 s--> STALE --10 s--> LOST --60 s--> UNSUPERVISED; any sign of life: LIVE,
//              with how long it was away since the sign of life before that
//
// Links are watched while the case is open. An agent's is from its first arrival on, whether it is
// here or not, and through a restart of the hub. A reader's (common/fold/readers.h) is while a
// session of it answers; a silence that ends before LOST is on record is not said, nor its LIVE.
// Once LOST it is watched until it is back, though the stream is found dead meanwhile: who leaves
// in order does so before.
//
// Sequence-bound to its room.

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "common/fold/case_fold.h"
#include "common/time.h"
#include "remora/v1/case.pb.h"
#include "remora/v1/link.pb.h"

namespace remora::hub {

struct Attendee {
  std::string participant;
  std::string display_name;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  // The session answers when it is asked: of a reader, so that its silence is one of its link.
  bool answers = false;
};

class Attendance {
 public:
  // False: it could not be recorded now, and is to be offered again.
  struct Writer {
    std::function<bool(const v1::Presence&)> presence;
    std::function<bool(const v1::LinkState&)> link_state;
  };

  explicit Attendance(Writer writer) : writer_(std::move(writer)) {}

  // When a room is restored, by both of the hub's clocks, and when its last record was recorded.
  struct RestoreTimes {
    DeviceTime now;
    HubTime hub_now;
    HubTime last_recorded;
  };
  // After a start: who was here, and whose link was watched, when the hub went down. All of them
  // are away until they come back, and their silence goes on: it began when the last thing was
  // known of them.
  void Restore(const CaseFold& fold, const RestoreTimes& times);

  // A session of the participant attends, or attends no more. Calls nest.
  void Arrive(const Attendee& attendee, DeviceTime now);
  // `answers`: as it arrived.
  void Depart(const std::string& participant, bool answers, DeviceTime now);
  // Any message of an agent, or of any session of a reader that is in the case.
  void SignOfLife(const std::string& participant, DeviceTime now);
  // Records what has changed. `watch_links`: the case is open. `head_seq`: what is on disk.
  void Update(DeviceTime now, bool watch_links, uint64_t head_seq);
  // Nobody attends, and what their leaving adds was offered long since.
  bool IsEmpty(DeviceTime now) const;

 private:
  struct Person {
    Attendee who;
    int sessions = 0;
    int answering = 0;  // of them
    DeviceTime departed_at;
    bool said_here = false;
    // Of an agent: it has arrived once.
    bool watched = false;
    DeviceTime last_sign;
    // The last sign of life before the silence that no LIVE has ended on record.
    std::optional<DeviceTime> away_since;
    // The sign of life that ended the silence, or the last of several.
    std::optional<DeviceTime> back_at;
    // The first place that what it made meanwhile can have.
    uint64_t away_first_seq = 0;
    DeviceTime condition_since;
    v1::LinkCondition said_condition = v1::LINK_CONDITION_UNSPECIFIED;
  };
  static bool IsWatched(const Person& person);
  static v1::LinkCondition ConditionOf(const Person& person, DeviceTime now);
  void RestoreLink(const v1::LinkState& state, HubTime recorded_at, const RestoreTimes& times);
  void UpdatePresence(Person* person, DeviceTime now);
  void UpdateLink(Person* person, DeviceTime now);
  void BeginWatch(Person* person, DeviceTime now);
  void Hear(Person* person, DeviceTime now);
  void BeginSilence(Person* person);

  Writer writer_;
  uint64_t head_seq_ = 0;  // as of the last Update
  std::map<std::string, Person> people_;
};

// The condition of a link whose last sign of life is this old.
v1::LinkCondition ConditionAfter(Duration silence);

}  // namespace remora::hub
