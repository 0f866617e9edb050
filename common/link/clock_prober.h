#pragma once

// When to send a clock probe, and what its answer says: a burst at the start of a session, then one
// each kProbeInterval. Feeds a ClockModel. Sequence-bound to its link.

#include <cstdint>
#include <map>

#include "common/clock_model.h"
#include "common/link/limits.h"
#include "remora/v1/room.pb.h"

namespace remora {

class ClockProber {
 public:
  // `model` outlives it.
  explicit ClockProber(ClockModel& model) : model_(model) {}

  // A session begins; probes of an earlier one are forgotten.
  void Start(DeviceTime now) {
    outstanding_.clear();
    burst_left_ = kProbeBurst;
    next_due_ = now;
  }
  DeviceTime next_due() const { return next_due_; }

  // The next probe, to be written at once.
  v1::ClockProbe Make(DeviceTime now) {
    // An answer that has not come in so long would say nothing.
    if (outstanding_.size() >= kMaxOutstanding) outstanding_.erase(outstanding_.begin());
    outstanding_[++last_id_] = now;
    burst_left_ = burst_left_ > 0 ? burst_left_ - 1 : 0;
    next_due_ = now + (burst_left_ > 0 ? kProbeBurstInterval : kProbeInterval);
    v1::ClockProbe probe;
    probe.set_probe_id(last_id_);
    probe.set_sent_monotonic_ns(now.nanoseconds());
    return probe;
  }

  // False for an answer to nothing that was asked, or one that cannot be true.
  bool OnReply(const v1::ClockReply& reply, DeviceTime arrived) {
    const auto it = outstanding_.find(reply.probe_id());
    if (it == outstanding_.end() || it->second.nanoseconds() != reply.sent_monotonic_ns()) {
      return false;
    }
    const DeviceTime sent = it->second;
    outstanding_.erase(it);
    return model_.AddProbe({sent, HubTime::FromNanoseconds(reply.received_unix_ns()),
                            HubTime::FromNanoseconds(reply.replied_unix_ns()), arrived}) !=
           ClockModel::Outcome::kImpossible;
  }

 private:
  static constexpr size_t kMaxOutstanding = 8;

  ClockModel& model_;
  std::map<uint32_t, DeviceTime> outstanding_;  // by id: when it was sent
  uint32_t last_id_ = 0;
  int burst_left_ = 0;
  DeviceTime next_due_;
};

}  // namespace remora
