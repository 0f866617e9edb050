#include "acquisition-agent/app/reader_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/limits.h"
#include "common/fold/readers.h"

namespace remora::agent {
namespace {

// What had passed without a sign of life when the hub said so (docs/freshness.md).
Duration SilenceOf(v1::LinkCondition condition) {
  return Duration::Seconds(condition == v1::LINK_CONDITION_UNSUPERVISED ? 60 : 10);
}

// "14:03:22 UTC".
std::string TimeOfDay(HubTime time) {
  const int64_t s = time.nanoseconds() / 1'000'000'000 % 86'400;
  return absl::StrFormat("%02d:%02d:%02d UTC", s / 3600, s / 60 % 60, s % 60);
}

}  // namespace

void ReaderWatch::OnJoined(DeviceTime now) {
  if (settled_at_) return;
  settled_at_ = now + kReadersSettle;
  told_ = State::kUnknown;
}

ReaderWatch::Reader* ReaderWatch::Find(const std::string& participant) {
  const auto it = readers_.find(participant);
  return it == readers_.end() ? nullptr : &it->second;
}

void ReaderWatch::OnRecord(const v1::Record& record, HubTime recorded_at, bool old,
                           DeviceTime now) {
  if (old && settled_at_) settled_at_ = std::max(*settled_at_, now + kReadersSettle);
  if (record.has_presence() && ReadsCases(record.presence().role())) {
    const v1::Presence& presence = record.presence();
    if (readers_.size() >= kMaxReadersKnown && Find(presence.participant()) == nullptr) {
      const auto gone = std::find_if(readers_.begin(), readers_.end(),
                                     [](const auto& entry) { return !entry.second.here; });
      if (gone == readers_.end()) return;
      readers_.erase(gone);
    }
    Reader& reader = readers_[presence.participant()];
    reader.name = presence.display_name();
    reader.here = presence.change() == v1::PRESENCE_CHANGE_JOINED;
    anybody_ever_ = true;
    if (!reader.here) left_last_ = reader.name;
  }
  if (!record.has_link_state() || record.link_state().own_view()) return;
  const v1::LinkState& link = record.link_state();
  Reader* reader = Find(link.participant());
  if (reader == nullptr) return;
  const bool was_lost = reader->is_lost();
  reader->link = link.condition();
  if (reader->is_lost() && !was_lost) reader->last_sign = recorded_at - SilenceOf(reader->link);
  if (link.outage_ms() > 0) away_ = Duration::FromSeconds(link.outage_ms() / 1000);
}

// One who is stale may be back in a moment. Of those who are lost the last one counts.
ReaderWatch::State ReaderWatch::Judge() const {
  v1::LinkCondition least = v1::LINK_CONDITION_UNSPECIFIED;
  for (const auto& [participant, reader] : readers_) {
    if (reader.link == v1::LINK_CONDITION_STALE || (reader.here && !reader.is_lost())) {
      return State::kRead;
    }
    if (reader.is_lost() && (least == v1::LINK_CONDITION_UNSPECIFIED || reader.link < least)) {
      least = reader.link;
    }
  }
  if (least == v1::LINK_CONDITION_LOST) return State::kLost;
  if (least == v1::LINK_CONDITION_UNSUPERVISED) return State::kUnsupervised;
  return anybody_ever_ ? State::kLeft : State::kNobodyYet;
}

std::string ReaderWatch::NamesOfWhoReads() const {
  std::string names;
  for (const auto& [participant, reader] : readers_) {
    if (reader.link != v1::LINK_CONDITION_STALE && (!reader.here || reader.is_lost())) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", reader.name);
  }
  return names;
}

std::string ReaderWatch::NamesOfLost() const {
  std::string names;
  for (const auto& [participant, reader] : readers_) {
    if (!reader.is_lost()) continue;
    absl::StrAppend(&names, names.empty() ? "the link of " : ", of ", reader.name,
                    names.empty() ? " is lost since " : " since ", TimeOfDay(reader.last_sign));
  }
  return names;
}

std::string ReaderWatch::Tell(DeviceTime now) {
  if (!settled_at_ || now < *settled_at_) return "";
  const State state = Judge();
  const State before = std::exchange(told_, state);
  if (state == before) return "";
  const std::string number = reader_phone_.empty() ? "" : absl::StrCat(": ", reader_phone_);
  switch (state) {
    case State::kNobodyYet:
      return "The hub is reached; nobody is reading this theatre yet";
    case State::kRead: {
      const std::string names = NamesOfWhoReads();
      const auto s = static_cast<int64_t>(away_.seconds());
      if (before != State::kLost && before != State::kUnsupervised) {
        return absl::StrCat("The hub is reached; reading: ", names);
      }
      return absl::StrCat("Reading again: ", names,
                          absl::StrFormat(", after %d:%02d without a reader", s / 60, s % 60));
    }
    case State::kLeft:
      return absl::StrCat("The hub is reached; nobody is reading: ", left_last_,
                          " has gone. If that was not agreed, call the reader", number);
    case State::kLost:
      return absl::StrCat("AMBER nobody is reading: ", NamesOfLost(), ". Call the reader", number);
    case State::kUnsupervised:
      return absl::StrCat("ALARM nobody is reading for 60 s: ", NamesOfLost(),
                          ". Telephone the reader now", number,
                          reader_phone_.empty() ? " (give the number with --reader-phone)" : "",
                          ". Say what you see, and note the call");
    case State::kUnknown:
      break;
  }
  return "";
}

}  // namespace remora::agent
