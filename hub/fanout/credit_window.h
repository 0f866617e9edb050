#pragma once

// How many bytes may be on their way to one session: sent, and not yet shown by the follower (of
// what nobody shows, see unreported_bytes.h: not yet come). Lanes 0-1 of live follows do not count.
// What waits here can still be replaced by what is new; what is on its way cannot, and an alert
// queues behind it. So the window follows the link:
//
//   window = delivery rate x (least round trip + slack), from kMinBulkWindowBytes to
//            kMaxBulkWindowBytes;  kFirstBulkWindowBytes until there is a measurement
//
// The rate is the largest of the last kRateSamples: what came to be shown while a batch was on its
// way, over the time from the report before that batch to the report behind it; of batches that
// found the window full, since only those tell what the link carries. The round trip is that of
// questions (Delivery) which found nothing on its way: all others queue behind bulk. The idea is
// BBR's (Cardwell et al. 2016); a link that carries more shows it by itself, since the window is a
// little larger than what the rate needs. Thread-compatible; sequence-bound to its session.

#include <cstddef>
#include <cstdint>
#include <deque>

#include "common/time.h"

namespace remora::hub {

class CreditWindow {
 public:
  // `slack`: what may be on its way beyond a round trip.
  explicit CreditWindow(Duration slack);

  // Whether a record of so many bytes may go behind `taken` others that go with it.
  bool Allows(size_t record_bytes, size_t taken) const;
  size_t window() const { return window_; }
  // What one write should carry: a part of the slack, so that a report comes before all is used.
  size_t write_bytes() const;
  size_t in_flight() const { return static_cast<size_t>(sent_total_ - shown_total_); }

  void OnSent(size_t bytes, DeviceTime now);
  // A report that says less than an earlier one, or more than was sent, is cut to what can be.
  void OnShown(uint64_t bytes_total_untrusted, DeviceTime now);

  // Whether the follower should be asked what it has shown: at first for the round trip, then when
  // three quarters of a small window (a quarter where it was full) were sent since it last spoke or
  // was asked, at times when only one batch is on its way, or when `blocked`: something waits for
  // credit.
  bool IsQuestionDue(bool blocked, DeviceTime now) const;
  void OnAsked(DeviceTime now);

  // Bytes a second; 0: not known yet.
  double rate() const { return rate_; }
  // Samples that were large enough to judge a slow link by.
  size_t judged() const { return judged_; }
  Duration round_trip() const { return round_trip_; }

 private:
  struct Mark {
    uint64_t sent_total = 0;
    // As of the report before it was sent.
    uint64_t shown_total = 0;
    DeviceTime shown_at;
    bool busy = false;
  };
  void AddSample(const Mark& mark, DeviceTime now);
  void AddRoundTrip(Duration round_trip);
  void UpdateWindow();

  const Duration slack_;
  size_t window_;
  uint64_t sent_total_ = 0;
  uint64_t shown_total_ = 0;
  DeviceTime shown_at_;
  // Since something was last on its way.
  bool was_full_ = false;
  // One for each batch on its way; coalesced beyond kMaxMarks.
  std::deque<Mark> marks_;
  std::deque<double> rates_;
  double rate_ = 0;
  size_t judged_ = 0;
  std::deque<Duration> round_trips_;
  Duration round_trip_;
  // A question that found nothing on its way, unanswered.
  bool idle_question_ = false;
  DeviceTime idle_asked_at_;
  uint64_t idle_total_ = 0;
  bool asked_ = false;
  DeviceTime asked_at_;
  uint64_t asked_total_ = 0;
};

}  // namespace remora::hub
