#pragma once

// The publish process: an agent a theatre, each with a session of its own, opens its case and sends
// blocks, as fast as the slowest follower lets it or at a rate. Measures how long a block takes
// until it is on disk (the acknowledgement), and what everybody uses.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/mutex.h"
#include "remora/v1/room.pb.h"
#include "tests/bench/load/block_maker.h"
#include "tests/bench/load/control_page.h"
#include "tests/bench/load/latency_histogram.h"
#include "tests/bench/load/load_options.h"
#include "tests/bench/load/session_stream.h"

namespace remora::bench {

// What all agents saw. Thread-safe.
struct PublishTally {
  // Of blocks sent while it was measured: until the hub says that they are on disk.
  LatencyHistogram acknowledgement;
  std::atomic<uint64_t> refused{0};   // records or sessions
  std::atomic<uint64_t> rejoined{0};  // the hub asked to be offered everything again
};

class Agent {
 public:
  Agent(const LoadOptions& options, int topic, const BlockShape& shape, ControlPage* page,
        PublishTally* tally);

  void Start();
  // Its case is open and that is on disk.
  bool open() const { return open_; }
  void SendBlock();
  void SendAlert();
  uint64_t sent() const { return blocks_.last_origin_seq(); }
  uint64_t acknowledged() const { return acknowledged_; }

 private:
  // Blocks on their way whose time of sending is remembered: more than any window.
  static constexpr size_t kRemembered = 65'536;

  void OnDown(absl::string_view bytes);
  void OnAcknowledge(const v1::Acknowledge& acknowledge);

  const LoadOptions& options_;
  const int topic_;
  ControlPage* const page_;
  PublishTally* const tally_;
  BlockMaker blocks_;
  uint64_t alerts_ = 0;
  std::string frame_;
  std::vector<std::atomic<int64_t>> sent_ns_;
  std::atomic<uint64_t> acknowledged_{0};
  std::atomic<bool> open_{false};
  bool joined_ = false;
  SessionStream stream_;
};

// Runs to the end; what was measured goes to standard output as JSON. The exit code.
int Publish(const LoadOptions& options, ControlPage* page);

}  // namespace remora::bench
