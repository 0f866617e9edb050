#include "hub/rooms/alert_board.h"

#include <algorithm>
#include <utility>

#include "common/record_codec.h"
#include "hub/rooms/limits.h"
#include "hub/wire.h"

namespace remora::hub {

size_t AlertBoard::Entry::bytes() const {
  size_t total = first.view().size() + newest.view().size();
  for (const Action& action : actions) total += action.bytes.view().size();
  return total;
}

void AlertBoard::ApplyAlert(const RecordKey& key, const v1::Alert& alert, uint64_t seq,
                            int64_t recorded_unix_ns, const StampedBytes& bytes) {
  const RecordKey raised = alert.has_raised_by() ? FromProto(alert.raised_by()) : key;
  auto [it, inserted] = alerts_.try_emplace(raised);
  Entry& entry = it->second;
  if (inserted) {
    entry.first_seq = seq;
    entry.raised_unix_ns = recorded_unix_ns;
    entry.first = bytes;
    order_.emplace(seq, raised);
  } else {
    bytes_ -= entry.bytes();
    entry.newest = bytes;
  }
  entry.newest_seq = seq;
  entry.priority = alert.priority();
  entry.condition = alert.condition();
  entry.summary = alert.summary();
  bytes_ += entry.bytes();
  MakeRoom();
}

void AlertBoard::ApplyAction(const v1::AlertAction& action, uint64_t seq,
                             const StampedBytes& bytes) {
  auto it = alerts_.find(FromProto(action.alert()));
  if (it == alerts_.end()) return;  // it has left the board
  Entry& entry = it->second;
  bytes_ -= entry.bytes();
  entry.actions.push_back({seq, action.kind(), action.place(), action.actor(), bytes});
  if (entry.actions.size() > kMaxActionsOfAlert) entry.actions.erase(entry.actions.begin());
  Derive(&entry);
  bytes_ += entry.bytes();
  MakeRoom();
}

void AlertBoard::Derive(Entry* entry) {
  std::vector<const Action*> effective;
  for (const Action& action : entry->actions) {
    if (action.kind != v1::ALERT_ACTION_KIND_UNDONE) {
      effective.push_back(&action);
      continue;
    }
    const auto last = std::find_if(effective.rbegin(), effective.rend(), [&](const Action* other) {
      return other->actor == action.actor;
    });
    if (last != effective.rend()) effective.erase(std::next(last).base());
  }
  entry->acknowledged.fill(false);
  entry->resolved = false;
  for (const Action* action : effective) {
    if (action->kind == v1::ALERT_ACTION_KIND_RESOLVED ||
        action->kind == v1::ALERT_ACTION_KIND_DISMISSED) {
      entry->resolved = true;
    }
    const bool beyond_seen = action->kind >= v1::ALERT_ACTION_KIND_ACKNOWLEDGED;
    const auto place = static_cast<size_t>(action->place);
    if (beyond_seen && place < entry->acknowledged.size()) entry->acknowledged[place] = true;
  }
}

void AlertBoard::MakeRoom() {
  while (alerts_.size() > kMaxAlerts || (bytes_ > kMaxAlertBytes && alerts_.size() > 1)) {
    auto leaving = order_.end();
    for (auto it = order_.begin(); it != order_.end(); ++it) {
      const Entry& entry = alerts_.at(it->second);
      if (!entry.IsOpen()) {
        leaving = it;
        break;
      }
      if (leaving == order_.end() || entry.priority < alerts_.at(leaving->second).priority) {
        leaving = it;
      }
    }
    auto entry = alerts_.find(leaving->second);
    bytes_ -= entry->second.bytes();
    alerts_.erase(entry);
    order_.erase(leaving);
  }
}

AlertBoard::Counts AlertBoard::Count() const {
  Counts counts;
  for (const auto& [seq, key] : order_) {
    const Entry& entry = alerts_.at(key);
    if (!entry.IsOpen()) continue;
    ++counts.open;
    if (!entry.acknowledged[v1::PLACE_READER]) ++counts.unacknowledged;
    if (entry.priority >= counts.worst.priority) {
      counts.worst = {entry.priority, entry.summary, entry.raised_unix_ns};
    }
  }
  return counts;
}

bool AlertBoard::IsAcknowledged(const RecordKey& alert, v1::Place place) const {
  auto it = alerts_.find(alert);
  const auto index = static_cast<size_t>(place);
  return it != alerts_.end() && index < it->second.acknowledged.size() &&
         it->second.acknowledged[index];
}

bool AlertBoard::IsOpen(const RecordKey& alert) const {
  auto it = alerts_.find(alert);
  return it != alerts_.end() && it->second.IsOpen();
}

void AlertBoard::AppendTo(uint32_t alerts_field, uint32_t actions_field, std::string* out) const {
  std::map<uint64_t, const StampedBytes*> alerts;
  std::map<uint64_t, const StampedBytes*> actions;
  for (const auto& [key, entry] : alerts_) {
    alerts.emplace(entry.first_seq, &entry.first);
    if (!entry.newest.frame.empty()) alerts.emplace(entry.newest_seq, &entry.newest);
    for (const Action& action : entry.actions) actions.emplace(action.seq, &action.bytes);
  }
  for (const auto& [seq, bytes] : alerts) AppendBytesField(alerts_field, bytes->view(), out);
  for (const auto& [seq, bytes] : actions) AppendBytesField(actions_field, bytes->view(), out);
}

}  // namespace remora::hub
