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
//   a block twice, or of an old session     dropped and counted: nothing is missing
//   a message that is against the protocol  refused: it counts as lost, and a remark says what was
//                                           wrong
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

#include "acquisition-agent/sources/feed/device_clock.h"
#include "acquisition-agent/sources/feed/message.h"
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
  // Before this time the device has told all; the agent's.
  int64_t told_until_ns() const { return told_until_ns_; }
  std::optional<int64_t> last_arrived_ns() const { return last_arrived_ns_; }
  const DeviceClock& clock() const { return clock_; }
  const DeviceCounts& counts() const { return counts_; }
  const std::string& name() const { return name_; }

 private:
  enum class State { kUnknown, kSettling, kRunning, kOther };

  struct Group {
    // Of the next sample, in this session. Nothing before its first block.
    std::optional<uint64_t> next_index;
    // Where the samples handed out end; nothing before the first. Of any session.
    std::optional<int64_t> end_ns;
    // Handed out times are being drawn back to the device's, which went back.
    bool catching_up = false;
  };

  void BeginSession(uint64_t session_id, int64_t arrived_ns, absl::string_view why);
  // True: the message is new. Counts what is missing before it.
  bool TakeNumber(const wire::Envelope& envelope, std::vector<Item>* out);
  void TakeDescribe(const wire::Describe& describe, int64_t arrived_ns, std::vector<Item>* out);
  void Use(const wire::Envelope& envelope, int64_t arrived_ns, std::vector<Item>* out);
  void UseSamples(const wire::Samples& samples, int64_t sent_ns, int64_t arrived_ns,
                  std::vector<Item>* out);
  void UseEvent(const wire::Envelope& envelope, int64_t arrived_ns, std::vector<Item>* out);
  // The gap, if there is one, between a group's end and a block from start_ns; where the block may
  // begin. Nothing: the block is of no use.
  std::optional<int64_t> Seam(Group* group, double rate_hz, uint64_t first, int64_t start_ns,
                              int64_t end_ns, std::vector<Item>* out);
  void Remark(absl::string_view text, int64_t arrived_ns, std::vector<Item>* out);
  void TellLost(int64_t arrived_ns, std::vector<Item>* out);

  std::string name_;
  State state_ = State::kUnknown;
  std::optional<wire::Describe> signals_;
  uint64_t session_id_ = 0;
  uint64_t previous_session_id_ = 0;
  uint64_t last_seq_ = 0;
  int64_t last_sent_ns_ = 0;
  std::optional<int64_t> last_arrived_ns_;
  int64_t settling_since_ns_ = 0;
  std::deque<wire::Envelope> settling_;
  std::vector<Group> groups_;
  DeviceClock clock_;
  int64_t told_until_ns_ = 0;
  // Why the next gap of each group is there, where it is not a lost block.
  std::string gap_cause_;
  uint64_t lost_untold_ = 0;
  std::optional<int64_t> lost_told_ns_;
  std::optional<int64_t> remarked_ns_;
  DeviceCounts counts_;
};

}  // namespace remora::agent::feed
