// Does a device send what docs/feed-protocol.md asks for? Listens to one device's messages and
// gives a checklist; each line has a figure and, where it fails, what to do.
//
// Pure: messages and their arrival times are handed in. Thread-compatible. Memory: 16 bytes a
// message, for at most kMaxDelays of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/feed/device_clock.h"
#include "acquisition-agent/sources/feed/message.h"

namespace remora::agent::feed {

// Samples and clocks are those of crystals: 100 ppm and a margin.
inline constexpr double kMaxRateErrorPpm = 200;
// Said to be each second; a scheduler's pause and a way's jitter on top.
inline constexpr int64_t kLongestSilenceNs = 1'500'000'000;
// Of stimulators without samples: each 20 ms.
inline constexpr int64_t kLongestStimulatorSilenceNs = 60'000'000;
// What a person sees is late by a block and by the way.
inline constexpr int64_t kLongestGoodBlockNs = 100'000'000;
inline constexpr int64_t kMaxDelayP99Ns = 50'000'000;
// Of a block when it is sent, from its end: half of what others wait for it.
inline constexpr int64_t kMaxBlockAgeNs = 250'000'000;
// Hours of listening; later delays are not counted.
inline constexpr size_t kMaxDelays = 1'000'000;
// What is measured over less says nothing.
inline constexpr int64_t kLeastRateNs = 2'000'000'000;

enum class Verdict { kPass, kFail, kSkip };

struct Finding {
  Verdict verdict = Verdict::kSkip;
  std::string what;    // "sequence dense"
  std::string figure;  // "0 of 512 messages lost"
  std::string advice;  // of a failure or a skip: what to do
};

class ConformanceJudge {
 public:
  // In the order of arrival; `arrived_ns` on the listener's monotonic clock.
  void OnMessage(const std::vector<std::string>& frames, int64_t arrived_ns);

  // Something came that is a feed's message.
  bool heard() const { return messages_ > 0; }
  // Also what came and was none.
  bool anything_came() const { return messages_ + refused_ > 0; }

  // The checklist for what was heard until `now_ns`.
  std::vector<Finding> Judge(int64_t now_ns) const;
  // No line fails.
  static bool Conforms(const std::vector<Finding>& findings);

 private:
  struct Group {
    bool began = false;
    uint64_t first_index = 0;
    int64_t first_ns = 0;
    uint64_t next_index = 0;
    int64_t last_ns = 0;  // of the newest block's first sample
    uint64_t last_index = 0;
    uint64_t blocks = 0;
    uint64_t missing = 0;
    uint64_t repeated = 0;
    int64_t longest_ns = 0;
    int64_t worst_seam_ns = 0;
  };

  void TakeSession(const wire::Envelope& envelope);
  void TakeDescribe(const wire::Describe& describe, int64_t arrived_ns);
  void TakeSamples(const wire::Samples& samples, int64_t sent_ns);
  void TakeTime(int64_t device_ns, int64_t sent_ns, bool is_trigger);
  void TakeHeartbeat(const wire::Heartbeat& heartbeat, int64_t sent_ns, int64_t arrived_ns);

  Finding Decoding() const;
  Finding Description(int64_t now_ns) const;
  Finding Sequence() const;
  Finding ClockForward() const;
  Finding ClockDrift() const;
  Finding Rate(size_t group) const;
  Finding Samples(size_t group) const;
  Finding Blocks() const;
  Finding Ages() const;
  Finding Order() const;
  Finding Triggers() const;
  Finding Heartbeats(int64_t now_ns) const;
  Finding Delays() const;

  uint64_t messages_ = 0;
  uint64_t refused_ = 0;
  std::string first_refusal_;
  uint64_t session_id_ = 0;
  uint64_t sessions_ = 0;
  uint64_t last_seq_ = 0;
  uint64_t lost_ = 0;
  uint64_t repeated_ = 0;
  std::optional<wire::Describe> describe_;
  bool description_changed_ = false;
  int64_t first_arrived_ns_ = 0;
  std::optional<int64_t> described_ns_;
  int64_t longest_without_description_ns_ = 0;
  std::optional<int64_t> heartbeat_ns_;
  int64_t longest_without_heartbeat_ns_ = 0;
  uint64_t heartbeats_ = 0;
  uint64_t wrong_heartbeats_ = 0;
  uint64_t wrong_told_ = 0;  // with a told_until_ns that says nothing
  // From a block's end to when it was sent.
  int64_t least_age_ns_ = INT64_MAX;
  int64_t most_age_ns_ = INT64_MIN;
  uint64_t future_blocks_ = 0;
  int64_t last_sent_ns_ = 0;
  uint64_t clock_back_ = 0;
  std::vector<Group> groups_;
  std::optional<int64_t> told_ns_;  // ends of blocks until here, device time
  uint64_t out_of_order_ = 0;
  uint64_t triggers_ = 0;
  uint64_t wrong_triggers_ = 0;
  DeviceClock clock_;
  std::vector<std::pair<int64_t, int64_t>> ways_;  // sent, arrived
};

}  // namespace remora::agent::feed
