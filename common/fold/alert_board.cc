#include "common/fold/alert_board.h"

#include <algorithm>
#include <utility>

#include "common/fold/limits.h"
#include "common/record_codec.h"
#include "common/wire_writer.h"

namespace remora {

size_t AlertBoard::Entry::action_bytes() const {
  size_t total = 0;
  for (const Action& action : actions) total += action.bytes.cost();
  return total;
}

size_t AlertBoard::Entry::bytes() const {
  size_t total = first.bytes.cost() + action_bytes();
  if (called.seq != first.seq) total += called.bytes.cost();
  if (newest.seq != called.seq) total += newest.bytes.cost();
  return total;
}

bool AlertBoard::Entry::Holds(const Action& act) const {
  if (act.seq < call.seq) return false;
  if (!act.action.has_seen()) return true;
  const RecordKey seen = FromProto(act.action.seen());
  return seen.origin != call.key.origin || seen.lane != call.key.lane ||
         seen.origin_seq >= call.key.origin_seq;
}

void AlertBoard::ApplyAlert(const RecordKey& key, const v1::Alert& alert, uint64_t seq,
                            const MadeAt& made, const StampedBytes& bytes) {
  const RecordKey raised = alert.has_raised_by() ? FromProto(alert.raised_by()) : key;
  auto [it, inserted] = alerts_.try_emplace(raised);
  Entry& entry = it->second;
  if (inserted) {
    entry.first = {seq, bytes};
    order_.emplace(seq, raised);
  } else {
    bytes_ -= entry.bytes();
  }
  const bool met = alert.condition() != v1::ALERT_CONDITION_RECOVERED;
  const bool beyond = alert.episode() != entry.call.episode
                          ? alert.episode() > entry.call.episode
                          : alert.priority() > entry.call.priority;
  if (inserted || (met && beyond)) {
    entry.call = {key, seq, made, alert.episode(),
                  met ? alert.priority() : v1::ALERT_PRIORITY_UNSPECIFIED};
    entry.called = {seq, bytes};
  }
  entry.newest = {seq, bytes};
  entry.priority = alert.priority();
  entry.condition = alert.condition();
  entry.summary = alert.summary();
  Derive(&entry);
  bytes_ += entry.bytes();
  MakeRoom();
}

void AlertBoard::ApplyAction(const RecordKey& key, const v1::AlertAction& action, uint64_t seq,
                             const StampedBytes& bytes) {
  auto it = alerts_.find(FromProto(action.alert()));
  if (it == alerts_.end()) return;  // it has left the board
  Entry& entry = it->second;
  bytes_ -= entry.bytes();
  Action& act = entry.actions.emplace_back(Action{key, seq, action, bytes});
  act.action.clear_reason();
  act.action.DiscardUnknownFields();
  // Its own oldest leave first: nobody's actions push another alert out.
  while (entry.actions.size() > kMaxActionsOfAlert ||
         (entry.action_bytes() > kMaxActionBytesOfAlert && entry.actions.size() > 1)) {
    entry.actions.erase(entry.actions.begin());
  }
  Derive(&entry);
  bytes_ += entry.bytes();
  MakeRoom();
}

void AlertBoard::Derive(Entry* entry) {
  std::vector<const Action*> effective;
  for (const Action& act : entry->actions) {
    if (act.action.kind() != v1::ALERT_ACTION_KIND_UNDONE) {
      effective.push_back(&act);
      continue;
    }
    const auto taken_back =
        std::find_if(effective.rbegin(), effective.rend(), [&act](const Action* other) {
          return other->action.actor() == act.action.actor() &&
                 (!act.action.has_undone() || FromProto(act.action.undone()) == other->key);
        });
    if (taken_back != effective.rend()) effective.erase(std::next(taken_back).base());
  }
  entry->acknowledged.fill(false);
  entry->resolved = false;
  for (const Action* act : effective) {
    if (!entry->Holds(*act)) continue;
    const v1::AlertActionKind kind = act->action.kind();
    if (kind == v1::ALERT_ACTION_KIND_RESOLVED || kind == v1::ALERT_ACTION_KIND_DISMISSED) {
      entry->resolved = true;
    }
    const auto place = static_cast<size_t>(act->action.place());
    const bool acknowledges =
        kind >= v1::ALERT_ACTION_KIND_ACKNOWLEDGED && kind <= v1::ALERT_ACTION_KIND_DISMISSED;
    if (acknowledges && place < entry->acknowledged.size()) {
      entry->acknowledged[place] = true;
    }
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

AlertBoard::Counts AlertBoard::Count(const OriginClocks& clocks) const {
  Counts counts;
  const auto consider = [&clocks](const Entry& entry, Worst* worst) {
    if (entry.priority < worst->priority) return;
    *worst = {entry.priority, entry.summary, clocks.HubUnixNs(entry.call.made)};
  };
  for (const auto& [seq, key] : order_) {
    const Entry& entry = alerts_.at(key);
    if (!entry.IsOpen()) continue;
    ++counts.open;
    consider(entry, &counts.worst);
    if (entry.acknowledged[v1::PLACE_READER]) continue;
    ++counts.unacknowledged;
    consider(entry, &counts.calling);
  }
  return counts;
}

bool AlertBoard::IsAcknowledged(const RecordKey& alert, v1::Place place) const {
  auto it = alerts_.find(alert);
  const auto index = static_cast<size_t>(place);
  return it != alerts_.end() && index < it->second.acknowledged.size() &&
         it->second.acknowledged[index];
}

std::optional<AlertBoard::Raised> AlertBoard::FindRaised(absl::string_view criterion_key) const {
  std::optional<Raised> found;
  for (const auto& [key, entry] : alerts_) {
    if (entry.condition == v1::ALERT_CONDITION_RECOVERED) continue;
    if (found && found->seq > entry.first.seq) continue;
    const absl::string_view bytes = entry.first.bytes.view();
    v1::Record record;
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) continue;
    if (record.alert().criterion().key() != criterion_key) continue;
    found = Raised{key, entry.first.seq, record.stamp().recorded_unix_ns()};
  }
  return found;
}

bool AlertBoard::IsOpen(const RecordKey& alert) const {
  auto it = alerts_.find(alert);
  return it != alerts_.end() && it->second.IsOpen();
}

void AlertBoard::AppendTo(uint32_t alerts_field, uint32_t actions_field, std::string* out) const {
  std::map<uint64_t, const StampedBytes*> alerts;
  std::map<uint64_t, const StampedBytes*> actions;
  for (const auto& [key, entry] : alerts_) {
    for (const Kept* kept : {&entry.first, &entry.called, &entry.newest}) {
      alerts.emplace(kept->seq, &kept->bytes);
    }
    for (const Action& act : entry.actions) actions.emplace(act.seq, &act.bytes);
  }
  for (const auto& [seq, bytes] : alerts) AppendBytesField(alerts_field, bytes->view(), out);
  for (const auto& [seq, bytes] : actions) AppendBytesField(actions_field, bytes->view(), out);
}

}  // namespace remora
