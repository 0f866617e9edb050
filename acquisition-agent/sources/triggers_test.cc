#include "acquisition-agent/sources/triggers.h"

#include "gtest/gtest.h"

namespace remora::agent {
namespace {

TEST(TriggerFromAnnotation, FindsLabelRateAndCurrent) {
  const StimulusTrigger trigger = TriggerFromAnnotation("STIM MED R 4.7Hz 25.5mA", "STIM", 123);
  EXPECT_EQ(trigger.time_ns, 123);
  EXPECT_EQ(trigger.label, "MED R");
  EXPECT_EQ(trigger.rate_hz, 4.7);
  EXPECT_EQ(trigger.delivered_ma, 25.5);
}

TEST(TriggerFromAnnotation, HostileTextIsAllLabel) {
  EXPECT_EQ(TriggerFromAnnotation("STIM", "STIM", 0).label, "");
  EXPECT_EQ(TriggerFromAnnotation("STIM Hz mA nanHz -3Hz infmA", "STIM", 0).label,
            "Hz mA nanHz -3Hz infmA");
  EXPECT_FALSE(TriggerFromAnnotation("STIM 9e999Hz", "STIM", 0).rate_hz);
}

ChannelInfo Line() {
  ChannelInfo channel;
  channel.sample_rate_hz = 1000;
  return channel;
}

std::vector<int> Codes(TriggerChannel* channel, const std::vector<double>& samples) {
  std::vector<int> out;
  for (const double sample : samples)
    out.push_back(channel->Push(sample, std::llround(sample)).value_or(-1));
  return out;
}

TEST(TriggerChannel, FiresOnRisingEdgesOnly) {
  TriggerChannel channel(Line(), {});
  EXPECT_EQ(Codes(&channel, {0, 1, 1, 1, 0, 5, 0, 0.4, 0.6}),
            (std::vector<int>{-1, 1, -1, -1, -1, 5, -1, -1, 1}));
}

TEST(TriggerChannel, DoesNotTakeALineThatIsHighAtTheStartForAStimulus) {
  TriggerChannel channel(Line(), {});
  EXPECT_EQ(Codes(&channel, {1, 1, 0, 1}), (std::vector<int>{-1, -1, -1, 1}));
}

TEST(TriggerChannel, StatusBitsFireOnEachNewCodeAndIgnoreTheHighBits) {
  ChannelInfo word = Line();
  word.is_status_word = true;
  TriggerChannel channel(word, {});
  const double idle = -6815744;  // battery and speed bits of a BioSemi status word
  EXPECT_EQ(Codes(&channel, {idle, idle + 128, idle + 128, idle + 3, idle, idle + 128}),
            (std::vector<int>{-1, 128, -1, 3, -1, 128}));
}

TEST(TriggerFromMarker, TakesTheCodeAndItsName) {
  EXPECT_EQ(CodeOf("S  1"), 1);
  EXPECT_EQ(CodeOf("R 12"), 12);
  EXPECT_EQ(CodeOf("255"), 255);
  for (const char* none : {"", "S", "tone", "S 1 left", "1x", "-3", "S 99999999999"}) {
    EXPECT_EQ(CodeOf(none), 0) << none;
  }
  TriggerOptions options;
  options.code_labels = {{1, "MED L"}, {0, "nobody"}};
  EXPECT_EQ(TriggerFromMarker("Stimulus S  1", "Stimulus", options).label, "MED L");
  EXPECT_EQ(TriggerFromMarker("Stimulus S  2", "Stimulus", options).label, "S 2");
  EXPECT_EQ(TriggerFromMarker("Stimulus tone", "Stimulus", options).label, "tone");
}

TEST(ChooseTriggers, TakesAnnotationsBeforeAChannel) {
  ChannelInfo channel = Line();
  channel.label = "TRIG";
  const std::vector<std::string> texts = {"note", "STIM MED R"};
  TriggerOptions options;
  EXPECT_TRUE(ChooseTriggers(options, texts, {channel})->annotations);
  EXPECT_EQ(ChooseTriggers(options, {}, {channel})->channel, 0);
  EXPECT_EQ(ChooseTriggers(options, {}, {Line()})->note,
            "no stimuli: no annotation begins with \"STIM\" and no channel is named as a trigger");
  options.from = TriggerOptions::From::kNone;
  EXPECT_FALSE(ChooseTriggers(options, texts, {channel})->annotations);
  options.from = TriggerOptions::From::kChannel;
  options.channel = "Marker";
  EXPECT_FALSE(ChooseTriggers(options, texts, {channel}).ok());
  EXPECT_EQ(Distinct({"a", "", "b"}, {"b", "c"}), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(TriggerChannel, NamesCodes) {
  TriggerOptions options;
  options.code_labels = {{2, "MED L"}};
  TriggerChannel channel(Line(), options);
  EXPECT_EQ(channel.MakeTrigger(2, 7).label, "MED L");
  EXPECT_EQ(channel.MakeTrigger(3, 7).label, "");
  EXPECT_EQ(channel.MakeTrigger(3, 7).code, 3);
}

}  // namespace
}  // namespace remora::agent
