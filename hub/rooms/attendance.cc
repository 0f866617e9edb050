#include "hub/rooms/attendance.h"

#include "hub/rooms/limits.h"

namespace remora::hub {

v1::LinkCondition ConditionAfter(Duration silence) {
  if (silence >= kUnsupervisedAfter) return v1::LINK_CONDITION_UNSUPERVISED;
  if (silence >= kLostAfter) return v1::LINK_CONDITION_LOST;
  if (silence >= kStaleAfter) return v1::LINK_CONDITION_STALE;
  return v1::LINK_CONDITION_LIVE;
}

void Attendance::Restore(const CaseFold& fold, DeviceTime now) {
  for (const v1::ParticipantSummary& summary : fold.Participants()) {
    if (!summary.connected()) continue;
    Person& person = people_[summary.participant()];
    person.who = {summary.participant(), summary.display_name(), summary.role()};
    person.said_here = true;
    person.departed_at = now;
    person.said_condition = fold.LinkOf(summary.participant());
    person.watched = person.said_condition != v1::LINK_CONDITION_UNSPECIFIED;
    person.last_sign = now;
    person.condition_since = now;
  }
}

void Attendance::Arrive(const Attendee& attendee, DeviceTime now) {
  auto it = people_.find(attendee.participant);
  if (it == people_.end()) {
    if (people_.size() >= kMaxParticipants) return;
    it = people_.emplace(attendee.participant, Person()).first;
  }
  Person& person = it->second;
  person.who = attendee;
  ++person.sessions;
  if (attendee.role == v1::ROLE_AGENT) {
    if (!person.watched) person.condition_since = now;
    person.watched = true;
    person.last_sign = now;
  }
}

void Attendance::Depart(const std::string& participant, DeviceTime now) {
  auto it = people_.find(participant);
  if (it == people_.end() || it->second.sessions == 0) return;
  if (--it->second.sessions == 0) it->second.departed_at = now;
}

void Attendance::SignOfLife(const std::string& participant, DeviceTime now) {
  auto it = people_.find(participant);
  if (it != people_.end()) it->second.last_sign = now;
}

void Attendance::Update(DeviceTime now, bool watch_links) {
  for (auto it = people_.begin(); it != people_.end();) {
    Person& person = it->second;
    UpdatePresence(&person, now);
    if (person.watched && watch_links) UpdateLink(&person, now);
    const bool forget =
        person.sessions == 0 && !person.said_here && (!person.watched || !watch_links);
    it = forget ? people_.erase(it) : std::next(it);
  }
}

void Attendance::UpdatePresence(Person* person, DeviceTime now) {
  const bool here = person->sessions > 0 || now - person->departed_at < kPresenceGrace;
  if (here == person->said_here) return;
  v1::Presence presence;
  presence.set_participant(person->who.participant);
  presence.set_display_name(person->who.display_name);
  presence.set_role(person->who.role);
  presence.set_change(here ? v1::PRESENCE_CHANGE_JOINED : v1::PRESENCE_CHANGE_LEFT);
  if (writer_.presence(presence)) person->said_here = here;
}

void Attendance::UpdateLink(Person* person, DeviceTime now) {
  const v1::LinkCondition condition = ConditionAfter(now - person->last_sign);
  if (condition == person->said_condition) return;
  v1::LinkState state;
  state.set_participant(person->who.participant);
  state.set_condition(condition);
  if (person->said_condition != v1::LINK_CONDITION_UNSPECIFIED) {
    state.set_previous_duration_ms((now - person->condition_since).milliseconds());
  }
  if (!writer_.link_state(state)) return;
  person->said_condition = condition;
  person->condition_since = now;
}

}  // namespace remora::hub
