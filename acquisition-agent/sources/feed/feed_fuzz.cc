// libFuzzer target for feeds. Any bytes are messages or an error; what the decoder lets through
// keeps every limit; and what a session and the merge make of any messages keeps the order that
// source.h promises. `feed_fuzz --write-seeds DIR` makes a corpus to begin with, then `feed_fuzz
// DIR`.
//
// Input: messages one after the other, each a byte for its device (the upper two bits) and the time
// since the one before (in 4 ms; 63: a second), two bytes of its length (little-endian), and so
// many bytes of an Envelope.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/sources/feed/device_session.h"
#include "acquisition-agent/sources/feed/feed_merge.h"
#include "acquisition-agent/sources/feed/limits.h"
#include "acquisition-agent/sources/feed/testing/device.h"

namespace remora::agent::feed {
namespace {

constexpr int64_t kStepNs = 4'000'000;
constexpr int64_t kPauseNs = 1'000'000'000;

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "feed_fuzz: %s\n", what);
  std::abort();
}

bool Within(int64_t time_ns) { return time_ns > -kMaxTimeNs && time_ns < kMaxTimeNs; }

// Written anew, not as message.cc checks it.
void RequireLimits(const wire::Envelope& envelope) {
  Require(envelope.session_id() != 0 && envelope.seq() >= 1, "no session or number");
  Require(Within(envelope.sent_ns()), "a time beyond the limit");
  Require(envelope.ByteSizeLong() <= 2 * kMaxMessageBytes, "a message beyond the limit");
  const wire::Describe& describe = envelope.describe();
  Require(describe.channels_size() <= kMaxChannels, "too many channels");
  Require(describe.rate_groups_size() <= kMaxRateGroups, "too many rate groups");
  for (const wire::Channel& channel : describe.channels()) {
    Require(channel.rate_group_index() < static_cast<uint32_t>(describe.rate_groups_size()),
            "a channel without a group");
    Require(std::isfinite(channel.value_per_count()) && channel.value_per_count() != 0,
            "a channel without a scale");
    Require(!channel.label().empty() && channel.label().size() <= kMaxNameBytes, "a label");
    for (const char c : channel.label())
      Require(static_cast<uint8_t>(c) >= 0x20 && c != 0x7F, "a control character");
  }
  for (const wire::RateGroup& group : describe.rate_groups())
    Require(group.sample_rate_hz() > 0 && group.sample_rate_hz() <= kMaxSampleRateHz, "a rate");
  if (envelope.has_samples()) {
    Require(envelope.samples().samples_count() >= 1 &&
                envelope.samples().samples_count() <= kMaxBlockSamples,
            "a block beyond the limit");
  }
  if (envelope.has_trigger()) {
    Require(Within(envelope.trigger().at_ns()), "a stimulus beyond the limit");
    Require(envelope.trigger().pulses_count() <= kMaxPulses, "a train beyond the limit");
    Require(!(envelope.trigger().delivered_ma() < 0), "a negative current");
  }
  if (envelope.has_vital()) Require(std::isfinite(envelope.vital().value()), "a vital sign");
  if (envelope.has_drug()) Require(std::isfinite(envelope.drug().amount()), "an amount");
}

// What comes out of the merge, held against source.h.
constexpr int kGroups = 3 * kMaxRateGroups;

class Order {
 public:
  void Take(const Item& item) {
    if (std::holds_alternative<Gap>(item)) {
      const Gap& gap = std::get<Gap>(item);
      Require(gap.to_ns >= gap.from_ns, "a gap that ends before it begins");
      return;
    }
    Require(DueTimeNs(item) >= told_ns_, "time went back");
    told_ns_ = DueTimeNs(item);
    const auto* block = std::get_if<SampleBlock>(&item);
    if (block == nullptr) return;
    Require(block->rate_group >= 0 && block->rate_group < kGroups, "a group");
    Require(block->samples_per_channel > 0, "an empty block");
    Require(block->samples.size() % static_cast<size_t>(block->samples_per_channel) == 0,
            "a block of another size");
    Require(block->end_time_ns > block->start_time_ns, "a block without a length");
    int64_t& end_ns = end_ns_[block->rate_group];
    Require(block->start_time_ns >= end_ns, "a block inside the one before");
    end_ns = block->end_time_ns;
    int64_t& next = next_[block->rate_group];
    Require(block->first_sample_index == next, "samples are not counted densely");
    next += block->samples_per_channel;
  }

 private:
  int64_t told_ns_ = INT64_MIN;
  int64_t end_ns_[kGroups] = {};
  int64_t next_[kGroups] = {};
};

// Three devices, so that one waits for another, misses it, and takes it back.
constexpr size_t kDevices = 3;

void Run(const uint8_t* bytes, size_t size) {
  std::vector<DeviceSession> sessions;
  std::vector<MergedDevice> merged;
  for (size_t i = 0; i < kDevices; ++i) {
    sessions.emplace_back("fuzz " + std::to_string(i));
    merged.push_back({"fuzz", static_cast<int>(i) * kMaxRateGroups, kMaxRateGroups, i != 2});
  }
  FeedMerge merge(std::move(merged));
  Order order;
  int64_t now_ns = 0;
  while (size >= 3) {
    const size_t index = (bytes[0] >> 6) % kDevices;
    now_ns += (bytes[0] & 0x3F) == 0x3F ? kPauseNs : (bytes[0] & 0x3F) * kStepNs;
    const size_t length = std::min<size_t>(size - 3, bytes[1] | size_t{bytes[2]} << 8);
    const std::string message(reinterpret_cast<const char*>(bytes + 3), length);
    bytes += 3 + length;
    size -= 3 + length;
    std::vector<Item> items;
    DeviceSession& session = sessions[index];
    absl::StatusOr<wire::Envelope> envelope = DecodeMessage({kMagic, message});
    if (envelope.ok()) {
      RequireLimits(*envelope);
      session.OnMessage(*std::move(envelope), now_ns, &items);
    } else {
      session.OnRefused(envelope.status(), now_ns, &items);
    }
    for (Item& item : items) merge.Push(index, std::move(item));
    merge.SetSettling(index, session.settling());
    if (session.running()) merge.ToldUntil(index, session.told_until_ns());
    while (const std::optional<Item> item = merge.Pop(now_ns, true)) {
      Require(!std::holds_alternative<SampleBlock>(*item) || DueTimeNs(*item) <= now_ns,
              "a block of the future");
      order.Take(*item);
    }
    Require(merge.waiting_bytes() <= 2 * kMaxWaitingBytes, "more waits than may");
  }
}

std::string Recording(const std::vector<Sent>& all, const std::vector<size_t>& devices = {}) {
  std::string text;
  int64_t before_ns = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string bytes = all[i].envelope.SerializeAsString();
    const int64_t steps = std::max<int64_t>(0, all[i].true_ns - before_ns) / kStepNs;
    const size_t device = devices.empty() ? 0 : devices[i];
    text.push_back(
        static_cast<char>(device << 6 | static_cast<size_t>(std::min<int64_t>(63, steps))));
    text.push_back(static_cast<char>(bytes.size() & 0xff));
    text.push_back(static_cast<char>(bytes.size() >> 8));
    text += bytes;
    before_ns = all[i].true_ns;
  }
  return text;
}

// Two amplifiers and a monitor; the second amplifier is silent for a while and comes back late.
std::string ThreeDevices(TestDeviceOptions small) {
  std::vector<std::pair<Sent, size_t>> all;
  for (size_t i = 0; i < kDevices; ++i) {
    small.session_id = 10 + i;
    if (i == 2) small.labels.clear();
    TestDevice device(small);
    for (Sent& sent : device.RunUntil(4'000'000'000)) {
      if (i == 1 && sent.true_ns > 1'500'000'000 && sent.true_ns < 2'500'000'000)
        sent.true_ns = 2'500'000'000;
      all.emplace_back(std::move(sent), i);
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.first.true_ns < b.first.true_ns; });
  std::vector<Sent> sent;
  std::vector<size_t> devices;
  for (auto& [message, device] : all) {
    sent.push_back(std::move(message));
    devices.push_back(device);
  }
  return Recording(sent, devices);
}

int WriteSeeds(const std::string& folder) {
  std::vector<std::string> seeds;
  TestDeviceOptions small;
  small.rate_hz = 100;
  small.block_samples = 5;
  small.stimulus_each_ns = 200'000'000;
  TestDevice device(small);
  std::vector<Sent> all = device.RunUntil(1'500'000'000);
  seeds.push_back(Recording(all));
  // A lost block, and the device restarted.
  device.Block(0, 5);
  for (Sent& sent : device.RunUntil(2'000'000'000)) all.push_back(sent);
  small.session_id = 2;
  small.start_ns = 3'000'000'000;
  TestDevice again(small);
  for (Sent& sent : again.RunUntil(4'500'000'000)) all.push_back(sent);
  all.push_back(again.End(4'500'000'000));
  seeds.push_back(Recording(all));
  small.start_ns = 0;
  seeds.push_back(ThreeDevices(small));
  // One message of each kind.
  wire::Envelope body;
  body.mutable_vital()->set_kind(wire::VITAL_KIND_HEART_RATE);
  body.mutable_vital()->set_value(60);
  std::vector<Sent> kinds = {device.Describe(0), device.Send(body, 0)};
  body.mutable_drug()->set_kind(wire::DRUG_KIND_BOLUS);
  body.mutable_drug()->set_drug("rocuronium");
  kinds.push_back(device.Send(body, 0));
  body.mutable_impedance()->set_electrode("C3'");
  kinds.push_back(device.Send(body, 0));
  body.mutable_note()->set_text("incision");
  kinds.push_back(device.Send(body, 0));
  seeds.push_back(Recording(kinds));
  int number = 0;
  for (const std::string& seed : seeds) {
    std::ofstream out(folder + "/seed" + std::to_string(number++), std::ios::binary);
    out.write(seed.data(), static_cast<std::streamsize>(seed.size()));
    if (!out) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace remora::agent::feed

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc == 3 && std::strcmp((*argv)[1], "--write-seeds") == 0)
    std::exit(remora::agent::feed::WriteSeeds((*argv)[2]));
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  remora::agent::feed::Run(bytes, size);
  return 0;
}
