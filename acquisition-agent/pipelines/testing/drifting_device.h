// A device of one channel at 1 kHz, whose clock drifts against the time that its samples are told
// in. For tests.
#pragma once

#include <cmath>
#include <cstdint>

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

inline constexpr int64_t kDriftingBlockSamples = 37;

inline SourceInfo DriftingDevice() {
  SourceInfo info;
  ChannelInfo channel;
  channel.label = "C3'";
  channel.uv_per_count = 0.1;
  channel.digital_min = -32768;
  channel.digital_max = 32767;
  channel.sample_rate_hz = 1000;
  info.channels = {channel};
  info.rate_groups = {RateGroup{1000, {0}}};
  return info;
}

// Its block number `index`: as long as the others, and contiguous with them.
inline SampleBlock DriftingBlock(int64_t index, double ppm) {
  const auto time_of = [&](int64_t sample) {
    return std::llround(static_cast<double>(sample) * 1e6 * (1 + ppm * 1e-6));
  };
  SampleBlock block;
  block.sample_rate_hz = 1000;
  block.samples_per_channel = kDriftingBlockSamples;
  block.start_time_ns = time_of(kDriftingBlockSamples * index);
  block.end_time_ns = time_of(kDriftingBlockSamples * (index + 1));
  block.samples.assign(static_cast<size_t>(kDriftingBlockSamples), 1);
  return block;
}

}  // namespace remora::agent
