#pragma once

// The alerts of a case as a person's program needs them: which of them call at a place, and what a
// person has had before them. The rule is written at AlertActionKind in alert.proto: a record with
// (episode, priority) beyond those before it is the alert's call (RECOVERED never calls), and an
// action holds for the call that its actor had seen.
//
// Feed it the alerts and actions of a snapshot, then the records that come; each record once or
// more often, those of one lane in `seq` order. Grows with the case's alerts: for commands that
// end, or that watch one case. Thread-compatible value.

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "common/record_codec.h"
#include "remora/v1/record.pb.h"
#include "remora/v1/room.pb.h"

namespace remora::reader {

class AlertView {
 public:
  // The alerts and actions of a state; what cannot be read is left out.
  void Take(const v1::CaseState& state);
  // Any record of the case; others than alerts and actions are ignored.
  void Take(const StampedRecord& stamped, const v1::Record& record);

  // The record that raised the alert of which `key` is a record; nothing for an unknown one.
  std::optional<RecordKey> Raised(const RecordKey& key) const;
  // Of the alert that `raised` raised; it must be known.
  bool IsAcknowledged(const RecordKey& raised, v1::Place place) const;
  bool IsOpen(const RecordKey& raised) const;
  const RecordKey& Call(const RecordKey& raised) const { return alerts_.at(raised).call; }
  // The newest record of the alert: AlertAction.seen of who acts now.
  const RecordKey& Newest(const RecordKey& raised) const { return alerts_.at(raised).newest; }
  // Open and not acknowledged at `place`, in the order raised.
  std::vector<RecordKey> Calling(v1::Place place) const;
  size_t size() const { return alerts_.size(); }

 private:
  struct Action {
    RecordKey key;
    uint64_t seq = 0;
    v1::AlertAction action;
  };
  struct Alert {
    uint64_t raised_seq = 0;
    RecordKey call;
    uint64_t call_seq = 0;
    uint32_t episode = 0;
    v1::AlertPriority priority = v1::ALERT_PRIORITY_UNSPECIFIED;
    RecordKey newest;
    uint64_t newest_seq = 0;
    v1::AlertCondition condition = v1::ALERT_CONDITION_UNSPECIFIED;
  };

  void TakeAlert(const StampedRecord& stamped, const v1::Alert& alert);
  // The actions on the alert that are not undone and hold for its call.
  std::vector<const v1::AlertAction*> Holding(const RecordKey& raised, const Alert& alert) const;

  std::map<RecordKey, Alert> alerts_;                        // by the record that raised it
  std::map<RecordKey, RecordKey> raised_;                    // by any of its records
  std::map<RecordKey, std::map<uint64_t, Action>> actions_;  // by alert, then `seq`
};

}  // namespace remora::reader
