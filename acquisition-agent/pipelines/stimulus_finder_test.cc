#include "acquisition-agent/pipelines/stimulus_finder.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace remora::agent {
namespace {

// Entry 0 listens to "MED R", entry 1 to the channel TRIG of rate group 1.
class StimulusFinderTest : public testing::Test {
 protected:
  StimulusFinderTest() {
    plan_.evoked.resize(2);
    plan_.evoked[0].trigger.plan.set_label_prefix("MED R");
    plan_.evoked[1].trigger.listener = 1;
    plan_.evoked[1].trigger.plan.set_channel("TRIG");
    plan_.evoked[1].trigger.channel = 1;
    plan_.evoked[1].trigger.threshold = 0.5;
    source_.channels.resize(2);
    source_.channels[1].rate_group = 1;
    source_.rate_groups = {RateGroup{1000, {0}}, RateGroup{1000, {1}}};
  }
  static Chunk TriggerChunk(int64_t first, std::vector<double> samples) {
    Chunk chunk;
    chunk.rate_group = 1;
    chunk.sample_rate_hz = 1000;
    chunk.first_position = first;
    chunk.starts_segment = first == 0;
    chunk.samples = static_cast<int64_t>(samples.size());
    chunk.end_ns = (first + chunk.samples) * 1'000'000;
    chunk.channels = {std::move(samples)};
    return chunk;
  }
  SourceEvent Event(int64_t time_ns, const char* text) {
    SourceEvent event;
    event.time_ns = time_ns;
    event.text = text;
    return event;
  }

  ResolvedPlan plan_;
  SourceInfo source_;
  std::vector<Stimulus> found_;
};

TEST_F(StimulusFinderTest, FindsEdgesAndSaysHowFarItHasLooked) {
  StimulusFinder finder(plan_, source_);
  EXPECT_EQ(finder.known_until_ns(), std::numeric_limits<int64_t>::min());
  finder.OnChunk(TriggerChunk(0, {1, 1, 0, 0, 1, 1, 0}), &found_);
  finder.OnChunk(TriggerChunk(7, {1, 1, 0}), &found_);
  ASSERT_EQ(found_.size(), 2u) << "high at the start is no edge";
  EXPECT_EQ(found_[0].time_ns, 4'000'000);
  EXPECT_EQ(found_[1].time_ns, 7'000'000);
  EXPECT_EQ(found_[0].own, (std::vector<bool>{false, true}));
  EXPECT_EQ(finder.known_until_ns(), 10'000'000);
}

TEST_F(StimulusFinderTest, OneThatIsToldTwiceIsOne) {
  StimulusFinder finder(plan_, source_);
  StimulusTrigger trigger;
  trigger.time_ns = 50'000'000;
  trigger.label = "MED R";
  finder.OnTrigger(trigger, &found_);
  EXPECT_TRUE(finder.OnEvent(Event(50'400'000, "STIM MED R"), &found_));
  ASSERT_EQ(found_.size(), 1u);
  finder.OnChunk(TriggerChunk(49, {0, 1}), &found_);
  ASSERT_EQ(found_.size(), 2u) << "another entry's news";
  EXPECT_TRUE(found_[1].known);
  EXPECT_EQ(found_[1].own, (std::vector<bool>{false, true}));
}

TEST_F(StimulusFinderTest, WhatNobodyListensToIsAStimulusAllTheSame) {
  StimulusFinder finder(plan_, source_);
  EXPECT_TRUE(finder.OnEvent(Event(1'000'000'000, "STIM TIB L"), &found_));
  ASSERT_EQ(found_.size(), 1u);
  EXPECT_EQ(found_[0].own, (std::vector<bool>{false, false}));
  EXPECT_FALSE(finder.OnEvent(Event(2'000'000'000, "STIMULATOR OFF"), &found_));
  EXPECT_FALSE(finder.OnEvent(Event(3'000'000'000, "screw L4"), &found_));
  EXPECT_EQ(found_.size(), 1u);
}

// What a person types at a device, or the device says of itself.
TEST_F(StimulusFinderTest, ARemarkIsNoStimulusWhateverItSays) {
  StimulusFinder finder(plan_, source_);
  for (const char* text : {"MED R electrode replaced", "STIM box 7: is heard again"}) {
    SourceEvent event = Event(1'000'000'000, text);
    EXPECT_TRUE(finder.OnEvent(event, &found_)) << text;
    found_.clear();
    event.is_remark = true;
    event.time_ns += 1'000'000'000;
    EXPECT_FALSE(finder.OnEvent(event, &found_)) << text;
    EXPECT_TRUE(found_.empty()) << text;
  }
}

TEST(StimulusSetting, IsTheSameAsFarAsBothAreKnown) {
  v1::StimulusSetting ten;
  ten.set_current_ma(10);
  ten.set_rate_hz(4.7);
  v1::StimulusSetting other = ten;
  EXPECT_TRUE(IsSameStimulus(ten, other));
  other.set_delivered_ma(9.8);
  EXPECT_TRUE(IsSameStimulus(ten, other)) << "of one nobody says what was delivered";
  other.set_current_ma(10.4);
  EXPECT_TRUE(IsSameStimulus(ten, other));
  other.set_current_ma(11);
  EXPECT_FALSE(IsSameStimulus(ten, other));
  other = ten;
  other.set_rate_hz(5.1);
  EXPECT_FALSE(IsSameStimulus(ten, other));
  other = ten;
  other.set_pulse_count(1);
  EXPECT_TRUE(IsSameStimulus(ten, other)) << "none said is a single pulse";
  other.set_pulse_count(3);
  EXPECT_FALSE(IsSameStimulus(ten, other));
}

}  // namespace
}  // namespace remora::agent
