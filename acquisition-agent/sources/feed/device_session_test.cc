#include "acquisition-agent/sources/feed/device_session.h"

#include <cmath>
#include <cstdlib>
#include <vector>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/feed/limits.h"
#include "acquisition-agent/sources/feed/testing/device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;
constexpr int64_t kDelay = 1 * kMs;

// One device's session, fed by a test device over a way of 1 ms.
class Heard {
 public:
  void Take(const Sent& sent) { session.OnMessage(sent.envelope, sent.true_ns + kDelay, &items); }
  void Take(const std::vector<Sent>& all) {
    for (const Sent& sent : all) Take(sent);
  }
  template <typename T>
  std::vector<T> All() const {
    std::vector<T> found;
    for (const Item& item : items) {
      if (const auto* one = std::get_if<T>(&item)) found.push_back(*one);
    }
    return found;
  }
  std::string Texts() const {
    std::string text;
    for (const SourceEvent& event : All<SourceEvent>()) absl::StrAppend(&text, event.text, "\n");
    return text;
  }
  // Blocks follow each other but for gaps, and their times are right to 0.1 ms.
  void ExpectContiguous() const {
    std::optional<int64_t> end_ns;
    for (const Item& item : items) {
      if (const auto* gap = std::get_if<Gap>(&item)) {
        ASSERT_TRUE(end_ns);
        EXPECT_EQ(gap->from_ns, *end_ns);
        end_ns = gap->to_ns;
      }
      const auto* block = std::get_if<SampleBlock>(&item);
      if (block == nullptr) continue;
      EXPECT_EQ(block->start_time_ns, end_ns.value_or(block->start_time_ns));
      end_ns = block->end_time_ns;
      const double true_ns = block->channel(0)[0] * kTrueStepNs;
      EXPECT_NEAR(static_cast<double>(block->start_time_ns), true_ns + kDelay, 100'000);
    }
  }

  DeviceSession session{"tcp://amp:1"};
  std::vector<Item> items;
};

TEST(DeviceSession, GivesEverySampleAtItsTimeWhenItsClockIsKnown) {
  TestDevice device({.offset_ns = -3 * kSecond, .ppm = 50, .stimulus_each_ns = 250 * kMs});
  Heard heard;
  heard.Take(device.RunUntil(900 * kMs));
  EXPECT_FALSE(heard.session.running());
  EXPECT_TRUE(heard.items.empty());
  heard.Take(device.RunUntil(10 * kSecond));
  EXPECT_TRUE(heard.session.running());
  heard.ExpectContiguous();
  EXPECT_TRUE(heard.All<Gap>().empty());
  const auto blocks = heard.All<SampleBlock>();
  ASSERT_GE(blocks.size(), 499u);
  EXPECT_EQ(blocks[0].first_sample_index, 0);
  const auto triggers = heard.All<StimulusTrigger>();
  ASSERT_GE(triggers.size(), 38u);
  for (size_t i = 0; i < triggers.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(triggers[i].time_ns),
                static_cast<double>((static_cast<int64_t>(i) + 1) * 250 * kMs + kDelay), 100'000);
  }
  EXPECT_EQ(heard.session.name(), "Amp 7");
}

TEST(DeviceSession, LostBlocksAreAGapOfTheirLengthToTheSample) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  // Three blocks of 20 ms.
  for (int i = 0; i < 3; ++i) device.Block(0, 20);
  heard.Take(device.RunUntil(3 * kSecond));
  const auto gaps = heard.All<Gap>();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].to_ns - gaps[0].from_ns, 60 * kMs);
  EXPECT_THAT(gaps[0].cause, HasSubstr("Amp 7: 60 samples of each channel (60.0 ms at 1000 Hz)"));
  EXPECT_EQ(heard.session.counts().lost, 3u);
  EXPECT_THAT(heard.Texts(), HasSubstr("3 messages were lost on the way"));
  heard.ExpectContiguous();
}

TEST(DeviceSession, SamplesThatTheDeviceLeftOutAreAGapWithoutALostMessage) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  device.Skip(7);
  heard.Take(device.RunUntil(3 * kSecond));
  const auto gaps = heard.All<Gap>();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].to_ns - gaps[0].from_ns, 7 * kMs);
  EXPECT_EQ(heard.session.counts().lost, 0u);
}

TEST(DeviceSession, ALostStimulusIsKnownThoughNoSampleIsMissing) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  device.LoseOne();
  heard.Take(device.RunUntil(3 * kSecond));
  EXPECT_TRUE(heard.All<Gap>().empty());
  EXPECT_THAT(heard.Texts(), HasSubstr("1 message was lost on the way; stimuli"));
}

TEST(DeviceSession, ManyLossesAreFewSentencesWithTheirSum) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  for (int i = 0; i < 20; ++i) {
    device.LoseOne();
    heard.Take(device.RunUntil((3 + i) * kSecond));
  }
  EXPECT_EQ(heard.session.counts().lost, 20u);
  EXPECT_LE(heard.All<SourceEvent>().size(), 3u);
  EXPECT_THAT(heard.Texts(), HasSubstr("10 messages were lost"));
}

TEST(DeviceSession, ARestartIsAGapUpToItsFirstSample) {
  TestDevice first({.session_id = 1});
  Heard heard;
  heard.Take(first.RunUntil(3 * kSecond));
  // Another clock, from zero, and other counts.
  TestDevice second({.session_id = 2, .offset_ns = -9 * kSecond, .start_ns = 7 * kSecond});
  heard.Take(second.RunUntil(10 * kSecond));
  const auto gaps = heard.All<Gap>();
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_NEAR(static_cast<double>(gaps[0].from_ns), 3.0 * kSecond, 2.0 * kMs);
  EXPECT_NEAR(static_cast<double>(gaps[0].to_ns), 7.0 * kSecond, 2.0 * kMs);
  EXPECT_THAT(gaps[0].cause, HasSubstr("was restarted"));
  EXPECT_EQ(heard.session.counts().sessions, 2u);
  heard.ExpectContiguous();
}

TEST(DeviceSession, HostileWhatAnOldSessionStillSendsIsDropped) {
  TestDevice first({.session_id = 1});
  Heard heard;
  heard.Take(first.RunUntil(2 * kSecond));
  TestDevice second({.session_id = 2, .start_ns = 3 * kSecond});
  heard.Take(second.RunUntil(5 * kSecond));
  const size_t items = heard.items.size();
  heard.Take(first.Block(5 * kSecond, 20));
  EXPECT_EQ(heard.items.size(), items);
  EXPECT_EQ(heard.session.counts().duplicates, 1u);
}

TEST(DeviceSession, HostileRepeatedMessagesAndSamplesComeOnce) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  const Sent block = device.Block(2 * kSecond, 20);
  heard.Take(block);
  const size_t items = heard.items.size();
  heard.Take(block);
  // The same samples under a new number.
  wire::Envelope again = block.envelope;
  heard.Take(device.Send(again, 2 * kSecond));
  EXPECT_EQ(heard.items.size(), items);
  EXPECT_EQ(heard.session.counts().duplicates, 2u);
  // Half of it new: no honest device does that.
  again.mutable_samples()->set_first_sample_index(block.envelope.samples().first_sample_index() +
                                                  10);
  heard.Take(device.Send(again, 2 * kSecond));
  EXPECT_EQ(heard.session.counts().refused, 1u);
  EXPECT_THAT(heard.Texts(), HasSubstr("sent before"));
}

TEST(DeviceSession, OtherChannelsAreNotUsedUntilTheyAreAsBefore) {
  TestDevice first({.session_id = 1});
  Heard heard;
  heard.Take(first.RunUntil(2 * kSecond));
  TestDevice other({.labels = {"C3'", "Fz"}, .session_id = 2, .start_ns = 3 * kSecond});
  const size_t blocks = heard.All<SampleBlock>().size();
  heard.Take(other.RunUntil(6 * kSecond));
  EXPECT_EQ(heard.All<SampleBlock>().size(), blocks);
  EXPECT_FALSE(heard.session.running());
  EXPECT_THAT(heard.Texts(), HasSubstr("now describes other channels"));
  TestDevice as_before({.session_id = 3, .start_ns = 7 * kSecond});
  heard.Take(as_before.RunUntil(10 * kSecond));
  EXPECT_TRUE(heard.session.running());
  ASSERT_EQ(heard.All<Gap>().size(), 1u);
  heard.ExpectContiguous();
}

TEST(DeviceSession, AClockThatStepsIsAGapAndLearntAnew) {
  for (const int64_t step_ns : {-2 * kSecond, 2 * kSecond}) {
    TestDevice device({});
    Heard heard;
    heard.Take(device.RunUntil(3 * kSecond));
    for (Sent& sent : device.RunUntil(6 * kSecond)) {
      sent.envelope.set_sent_ns(sent.envelope.sent_ns() + step_ns);
      if (sent.envelope.has_samples()) {
        sent.envelope.mutable_samples()->set_first_sample_ns(
            sent.envelope.samples().first_sample_ns() + step_ns);
      }
      heard.Take(sent);
    }
    EXPECT_EQ(heard.session.counts().clock_steps, 1u) << step_ns;
    EXPECT_THAT(heard.Texts(), HasSubstr("its clock has stepped by"));
    const auto gaps = heard.All<Gap>();
    // No sample is missing: at most two clocks of one device differ by what each is uncertain by.
    ASSERT_EQ(gaps.size(), 1u) << step_ns;
    EXPECT_THAT(gaps[0].cause, HasSubstr("has stepped"));
    EXPECT_LT(gaps[0].to_ns - gaps[0].from_ns, 21 * kMs);
    EXPECT_GE(heard.All<SampleBlock>().size(), 298u);
    heard.ExpectContiguous();
  }
}

// A bridge that slept for 30 s: CLOCK_MONOTONIC stands still meanwhile.
TEST(DeviceSession, AClockThatStoodStillIsSeenInSeconds) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(5 * kSecond));
  for (Sent& sent : device.RunUntil(20 * kSecond)) {
    sent.true_ns += 30 * kSecond;
    heard.Take(sent);
  }
  EXPECT_EQ(heard.session.counts().clock_steps, 1u);
  EXPECT_THAT(heard.Texts(), HasSubstr("its clock has stepped by -30"));
  ASSERT_EQ(heard.All<Gap>().size(), 1u);
  EXPECT_GT(heard.All<Gap>()[0].to_ns - heard.All<Gap>()[0].from_ns, 29 * kSecond);
  const SampleBlock last = heard.All<SampleBlock>().back();
  EXPECT_NEAR(static_cast<double>(last.end_time_ns), 50e9, 20e6);
}

TEST(DeviceSession, SentTimesThatCrossEachOtherAreARemarkAndNoStep) {
  TestDevice device({});
  Heard heard;
  int number = 0;
  for (Sent& sent : device.RunUntil(30 * kSecond)) {
    // Two threads of a bridge: once a second one is overtaken.
    if (++number % 50 == 0) sent.envelope.set_sent_ns(sent.envelope.sent_ns() - 25 * kMs);
    heard.Take(sent);
  }
  EXPECT_TRUE(heard.session.running());
  EXPECT_EQ(heard.session.counts().clock_steps, 0u);
  EXPECT_TRUE(heard.All<Gap>().empty());
  EXPECT_GT(heard.All<SampleBlock>().size(), 1'490u);
  EXPECT_THAT(heard.Texts(), HasSubstr("sent_ns went back by"));
  // Each 10 s, and as often that a block ended after it was sent.
  EXPECT_EQ(heard.All<SourceEvent>().size(), 6u);
}

// Each kind of remark has a place of its own, and what was kept back is counted.
TEST(DeviceSession, OneKindOfRemarkDoesNotHideAnother) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  for (int i = 0; i < 7; ++i)
    heard.session.OnRefused(absl::InvalidArgumentError("no message"), 2 * kSecond, &heard.items);
  Sent crossed = device.Heartbeat(2 * kSecond);
  crossed.envelope.set_sent_ns(crossed.envelope.sent_ns() - kMs);
  heard.Take(crossed);
  EXPECT_THAT(heard.Texts(), HasSubstr("no message"));
  EXPECT_THAT(heard.Texts(), HasSubstr("sent_ns went back"));
  heard.session.OnRefused(absl::InvalidArgumentError("no message"), 13 * kSecond, &heard.items);
  EXPECT_THAT(heard.Texts(), HasSubstr("no message (and 6 more times before)"));
}

TEST(DeviceSession, ARestartUnderTheSameSessionIsSeen) {
  for (const bool first_messages_are_heard : {true, false}) {
    TestDevice first({});
    Heard heard;
    heard.Take(first.RunUntil(5 * kSecond));
    TestDevice second({.offset_ns = 9 * kSecond, .start_ns = 7 * kSecond});
    const std::vector<Sent> all = second.RunUntil(12 * kSecond);
    const size_t from = first_messages_are_heard ? 0 : 30;
    heard.Take({all.begin() + static_cast<long>(from), all.end()});
    EXPECT_TRUE(heard.session.running());
    EXPECT_EQ(heard.session.counts().sessions, 2u);
    EXPECT_LE(heard.session.counts().duplicates, 5u);
    EXPECT_THAT(heard.Texts(), HasSubstr("counts its messages anew"));
    ASSERT_EQ(heard.All<Gap>().size(), 1u);
    EXPECT_NEAR(static_cast<double>(heard.All<Gap>()[0].to_ns),
                first_messages_are_heard ? 7e9 : 8e9, 30e6);
    heard.ExpectContiguous();
  }
}

TEST(DeviceSession, HostileOneNumberFarAheadDoesNotSilenceTheDevice) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(3 * kSecond));
  Sent glitch = device.Heartbeat(3 * kSecond);
  glitch.envelope.set_seq(uint64_t{1} << 40);
  heard.Take(glitch);
  heard.Take(device.RunUntil(8 * kSecond));
  EXPECT_TRUE(heard.session.running());
  EXPECT_GT(heard.All<SampleBlock>().size(), 300u);
  EXPECT_THAT(heard.Texts(), HasSubstr("and not from 1099511627776"));
}

TEST(DeviceSession, SampleCountsThatGoBackAreAGapAndNotTheEnd) {
  // Wrapped at 32 bits, and one block far ahead.
  for (const bool wraps : {true, false}) {
    TestDevice device({});
    Heard heard;
    for (Sent& sent : device.RunUntil(8 * kSecond)) {
      if (sent.envelope.has_samples()) {
        wire::Samples& samples = *sent.envelope.mutable_samples();
        const uint64_t index = samples.first_sample_index();
        if (wraps)
          samples.set_first_sample_index((index + (uint64_t{1} << 32) - 4'000) %
                                         (uint64_t{1} << 32));
        if (!wraps && index == 4'000) samples.set_first_sample_index(uint64_t{1} << 50);
      }
      heard.Take(sent);
    }
    EXPECT_GE(heard.All<SampleBlock>().size(), 399u);
    EXPECT_THAT(heard.Texts(), HasSubstr("counts its samples anew"));
    EXPECT_LE(heard.All<Gap>().size(), wraps ? 1u : 2u);
    heard.ExpectContiguous();
  }
}

TEST(DeviceSession, WhatIsDroppedIsNoSignOfLife) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  const Sent block = device.Block(2 * kSecond, 20);
  heard.Take(block);
  const int64_t heard_ns = *heard.session.last_arrived_ns();
  for (int i = 0; i < 100; ++i) {
    Sent again = block;
    again.true_ns += i * 100 * kMs;
    heard.Take(again);
  }
  EXPECT_EQ(heard.session.last_arrived_ns(), heard_ns);
}

TEST(DeviceSession, AnotherAmplifierOfTheSameKindIsTold) {
  TestDevice first({.session_id = 1});
  Heard heard;
  heard.Take(first.RunUntil(2 * kSecond));
  TestDevice other({.serial = "8", .session_id = 2, .start_ns = 3 * kSecond});
  heard.Take(other.RunUntil(6 * kSecond));
  EXPECT_THAT(heard.Texts(), HasSubstr("another device, or another firmware: Amp 8, firmware 1.0; "
                                       "before it was Amp 7, firmware 1.0"));
  EXPECT_EQ(heard.session.name(), "Amp 8");
  other.description().set_firmware("2.0");
  heard.Take(other.RunUntil(20 * kSecond));
  EXPECT_THAT(heard.Texts(), HasSubstr("Amp 8, firmware 2.0"));
}

// A slow group's sample ends long after it was sent; others are told in between.
TEST(DeviceSession, NothingIsToldBeyondTheTimeOfSending) {
  TestDevice device({.rate_hz = 0.5, .block_samples = 1});
  Heard heard;
  for (Sent& sent : device.RunUntil(30 * kSecond)) {
    // As soon as its last sample was taken.
    if (sent.envelope.has_samples()) {
      sent.envelope.set_sent_ns(sent.envelope.sent_ns() - 2 * kSecond + kMs);
      sent.true_ns -= 2 * kSecond - kMs;
    }
    heard.Take(sent);
    EXPECT_LE(heard.session.told_until_ns(), sent.true_ns + kDelay + kMs);
  }
  EXPECT_GE(heard.All<SampleBlock>().size(), 13u);
}

TEST(DeviceSession, ToldUntilThatSaysNothingIsRemarked) {
  for (const int64_t ahead_ns : {int64_t{0}, 5 * kMs}) {
    TestDevice device({.labels = {}, .stimulus_each_ns = 333 * kMs});
    Heard heard;
    for (Sent& sent : device.RunUntil(3 * kSecond)) {
      if (sent.envelope.has_heartbeat()) {
        sent.envelope.mutable_heartbeat()->set_told_until_ns(
            ahead_ns == 0 ? 0 : sent.envelope.sent_ns() + ahead_ns);
      }
      heard.Take(sent);
    }
    EXPECT_THAT(heard.Texts(), HasSubstr("told_until_ns"));
  }
}

// Devices that read their clock late: +-0.4 ms.
TEST(DeviceSession, TimesThatJitterAreOneStretchAndStimuliAreNeverLate) {
  TestDevice device({.stimulus_each_ns = 50 * kMs});
  Heard heard;
  int number = 0;
  for (Sent& sent : device.RunUntil(20 * kSecond)) {
    if (sent.envelope.has_samples()) {
      wire::Samples& samples = *sent.envelope.mutable_samples();
      const int64_t jitter_ns = (++number * 7'919 % 801 - 400) * 1'000;
      samples.set_first_sample_ns(samples.first_sample_ns() + jitter_ns);
    }
    heard.Take(sent);
  }
  EXPECT_TRUE(heard.All<Gap>().empty());
  int64_t end_ns = 0;
  int64_t told_ns = 0;
  for (const Item& item : heard.items) {
    const auto* trigger = std::get_if<StimulusTrigger>(&item);
    // The first block's own noise is left behind within a second.
    if (trigger != nullptr && trigger->time_ns > kSecond) {
      EXPECT_GE(trigger->time_ns, told_ns) << "inside a block that was told before";
    }
    const auto* block = std::get_if<SampleBlock>(&item);
    if (block == nullptr) continue;
    EXPECT_EQ(block->start_time_ns, end_ns == 0 ? block->start_time_ns : end_ns);
    EXPECT_LE(std::llabs(block->end_time_ns - block->start_time_ns - 20 * kMs), 21'000);
    told_ns = end_ns = block->end_time_ns;
  }
}

TEST(DeviceSession, TimesThatLeaveTheCountsAreTold) {
  for (const int64_t jump_ns : {-5 * kMs, 5 * kMs}) {
    TestDevice device({});
    Heard heard;
    heard.Take(device.RunUntil(3 * kSecond));
    for (Sent& sent : device.RunUntil(5 * kSecond)) {
      if (sent.envelope.has_samples()) {
        sent.envelope.mutable_samples()->set_first_sample_ns(
            sent.envelope.samples().first_sample_ns() + jump_ns);
      }
      heard.Take(sent);
    }
    const auto gaps = heard.All<Gap>();
    ASSERT_EQ(gaps.size(), 1u) << jump_ns;
    EXPECT_EQ(gaps[0].kind, Gap::Kind::kMissing);
    EXPECT_THAT(gaps[0].cause, HasSubstr(jump_ns < 0 ? "went back by 5.0" : "went ahead by 5.0"));
    // Back by 5 ms: a block of 20 ms, 5 of which were told before, is left out.
    EXPECT_NEAR(static_cast<double>(gaps[0].to_ns - gaps[0].from_ns), jump_ns < 0 ? 15e6 : 5e6,
                0.1e6);
    int64_t end_ns = INT64_MIN;
    for (const SampleBlock& block : heard.All<SampleBlock>()) {
      EXPECT_GE(block.start_time_ns, end_ns);
      EXPECT_GT(block.end_time_ns, block.start_time_ns);
      end_ns = block.end_time_ns;
    }
  }
}

TEST(DeviceSession, HostileTimesFarAwayAreRefused) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  const size_t blocks = heard.All<SampleBlock>().size();
  heard.Take(device.Trigger(2 * kSecond, 40 * kSecond));
  Sent block = device.Block(2 * kSecond, 20);
  block.envelope.mutable_samples()->set_first_sample_ns(device.DeviceNs(-20 * kSecond));
  heard.Take(block);
  EXPECT_TRUE(heard.All<StimulusTrigger>().empty());
  EXPECT_EQ(heard.All<SampleBlock>().size(), blocks);
  EXPECT_EQ(heard.session.counts().refused, 2u);
}

TEST(DeviceSession, HostileWhatWasNoMessageIsRemarkedOnce) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  for (int i = 0; i < 50; ++i) {
    heard.session.OnRefused(absl::InvalidArgumentError("Envelope: no message"),
                            2 * kSecond + i * kMs, &heard.items);
  }
  EXPECT_EQ(heard.session.counts().refused, 50u);
  EXPECT_EQ(heard.All<SourceEvent>().size(), 1u);
}

TEST(DeviceSession, KindsOfALaterVersionArePassedOver) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  wire::Envelope vital;
  vital.mutable_vital()->set_at_ns(device.DeviceNs(2 * kSecond));
  vital.mutable_vital()->set_kind(static_cast<wire::VitalKind>(77));
  vital.mutable_vital()->set_value(1);
  wire::Envelope drug;
  drug.mutable_drug()->set_at_ns(device.DeviceNs(2 * kSecond));
  drug.mutable_drug()->set_drug("remifentanil");
  drug.mutable_drug()->set_kind(static_cast<wire::DrugKind>(77));
  for (const wire::Envelope& body : {vital, drug}) {
    const Sent sent = device.Send(body, 2 * kSecond);
    EXPECT_TRUE(DecodeMessage(EncodeMessage(sent.envelope)).ok());
    heard.Take(sent);
  }
  EXPECT_TRUE(heard.All<VitalSign>().empty());
  EXPECT_TRUE(heard.All<DrugEvent>().empty());
  EXPECT_EQ(heard.session.counts().refused, 0u);
  EXPECT_THAT(heard.Texts(), HasSubstr("of a kind that this version does not know"));
}

TEST(DeviceSession, CarriesValuesAsTheyAre) {
  TestDevice device({});
  Heard heard;
  heard.Take(device.RunUntil(2 * kSecond));
  wire::Envelope body;
  body.mutable_vital()->set_at_ns(device.DeviceNs(1'900 * kMs));
  body.mutable_vital()->set_kind(wire::VITAL_KIND_MEAN_ARTERIAL_PRESSURE);
  body.mutable_vital()->set_value(62);
  heard.Take(device.Send(body, 2 * kSecond));
  body.Clear();
  body.mutable_drug()->set_at_ns(device.DeviceNs(1'900 * kMs));
  body.mutable_drug()->set_kind(wire::DRUG_KIND_INFUSION_RATE);
  body.mutable_drug()->set_drug("propofol");
  body.mutable_drug()->set_amount(6);
  body.mutable_drug()->set_unit("mg/kg/h");
  heard.Take(device.Send(body, 2 * kSecond));
  body.Clear();
  body.mutable_impedance()->set_at_ns(device.DeviceNs(1'900 * kMs));
  body.mutable_impedance()->set_electrode("C3'");
  body.mutable_impedance()->set_open(true);
  heard.Take(device.Send(body, 2 * kSecond));
  body.Clear();
  body.mutable_note()->set_at_ns(device.DeviceNs(1'900 * kMs));
  body.mutable_note()->set_text("incision");
  heard.Take(device.Send(body, 2 * kSecond));
  heard.Take(device.End(2 * kSecond));

  ASSERT_EQ(heard.All<VitalSign>().size(), 1u);
  const VitalSign vital = heard.All<VitalSign>()[0];
  EXPECT_EQ(vital.kind, VitalSign::Kind::kMeanArterialPressure);
  EXPECT_EQ(vital.value, 62);
  EXPECT_EQ(vital.source, "Amp 7");
  EXPECT_NEAR(static_cast<double>(vital.time_ns), 1.9e9 + kDelay, 1e5);
  ASSERT_EQ(heard.All<DrugEvent>().size(), 1u);
  EXPECT_EQ(heard.All<DrugEvent>()[0].kind, DrugEvent::Kind::kInfusionRate);
  EXPECT_EQ(heard.All<DrugEvent>()[0].unit, "mg/kg/h");
  ASSERT_EQ(heard.All<ElectrodeImpedance>().size(), 1u);
  EXPECT_FALSE(std::isfinite(heard.All<ElectrodeImpedance>()[0].kohm));
  EXPECT_THAT(heard.Texts(), HasSubstr("incision"));
  EXPECT_THAT(heard.Texts(), HasSubstr("Amp 7 has ended: switched off"));
}

}  // namespace
}  // namespace remora::agent::feed
