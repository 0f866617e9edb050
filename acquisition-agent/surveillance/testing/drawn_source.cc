#include "acquisition-agent/surveillance/testing/drawn_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace remora::agent {

DrawnSource::DrawnSource(Drawing drawing)
    : drawing_(std::move(drawing)), noise_state_(drawing_.seed * 0x9E3779B97F4A7C15ULL + 1) {
  info_.name = "drawn";
  info_.rate_groups.push_back({drawing_.rate_hz, {}});
  for (const std::string& label : drawing_.channels) {
    ChannelInfo channel;
    channel.label = channel.original_label = label;
    channel.unit = "uV";
    channel.sample_rate_hz = drawing_.rate_hz;
    channel.uv_per_count = drawing_.uv_per_count;
    channel.digital_min = -32768;
    channel.digital_max = 32767;
    channel.physical_min = -32768 * drawing_.uv_per_count;
    channel.physical_max = 32767 * drawing_.uv_per_count;
    info_.rate_groups[0].channels.push_back(static_cast<int>(info_.channels.size()));
    info_.channels.push_back(channel);
  }
  std::stable_sort(drawing_.items.begin(), drawing_.items.end(),
                   [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
}

// Sum of 12 uniform numbers: near enough to normal.
double DrawnSource::Noise() {
  double sum = -6;
  for (int i = 0; i < 12; ++i) {
    noise_state_ ^= noise_state_ << 13;
    noise_state_ ^= noise_state_ >> 7;
    noise_state_ ^= noise_state_ << 17;
    sum += static_cast<double>(noise_state_ >> 11) * 0x1p-53;
  }
  return sum;
}

SampleBlock DrawnSource::MakeBlock() {
  SampleBlock block;
  block.sample_rate_hz = drawing_.rate_hz;
  block.first_sample_index = next_sample_;
  const auto count = static_cast<int32_t>(drawing_.rate_hz * drawing_.block_ms / 1000);
  block.samples_per_channel = count;
  const auto time_ns = [&](int64_t sample) {
    return static_cast<int64_t>(static_cast<double>(sample) * 1e9 / drawing_.rate_hz);
  };
  block.start_time_ns = time_ns(next_sample_);
  block.end_time_ns = time_ns(next_sample_ + count);
  for (size_t channel = 0; channel < drawing_.channels.size(); ++channel) {
    for (int32_t i = 0; i < count; ++i) {
      const double time_s = static_cast<double>(next_sample_ + i) / drawing_.rate_hz;
      const double uv =
          drawing_.uv(static_cast<int>(channel), time_s) + drawing_.noise_uv * Noise();
      const double steps = std::clamp(std::round(uv / drawing_.uv_per_count), -32768.0, 32767.0);
      block.samples.push_back(steps * drawing_.uv_per_count);
    }
  }
  return block;
}

absl::StatusOr<Item> DrawnSource::Next() {
  const double at_s = static_cast<double>(next_sample_) / drawing_.rate_hz;
  const auto block_end_ns = static_cast<int64_t>((at_s + drawing_.block_ms / 1000.0) * 1e9);
  if (next_item_ < drawing_.items.size() && DueTimeNs(drawing_.items[next_item_]) < block_end_ns) {
    return drawing_.items[next_item_++];
  }
  if (at_s >= drawing_.seconds) return Item(EndOfSource{});
  SampleBlock block = MakeBlock();
  next_sample_ += block.samples_per_channel;
  return Item(std::move(block));
}

double Biphasic(double since_s, double latency_s, double amplitude_uv) {
  // One period of a sine under a bell: peak, then trough.
  constexpr double kPeriodS = 0.008;
  const double from_middle = since_s - latency_s - kPeriodS / 4;
  if (std::fabs(from_middle) > kPeriodS) return 0;
  const double bell = std::exp(-from_middle * from_middle / (2 * 0.003 * 0.003));
  // The bell takes a little from both peaks.
  constexpr double kPeakOfUnit = 0.8066;
  return -amplitude_uv / 2 / kPeakOfUnit * bell * std::sin(2 * M_PI * from_middle / kPeriodS);
}

}  // namespace remora::agent
