#include "acquisition-agent/app/hub_watch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/limits.h"

namespace remora::agent {
namespace {

// "0:42", "12:05".
std::string Clock(Duration time) {
  const auto seconds = static_cast<int64_t>(time.seconds());
  return absl::StrFormat("%d:%02d", seconds / 60, seconds % 60);
}

}  // namespace

std::string HubWatch::OnCondition(v1::LinkCondition condition, Duration age, DeviceTime now) {
  const std::string number = reader_phone_.empty() ? "" : absl::StrCat(": ", reader_phone_);
  if (condition == v1::LINK_CONDITION_LIVE) {
    if (!away_since_) return "The hub is reached";
    const Duration outage = now - *std::exchange(away_since_, std::nullopt);
    AddOutage(outage);
    return absl::StrCat("The hub is reached again after ", Clock(outage),
                        "; what was kept meanwhile is on its way, the newest first");
  }
  if (!away_since_) away_since_ = now - age;
  switch (condition) {
    case v1::LINK_CONDITION_STALE:
      return "AMBER the reader's feed is delayed: no word from the hub for 2 s";
    case v1::LINK_CONDITION_LOST:
      return absl::StrCat(
          "ALARM the link to the hub is lost (10 s): no remote reader. Alarms and records go on "
          "here. Call the reader",
          number);
    case v1::LINK_CONDITION_UNSUPERVISED:
      return absl::StrCat("ALARM no remote supervision for 60 s: telephone the reader now", number,
                          reader_phone_.empty() ? " (give the number with --reader-phone)" : "",
                          ". Say what you see, and note the call");
    default:
      return "";
  }
}

std::string HubWatch::OnRecording(const v1::Recording& recording) {
  const bool unrecorded = recording.condition() == v1::RECORDING_CONDITION_UNRECORDED;
  recording_told_ = true;
  if (unrecorded == unrecorded_) return "";
  unrecorded_ = unrecorded;
  if (!unrecorded) return "The hub records again; what it missed is offered to it again";
  return absl::StrCat("ALARM the hub cannot record", recording.cause().empty() ? "" : ": ",
                      recording.cause(),
                      ". The reader sees this theatre; the record is kept here meanwhile. What the "
                      "reader says is shown here; its commands wait until the hub records again");
}

std::string HubWatch::OnJoined() {
  return unrecorded_ && !recording_told_ ? OnRecording(v1::Recording()) : "";
}

void HubWatch::WasAway(Duration outage) { AddOutage(outage); }

void HubWatch::AddOutage(Duration outage) {
  if (ended_.size() >= kMaxOutagesKept)
    ended_.erase(std::min_element(ended_.begin(), ended_.end()));
  ended_.push_back(outage);
}

std::optional<Duration> HubWatch::AwayFor(DeviceTime now) const {
  if (!away_since_) return std::nullopt;
  return now - *away_since_;
}

std::optional<Duration> HubWatch::TakeOutage() {
  if (ended_.empty()) return std::nullopt;
  const Duration outage = ended_.front();
  ended_.pop_front();
  return outage;
}

}  // namespace remora::agent
