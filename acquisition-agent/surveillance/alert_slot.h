// One alarm condition's place: whether it is on, and which record raised it.
//
//            Show                Show                    Recover
//   (none) -------> RAISED ---------------> UPDATED ----------------> RECOVERED
//                     ^                        ^--- Show, not resolved ---'|
//                     '--------------- Show, resolved by a person ---------'
//
// Thread-compatible; owned by whoever watches the condition.
#pragma once

#include <cstdint>
#include <string>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "common/ids.h"
#include "remora/v1/alert.pb.h"

namespace remora::agent {

class AlertSlot {
 public:
  // The condition holds: raises it, or gives new numbers. Header fields (raised_by, condition,
  // onset, episode) are set here.
  void Show(v1::Alert alert, int64_t onset_ns, int64_t now_ns, RecordSink& sink);
  // It does not hold any more. No-op when it was not on.
  void Recover(v1::Alert alert, int64_t now_ns, RecordSink& sink);
  // After a restart: goes on from this condition's newest alert.
  void Restore(const CasePast::Alert& past);
  // A person resolved or dismissed an alert. If it is this one, and the person had its last call
  // before them, it is closed until it becomes worse, and the next time is a new alert.
  void OnResolved(const v1::AlertAction& action);

  bool is_on() const { return on_; }
  // On, and not closed by a person.
  bool is_open() const { return on_ && !resolved_; }
  const RecordKey& raised_by() const { return raised_by_; }

 private:
  bool on_ = false;
  bool resolved_ = true;
  RecordKey raised_by_;
  RecordKey called_by_;
  int64_t onset_ns_ = 0;
  uint32_t episode_ = 0;
  v1::AlertPriority worst_ = v1::ALERT_PRIORITY_UNSPECIFIED;  // of the episode
};

// Whether the action's actor had the record that called before them. Without a word of what they
// had seen: they had.
bool HadSeen(const v1::AlertAction& action, const RecordKey& called_by);

}  // namespace remora::agent
