// How the theatre sees the hub: what the console says while the link is away (docs/freshness.md),
// and the record that tells, once it is back, how long it was.
//
//   LIVE --2 s--> STALE --10 s--> LOST --60 s--> UNSUPERVISED; back: LIVE, and one record
//   amber         alarm, tone,    alarm: telephone
//                 call the reader
//
// Decides; whoever owns it speaks and records. No clock of its own. Sequence-bound to its owner's.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "common/time.h"
#include "remora/v1/link.pb.h"
#include "remora/v1/room.pb.h"

namespace remora::agent {

class HubWatch {
 public:
  // `reader_phone` may be empty.
  explicit HubWatch(std::string reader_phone) : reader_phone_(std::move(reader_phone)) {}

  // The link's condition changed; the hub was heard last `age` ago. What to say.
  std::string OnCondition(v1::LinkCondition condition, Duration age, DeviceTime now);
  // The hub cannot record, or records again. Empty: it was known.
  std::string OnRecording(const v1::Recording& recording);
  // A session began; and it was joined. Who is not told in it that nothing is recorded is recorded.
  void OnWelcome() { recording_told_ = false; }
  std::string OnJoined();
  // What the hub says is shown, and not on record.
  bool unrecorded() const { return unrecorded_; }
  // The agent was not there itself for so long, before it was started again.
  void WasAway(Duration outage);

  // How long the hub has not been reached by now. Nothing: it is reached.
  std::optional<Duration> AwayFor(DeviceTime now) const;
  // An outage that has ended and was not taken yet, the oldest first. Nothing: none.
  std::optional<Duration> TakeOutage();

 private:
  void AddOutage(Duration outage);

  const std::string reader_phone_;
  std::optional<DeviceTime> away_since_;
  std::deque<Duration> ended_;
  bool unrecorded_ = false;
  bool recording_told_ = false;  // in this session
};

}  // namespace remora::agent
