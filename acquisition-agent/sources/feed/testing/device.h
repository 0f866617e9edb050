// A device for tests, without sockets and with a true time: what it sends, and when. Its channels
// carry the true time, so that a test sees how far the source's times are from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "acquisition-agent/sources/feed/message.h"

namespace remora::agent::feed {

// What was handed to ZeroMQ at a moment of the true time.
struct Sent {
  int64_t true_ns = 0;
  wire::Envelope envelope;
};

struct TestDeviceOptions {
  std::string name = "Amp";
  std::string serial = "7";
  std::vector<std::string> labels = {"C3'", "C4'"};
  double rate_hz = 1000;
  int block_samples = 20;
  uint64_t session_id = 0xA1;
  // Its clock: device time at true time 0, and how much faster it is.
  int64_t offset_ns = 5'000'000'000;
  double ppm = 0;
  // A stimulus each so many ns of TRUE time, told before its block; 0: none.
  int64_t stimulus_each_ns = 0;
  // True time of switching on.
  int64_t start_ns = 0;
};

// A channel's count is the true time in steps of 10 us, to 5 hours.
inline constexpr int64_t kTrueStepNs = 10'000;

class TestDevice {
 public:
  explicit TestDevice(TestDeviceOptions options);

  // Everything that it sends until then: Describe and Heartbeat each second, blocks, stimuli.
  std::vector<Sent> RunUntil(int64_t true_ns);

  // One message of its own, with the next number. `body` has everything but session, seq, sent.
  Sent Send(wire::Envelope body, int64_t true_ns);
  Sent Describe(int64_t true_ns);
  Sent Block(int64_t true_ns, int samples);
  Sent Heartbeat(int64_t true_ns);
  // At device time, of true time `at_ns`.
  Sent Trigger(int64_t true_ns, int64_t at_ns, const std::string& label = "MED R");
  Sent End(int64_t true_ns);

  int64_t DeviceNs(int64_t true_ns) const;
  int64_t TrueNs(int64_t device_ns) const;
  // Samples that are taken and never sent.
  void Skip(int samples) { next_index_ += static_cast<uint64_t>(samples); }
  // A message that is lost on its way.
  void LoseOne() { ++seq_; }
  wire::Describe& description() { return describe_; }

 private:
  int64_t IndexDeviceNs(uint64_t index) const;

  TestDeviceOptions options_;
  wire::Describe describe_;
  uint64_t seq_ = 0;
  uint64_t next_index_ = 0;
  int64_t next_second_ns_ = 0;
  int64_t next_stimulus_ns_ = 0;
};

}  // namespace remora::agent::feed
