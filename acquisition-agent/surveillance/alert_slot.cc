#include "acquisition-agent/surveillance/alert_slot.h"

#include <algorithm>
#include <utility>

#include "common/record_codec.h"

namespace remora::agent {

void AlertSlot::Show(v1::Alert alert, int64_t onset_ns, int64_t now_ns, RecordSink& sink) {
  const bool anew = raised_by_.origin_seq == 0 || (!on_ && resolved_);
  const bool calls = !on_ || alert.priority() > worst_;
  if (anew) {
    episode_ = 0;
  } else if (!on_) {
    ++episode_;
  }
  if (!on_) {
    onset_ns_ = onset_ns;
    worst_ = alert.priority();
  } else if (calls) {
    // It calls again: what a person did was about the lesser one.
    worst_ = alert.priority();
    resolved_ = false;
  }
  on_ = true;
  alert.set_episode(episode_);
  alert.set_onset_monotonic_ns(onset_ns_);
  if (anew) {
    alert.set_condition(v1::ALERT_CONDITION_RAISED);
  } else {
    alert.set_condition(v1::ALERT_CONDITION_UPDATED);
    *alert.mutable_raised_by() = ToProto(raised_by_);
  }
  v1::Record record;
  *record.mutable_alert() = std::move(alert);
  const RecordKey key = sink.Put(&record, now_ns);
  if (calls) called_by_ = key;
  if (anew) {
    raised_by_ = key;
    resolved_ = false;
  }
}

void AlertSlot::Recover(v1::Alert alert, int64_t now_ns, RecordSink& sink) {
  if (!on_) return;
  on_ = false;
  alert.set_condition(v1::ALERT_CONDITION_RECOVERED);
  alert.set_episode(episode_);
  alert.set_onset_monotonic_ns(onset_ns_);
  *alert.mutable_raised_by() = ToProto(raised_by_);
  v1::Record record;
  *record.mutable_alert() = std::move(alert);
  sink.Put(&record, now_ns);
}

void AlertSlot::Restore(const CasePast::Alert& past) {
  const v1::Alert& last = past.last;
  on_ = past.is_on();
  resolved_ = past.closed;
  raised_by_ =
      last.condition() == v1::ALERT_CONDITION_RAISED ? past.key : FromProto(last.raised_by());
  called_by_ = past.called_by;
  onset_ns_ = last.onset_monotonic_ns();
  episode_ = last.episode();
  worst_ = std::max(past.called, last.priority());
}

void AlertSlot::OnResolved(const v1::AlertAction& action) {
  if (FromProto(action.alert()) == raised_by_ && HadSeen(action, called_by_)) resolved_ = true;
}

bool HadSeen(const v1::AlertAction& action, const RecordKey& called_by) {
  if (!action.has_seen()) return true;
  const RecordKey seen = FromProto(action.seen());
  return seen.origin != called_by.origin || seen.lane != called_by.lane ||
         seen.origin_seq >= called_by.origin_seq;
}

}  // namespace remora::agent
