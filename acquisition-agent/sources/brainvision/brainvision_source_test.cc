#include "acquisition-agent/sources/brainvision/brainvision_source.h"

#include <cmath>
#include <limits>

#include "acquisition-agent/sources/testing/brainvision_files.h"
#include "acquisition-agent/sources/testing/collected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::brainvision {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

ReadOptions Defaults() {
  ReadOptions options;
  options.triggers.annotation_prefix = kStimulusPrefix;
  return options;
}

absl::StatusOr<std::unique_ptr<SignalSource>> Open(const MemoryFiles& files,
                                                   const ReadOptions& options = Defaults()) {
  return OpenBrainVision(MemoryByteReader(files.at("case.vhdr")), OpenFrom(files), "/d/case.vhdr",
                         options);
}

std::unique_ptr<SignalSource> Open(const TestRecording& recording,
                                   const ReadOptions& options = Defaults()) {
  auto source = Open(FilesOf(recording), options);
  EXPECT_TRUE(source.ok()) << source.status();
  return *std::move(source);
}

std::string ErrorOf(const MemoryFiles& files) {
  const auto source = Open(files);
  return source.ok() ? "no error" : std::string(source.status().message());
}

TEST(BrainVisionSource, DeliversSamplesStimuliAndEvents) {
  const std::unique_ptr<SignalSource> source = Open(TestRecording{});
  const SourceInfo& info = source->info();
  EXPECT_EQ(info.channels[0].label, "Cz");
  EXPECT_EQ(info.channels[0].unit, "uV");
  EXPECT_EQ(info.rate_groups[0].sample_rate_hz, 1000);
  EXPECT_EQ(info.start_local, absl::CivilSecond(2020, 3, 2, 9, 10, 11));
  EXPECT_EQ(info.start_subsecond_ns, 500'000'000);
  EXPECT_EQ(info.duration_ns, 100'000'000);
  EXPECT_THAT(*info.texts, ElementsAre("S 1", "Comment eyes open"));
  const Collected collected = Collect(source.get());
  const std::vector<double> fz = Samples(collected, 0, 1);
  ASSERT_EQ(fz.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(info.channels[1].CountOf(fz[i]), 1000 + i);
  EXPECT_NEAR(fz[7], 100.7, 1e-9);
  ASSERT_EQ(collected.triggers.size(), 1u);
  EXPECT_EQ(collected.triggers[0].time_ns, 10'000'000);
  EXPECT_EQ(collected.triggers[0].code, 1);
  EXPECT_EQ(collected.triggers[0].label, "S 1");
  ASSERT_EQ(collected.events.size(), 1u);
  EXPECT_EQ(collected.events[0].time_ns, 20'000'000);
  EXPECT_EQ(collected.events[0].duration_ns, 5'000'000);
  EXPECT_TRUE(collected.gaps.empty());
}

TEST(BrainVisionSource, ReadsEveryFormatInBothOrientationsAndByteOrders) {
  for (const char* format : {"INT_16", "INT_32", "IEEE_FLOAT_32"}) {
    for (const char* orientation : {"MULTIPLEXED", "VECTORIZED"}) {
      for (const bool big_endian : {false, true}) {
        TestRecording r;
        r.format = format;
        r.orientation = orientation;
        r.big_endian = big_endian;
        r.points = 173;
        r.channels = {"A,,0.5,\xB5V", "B,,2,nV", "C,,0.25,mV", "D,,1,C"};
        r.value = [](int64_t i, int64_t k) { return static_cast<double>((i - 80) * (k + 1)); };
        const std::unique_ptr<SignalSource> source = Open(r);
        const Collected collected = Collect(source.get());
        const double scale[] = {0.5, 0.002, 250, 1};
        for (int k = 0; k < 4; ++k) {
          const std::vector<double> samples = Samples(collected, 0, k);
          ASSERT_EQ(samples.size(), 173u);
          for (int i = 0; i < 173; ++i) {
            ASSERT_NEAR(samples[i], scale[k] * (i - 80) * (k + 1), 1e-9) << format << orientation;
          }
        }
        EXPECT_FALSE(source->info().channels[3].is_voltage);
        EXPECT_EQ(source->info().channels[3].unit, "C");
      }
    }
  }
}

TEST(BrainVisionSource, KeepsTheExtremesOfWideIntegersAndNoNumbers) {
  TestRecording r;
  r.format = "INT_32";
  r.channels = {"A,,1,uV"};
  r.value = [](int64_t i, int64_t) { return i % 2 == 0 ? -2147483648.0 : 2147483647.0; };
  std::unique_ptr<SignalSource> source = Open(r);
  std::vector<double> samples = Samples(Collect(source.get()), 0, 0);
  EXPECT_EQ(samples[0], -2147483648.0);
  EXPECT_EQ(samples[1], 2147483647.0);
  EXPECT_TRUE(source->info().channels[0].IsClipped(samples[1]));
  r.format = "IEEE_FLOAT_32";
  r.value = [](int64_t i, int64_t) {
    return i == 3 ? std::numeric_limits<double>::quiet_NaN() : 0.125;
  };
  source = Open(r);
  samples = Samples(Collect(source.get()), 0, 0);
  EXPECT_TRUE(std::isnan(samples[3]));
  EXPECT_EQ(samples[4], 0.125);
  EXPECT_FALSE(source->info().channels[0].IsClipped(50'000));
  EXPECT_THAT(source->info().notes, Contains(HasSubstr("floating-point")));
}

TEST(BrainVisionSource, SegmentsAreGapsWhereTheirDatesSaySo) {
  TestRecording r;
  r.interval_us = "100000";  // 10 Hz
  r.markers = {"New Segment,,1,1,0,20200302091000000000",
               "New Segment,,31,1,0,20200302091003000900",  // follows, but for a clock's error
               "New Segment,,51,1,0,20200302091010000000",  // 5 s later than it would
               "Stimulus,S  9,52,1,0",
               "New Segment,,61,1,0,20200302090000000000",  // earlier
               "New Segment,,71,1,0",                       // nobody knows when
               "Comment,last,100,1,0"};
  const std::unique_ptr<SignalSource> source = Open(r);
  const Collected collected = Collect(source.get());
  ASSERT_EQ(collected.gaps.size(), 3u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kMissing);
  EXPECT_EQ(collected.gaps[0].from_ns, 5 * kSecond);
  EXPECT_EQ(collected.gaps[0].to_ns, 10 * kSecond);
  EXPECT_EQ(collected.triggers[0].time_ns, 10'100'000'000);
  EXPECT_EQ(collected.gaps[1].kind, Gap::Kind::kTimeJumpedBack);
  EXPECT_EQ(collected.gaps[1].from_ns, 11 * kSecond);
  EXPECT_EQ(collected.gaps[1].clock_step_ns, -611 * kSecond);
  EXPECT_EQ(collected.gaps[2].from_ns, 12 * kSecond);
  EXPECT_EQ(collected.gaps[2].to_ns, 12 * kSecond);
  EXPECT_EQ(collected.events[0].time_ns, 14'900'000'000);
  EXPECT_EQ(source->info().duration_ns, 15 * kSecond);
  EXPECT_EQ(Samples(collected, 0, 0).size(), 100u);
}

TEST(BrainVisionSource, StimuliAsAskedFor) {
  TestRecording r;
  r.channels = {"Cz,,0.1,uV", "Trig,,1,"};
  r.markers = {"Stimulus,S  1,11,1,0", "Response,R  4,31,1,0", "Stimulus,tone 4.7Hz,41,1,0"};
  r.value = [](int64_t i, int64_t k) { return k == 1 && i % 20 >= 15 ? 4.0 : 0.0; };
  ReadOptions options = Defaults();
  options.triggers.code_labels = {{1, "MED L"}, {4, "TIB R"}};
  Collected collected = Collect(Open(r, options).get());
  ASSERT_EQ(collected.triggers.size(), 2u);
  EXPECT_EQ(collected.triggers[0].label, "MED L");
  EXPECT_EQ(collected.triggers[1].label, "tone");
  EXPECT_EQ(collected.triggers[1].rate_hz, 4.7);
  options.triggers.from = TriggerOptions::From::kAnnotations;
  options.triggers.annotation_prefix = "Response";
  collected = Collect(Open(r, options).get());
  ASSERT_EQ(collected.triggers.size(), 1u);
  EXPECT_EQ(collected.triggers[0].label, "TIB R");
  EXPECT_EQ(collected.events.size(), 2u);
  options.triggers.from = TriggerOptions::From::kChannel;
  options.triggers.channel = "Trig";
  collected = Collect(Open(r, options).get());
  ASSERT_EQ(collected.triggers.size(), 5u);
  EXPECT_EQ(collected.triggers[0].time_ns, 15'000'000);
  EXPECT_EQ(collected.triggers[0].label, "TIB R");
  options.triggers.from = TriggerOptions::From::kNone;
  EXPECT_TRUE(Collect(Open(r, options).get()).triggers.empty());
}

TEST(BrainVisionSource, TellsWhatIsMissing) {
  TestRecording r;
  r.more_common = "DataPoints=120\r\n";
  Collected collected = Collect(Open(r).get());
  ASSERT_EQ(collected.gaps.size(), 1u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kTruncated);
  EXPECT_EQ(collected.gaps[0].from_ns, 100'000'000);
  EXPECT_EQ(collected.gaps[0].to_ns, 120'000'000);
  r.more_common = "DataPoints=90\r\n";
  std::unique_ptr<SignalSource> source = Open(r);
  EXPECT_THAT(source->info().notes, Contains(HasSubstr("there are 40 more bytes; not read")));
  collected = Collect(source.get());
  EXPECT_TRUE(collected.gaps.empty());
  EXPECT_EQ(Samples(collected, 0, 0).size(), 90u);
  MemoryFiles files = FilesOf(TestRecording{});
  files["case.eeg"].pop_back();
  auto cut = Open(files);
  ASSERT_TRUE(cut.ok());
  collected = Collect(cut->get());
  ASSERT_EQ(collected.gaps.size(), 1u);
  EXPECT_EQ(collected.gaps[0].to_ns, 100'000'000);
  EXPECT_EQ(Samples(collected, 0, 0).size(), 99u);
}

TEST(BrainVisionSource, HostileFilesGetAClearMessage) {
  MemoryFiles files = FilesOf(TestRecording{});
  files.erase("case.eeg");
  EXPECT_THAT(ErrorOf(files),
              HasSubstr("/d/case.vhdr: the data file (DataFile): cannot open case.eeg"));
  EXPECT_EQ(Open(files).status().code(), absl::StatusCode::kNotFound);
  files = FilesOf(TestRecording{});
  files.erase("case.vmrk");
  EXPECT_THAT(ErrorOf(files), HasSubstr("the marker file (MarkerFile): cannot open case.vmrk"));
  files = FilesOf(TestRecording{});
  files["case.vmrk"] = BytesOf("something else");
  EXPECT_THAT(ErrorOf(files), HasSubstr("case.vmrk: the first line is \"something else\""));
  TestRecording r;
  r.orientation = "VECTORIZED";
  files = FilesOf(r);
  files["case.eeg"].pop_back();
  EXPECT_THAT(ErrorOf(files), HasSubstr("where each channel begins is unknown"));
  r.more_common = "DataPoints=99\r\n";
  EXPECT_THAT(ErrorOf(FilesOf(r)), HasSubstr("of 99 points each (DataPoints), need 396"));
  r = TestRecording{};
  r.more_binary = "DataOffset=100000\r\n";
  EXPECT_THAT(ErrorOf(FilesOf(r)), HasSubstr("the data file has 400 bytes; DataOffset is 100000"));
  r = TestRecording{};
  r.more_common = "DataPoints=281474976710656\r\n";
  r.interval_us = "1000000000";
  EXPECT_THAT(ErrorOf(FilesOf(r)), HasSubstr("are more than 3660 days"));
  r = TestRecording{};
  r.markers = {"New Segment,,1,1,0,19700101000000000000",
               "New Segment,,50,1,0,21990101000000000000"};
  EXPECT_THAT(ErrorOf(FilesOf(r)), HasSubstr("the segment at point 50 lies more than 3660 days"));
  files = FilesOf(TestRecording{});
  files["case.eeg"].clear();
  auto empty = Open(files);
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(Collect(empty->get()).blocks.empty());
}

}  // namespace
}  // namespace remora::agent::brainvision
