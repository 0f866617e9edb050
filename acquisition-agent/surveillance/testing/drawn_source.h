// A source that a test draws: named channels, a voltage as a function of time, stimuli and other
// items at their times. Deterministic from its seed; samples are those of a 16-bit amplifier.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

struct Drawing {
  std::vector<std::string> channels;
  double rate_hz = 5000;
  double seconds = 10;
  int block_ms = 20;
  uint64_t seed = 1;
  double noise_uv = 1;        // rms, white
  double uv_per_count = 0.1;  // a range of 3277 uV
  // Volts of a channel at a time in s, without the noise.
  std::function<double(int channel, double time_s)> uv = [](int, double) { return 0.0; };
  // Anything but blocks; in any order.
  std::vector<Item> items;
};

class DrawnSource : public SignalSource {
 public:
  explicit DrawnSource(Drawing drawing);
  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;

 private:
  double Noise();
  SampleBlock MakeBlock();

  Drawing drawing_;
  SourceInfo info_;
  size_t next_item_ = 0;
  int64_t next_sample_ = 0;
  uint64_t noise_state_;
};

// A biphasic wave of this peak-to-peak amplitude: its first peak at `latency_s`, 4 ms wide.
double Biphasic(double since_s, double latency_s, double amplitude_uv);

}  // namespace remora::agent
