// One device as it is heard: what its messages mean one after the other. Finds what was lost, keeps
// its clock, and turns everything into items of a source with the agent's time.
//
//            first Describe            kSettleNs heard
//   kUnknown --------------> kSettling ---------------> kRunning <----.
//                                ^                        |   |       | as before again
//                                '--- another session, ---'   '--> kOther
//                                     its clock stepped       describes other signals
//
// What is lost and how it is told:
//
//   a number missing between two messages   an event with the numbers, the first at once, then at
//                                           most one in kRemarkIntervalNs with their sum
//   samples missing (from their indexes)    a Gap from the end of what came to the start of what
//                                           comes, when the next block of that group is there
//   another session, a clock that stepped   a Gap of each group up to its first block after it
//   a message twice, or of an old session   dropped and counted: nothing is missing. It is no sign
//                                           of life
//   kRestartMessages of them in a row, or   the device counts anew under the same session: as
//   the first number with a Describe        another session, with a remark
//   a block twice                           dropped and counted; many: a remark
//   a message that is against the protocol  refused: it counts as lost, and a remark says what was
//                                           wrong
//
// block_times.h says where blocks lie in time.
//
// Items come in the device's order, with rate groups counted from 0 as the device does, and
// first_sample_index as the device counts: FeedMerge makes them the source's.
//
// Thread-compatible: one sequence. Pure: reads no clock, waits for nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/feed/block_times.h"
#include "acquisition-agent/sources/feed/device_clock.h"
#include "acquisition-agent/sources/feed/message.h"
#include "acquisition-agent/sources/feed/remarks.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::feed {

// What befell a device's messages since it was first heard.
struct DeviceCounts {
  uint64_t messages = 0;
  uint64_t lost = 0;        // numbers that are missing
  uint64_t duplicates = 0;  // a number, or samples, that came before
  uint64_t refused = 0;     // against the protocol
  uint64_t sessions = 0;
  uint64_t clock_steps = 0;
};

class DeviceSession {
 public:
  // `address`: what a person calls it until it has told its name.
  explicit DeviceSession(std::string address) : name_(std::move(address)) {}

  // A message that DecodeMessage let through, and the agent's time of its arrival, which never
  // decreases. What it means is appended to `out`.
  void OnMessage(wire::Envelope envelope, int64_t arrived_ns, std::vector<Item>* out);
  // One that it did not.
  void OnRefused(const absl::Status& why, int64_t arrived_ns, std::vector<Item>* out);

  // What the device was when it was first heard, and has to be again. Nothing before that.
  const std::optional<wire::Describe>& signals() const { return signals_; }
  // It gives what the source can use.
  bool running() const { return state_ == State::kRunning; }
  // It is there, and gives something as soon as its clock is known.
  bool settling() const { return state_ == State::kSettling; }
  // Before this time the device has told all; the agent's. Never after its newest message was sent.
  int64_t told_until_ns() const { return told_until_ns_; }
  // Of what was new.
  std::optional<int64_t> last_arrived_ns() const { return last_arrived_ns_; }
  const DeviceClock& clock() const { return clock_; }
  const DeviceCounts& counts() const { return counts_; }
  const std::string& name() const { return name_; }

 private:
  enum class State { kUnknown, kSettling, kRunning, kOther };

  // A message that came before, by its number.
  struct Dropped {
    uint64_t session_id = 0;
    uint64_t seq = 0;
    int in_a_row = 0;
  };

  void BeginSession(uint64_t session_id, int64_t arrived_ns, absl::string_view why,
                    std::vector<Item>* out);
  // What was learnt of the clock and of what is settling does not hold.
  void LearnAnew(int64_t arrived_ns, absl::string_view why, std::vector<Item>* out);
  // True: the message is new. Counts what is missing before it.
  bool TakeNumber(const wire::Envelope& envelope, int64_t arrived_ns, std::vector<Item>* out);
  // True: so many like it came that the device must have begun anew.
  bool Drop(const wire::Envelope& envelope);
  void TakeClock(const wire::Envelope& envelope, int64_t arrived_ns, std::vector<Item>* out);
  void TakeDescribe(const wire::Describe& describe, int64_t arrived_ns, std::vector<Item>* out);
  // Another device that measures the same, or other firmware.
  void TakeIdentity(const wire::Describe& describe, int64_t arrived_ns, std::vector<Item>* out);
  void TellBound(int64_t arrived_ns, std::vector<Item>* out);
  void Settle(wire::Envelope envelope, int64_t arrived_ns, std::vector<Item>* out);
  void Use(const wire::Envelope& envelope, int64_t arrived_ns, std::vector<Item>* out);
  void UseSamples(const wire::Samples& samples, int64_t sent_ns, int64_t arrived_ns,
                  std::vector<Item>* out);
  void TellLeftOut(BlockTimes::Outcome outcome, int64_t arrived_ns, std::vector<Item>* out);
  void UseHeartbeat(const wire::Heartbeat& heartbeat, int64_t sent_ns, int64_t arrived_ns,
                    std::vector<Item>* out);
  void UseEvent(const wire::Envelope& envelope, int64_t arrived_ns, std::vector<Item>* out);
  // False: it was kept back, for one of its kind was told shortly before.
  bool Remark(RemarkKind kind, absl::string_view text, int64_t arrived_ns, std::vector<Item>* out);
  void TellLost(int64_t arrived_ns, std::vector<Item>* out);

  std::string name_;
  State state_ = State::kUnknown;
  std::optional<wire::Describe> signals_;
  uint64_t session_id_ = 0;
  uint64_t previous_session_id_ = 0;
  uint64_t last_seq_ = 0;
  int64_t last_sent_ns_ = 0;
  std::optional<int64_t> last_arrived_ns_;
  Dropped dropped_;
  int64_t settling_since_ns_ = 0;
  std::deque<wire::Envelope> settling_;
  size_t settling_bytes_ = 0;
  std::vector<BlockTimes> groups_;
  DeviceClock clock_;
  int64_t told_until_ns_ = 0;
  // Until where blocks went: as the device gives it, and as it was handed out.
  std::optional<int64_t> blocks_end_device_ns_;
  int64_t blocks_end_ns_ = 0;
  int repeated_blocks_ = 0;  // in a row
  int64_t told_bound_ns_ = 0;
  uint64_t lost_untold_ = 0;
  std::optional<int64_t> lost_told_ns_;
  Remarks remarks_;
  DeviceCounts counts_;
};

}  // namespace remora::agent::feed
