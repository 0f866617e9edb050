#include "acquisition-agent/surveillance/alert_slot.h"

#include <utility>

#include "common/record_codec.h"

namespace remora::agent {

void AlertSlot::Show(v1::Alert alert, int64_t onset_ns, int64_t now_ns, RecordSink& sink) {
  const bool anew = raised_by_.origin_seq == 0 || (!on_ && resolved_);
  if (anew) {
    episode_ = 0;
  } else if (!on_) {
    ++episode_;
  }
  if (!on_) {
    onset_ns_ = onset_ns;
    worst_ = alert.priority();
  } else if (alert.priority() > worst_) {
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

void AlertSlot::Restore(const v1::Alert& last, const RecordKey& key) {
  on_ = last.condition() != v1::ALERT_CONDITION_RECOVERED;
  resolved_ = false;
  raised_by_ = last.condition() == v1::ALERT_CONDITION_RAISED ? key : FromProto(last.raised_by());
  onset_ns_ = last.onset_monotonic_ns();
  episode_ = last.episode();
  worst_ = last.priority();
}

void AlertSlot::OnResolved(const RecordKey& raised_by) {
  if (raised_by == raised_by_) resolved_ = true;
}

}  // namespace remora::agent
