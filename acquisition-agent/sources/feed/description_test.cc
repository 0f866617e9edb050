#include "acquisition-agent/sources/feed/description.h"

#include <cmath>

#include "acquisition-agent/sources/feed/testing/device.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::feed {
namespace {

using ::testing::ElementsAre;

wire::Describe Two() {
  wire::Describe describe =
      TestDevice({.labels = {"C3'", "BP", "C4'"}}).Describe(0).envelope.describe();
  describe.add_rate_groups()->set_sample_rate_hz(50);
  wire::Channel& pressure = *describe.mutable_channels(1);
  pressure.set_unit("mmHg");
  pressure.set_rate_group_index(1);
  pressure.set_value_per_count(0.1);
  wire::Channel& inverted = *describe.mutable_channels(2);
  inverted.set_unit("mV");
  inverted.set_value_per_count(-0.001);
  inverted.set_value_at_zero(0.5);
  return describe;
}

TEST(FeedDescription, ChannelsAreInMicrovoltsOrAsTheyAre) {
  const SourceInfo info = MakeSourceInfo({Two()}, "feed:x");
  ASSERT_EQ(info.channels.size(), 3u);
  EXPECT_EQ(info.channels[0].unit, "uV");
  EXPECT_EQ(info.channels[1].unit, "mmHg");
  EXPECT_FALSE(info.channels[1].is_voltage);
  EXPECT_EQ(info.channels[2].unit, "uV");
  EXPECT_DOUBLE_EQ(info.channels[2].uv_per_count, -1);
  EXPECT_DOUBLE_EQ(info.channels[2].uv_offset, 500);
  EXPECT_EQ(info.channels[2].original_label, "C4'");
  EXPECT_THAT(info.rate_groups[0].channels, ElementsAre(0, 2));
  EXPECT_THAT(info.rate_groups[1].channels, ElementsAre(1));
}

TEST(FeedDescription, LabelsClashOnlyWhereTheyDo) {
  wire::Describe same = Two();
  const SourceInfo info = MakeSourceInfo({Two(), same}, "feed:x");
  std::vector<std::string> labels;
  for (const ChannelInfo& channel : info.channels) labels.push_back(channel.label);
  // Two devices of one name.
  EXPECT_THAT(labels, ElementsAre("Amp: C3'", "Amp: BP", "Amp: C4'", "Amp: C3' #2", "Amp: BP #2",
                                  "Amp: C4' #2"));
}

TEST(FeedDescription, UnpacksInterleavedCountsOfBothWidths) {
  const wire::Describe describe = Two();
  wire::Samples samples;
  samples.set_samples_count(2);
  samples.set_format(wire::SAMPLE_FORMAT_INT16);
  // Sample 0: 1, -2; sample 1: "no value", 32,767.
  samples.set_packed(std::string("\x01\x00\xfe\xff\x00\x80\xff\x7f", 8));
  const std::vector<double> narrow = UnpackSamples(samples, describe);
  ASSERT_EQ(narrow.size(), 4u);
  EXPECT_DOUBLE_EQ(narrow[0], 1);
  EXPECT_TRUE(std::isnan(narrow[1]));
  EXPECT_DOUBLE_EQ(narrow[2], 502);
  EXPECT_DOUBLE_EQ(narrow[3], 500 - 32767);
  samples.set_samples_count(1);
  samples.set_format(wire::SAMPLE_FORMAT_INT32);
  samples.set_packed(std::string("\x00\x00\x01\x00\x00\x00\x00\x80", 8));
  const std::vector<double> wide = UnpackSamples(samples, describe);
  EXPECT_DOUBLE_EQ(wide[0], 65536);
  EXPECT_TRUE(std::isnan(wide[1]));
}

}  // namespace
}  // namespace remora::agent::feed
