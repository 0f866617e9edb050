// A whole source without sockets: devices with clocks of their own, ways that jitter, an hour of
// simulated time.
#include "acquisition-agent/sources/feed/feed_source.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/feed/testing/fake_transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;

// Items as they come, checked against what source.h promises.
class Checker {
 public:
  explicit Checker(const SourceInfo& info) : groups_(info.rate_groups.size()) {}

  void Take(const Item& item) {
    if (std::holds_alternative<NothingYet>(item)) return;
    if (const auto* gap = std::get_if<Gap>(&item)) {
      gaps.push_back(*gap);
      groups_[static_cast<size_t>(gap->rate_group)].gap_since = true;
      return;
    }
    ASSERT_GE(DueTimeNs(item), told_ns_);
    told_ns_ = DueTimeNs(item);
    if (const auto* trigger = std::get_if<StimulusTrigger>(&item))
      stimuli[trigger->label].push_back(trigger->time_ns);
    if (const auto* event = std::get_if<SourceEvent>(&item)) {
      texts += event->text + "\n";
      remarks += event->is_remark ? 1 : 0;
    }
    if (const auto* block = std::get_if<SampleBlock>(&item)) TakeBlock(*block);
  }

  std::vector<Gap> gaps;
  std::map<std::string, std::vector<int64_t>> stimuli;
  std::string texts;
  int remarks = 0;
  // How far a sample's time was from the true one, at worst; of blocks after `measure_from_ns`.
  int64_t measure_from_ns = 0;
  int64_t worst_ns = 0;
  int64_t blocks = 0;

 private:
  struct Group {
    int64_t next_index = 0;
    int64_t end_ns = INT64_MIN;
    bool gap_since = true;
  };

  void TakeBlock(const SampleBlock& block) {
    ++blocks;
    Group& group = groups_[static_cast<size_t>(block.rate_group)];
    ASSERT_EQ(block.first_sample_index, group.next_index);
    if (!group.gap_since) {
      ASSERT_EQ(block.start_time_ns, group.end_ns);
    }
    ASSERT_GE(block.start_time_ns, group.end_ns);
    group = {block.first_sample_index + block.samples_per_channel, block.end_time_ns, false};
    const int64_t true_ns = static_cast<int64_t>(block.channel(0)[0]) * kTrueStepNs;
    if (block.start_time_ns > measure_from_ns)
      worst_ns = std::max<int64_t>(worst_ns, std::llabs(block.start_time_ns - true_ns));
  }

  std::vector<Group> groups_;
  int64_t told_ns_ = INT64_MIN;
};

class FeedSourceTest : public ::testing::Test {
 protected:
  // Delivers what a device sends in [from, until) seconds, delayed as `jitter` draws.
  void Deliver(size_t index, TestDevice* device, double until_s, Jitter* jitter) {
    for (const Sent& sent : device->RunUntil(static_cast<int64_t>(until_s * 1e9)))
      transport->Deliver(index, sent, jitter->Draw());
  }
  void MakeTransport(size_t devices) {
    clock = std::make_shared<FakeClock>();
    owned = std::make_unique<FakeTransport>(*clock, devices);
    transport = owned.get();
    start = clock->Now();
  }
  absl::Status Open(const FeedOptions& options = {}) {
    absl::StatusOr<std::unique_ptr<FeedSource>> opened =
        FeedSource::Open(std::move(owned), clock, options);
    if (!opened.ok()) return opened.status();
    source = *std::move(opened);
    checker = std::make_unique<Checker>(source->info());
    return absl::OkStatus();
  }
  // Asks each 2 ms, as the agent does, until this time.
  void RunTo(double until_s) {
    while ((clock->Now() - start).seconds() < until_s) {
      const absl::StatusOr<Item> item = source->Next();
      ASSERT_TRUE(item.ok());
      if (std::holds_alternative<NothingYet>(*item)) {
        clock->Advance(Duration::Milliseconds(2));
      } else {
        checker->Take(*item);
      }
      if (HasFatalFailure()) return;
    }
  }

  std::shared_ptr<FakeClock> clock;
  std::unique_ptr<FakeTransport> owned;
  FakeTransport* transport = nullptr;
  DeviceTime start;
  std::unique_ptr<FeedSource> source;
  std::unique_ptr<Checker> checker;
};

TEST_F(FeedSourceTest, IsLiveAndHasTheDevicesChannels) {
  MakeTransport(2);
  Jitter jitter(1, 0.1, 1);
  TestDevice amp({.labels = {"C3'", "TA L"}});
  TestDevice other(
      {.name = "EMG box", .labels = {"TA L", "AH L"}, .rate_hz = 2000, .session_id = 2});
  Deliver(0, &amp, 3, &jitter);
  Deliver(1, &other, 3, &jitter);
  ASSERT_TRUE(Open().ok());
  const SourceInfo& info = source->info();
  EXPECT_TRUE(info.live);
  EXPECT_FALSE(info.duration_ns);
  std::vector<std::string> labels;
  for (const ChannelInfo& channel : info.channels) labels.push_back(channel.label);
  EXPECT_THAT(labels, ElementsAre("C3'", "Amp: TA L", "EMG box: TA L", "AH L"));
  ASSERT_EQ(info.rate_groups.size(), 2u);
  EXPECT_EQ(info.rate_groups[1].sample_rate_hz, 2000);
  EXPECT_THAT(info.rate_groups[1].channels, ElementsAre(2, 3));
  RunTo(3);
  EXPECT_GT(checker->blocks, 200);
  EXPECT_TRUE(std::holds_alternative<NothingYet>(*source->Next()));
}

// The issue's figure: two devices whose clocks drift 50 ppm apart are aligned within 1 ms, after an
// hour and on the way there.
TEST_F(FeedSourceTest, TwoDevicesThatDriftApartStayAlignedForAnHour) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    MakeTransport(2);
    Jitter quick(seed, 0.1, 0.5);
    Jitter slow(seed + 100, 0.3, 4);
    TestDevice amp(
        {.rate_hz = 500, .block_samples = 10, .ppm = 25, .stimulus_each_ns = 10 * kSecond});
    TestDevice other({.name = "Other",
                      .labels = {"EKG"},
                      .rate_hz = 250,
                      .block_samples = 5,
                      .session_id = 2,
                      .offset_ns = -400 * kSecond,
                      .ppm = -25,
                      .stimulus_each_ns = 10 * kSecond});
    Deliver(0, &amp, 3, &quick);
    Deliver(1, &other, 3, &slow);
    ASSERT_TRUE(Open().ok());
    checker->measure_from_ns = 10 * kSecond;
    for (int until_s = 10; until_s <= 3600; until_s += 10) {
      Deliver(0, &amp, until_s, &quick);
      Deliver(1, &other, until_s, &slow);
      RunTo(until_s - 1);
      if (HasFatalFailure()) return;
    }
    EXPECT_LT(checker->worst_ns, 1 * kMs);
    EXPECT_TRUE(checker->gaps.empty());
    EXPECT_EQ(source->late(), 0u);
    // Both told each stimulus; both saw it at the same time.
    const std::vector<int64_t>& times = checker->stimuli["MED R"];
    ASSERT_GT(times.size(), 710u);
    int64_t apart_ns = 0;
    for (size_t i = 2; i + 1 < times.size(); i += 2)
      apart_ns = std::max(apart_ns, times[i + 1] - times[i]);
    EXPECT_LT(apart_ns, 1 * kMs);
    RecordProperty("worst_us", static_cast<int>(checker->worst_ns / 1000));
  }
}

TEST_F(FeedSourceTest, ADeviceThatGoesSilentDoesNotHoldTheOtherAndComesBack) {
  MakeTransport(2);
  Jitter jitter(5, 0.1, 0.5);
  TestDevice amp({});
  TestDevice other({.name = "Other", .labels = {"EKG"}, .session_id = 2});
  Deliver(0, &amp, 20, &jitter);
  Deliver(1, &other, 5, &jitter);
  other.RunUntil(10 * kSecond);  // all lost: the cable was pulled
  Deliver(1, &other, 20, &jitter);
  ASSERT_TRUE(Open().ok());
  RunTo(19);
  ASSERT_EQ(checker->gaps.size(), 1u);
  EXPECT_NEAR(static_cast<double>(checker->gaps[0].from_ns), 5e9, 0.03e9);
  EXPECT_NEAR(static_cast<double>(checker->gaps[0].to_ns), 10e9, 0.06e9);
  EXPECT_THAT(checker->texts, HasSubstr("Other 7: nothing was heard for 2.5 s"));
  EXPECT_THAT(checker->texts, HasSubstr("Other 7: is heard again"));
  // The amplifier's blocks went on meanwhile: 50 a second of each.
  EXPECT_GT(checker->blocks, 18 * 50 + 13 * 50);
}

TEST_F(FeedSourceTest, AKilledAndRestartedDeviceIsAGapOfTheTimeItWasAway) {
  MakeTransport(1);
  Jitter jitter(6, 0.1, 0.5);
  TestDevice first({.session_id = 1});
  Deliver(0, &first, 4, &jitter);
  transport->Notice(0, "the connection was lost", 4 * kSecond);
  TestDevice second({.session_id = 2, .offset_ns = 0, .start_ns = 6 * kSecond});
  Deliver(0, &second, 12, &jitter);
  ASSERT_TRUE(Open().ok());
  RunTo(11);
  ASSERT_EQ(checker->gaps.size(), 1u);
  EXPECT_NEAR(static_cast<double>(checker->gaps[0].from_ns), 4e9, 0.03e9);
  EXPECT_NEAR(static_cast<double>(checker->gaps[0].to_ns), 6e9, 0.03e9);
  EXPECT_THAT(checker->texts, HasSubstr("the connection was lost"));
  EXPECT_LT(checker->worst_ns, 2 * kMs);
}

TEST_F(FeedSourceTest, EverySkippedBlockIsAGapOfItsLength) {
  MakeTransport(1);
  Jitter jitter(7, 0.1, 0.5);
  TestDevice device({});
  int skipped = 0;
  int number = 0;
  for (const Sent& sent : device.RunUntil(20 * kSecond)) {
    if (sent.envelope.has_samples() && sent.true_ns > 3 * kSecond && sent.true_ns < 19 * kSecond &&
        ++number % 10 == 0) {
      ++skipped;
      continue;
    }
    transport->Deliver(0, sent, jitter.Draw());
  }
  ASSERT_TRUE(Open().ok());
  RunTo(20.5);
  ASSERT_EQ(checker->gaps.size(), static_cast<size_t>(skipped));
  for (const Gap& gap : checker->gaps) EXPECT_EQ(gap.to_ns - gap.from_ns, 20 * kMs);
  EXPECT_EQ(source->device(0).counts().lost, static_cast<uint64_t>(skipped));
}

TEST_F(FeedSourceTest, AStimulatorOfItsOwnIsKnownBeforeTheSamplesOfItsTime) {
  MakeTransport(2);
  Jitter jitter(8, 0.2, 1);
  TestDevice amp({});
  TestDevice stimulator(
      {.name = "Stim", .labels = {}, .session_id = 2, .stimulus_each_ns = 333 * kMs});
  Deliver(0, &amp, 20, &jitter);
  Deliver(1, &stimulator, 20, &jitter);
  ASSERT_TRUE(Open().ok());
  RunTo(19);
  EXPECT_EQ(source->late(), 0u);
  EXPECT_GT(checker->stimuli["MED R"].size(), 50u);
  EXPECT_GT(checker->blocks, 900);
}

// Until its clock is known again its samples are kept, and the other waits for them.
TEST_F(FeedSourceTest, ARestartBesideAnotherDeviceLosesNothingOfWhatCameAfterIt) {
  MakeTransport(2);
  Jitter jitter(11, 0.1, 0.5);
  TestDevice amp({});
  TestDevice first({.name = "Other", .labels = {"EKG"}, .session_id = 2});
  Deliver(0, &amp, 20, &jitter);
  Deliver(1, &first, 5, &jitter);
  TestDevice second({.name = "Other",
                     .labels = {"EKG"},
                     .session_id = 3,
                     .offset_ns = 0,
                     .stimulus_each_ns = 100 * kMs,
                     .start_ns = 9 * kSecond});
  // What it described at first holds: it tells no stimuli by that.
  second.description().set_tells_stimuli(false);
  Deliver(1, &second, 20, &jitter);
  ASSERT_TRUE(Open().ok());
  RunTo(19);
  ASSERT_EQ(checker->gaps.size(), 1u);
  EXPECT_NEAR(static_cast<double>(checker->gaps[0].from_ns), 5e9, 0.03e9);
  EXPECT_NEAR(static_cast<double>(checker->gaps[0].to_ns), 9e9, 0.03e9);
  EXPECT_EQ(source->late(), 0u);
  EXPECT_GT(checker->stimuli["MED R"].size(), 95u);
}

TEST_F(FeedSourceTest, SamplesThatAreAlwaysOldAreTold) {
  MakeTransport(2);
  Jitter jitter(12, 0.1, 0.5);
  TestDevice amp({});
  TestDevice other({.name = "Radio", .labels = {"EKG"}, .session_id = 2});
  Deliver(0, &amp, 20, &jitter);
  for (Sent& sent : other.RunUntil(20 * kSecond)) {
    // 600 ms old when it sends them.
    sent.true_ns += 600 * kMs;
    sent.envelope.set_sent_ns(sent.envelope.sent_ns() + 600 * kMs);
    transport->Deliver(1, sent, jitter.Draw());
  }
  ASSERT_TRUE(Open().ok());
  RunTo(19);
  EXPECT_THAT(checker->texts, HasSubstr("Radio 7: its samples come too late to be seen beside"));
  EXPECT_GT(checker->blocks, 850);
}

// The agent stood still, and not all that had arrived could be taken at once.
TEST_F(FeedSourceTest, NobodyIsLateWhileMessagesAreHeldBack) {
  MakeTransport(2);
  Jitter jitter(13, 0.1, 0.5);
  TestDevice amp({});
  TestDevice other({.name = "Other", .labels = {"EKG"}, .session_id = 2});
  Deliver(0, &amp, 10, &jitter);
  Deliver(1, &other, 10, &jitter);
  transport->HoldBack(4 * kSecond, 6 * kSecond);
  ASSERT_TRUE(Open().ok());
  RunTo(9);
  EXPECT_TRUE(checker->gaps.empty());
  EXPECT_EQ(source->late(), 0u);
  EXPECT_GT(checker->blocks, 880);
}

TEST_F(FeedSourceTest, WhatItSaysOfItselfIsMarkedAsARemark) {
  MakeTransport(1);
  Jitter jitter(14, 0.1, 0.5);
  TestDevice device({});
  Deliver(0, &device, 4, &jitter);
  wire::Envelope body;
  body.mutable_note()->set_at_ns(device.DeviceNs(4 * kSecond));
  body.mutable_note()->set_text("MED R electrode replaced");
  transport->Deliver(0, device.Send(body, 4 * kSecond), 0);
  transport->Notice(0, "the connection was lost", 4 * kSecond);
  Deliver(0, &device, 6, &jitter);
  ASSERT_TRUE(Open().ok());
  RunTo(6);
  EXPECT_THAT(checker->texts, HasSubstr("MED R electrode replaced"));
  EXPECT_THAT(checker->texts, HasSubstr("the connection was lost"));
  EXPECT_EQ(checker->remarks, 2);
}

TEST_F(FeedSourceTest, StimuliThatHaveOnlyACodeGetItsName) {
  MakeTransport(1);
  Jitter jitter(16, 0.1, 0.5);
  TestDevice device({});
  Deliver(0, &device, 3, &jitter);
  for (const auto& [code, label] :
       std::map<int32_t, std::string>{{1, ""}, {2, ""}, {3, "own name"}}) {
    Sent sent = device.Trigger(3 * kSecond, 3 * kSecond, label);
    sent.envelope.mutable_trigger()->set_code(code);
    transport->Deliver(0, sent, 0);
  }
  Deliver(0, &device, 5, &jitter);
  FeedOptions options;
  options.code_labels = {{1, "MED R"}, {3, "TIB L"}};
  ASSERT_TRUE(Open(options).ok());
  RunTo(5);
  EXPECT_EQ(checker->stimuli["MED R"].size(), 1u);
  EXPECT_EQ(checker->stimuli[""].size(), 1u);
  EXPECT_EQ(checker->stimuli["own name"].size(), 1u);
}

TEST_F(FeedSourceTest, ADeviceThatOnlyRepeatsItselfIsSilent) {
  MakeTransport(1);
  Jitter jitter(15, 0.1, 0.5);
  TestDevice device({});
  Deliver(0, &device, 4, &jitter);
  const Sent last = device.Block(4 * kSecond, 20);
  for (int i = 0; i < 50; ++i) {
    Sent again = last;
    again.true_ns += i * 100 * kMs;
    transport->Deliver(0, again, 0);
  }
  ASSERT_TRUE(Open().ok());
  RunTo(8);
  EXPECT_THAT(checker->texts, HasSubstr("nothing was heard for 2.5 s"));
  EXPECT_THAT(checker->texts, ::testing::Not(HasSubstr("is heard again")));
}

TEST_F(FeedSourceTest, EndsWhenItWasToldTo) {
  MakeTransport(1);
  Jitter jitter(9, 0.1, 0.5);
  TestDevice device({});
  Deliver(0, &device, 10, &jitter);
  ASSERT_TRUE(Open({.run_for = Duration::Seconds(5)}).ok());
  bool ended = false;
  for (int i = 0; i < 100'000 && !ended; ++i) {
    const absl::StatusOr<Item> item = source->Next();
    ASSERT_TRUE(item.ok());
    ended = std::holds_alternative<EndOfSource>(*item);
    if (std::holds_alternative<NothingYet>(*item)) clock->Advance(Duration::Milliseconds(2));
  }
  EXPECT_TRUE(ended);
  EXPECT_NEAR((clock->Now() - start).seconds(), 5, 0.1);
  EXPECT_TRUE(std::holds_alternative<EndOfSource>(*source->Next()));
}

TEST_F(FeedSourceTest, OpeningWaitsABoundedTimeAndSaysWhatCameInstead) {
  struct Case {
    std::function<void(FakeTransport*)> deliver;
    const char* says;
  };
  const std::vector<Case> cases = {
      {[](FakeTransport*) {}, "fake://0: nothing came"},
      {[](FakeTransport* to) { to->Notice(0, "the device refused this agent's key", kSecond); },
       "nothing came: the device refused this agent's key"},
      {[](FakeTransport* to) { to->DeliverFrames(0, {"hello"}, kSecond); }, "what came is no feed"},
      {[](FakeTransport* to) {
         TestDevice device({});
         for (int i = 0; i < 100; ++i) to->Deliver(0, device.Block(i * 20 * kMs, 20), 0);
       },
       "none that describes the device"},
      {[](FakeTransport* to) { to->Deliver(0, TestDevice({}).Describe(kSecond), 0); },
       "went silent"},
  };
  for (const Case& one : cases) {
    MakeTransport(1);
    one.deliver(transport);
    const absl::Status status = Open({.wait = Duration::Seconds(3)});
    EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << one.says;
    EXPECT_THAT(status.message(), HasSubstr(one.says));
    EXPECT_THAT(status.message(), HasSubstr("feed-check"));
    EXPECT_NEAR((clock->Now() - start).seconds(), 3, 0.2);
  }
}

TEST_F(FeedSourceTest, HostileNonsenseBetweenMessagesIsRemarkedAndPassedOver) {
  MakeTransport(1);
  Jitter jitter(10, 0.1, 0.5);
  TestDevice device({});
  for (const Sent& sent : device.RunUntil(10 * kSecond)) {
    transport->Deliver(0, sent, jitter.Draw());
    transport->DeliverFrames(0, {"remora.feed.1", "\x07\x07nonsense"}, sent.true_ns);
  }
  ASSERT_TRUE(Open().ok());
  RunTo(9);
  EXPECT_TRUE(checker->gaps.empty());
  EXPECT_GT(checker->blocks, 400);
  EXPECT_THAT(checker->texts, HasSubstr("no Protocol Buffers message"));
}

}  // namespace
}  // namespace remora::agent::feed
