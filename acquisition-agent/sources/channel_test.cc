#include "acquisition-agent/sources/channel.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::HasSubstr;

std::vector<ChannelInfo> Channels(const std::vector<std::string>& labels) {
  std::vector<ChannelInfo> out;
  for (const std::string& label : labels) {
    ChannelInfo channel;
    channel.label = label;
    out.push_back(channel);
  }
  return out;
}

TEST(FindChannel, PrefersTheExactLabel) {
  EXPECT_EQ(*FindChannel(Channels({"EEG CP3", "CP3", "cp3"}), "CP3"), 1);
  EXPECT_EQ(*FindChannel(Channels({"EEG CP3", "CP3", "cp3"}), " cp3 "), 2);
}

TEST(FindChannel, FindsAnElectrodeBehindItsSignalTypeAndReference) {
  const std::vector<ChannelInfo> channels =
      Channels({"EEG CPc", "EEG CP3-Ref", "EMG TA L", "TRIG"});
  EXPECT_EQ(*FindChannel(channels, "CPc"), 0);
  EXPECT_EQ(*FindChannel(channels, "cp3"), 1);
  EXPECT_EQ(*FindChannel(channels, "TA L"), 2);
  EXPECT_EQ(*FindChannel(channels, "EMG TA L"), 2);
}

TEST(FindChannel, HostileNamesGetAMessageThatHelps) {
  const auto none = FindChannel(Channels({"EEG CPc", "TRIG"}), "CP9");
  EXPECT_EQ(none.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(none.status().message()), HasSubstr("there are: EEG CPc, TRIG"));
  const auto two = FindChannel(Channels({"EEG Cz-A1", "EEG Cz-A2"}), "Cz");
  EXPECT_EQ(two.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(two.status().message()), HasSubstr("EEG Cz-A1, EEG Cz-A2"));
  EXPECT_FALSE(FindChannel({}, "Cz").ok());
}

TEST(ChannelInfo, KnowsItsCountsAndWhereItClips) {
  ChannelInfo channel;
  channel.uv_per_count = 0.1;
  channel.uv_offset = 5;
  channel.digital_min = -32768;
  channel.digital_max = 32767;
  EXPECT_EQ(channel.CountOf(5 + 0.1 * 1234), 1234);
  EXPECT_FALSE(channel.IsClipped(5 + 0.1 * 32766));
  EXPECT_TRUE(channel.IsClipped(5 + 0.1 * 32767));
  EXPECT_TRUE(channel.IsClipped(5 - 0.1 * 32768));
  EXPECT_TRUE(channel.IsClipped(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(channel.IsClipped(std::numeric_limits<double>::infinity()));
  channel.uv_per_count = -0.1;  // inverted polarity
  EXPECT_TRUE(channel.IsClipped(5 - 0.1 * 32767));
  EXPECT_FALSE(channel.IsClipped(5 - 0.1 * 32766));
}

TEST(MicrovoltsPer, KnowsVoltsOnly) {
  EXPECT_EQ(MicrovoltsPer("uV"), 1);
  EXPECT_EQ(MicrovoltsPer("\u00B5V"), 1);
  EXPECT_EQ(MicrovoltsPer("mV"), 1000);
  EXPECT_EQ(MicrovoltsPer("nV"), 1e-3);
  EXPECT_EQ(MicrovoltsPer("V"), 1e6);
  EXPECT_FALSE(MicrovoltsPer("mmHg"));
  EXPECT_FALSE(MicrovoltsPer(""));
}

TEST(MakeLabelsUnique, NumbersTheLaterOnesAndNotesThem) {
  std::vector<ChannelInfo> channels = Channels({"", "", "", "", ""});
  const char* labels[] = {"Cz", "Cz", "Cz #2", "Fz", "Cz"};
  for (int i = 0; i < 5; ++i) channels[i].original_label = labels[i];
  std::vector<std::string> notes;
  MakeLabelsUnique(&channels, &notes);
  EXPECT_EQ(channels[0].label, "Cz");
  EXPECT_EQ(channels[1].label, "Cz #3");
  EXPECT_EQ(channels[2].label, "Cz #2");
  EXPECT_EQ(channels[3].label, "Fz");
  EXPECT_EQ(channels[4].label, "Cz #4");
  EXPECT_EQ(notes.size(), 2u);
}

}  // namespace
}  // namespace remora::agent
