// A device whose channels all have one rate.
#pragma once

#include <string>

#include "acquisition-agent/sources/source.h"

namespace remora::agent {

// Channels "M0", "M1", ... of 0.1 uV a count.
inline SourceInfo OneRateDevice(int channels, double rate_hz) {
  SourceInfo info;
  RateGroup group{rate_hz, {}};
  for (int i = 0; i < channels; ++i) {
    ChannelInfo channel;
    channel.label = "M" + std::to_string(i);
    channel.uv_per_count = 0.1;
    channel.sample_rate_hz = rate_hz;
    info.channels.push_back(channel);
    group.channels.push_back(i);
  }
  info.rate_groups = {group};
  return info;
}

}  // namespace remora::agent
