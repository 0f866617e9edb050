#pragma once

// How many bulk bytes may be on their way to one session: sent, and not yet shown by the follower.
// What waits here can still be replaced by what is new; what is on its way cannot, and an alert
// queues behind it. So the window follows the link:
//
//   window = delivery rate x (least round trip + kBulkWindowSlack),
//            from kMinBulkWindowBytes to kBulkWindowBytes
//
// with the rate measured from the follower's own `Shown` reports (the largest of the last
// kRateSamples busy intervals), and the round trip from a batch to the report that covers it, less
// the time that the bytes ahead of it took at that rate (the least of the last kRttSamples). Until
// there is a measurement it is kBulkWindowBytes. The idea is BBR's (Cardwell et al. 2016); a link
// that carries more shows it by itself, since the window is a little larger than what the rate
// needs. Thread-compatible; sequence-bound to its session.

#include <cstddef>
#include <cstdint>
#include <deque>

#include "common/time.h"

namespace remora::hub {

class CreditWindow {
 public:
  // Bytes that may be sent now.
  size_t Available() const {
    const size_t window = Window();
    return in_flight() >= window ? 0 : window - in_flight();
  }
  size_t Window() const;
  size_t in_flight() const { return static_cast<size_t>(sent_total_ - shown_total_); }

  void OnSent(size_t bytes, DeviceTime now);
  // A report that says less than an earlier one, or more than was sent, is cut to what can be.
  void OnShown(uint64_t bytes_total_untrusted, DeviceTime now);

 private:
  struct Mark {
    uint64_t sent_total = 0;
    // On its way when this batch was sent, itself included.
    size_t in_flight = 0;
    DeviceTime at;
  };
  double Rate() const;

  uint64_t sent_total_ = 0;
  uint64_t shown_total_ = 0;
  // One for each batch on its way; coalesced beyond kMaxMarks.
  std::deque<Mark> marks_;
  std::deque<double> rates_bytes_per_second_;
  std::deque<Duration> round_trips_;
  DeviceTime shown_at_;
  bool busy_since_shown_ = false;
};

}  // namespace remora::hub
