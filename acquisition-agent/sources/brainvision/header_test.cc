#include "acquisition-agent/sources/brainvision/header.h"

#include "acquisition-agent/sources/testing/brainvision_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::brainvision {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Header> Read(const TestRecording& recording) {
  return ParseHeader(HeaderOf(recording), "case");
}

std::string ErrorOf(const TestRecording& recording) {
  const absl::StatusOr<Header> header = Read(recording);
  if (header.ok()) return "no error";
  EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(header.status().message());
}

TEST(BrainVisionHeader, ReadsEveryField) {
  TestRecording r;
  r.channels = {"C3\\1 left,REF,0.0488,\xC2\xB5V", "Fz,,1,\xB5V", "X,,3.4517043E-08,mV", "Trig"};
  r.more_common = "DataPoints=100\r\n";
  const absl::StatusOr<Header> header = Read(r);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->version, "1.0");
  EXPECT_EQ(header->data_file, "case.eeg");
  EXPECT_EQ(header->marker_file, "case.vmrk");
  EXPECT_FALSE(header->vectorized);
  EXPECT_EQ(header->type, SampleType::kInt16);
  EXPECT_EQ(header->interval_ps, 1'000'000'000);
  EXPECT_EQ(header->declared_points, 100);
  ASSERT_EQ(header->channels.size(), 4u);
  EXPECT_EQ(header->channels[0].name, "C3, left");
  EXPECT_EQ(header->channels[0].reference, "REF");
  EXPECT_EQ(header->channels[0].resolution, 0.0488);
  EXPECT_EQ(header->channels[0].unit, "\u00B5V");
  EXPECT_EQ(header->channels[1].unit, "\u00B5V") << "Latin-1";
  EXPECT_EQ(header->channels[2].resolution, 3.4517043e-8);
  EXPECT_EQ(header->channels[3].unit, "\u00B5V") << "left out";
  EXPECT_THAT(header->notes, ElementsAre(HasSubstr("no resolution for \"Trig\"")));
}

TEST(BrainVisionHeader, ReadsWhatOthersWrite) {
  TestRecording r;
  r.first_line =
      "\xEF\xBB\xBF"
      "Brain Vision Data Exchange Header File Version 2.0";
  r.orientation = "VECTORIZED";
  r.interval_us = "3906.25";
  r.format = "ieee_float_32";
  r.big_endian = true;
  r.marker_file = "";
  r.more_common = "DataType=TIMEDOMAIN\r\nAveraged=YES\r\nSegmentationType=MARKERBASED\r\n";
  r.more_binary = "DataOffset=12\r\n";
  r.channels = {",,,"};
  const absl::StatusOr<Header> header = Read(r);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->version, "2.0");
  EXPECT_TRUE(header->vectorized);
  EXPECT_TRUE(header->big_endian);
  EXPECT_EQ(header->type, SampleType::kFloat32);
  EXPECT_EQ(header->interval_ps, 3'906'250'000);
  EXPECT_EQ(header->marker_file, "");
  EXPECT_EQ(header->data_offset_bytes, 12);
  EXPECT_EQ(header->channels[0].name, "channel 1");
  EXPECT_THAT(header->notes, Contains(HasSubstr("averaged")));
  r.first_line = "BrainVision Data Exchange Header File, Version 1.0";
  EXPECT_TRUE(Read(r).ok());
}

TEST(BrainVisionHeader, HostileFieldsNameLineAndRemedy) {
  struct Case {
    void (*change)(TestRecording*);
    const char* message;
  };
  const Case cases[] = {
      {[](TestRecording* r) { r->first_line = "PK\x03\x04"; }, "it must be like \"Brain Vision"},
      {[](TestRecording* r) {
         r->first_line = "Brain Vision Data Exchange Marker File, Version 1.0";
       },
       "Header File Version 1.0\""},
      {[](TestRecording* r) { r->first_line += "0.0"; }, "no error"},
      {[](TestRecording* r) {
         r->first_line = "Brain Vision Data Exchange Header File Version 3.0";
       },
       "it says version \"3.0\"; versions 1.0 and 2.0 are read"},
      {[](TestRecording* r) { r->data_file = ""; }, "there is no DataFile= in [Common Infos]"},
      {[](TestRecording* r) { r->orientation = "SIDEWAYS"; },
       "line 9: DataOrientation=SIDEWAYS; it must be MULTIPLEXED or VECTORIZED"},
      {[](TestRecording* r) { r->interval_us = "0"; }, "line 11: SamplingInterval=0; it must be"},
      {[](TestRecording* r) { r->interval_us = "nan"; },
       "it must be microseconds from 0.1 to 1e+09"},
      {[](TestRecording* r) { r->interval_us = ""; }, "there is no SamplingInterval="},
      {[](TestRecording* r) { r->format = "UINT_16"; },
       "INT_16, INT_32 and IEEE_FLOAT_32 are read"},
      {[](TestRecording* r) { r->format = ""; }, "there is no BinaryFormat= in [Binary Infos]"},
      {[](TestRecording* r) { r->more_common = "NumberOfChannels=3\r\n"; }, "it is given twice"},
      {[](TestRecording* r) { r->more_common = "DataPoints=-1\r\n"; },
       "DataPoints=-1; it must be a whole number from 0"},
      {[](TestRecording* r) { r->more_common = "DataType=FREQUENCYDOMAIN\r\n"; },
       "only DataType=TIMEDOMAIN is read"},
      {[](TestRecording* r) { r->more_binary = "TrailerSize=8\r\n"; },
       "gaps of bytes are not read"},
      {[](TestRecording* r) { r->channels[1] = "Fz,,0,uV"; }, "must be a number other than 0"},
      {[](TestRecording* r) { r->channels[1] = "Fz,,inf,uV"; }, "the resolution \"inf\""},
      {[](TestRecording* r) { r->channels[1] = "Fz,,0 1,uV"; }, "the resolution \"0 1\""},
      {[](TestRecording* r) { r->channels.clear(); }, "it must be a whole number from 1 to 4096"},
  };
  for (const Case& c : cases) {
    TestRecording r;
    c.change(&r);
    EXPECT_THAT(ErrorOf(r), HasSubstr(c.message));
  }
  std::string text = HeaderOf(TestRecording{});
  text.replace(text.find("Ch2="), 4, "Ch9=");
  EXPECT_THAT(std::string(ParseHeader(text, "x").status().message()),
              HasSubstr("there is no Ch2= in [Channel Infos]; NumberOfChannels is 2"));
  text = HeaderOf(TestRecording{});
  text.replace(text.find("DataFormat=BINARY"), 17, "DataFormat=ASCII");
  EXPECT_THAT(std::string(ParseHeader(text, "x").status().message()),
              HasSubstr("only DataFormat=BINARY is read; export it as such"));
}

TEST(BrainVisionHeader, HostileTruncationAtEveryByteIsAnErrorOrAHeader) {
  const std::string whole = HeaderOf(TestRecording{});
  const size_t channels_end = whole.find("[Comment]");
  for (size_t length = 0; length < whole.size(); ++length) {
    const absl::StatusOr<Header> header = ParseHeader(whole.substr(0, length), "case");
    // Until the last channel is named.
    if (length + 16 < channels_end) {
      ASSERT_FALSE(header.ok()) << length;
      EXPECT_FALSE(header.status().message().empty());
    }
  }
}

}  // namespace
}  // namespace remora::agent::brainvision
