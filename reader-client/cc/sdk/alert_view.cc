#include "reader-client/cc/sdk/alert_view.h"

#include <algorithm>
#include <string>
#include <utility>

namespace remora::reader {
namespace {

bool Holds(uint64_t action_seq, const v1::AlertAction& action, uint64_t call_seq,
           const RecordKey& call) {
  if (action_seq < call_seq) return false;
  if (!action.has_seen()) return true;
  const RecordKey seen = FromProto(action.seen());
  return seen.origin != call.origin || seen.lane != call.lane || seen.origin_seq >= call.origin_seq;
}

}  // namespace

void AlertView::Take(const v1::CaseState& state) {
  const auto take = [this](const std::string& bytes) {
    v1::Record record;
    const absl::StatusOr<StampedRecord> stamped = WalkStamped(bytes);
    if (stamped.ok() && record.ParseFromString(bytes)) Take(*stamped, record);
  };
  for (const std::string& bytes : state.alerts()) take(bytes);
  for (const std::string& bytes : state.alert_actions()) take(bytes);
}

void AlertView::Take(const StampedRecord& stamped, const v1::Record& record) {
  if (stamped.stamp.unrecorded) return;
  if (record.has_alert()) return TakeAlert(stamped, record.alert());
  if (!record.has_alert_action()) return;
  const RecordKey alert = FromProto(record.alert_action().alert());
  actions_[alert][stamped.stamp.seq] = {stamped.header.key(), stamped.stamp.seq,
                                        record.alert_action()};
}

void AlertView::TakeAlert(const StampedRecord& stamped, const v1::Alert& proto) {
  const RecordKey key = stamped.header.key();
  const uint64_t seq = stamped.stamp.seq;
  const RecordKey raised = proto.has_raised_by() ? FromProto(proto.raised_by()) : key;
  const auto [it, first] = alerts_.try_emplace(raised);
  Alert& alert = it->second;
  if (!first && seq <= alert.newest_seq) return;  // had already
  raised_[raised] = raised;
  raised_[key] = raised;
  if (first) alert.raised_seq = seq;
  const bool met = proto.condition() != v1::ALERT_CONDITION_RECOVERED;
  const bool beyond =
      std::pair(proto.episode(), proto.priority()) > std::pair(alert.episode, alert.priority);
  if (first || (met && beyond)) {
    alert.call = key;
    alert.call_seq = seq;
    alert.episode = proto.episode();
    alert.priority = met ? proto.priority() : v1::ALERT_PRIORITY_UNSPECIFIED;
  }
  alert.newest = key;
  alert.newest_seq = seq;
  alert.condition = proto.condition();
}

std::vector<const v1::AlertAction*> AlertView::Holding(const RecordKey& raised,
                                                       const Alert& alert) const {
  std::vector<const Action*> standing;
  const auto found = actions_.find(raised);
  if (found == actions_.end()) return {};
  for (const auto& [seq, act] : found->second) {
    if (act.action.kind() != v1::ALERT_ACTION_KIND_UNDONE) {
      standing.push_back(&act);
      continue;
    }
    const v1::AlertAction& undo = act.action;
    const auto undone =
        std::find_if(standing.rbegin(), standing.rend(), [&undo](const Action* other) {
          return other->action.actor() == undo.actor() &&
                 (!undo.has_undone() || FromProto(undo.undone()) == other->key);
        });
    if (undone != standing.rend()) standing.erase(std::next(undone).base());
  }
  std::vector<const v1::AlertAction*> holding;
  for (const Action* act : standing) {
    if (Holds(act->seq, act->action, alert.call_seq, alert.call)) holding.push_back(&act->action);
  }
  return holding;
}

std::optional<RecordKey> AlertView::Raised(const RecordKey& key) const {
  const auto found = raised_.find(key);
  return found == raised_.end() ? std::nullopt : std::optional(found->second);
}

bool AlertView::IsAcknowledged(const RecordKey& raised, v1::Place place) const {
  const auto holding = Holding(raised, alerts_.at(raised));
  return std::any_of(holding.begin(), holding.end(), [place](const v1::AlertAction* action) {
    return action->place() == place && action->kind() >= v1::ALERT_ACTION_KIND_ACKNOWLEDGED;
  });
}

bool AlertView::IsOpen(const RecordKey& raised) const {
  const Alert& alert = alerts_.at(raised);
  for (const v1::AlertAction* action : Holding(raised, alert)) {
    if (action->kind() == v1::ALERT_ACTION_KIND_RESOLVED ||
        action->kind() == v1::ALERT_ACTION_KIND_DISMISSED) {
      return false;
    }
  }
  return alert.condition != v1::ALERT_CONDITION_RECOVERED ||
         !IsAcknowledged(raised, v1::PLACE_READER);
}

std::vector<RecordKey> AlertView::Calling(v1::Place place) const {
  std::map<uint64_t, RecordKey> calling;
  for (const auto& [raised, alert] : alerts_) {
    if (IsOpen(raised) && !IsAcknowledged(raised, place)) calling[alert.raised_seq] = raised;
  }
  std::vector<RecordKey> keys;
  for (const auto& [seq, key] : calling) keys.push_back(key);
  return keys;
}

}  // namespace remora::reader
