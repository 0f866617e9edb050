#include "acquisition-agent/sources/edf/triggers.h"

#include "gtest/gtest.h"

namespace remora::agent::edf {
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

TEST(TriggerChannel, NamesCodes) {
  TriggerOptions options;
  options.code_labels = {{2, "MED L"}};
  TriggerChannel channel(Line(), options);
  EXPECT_EQ(channel.MakeTrigger(2, 7).label, "MED L");
  EXPECT_EQ(channel.MakeTrigger(3, 7).label, "");
  EXPECT_EQ(channel.MakeTrigger(3, 7).code, 3);
}

}  // namespace
}  // namespace remora::agent::edf
