#include "acquisition-agent/sources/wfdb/wfdb_source.h"

#include <cmath>

#include "acquisition-agent/sources/testing/collected.h"
#include "acquisition-agent/sources/testing/memory_files.h"
#include "acquisition-agent/sources/testing/wfdb_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::wfdb {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<std::unique_ptr<SignalSource>> Open(const MemoryFiles& files,
                                                   const WfdbOptions& options = {}) {
  return OpenWfdb(MemoryByteReader(files.at("r.hea")), OpenFrom(files), "/d/r.hea", options);
}

std::unique_ptr<SignalSource> MustOpen(const MemoryFiles& files, const WfdbOptions& options = {}) {
  auto source = Open(files, options);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : nullptr;
}

std::string ErrorOf(const MemoryFiles& files, const WfdbOptions& options = {}) {
  const auto source = Open(files, options);
  return source.ok() ? "no error" : std::string(source.status().message());
}

std::vector<int32_t> Ramp(int samples) {
  std::vector<int32_t> out;
  for (int i = 0; i < samples; ++i) out.push_back(i % 200 - 100);
  return out;
}

TEST(WfdbSource, ReadsSeveralSignalsOfEveryFormat) {
  for (const int format : {16, 24, 32, 61, 80, 160, 212, 310, 311}) {
    const std::string f = std::to_string(format);
    const MemoryFiles files = {{"r.hea", BytesOf("r 3 500 101\nr.dat " + f + " 2(10)/uV\nr.dat " +
                                                 f + "x2 1/mV\nr.dat " + f + " 4/NU\n")},
                               {"r.dat", EncodeSamples(format, Ramp(404))}};
    const std::unique_ptr<SignalSource> source = MustOpen(files);
    ASSERT_NE(source, nullptr) << format;
    const SourceInfo& info = source->info();
    ASSERT_EQ(info.rate_groups.size(), 2u);
    EXPECT_EQ(info.rate_groups[1].sample_rate_hz, 1000);
    EXPECT_FALSE(info.channels[2].is_voltage);
    const Collected collected = Collect(source.get());
    const std::vector<double> first = Samples(collected, 0, 0);
    const std::vector<double> third = Samples(collected, 0, 1);
    const std::vector<double> second = Samples(collected, 1, 0);
    ASSERT_EQ(first.size(), 101u);
    ASSERT_EQ(second.size(), 202u);
    for (int i = 0; i < 101; ++i) {
      const auto count = [](int n) { return n % 200 - 100; };
      ASSERT_EQ(info.channels[0].CountOf(first[i]), count(4 * i)) << format;
      ASSERT_NEAR(first[i], (count(4 * i) - 10) / 2.0, 1e-9) << format;
      ASSERT_NEAR(second[2 * i], count(4 * i + 1) * 1000.0, 1e-9) << format;
      ASSERT_NEAR(second[2 * i + 1], count(4 * i + 2) * 1000.0, 1e-9) << format;
      ASSERT_NEAR(third[i], count(4 * i + 3) / 4.0, 1e-9) << format;
    }
    EXPECT_TRUE(collected.gaps.empty());
  }
}

TEST(WfdbSource, ReadsSeveralFilesWithSkewAndOffset) {
  std::vector<uint8_t> a = {1, 2, 3, 4, 5};
  const std::vector<uint8_t> samples = EncodeSamples(16, Ramp(100));
  a.insert(a.end(), samples.begin(), samples.end());
  const MemoryFiles files = {
      {"r.hea", BytesOf("r 3 100 50\na.dat 16+5 1/uV\na.dat 16:3+5 1/uV\nb.dat 212:2 1/uV\n")},
      {"a.dat", a},
      {"b.dat", EncodeSamples(212, Ramp(50))}};
  const std::unique_ptr<SignalSource> source = MustOpen(files);
  const Collected collected = Collect(source.get());
  const std::vector<double> first = Samples(collected, 0, 0);
  ASSERT_EQ(first.size(), 47u);
  EXPECT_THAT(source->info().notes, Contains(HasSubstr("skewed: the last 3 samples")));
  for (int i = 0; i < 47; ++i) {
    EXPECT_EQ(first[i], 2 * i - 100);
    EXPECT_EQ(Samples(collected, 0, 1)[i], 2 * (i + 3) + 1 - 100);
    EXPECT_EQ(Samples(collected, 0, 2)[i], i + 2 - 100);
  }
}

TEST(WfdbSource, VerifiesWhatTheHeaderSaysOfTheSamples) {
  const std::vector<int32_t> samples = {5, -7, 300, 32'000, 32'000};  // the sum is 64298: -1238
  MemoryFiles files = {{"r.hea", BytesOf("r 1 100 5\nr.dat 16 1/uV 16 0 5 -1238 0 EMG\n")},
                       {"r.dat", EncodeSamples(16, samples)}};
  WfdbOptions none;
  none.read.triggers.from = TriggerOptions::From::kNone;
  EXPECT_THAT(MustOpen(files, none)->info().notes, IsEmpty());
  files["r.hea"] = BytesOf("r 1 100 5\nr.dat 16 1/uV 16 0 5 64298 0 EMG\n");
  EXPECT_THAT(MustOpen(files, none)->info().notes, IsEmpty()) << "without its sign";
  files["r.hea"] = BytesOf("r 1 100 5\nr.dat 16 1/uV 12 0 6 -1239 0 EMG\n");
  const std::unique_ptr<SignalSource> source = MustOpen(files, none);
  EXPECT_THAT(
      source->info().notes,
      ElementsAre(HasSubstr("\"EMG\": the checksum of its samples is -1238, the header says -1239"),
                  HasSubstr("its first sample is 5, the header says 6"),
                  HasSubstr("samples from -7 to 32000 leave the range of -2048 to 2047")));
  EXPECT_EQ(source->info().channels[0].digital_max, 32'767);
  files["r.hea"] = BytesOf("r 1 100 5\nr.dat 16 1/uV 0 0 5 0 0 EMG\n");
  EXPECT_THAT(MustOpen(files, none)->info().notes, ElementsAre(HasSubstr("says 0")));
  files["r.hea"] = BytesOf("r 1 100 0\nr.dat 16 1/uV 0 0 5 0 0 EMG\n");
  EXPECT_THAT(MustOpen(files, none)->info().notes, IsEmpty()) << "of an unknown number of samples";
}

TEST(WfdbSource, NoValueIsNoNumber) {
  const MemoryFiles files = {{"r.hea", BytesOf("r 1 100\nr.dat 212 1/uV 12\n")},
                             {"r.dat", EncodeSamples(212, {5, -2048, -2047, 2047})}};
  const std::unique_ptr<SignalSource> source = MustOpen(files);
  const std::vector<double> samples = Samples(Collect(source.get()), 0, 0);
  ASSERT_EQ(samples.size(), 4u);
  EXPECT_TRUE(std::isnan(samples[1]));
  EXPECT_EQ(samples[2], -2047);
  EXPECT_TRUE(source->info().channels[0].IsClipped(samples[3]));
}

TEST(WfdbSource, AnnotationsAreEventsAndStimuli) {
  MemoryFiles files = {
      {"r.hea", BytesOf("r 1 100 100 09:10:11 02/03/2020\nr.dat 80 1/uV\n")},
      {"r.dat", EncodeSamples(80, std::vector<int32_t>(100, 3))},
      {"r.atr", AnnotationWriter().Add(1, 20).Add(22, 30).Aux("STIM MED R 4.7Hz").Finish()},
      {"r.qrs", AnnotationWriter().Add(5, 70).Finish()}};
  const std::unique_ptr<SignalSource> source = MustOpen(files);
  EXPECT_EQ(source->info().start_local, absl::CivilSecond(2020, 3, 2, 9, 10, 11));
  EXPECT_THAT(*source->info().texts, ElementsAre("MED R", "N"));
  Collected collected = Collect(source.get());
  ASSERT_EQ(collected.events.size(), 1u);
  EXPECT_EQ(collected.events[0].text, "N");
  EXPECT_EQ(collected.events[0].time_ns, 200'000'000);
  ASSERT_EQ(collected.triggers.size(), 1u);
  EXPECT_EQ(collected.triggers[0].time_ns, 500'000'000);
  EXPECT_EQ(collected.triggers[0].rate_hz, 4.7);
  WfdbOptions options;
  options.annotator = "qrs";
  collected = Collect(MustOpen(files, options).get());
  EXPECT_EQ(collected.events[0].text, "V");
  options.annotator = "none";
  EXPECT_TRUE(Collect(MustOpen(files, options).get()).events.empty());
  options.annotator = "xyz";
  EXPECT_THAT(ErrorOf(files, options), HasSubstr("the annotation file: cannot open r.xyz"));
  files["r.atr"] = {0x12};
  EXPECT_THAT(ErrorOf(files),
              HasSubstr("/d/r.hea: r.atr: it ends inside an annotation, at byte 1"));
}

TEST(WfdbSource, TellsWhatIsMissingOrTooMuch) {
  MemoryFiles files = {{"r.hea", BytesOf("r 1 100 50\nr.dat 16 1/uV\n")},
                       {"r.dat", EncodeSamples(16, Ramp(40))}};
  Collected collected = Collect(MustOpen(files).get());
  ASSERT_EQ(collected.gaps.size(), 1u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kTruncated);
  EXPECT_EQ(collected.gaps[0].from_ns, 400'000'000);
  EXPECT_EQ(collected.gaps[0].to_ns, 500'000'000);
  files["r.dat"] = EncodeSamples(16, Ramp(60));
  const std::unique_ptr<SignalSource> source = MustOpen(files);
  EXPECT_THAT(source->info().notes, Contains(HasSubstr("there are 10 more; not read")));
  EXPECT_EQ(Samples(Collect(source.get()), 0, 0).size(), 50u);
}

TEST(WfdbSource, HostileFilesGetAClearMessage) {
  MemoryFiles files = {{"r.hea", BytesOf("r 1 100\nr.dat 16 1/uV 0 0 0 0 0 EMG\n")}};
  EXPECT_THAT(ErrorOf(files), HasSubstr("/d/r.hea: the signal file of \"EMG\": cannot open r.dat"));
  EXPECT_EQ(Open(files).status().code(), absl::StatusCode::kNotFound);
  files["r.dat"] = {};
  EXPECT_TRUE(Collect(MustOpen(files).get()).blocks.empty());
  files["r.hea"] = BytesOf("r 1 100\nr.dat 16+9\n");
  files["r.dat"] = {1, 2, 3};
  EXPECT_THAT(ErrorOf(files), HasSubstr("r.dat has 3 bytes; its samples are to begin at byte 9"));
  files["r.hea"] = BytesOf("r 1 0.001 281474976710656\nr.dat 16\n");
  EXPECT_THAT(ErrorOf(files), HasSubstr("are more than 3660 days"));
  files["r.hea"] = BytesOf("r 1 100\nr.dat 16:1099511627776\n");
  EXPECT_TRUE(Collect(MustOpen(files).get()).blocks.empty()) << "all is before frame 0";
}

}  // namespace
}  // namespace remora::agent::wfdb
