#include "acquisition-agent/sources/feed/testing/device.h"

#include <cmath>
#include <utility>

namespace remora::agent::feed {

TestDevice::TestDevice(TestDeviceOptions options) : options_(std::move(options)) {
  describe_.set_protocol_version(1);
  describe_.set_minimum_version(1);
  describe_.set_device(options_.name);
  describe_.set_serial(options_.serial);
  describe_.set_firmware("1.0");
  if (!options_.labels.empty()) {
    describe_.add_rate_groups()->set_sample_rate_hz(options_.rate_hz);
  }
  for (const std::string& label : options_.labels) {
    wire::Channel& channel = *describe_.add_channels();
    channel.set_label(label);
    channel.set_unit("uV");
    channel.set_value_per_count(1);
    channel.set_lowest_count(-2'000'000'000);
    channel.set_highest_count(2'000'000'000);
  }
  describe_.set_tells_stimuli(options_.stimulus_each_ns > 0);
  next_second_ns_ = options_.start_ns;
  next_stimulus_ns_ = options_.start_ns + options_.stimulus_each_ns;
}

int64_t TestDevice::DeviceNs(int64_t true_ns) const {
  return options_.offset_ns + true_ns +
         std::llround(static_cast<double>(true_ns) * options_.ppm * 1e-6);
}

int64_t TestDevice::TrueNs(int64_t device_ns) const {
  return std::llround(static_cast<double>(device_ns - options_.offset_ns) /
                      (1 + options_.ppm * 1e-6));
}

int64_t TestDevice::IndexDeviceNs(uint64_t index) const {
  return DeviceNs(options_.start_ns) +
         std::llround(static_cast<double>(index) * 1e9 / options_.rate_hz);
}

Sent TestDevice::Send(wire::Envelope body, int64_t true_ns) {
  body.set_session_id(options_.session_id);
  body.set_seq(++seq_);
  body.set_sent_ns(DeviceNs(true_ns));
  return {true_ns, std::move(body)};
}

Sent TestDevice::Describe(int64_t true_ns) {
  wire::Envelope body;
  *body.mutable_describe() = describe_;
  return Send(std::move(body), true_ns);
}

Sent TestDevice::Block(int64_t true_ns, int samples) {
  wire::Envelope body;
  wire::Samples& block = *body.mutable_samples();
  block.set_first_sample_index(next_index_);
  block.set_first_sample_ns(IndexDeviceNs(next_index_));
  block.set_samples_count(static_cast<uint32_t>(samples));
  block.set_format(wire::SAMPLE_FORMAT_INT32);
  for (int i = 0; i < samples; ++i) {
    const auto count = static_cast<uint32_t>(
        TrueNs(IndexDeviceNs(next_index_ + static_cast<uint64_t>(i))) / kTrueStepNs);
    for (size_t k = 0; k < options_.labels.size(); ++k) {
      for (int byte = 0; byte < 4; ++byte)
        block.mutable_packed()->push_back(static_cast<char>(count >> (8 * byte)));
    }
  }
  next_index_ += static_cast<uint64_t>(samples);
  return Send(std::move(body), true_ns);
}

Sent TestDevice::Heartbeat(int64_t true_ns) {
  wire::Envelope body;
  body.mutable_heartbeat();
  if (!options_.labels.empty()) body.mutable_heartbeat()->add_next_sample_index(next_index_);
  body.mutable_heartbeat()->set_told_until_ns(options_.labels.empty() ? DeviceNs(true_ns) : 0);
  return Send(std::move(body), true_ns);
}

Sent TestDevice::Trigger(int64_t true_ns, int64_t at_ns, const std::string& label) {
  wire::Envelope body;
  body.mutable_trigger()->set_at_ns(DeviceNs(at_ns));
  body.mutable_trigger()->set_code(1);
  body.mutable_trigger()->set_label(label);
  return Send(std::move(body), true_ns);
}

Sent TestDevice::End(int64_t true_ns) {
  wire::Envelope body;
  body.mutable_end()->set_reason("switched off");
  return Send(std::move(body), true_ns);
}

std::vector<Sent> TestDevice::RunUntil(int64_t true_ns) {
  std::vector<Sent> sent;
  while (true) {
    // The next block is complete at its end; a device without channels has steps of 20 ms.
    const int64_t step = options_.block_samples;
    const int64_t ready_ns = TrueNs(IndexDeviceNs(next_index_ + static_cast<uint64_t>(step)));
    if (ready_ns > true_ns) return sent;
    if (next_second_ns_ <= ready_ns) {
      sent.push_back(Describe(ready_ns));
      if (!options_.labels.empty()) sent.push_back(Heartbeat(ready_ns));
      next_second_ns_ += 1'000'000'000;
    }
    while (options_.stimulus_each_ns > 0 && next_stimulus_ns_ < ready_ns) {
      sent.push_back(Trigger(ready_ns, next_stimulus_ns_));
      next_stimulus_ns_ += options_.stimulus_each_ns;
    }
    if (options_.labels.empty()) {
      next_index_ += static_cast<uint64_t>(step);
      sent.push_back(Heartbeat(ready_ns));
    } else {
      sent.push_back(Block(ready_ns, options_.block_samples));
    }
  }
}

}  // namespace remora::agent::feed
