#include "hub/rooms/attendance.h"

#include <algorithm>

#include "common/fold/readers.h"
#include "hub/rooms/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

v1::LinkCondition ConditionAfter(Duration silence) {
  if (silence >= kUnsupervisedAfter) return v1::LINK_CONDITION_UNSUPERVISED;
  if (silence >= kLostAfter) return v1::LINK_CONDITION_LOST;
  if (silence >= kStaleAfter) return v1::LINK_CONDITION_STALE;
  return v1::LINK_CONDITION_LIVE;
}

namespace {

// The silence that a condition begins with.
Duration SilenceOf(v1::LinkCondition condition) {
  switch (condition) {
    case v1::LINK_CONDITION_UNSUPERVISED:
      return kUnsupervisedAfter;
    case v1::LINK_CONDITION_LOST:
      return kLostAfter;
    case v1::LINK_CONDITION_STALE:
      return kStaleAfter;
    default:
      return Duration();
  }
}

// The shortest silence that is said.
Duration LeastSilence(const Attendee& who) {
  return ReadsCases(who.role) ? kLostAfter : kStaleAfter;
}

}  // namespace

bool Attendance::IsWatched(const Person& person) {
  if (!ReadsCases(person.who.role)) return person.watched;
  return person.answering > 0 || person.said_condition >= v1::LINK_CONDITION_LOST;
}

v1::LinkCondition Attendance::ConditionOf(const Person& person, DeviceTime now) {
  const Duration silence = now - person.last_sign;
  return silence < LeastSilence(person.who) ? v1::LINK_CONDITION_LIVE : ConditionAfter(silence);
}

void Attendance::Restore(const CaseFold& fold, const RestoreTimes& times) {
  for (const v1::ParticipantSummary& summary : fold.Participants()) {
    if (!summary.connected()) continue;
    Person& person = people_[summary.participant()];
    person.who = {summary.participant(), summary.display_name(), summary.role()};
    person.said_here = true;
    person.departed_at = times.now;
  }
  head_seq_ = fold.seq();
  for (const auto& [seq, entry] : fold.link_states().records()) {
    v1::Record record;
    const absl::string_view bytes = entry.bytes.view();
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    RestoreLink(record.link_state(), HubTime::FromNanoseconds(record.stamp().recorded_unix_ns()),
                times);
  }
}

void Attendance::RestoreLink(const v1::LinkState& state, HubTime recorded_at,
                             const RestoreTimes& times) {
  // A reader whose link was not lost is watched again when it is back.
  if (IsOfReadersLink(state) && state.condition() < v1::LINK_CONDITION_LOST) return;
  auto it = people_.find(state.participant());
  if (it == people_.end()) {
    if (people_.size() >= kMaxParticipants) return;
    it = people_.emplace(state.participant(), Person()).first;
    const v1::Role role = IsOfReadersLink(state) ? state.role() : v1::ROLE_AGENT;
    it->second.who = {state.participant(), "", role};
    it->second.departed_at = times.now - kPresenceGrace;
  }
  Person& person = it->second;
  const auto on_device_clock = [&times](HubTime time) {
    return times.now - std::max(times.hub_now - time, Duration());
  };
  person.watched = true;
  person.said_condition = state.condition();
  person.condition_since = on_device_clock(recorded_at);
  // While a link was LIVE, the last record of the case is the last time that the hub knew so.
  person.last_sign = state.condition() == v1::LINK_CONDITION_LIVE
                         ? on_device_clock(std::max(recorded_at, times.last_recorded))
                         : person.condition_since - SilenceOf(state.condition());
  if (state.condition() != v1::LINK_CONDITION_LIVE) BeginSilence(&person);
}

void Attendance::Arrive(const Attendee& attendee, DeviceTime now) {
  auto it = people_.find(attendee.participant);
  if (it == people_.end()) {
    if (people_.size() >= kMaxParticipants) return;
    it = people_.emplace(attendee.participant, Person()).first;
  }
  Person& person = it->second;
  person.who = attendee;
  const bool was_watched = IsWatched(person);
  ++person.sessions;
  if (attendee.answers) ++person.answering;
  if (attendee.role == v1::ROLE_AGENT) person.watched = true;
  if (!IsWatched(person)) return;
  if (!was_watched) BeginWatch(&person, now);
  Hear(&person, now);
}

// That a reader's link is live, its presence says.
void Attendance::BeginWatch(Person* person, DeviceTime now) {
  person->condition_since = person->last_sign = now;
  person->away_since.reset();
  person->back_at.reset();
  if (ReadsCases(person->who.role)) person->said_condition = v1::LINK_CONDITION_LIVE;
}

void Attendance::Depart(const std::string& participant, bool answers, DeviceTime now) {
  auto it = people_.find(participant);
  if (it == people_.end() || it->second.sessions == 0) return;
  if (answers && it->second.answering > 0) --it->second.answering;
  if (--it->second.sessions == 0) it->second.departed_at = now;
}

void Attendance::SignOfLife(const std::string& participant, DeviceTime now) {
  auto it = people_.find(participant);
  if (it != people_.end() && IsWatched(it->second)) Hear(&it->second, now);
}

// A silence of an agent counts though it ends before anybody looked: the hub itself may have been
// away. One of a reader that no LOST was said of ends without a word.
void Attendance::Hear(Person* person, DeviceTime now) {
  const bool silent = now - person->last_sign >= LeastSilence(person->who);
  const bool said = person->said_condition >= v1::LINK_CONDITION_LOST;
  if (silent && !said && ReadsCases(person->who.role)) return BeginWatch(person, now);
  if (!person->away_since && silent) BeginSilence(person);
  if (person->away_since && (silent || !person->back_at)) person->back_at = now;
  person->last_sign = now;
}

void Attendance::BeginSilence(Person* person) {
  person->away_since = person->last_sign;
  person->away_first_seq = head_seq_ + 1;
}

void Attendance::Update(DeviceTime now, bool watch_links, uint64_t head_seq) {
  head_seq_ = head_seq;
  for (auto it = people_.begin(); it != people_.end();) {
    Person& person = it->second;
    UpdatePresence(&person, now);
    const bool watched = IsWatched(person);
    if (watched && watch_links) UpdateLink(&person, now);
    // A reader's LIVE is said only where LOST is known to stand on record.
    const bool owes = watched && (watch_links || ReadsCases(person.who.role));
    const bool forget = person.sessions == 0 && !person.said_here && !owes;
    it = forget ? people_.erase(it) : std::next(it);
  }
}

bool Attendance::IsEmpty(DeviceTime now) const {
  return std::all_of(people_.begin(), people_.end(), [now](const auto& entry) {
    return entry.second.sessions == 0 && now - entry.second.departed_at >= kPresenceGrace * 2;
  });
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
  const v1::LinkCondition condition = ConditionOf(*person, now);
  const bool live = condition == v1::LINK_CONDITION_LIVE;
  if (!live && !person->away_since) BeginSilence(person);
  if (condition == person->said_condition && !(live && person->away_since)) return;
  v1::LinkState state;
  state.set_participant(person->who.participant);
  state.set_condition(condition);
  state.set_role(person->who.role);
  if (person->said_condition != v1::LINK_CONDITION_UNSPECIFIED) {
    state.set_previous_duration_ms((now - person->condition_since).milliseconds());
  }
  if (live && person->away_since) {
    const DeviceTime back_at = person->back_at.value_or(person->last_sign);
    state.set_outage_ms((back_at - *person->away_since).milliseconds());
    state.set_first_seq(person->away_first_seq);
  }
  if (!writer_.link_state(state)) return;
  if (live) {
    person->away_since.reset();
    person->back_at.reset();
  }
  person->said_condition = condition;
  person->condition_since = now;
}

}  // namespace remora::hub
