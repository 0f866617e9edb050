#include "acquisition-agent/sources/wfdb/samples.h"

#include "acquisition-agent/sources/testing/wfdb_files.h"
#include "gtest/gtest.h"

namespace remora::agent::wfdb {
namespace {

int32_t Decode(int format, const std::vector<uint8_t>& bytes, int64_t index) {
  return SampleAt(*FindFormat(format), bytes, index);
}

// Bytes as the format's description has them, worked out by hand.
TEST(WfdbSamples, AreWhatTheDescriptionSays) {
  EXPECT_EQ(Decode(16, {0xFE, 0xFF, 0x34, 0x12}, 0), -2);
  EXPECT_EQ(Decode(16, {0xFE, 0xFF, 0x34, 0x12}, 1), 0x1234);
  EXPECT_EQ(Decode(61, {0x12, 0x34, 0xFF, 0xFE}, 0), 0x1234);
  EXPECT_EQ(Decode(61, {0x12, 0x34, 0xFF, 0xFE}, 1), -2);
  EXPECT_EQ(Decode(24, {0x56, 0x34, 0x12}, 0), 0x123456);
  EXPECT_EQ(Decode(24, {0xFF, 0xFF, 0xFF}, 0), -1);
  EXPECT_EQ(Decode(32, {0x78, 0x56, 0x34, 0x12}, 0), 0x12345678);
  EXPECT_EQ(Decode(32, {0, 0, 0, 0x80}, 0), INT32_MIN);
  EXPECT_EQ(Decode(80, {0, 128, 255}, 0), -128);
  EXPECT_EQ(Decode(80, {0, 128, 255}, 1), 0);
  EXPECT_EQ(Decode(80, {0, 128, 255}, 2), 127);
  EXPECT_EQ(Decode(160, {0, 0, 0, 0x80, 0xFF, 0xFF}, 0), -32'768);
  EXPECT_EQ(Decode(160, {0, 0, 0, 0x80, 0xFF, 0xFF}, 1), 0);
  EXPECT_EQ(Decode(160, {0, 0, 0, 0x80, 0xFF, 0xFF}, 2), 32'767);
  // 212: the first 24 bits of MIT-BIH record 100: 995 and 1011.
  EXPECT_EQ(Decode(212, {0xE3, 0x33, 0xF3}, 0), 995);
  EXPECT_EQ(Decode(212, {0xE3, 0x33, 0xF3}, 1), 1011);
  EXPECT_EQ(Decode(212, {0xFF, 0xFF, 0xFE}, 0), -1);
  EXPECT_EQ(Decode(212, {0xFF, 0xFF, 0xFE}, 1), -2);
  // 310: words 0x1803 and 0x0FFE: bits 1-10 are 1 and 1023 (-1); the third is 3 + 32 * 1.
  EXPECT_EQ(Decode(310, {0x03, 0x18, 0xFE, 0x0F}, 0), 1);
  EXPECT_EQ(Decode(310, {0x03, 0x18, 0xFE, 0x0F}, 1), -1);
  EXPECT_EQ(Decode(310, {0x03, 0x18, 0xFE, 0x0F}, 2), 35);
  // 311: 1, -1 and 5, lowest bits first: 1 + (1023 << 10) + (5 << 20).
  EXPECT_EQ(Decode(311, {0x01, 0xFC, 0x5F, 0x00}, 0), 1);
  EXPECT_EQ(Decode(311, {0x01, 0xFC, 0x5F, 0x00}, 1), -1);
  EXPECT_EQ(Decode(311, {0x01, 0xFC, 0x5F, 0x00}, 2), 5);
}

TEST(WfdbSamples, EveryValueOfEveryFormatComesBack) {
  for (const int format : {16, 24, 32, 61, 80, 160, 212, 310, 311}) {
    const FormatInfo& info = *FindFormat(format);
    std::vector<int32_t> values;
    const int64_t step = std::max<int64_t>((info.highest() - info.lowest()) / 5000, 1);
    for (int64_t v = info.lowest(); v <= info.highest(); v += step) {
      values.push_back(static_cast<int32_t>(v));
    }
    values.push_back(static_cast<int32_t>(info.highest()));
    for (const size_t cut : {0, 1, 2}) {
      values.resize(values.size() - cut);
      const std::vector<uint8_t> bytes = EncodeSamples(format, values);
      ASSERT_GE(SamplesIn(info, static_cast<int64_t>(bytes.size())),
                static_cast<int64_t>(values.size()))
          << format;
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(SampleAt(info, bytes, static_cast<int64_t>(i)), values[i]) << format << " " << i;
      }
    }
  }
}

TEST(WfdbSamples, CountsPacksThatAreShortOfBytes) {
  const auto in = [](int format, int64_t bytes) { return SamplesIn(*FindFormat(format), bytes); };
  EXPECT_EQ(in(16, 7), 3);
  EXPECT_EQ(in(212, 3), 2);
  EXPECT_EQ(in(212, 4), 2);
  EXPECT_EQ(in(212, 5), 3);
  EXPECT_EQ(in(310, 6), 4);
  EXPECT_EQ(in(311, 6), 4);
  EXPECT_EQ(in(311, 7), 5);
  EXPECT_EQ(in(311, 8), 6);
}

TEST(WfdbSamples, HostileFormatsAreUnknown) {
  for (const int format : {0, 8, -16, 17, 508, 516, 524}) EXPECT_EQ(FindFormat(format), nullptr);
}

}  // namespace
}  // namespace remora::agent::wfdb
