#include "acquisition-agent/sources/wfdb/header.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::wfdb {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Header Read(const std::string& text) {
  absl::StatusOr<Header> header = ParseHeader(text);
  EXPECT_TRUE(header.ok()) << header.status();
  return header.ok() ? *std::move(header) : Header();
}

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<Header> header = ParseHeader(text);
  if (header.ok()) return "no error";
  EXPECT_EQ(header.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(header.status().message());
}

TEST(WfdbHeader, ReadsEveryField) {
  const Header header = Read(
      "# before\r\n"
      "emg_test 3 4000/36.5(12) 50860 9:05:07.25 25/4/1989\r\n"
      "a.dat 212x4:6+512 10000(-5)/uV 11 1024 995 -22131 0 EMG of  the TA\r\n"
      "a.dat\t212:3+512 1e3\r\n"
      "b.dat 16 0 16 3\n"
      "\n"
      "# <age>: 44\n");
  EXPECT_EQ(header.record, "emg_test");
  EXPECT_EQ(header.frame_rate_hz, 4000);
  EXPECT_EQ(header.declared_frames, 50'860);
  EXPECT_EQ(header.start_local, absl::CivilSecond(1989, 4, 25, 9, 5, 7));
  EXPECT_EQ(header.start_subsecond_ns, 250'000'000);
  ASSERT_EQ(header.signals.size(), 3u);
  const Signal& signal = header.signals[0];
  EXPECT_EQ(signal.file, "a.dat");
  EXPECT_EQ(signal.format, 212);
  EXPECT_EQ(signal.samples_per_frame, 4);
  EXPECT_EQ(signal.skew_frames, 2) << "6 samples are 1.5 frames, rounded";
  EXPECT_EQ(signal.byte_offset, 512);
  EXPECT_EQ(signal.gain, 10'000);
  EXPECT_EQ(signal.baseline, -5);
  EXPECT_EQ(signal.unit, "uV");
  EXPECT_EQ(signal.resolution_bits, 11);
  EXPECT_EQ(signal.adc_zero, 1024);
  EXPECT_EQ(signal.initial_value, 995);
  EXPECT_EQ(signal.checksum, -22'131);
  EXPECT_EQ(signal.description, "EMG of  the TA");
  EXPECT_EQ(header.signals[1].gain, 1000);
  EXPECT_EQ(header.signals[1].unit, "mV");
  EXPECT_EQ(header.signals[1].skew_frames, 3);
  EXPECT_EQ(header.signals[1].description, "signal 1");
  EXPECT_FALSE(header.signals[1].checksum);
  EXPECT_EQ(header.signals[2].gain, 200);
  EXPECT_FALSE(header.signals[2].calibrated);
  EXPECT_EQ(header.signals[2].baseline, 3) << "the ADC zero where none is given";
  EXPECT_THAT(header.comments, ElementsAre("before", "<age>: 44"));
  EXPECT_THAT(header.notes, ElementsAre(HasSubstr("\"signal 2\" is not calibrated")));
}

TEST(WfdbHeader, AssumesWhatWfdbAssumes) {
  const Header header = Read("r 1\nr.dat 16 200\n");
  EXPECT_EQ(header.frame_rate_hz, 250);
  EXPECT_EQ(header.declared_frames, 0);
  EXPECT_FALSE(header.start_local);
  EXPECT_THAT(header.notes, ElementsAre(HasSubstr("250 Hz is assumed")));
  const Header odd = Read("r 1 100 5 25:00:00 1/1/2000\nr.dat 16 200\n");
  EXPECT_FALSE(odd.start_local);
  EXPECT_THAT(odd.notes, Contains(HasSubstr("the start is unknown")));
  EXPECT_FALSE(Read("r 1 100 5 5:00:00 31/2/2000\nr.dat 16 200\n").start_local);
  EXPECT_THAT(Read("r 1 100 5\nr.dat 16 200\n").notes, IsEmpty());
}

TEST(WfdbHeader, HostileFieldsNameLineAndRemedy) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "it is empty; a WFDB header begins with a line such as"},
      {"# only a comment\n", "it is empty"},
      {"r/3 1 360 100\n", "line 1: record \"r\" has 3 segments; records of several segments"},
      {"r\n", "line 1: the number of signals is \"\"; it must be a whole number from 1 to 4096"},
      {"r 0\n", "the number of signals is \"0\""},
      {"r 99999\n", "the number of signals is \"99999\""},
      {"r 1 0\n", "the sampling frequency is \"0\"; it must be a number from 0.001 to 1e+07"},
      {"r 1 nan\n", "the sampling frequency is \"nan\""},
      {"r 1 250 -1\n", "the number of samples is \"-1\""},
      {"r 2 250\nr.dat 16\n", "it promises 2 signals and describes 1"},
      {"r 1 250\nr.dat\n", "line 2: the format is \"\"; 16, 24, 32, 61, 80, 160, 212, 310 and 311"},
      {"r 1 250\nr.dat 8\n", "the format is \"8\""},
      {"r 1 250\nr.dat 516\n", "convert it with"},
      {"r 1 250\nr.dat 16x0\n", "the samples per frame is \"0\""},
      {"r 1 250\nr.dat 16x9999999\n", "the samples per frame"},
      {"r 1 1e6\nr.dat 16x1000\n", "faster than"},
      {"r 1 250\nr.dat 16:-1\n", "the skew is \"-1\""},
      {"r 1 250\nr.dat 16+x\n", "the byte offset is \"\""},
      {"r 1 250\nr.dat 16 1e400\n", "the gain is \"1e400\"; it must be like 200, or 200(0)/mV"},
      {"r 1 250\nr.dat 16 200(0/mV\n", "the baseline is \"200(0/mV\""},
      {"r 1 250\nr.dat 16 200 33\n", "the ADC resolution is \"33\""},
      {"r 1 250\nr.dat 16 200 16 9999999999\n", "the ADC zero"},
      {"r 1 250\nr.dat 16 200 16 0 0 99999\n", "the checksum is \"99999\""},
      {"r 1 250\n- 16\n", "it must be the name of a file"},
      {"r 3 250\na 16\nb 16\na 16\n", "the signals of one file must follow each other"},
      {"r 2 250\na 16\na 80\n", "must have the same format and byte offset"},
      {"r 2 1\na 16x4000000\nb 16x4000000\n", "a frame has 8000000 samples"},
  };
  for (const auto& c : cases) EXPECT_THAT(ErrorOf(c.text), HasSubstr(c.message)) << c.text;
}

}  // namespace
}  // namespace remora::agent::wfdb
