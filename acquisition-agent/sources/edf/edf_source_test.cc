#include "acquisition-agent/sources/edf/edf_source.h"

#include <memory>

#include "acquisition-agent/sources/simulator/random.h"
#include "acquisition-agent/sources/testing/collected.h"
#include "acquisition-agent/sources/testing/edf_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::edf {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

absl::StatusOr<std::unique_ptr<EdfSource>> OpenBytes(std::vector<uint8_t> bytes,
                                                     const EdfOptions& options = {}) {
  return EdfSource::Open(std::make_unique<MemoryByteReader>(std::move(bytes)), "test.edf", options);
}

TestRecording Discontinuous(const std::vector<std::string>& onsets) {
  TestRecording recording;
  recording.reserved = "EDF+D";
  recording.records = static_cast<int>(onsets.size());
  std::vector<std::string> lists;
  for (const std::string& onset : onsets) lists.push_back(RecordTime(onset));
  recording.signals = {TestSignal{}, AnnotationSignal(false, lists)};
  return recording;
}

TEST(EdfSource, DeliversSeveralRatesInOrderWithExactTimes) {
  TestRecording recording;
  recording.bdf = true;
  recording.reserved = "24BIT";
  recording.records = 4;
  recording.record_duration_s = "0.5";
  TestSignal fast;
  fast.digital_min = "-8388608";
  fast.digital_max = "8388607";
  fast.physical_min = "-262144";
  fast.physical_max = "262143";
  fast.samples_per_record = 975;
  fast.count = [](int64_t i) { return static_cast<int32_t>(i * 1000 - 2'000'000); };
  TestSignal slow = fast;
  slow.label = "Temp";
  slow.dimension = "degC";
  slow.samples_per_record = 1;
  recording.signals = {fast, slow, fast};
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok()) << source.status();
  const SourceInfo& info = (*source)->info();
  ASSERT_EQ(info.rate_groups.size(), 2u);
  EXPECT_DOUBLE_EQ(info.rate_groups[0].sample_rate_hz, 1950);
  EXPECT_DOUBLE_EQ(info.rate_groups[1].sample_rate_hz, 2);
  EXPECT_EQ(info.channels[1].unit, "degC");
  EXPECT_FALSE(info.channels[1].is_voltage);
  EXPECT_EQ(info.channels[2].label, "EEG Cz #2");
  EXPECT_EQ(info.channels[2].original_label, "EEG Cz");
  EXPECT_EQ(info.duration_ns, 2 * kSecond);

  const Collected collected = Collect(source->get());
  ASSERT_TRUE(collected.status.ok());
  const std::vector<double> samples = Samples(collected, 0, 1);
  ASSERT_EQ(samples.size(), 3900u);
  for (int i = 0; i < 3900; ++i)
    EXPECT_EQ(info.channels[2].CountOf(samples[i]), i * 1000 - 2'000'000);
  EXPECT_EQ(Samples(collected, 1, 0).size(), 4u);
  for (const SampleBlock& block : collected.blocks) {
    const double rate_hz = block.sample_rate_hz;
    EXPECT_NEAR(block.start_time_ns, block.first_sample_index / rate_hz * 1e9, 1.0);
  }
}

TEST(EdfSource, SameSamplesForEveryBlockLength) {
  TestRecording recording;
  recording.signals = {TestSignal{}};
  recording.signals[0].samples_per_record = 997;
  std::vector<double> first;
  for (const int block_ms : {1, 7, 50, 10'000}) {
    EdfOptions options;
    options.max_block_ms = block_ms;
    auto source = OpenBytes(WriteRecording(recording), options);
    ASSERT_TRUE(source.ok());
    const Collected collected = Collect(source->get());
    for (const SampleBlock& block : collected.blocks) {
      EXPECT_LE(block.samples_per_channel, block_ms * 0.997 + 1);
    }
    if (first.empty()) first = Samples(collected, 0, 0);
    EXPECT_EQ(Samples(collected, 0, 0), first);
  }
}

TEST(EdfSource, ScalesMillivoltsToMicrovolts) {
  TestRecording recording;
  recording.signals = {TestSignal{}};
  recording.signals[0].dimension = "mV";
  recording.signals[0].physical_min = "-32.768";
  recording.signals[0].physical_max = "32.767";
  recording.signals[0].count = [](int64_t) { return -32768; };
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok());
  const ChannelInfo& channel = (*source)->info().channels[0];
  EXPECT_EQ(channel.unit, "uV");
  EXPECT_NEAR(channel.uv_per_count, 1.0, 1e-12);
  const std::vector<double> samples = Samples(Collect(source->get()), 0, 0);
  EXPECT_NEAR(samples[0], -32768, 1e-9);
  EXPECT_TRUE(channel.IsClipped(samples[0]));
}

TEST(EdfSource, GapsOfADiscontinuousRecordingAreMarked) {
  auto source = OpenBytes(WriteRecording(Discontinuous({"+0.25", "+1.25", "+10.75", "+11.75"})));
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->info().start_subsecond_ns, 250'000'000);
  EXPECT_EQ((*source)->info().start_local, absl::CivilSecond(2020, 3, 2, 9, 10, 11));
  EXPECT_EQ((*source)->info().duration_ns, 12'500'000'000);
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.gaps.size(), 1u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kMissing);
  EXPECT_EQ(collected.gaps[0].from_ns, 2 * kSecond);
  EXPECT_EQ(collected.gaps[0].to_ns, 10'500'000'000);
  EXPECT_EQ(Samples(collected, 0, 0).size(), 40u);
}

TEST(EdfSource, ATimeThatJumpsBackIsMarkedAndDeviceTimeGoesOn) {
  TestRecording recording = Discontinuous({"+0", "+1", "+0.5", "+1.5", "+5"});
  recording.signals[1].annotations[3] += AnnotationList("+1.6", "", "after the jump");
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok());
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.gaps.size(), 2u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kTimeJumpedBack);
  EXPECT_EQ(collected.gaps[0].from_ns, 2 * kSecond);
  EXPECT_EQ(collected.gaps[0].to_ns, 2 * kSecond);
  EXPECT_EQ(collected.gaps[0].clock_step_ns, -1'500'000'000);
  EXPECT_EQ(collected.gaps[1].from_ns, 4 * kSecond);
  EXPECT_EQ(collected.gaps[1].to_ns, 6'500'000'000);
  ASSERT_EQ(collected.events.size(), 1u);
  EXPECT_EQ(collected.events[0].time_ns, 3'100'000'000);
}

TEST(EdfSource, BreaksInAContinuousRecordingAreKeptAndNoted) {
  TestRecording recording = Discontinuous({"+0", "+1", "+3"});
  recording.reserved = "EDF+C";
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok());
  EXPECT_THAT((*source)->info().notes, Contains(HasSubstr("have 1 breaks")));
  EXPECT_EQ(Collect(source->get()).gaps.size(), 1u);
}

TEST(EdfSource, RoundedOnsetsAreNoBreak) {
  TestRecording recording = Discontinuous({"+0", "+0.999999", "+2.000001"});
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok());
  EXPECT_TRUE(Collect(source->get()).gaps.empty());
}

TEST(EdfSource, AFileThatEndsTooEarlyIsMarkedAtItsEnd) {
  TestRecording recording;
  recording.signals = {TestSignal{}};
  recording.records_text = "10";
  std::vector<uint8_t> bytes = WriteRecording(recording);
  bytes.pop_back();
  auto source = OpenBytes(bytes);
  ASSERT_TRUE(source.ok());
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.gaps.size(), 1u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kTruncated);
  EXPECT_EQ(collected.gaps[0].from_ns, 2 * kSecond);
  EXPECT_EQ(collected.gaps[0].to_ns, 10 * kSecond);
  EXPECT_THAT(collected.gaps[0].cause, HasSubstr("19 of 20 bytes"));
}

TEST(EdfSource, AnnotationsComeInOrderWhereverTheyStand) {
  TestRecording recording = Discontinuous({"+0", "+1", "+2"});
  recording.reserved = "EDF+C";
  recording.signals[1].annotations[0] +=
      AnnotationList("+2.5", "0.5", "late mark") + AnnotationList("-1", "", "before");
  recording.signals[1].annotations[2] += AnnotationList("+0.15", "", "STIM TIB L 5.1Hz");
  recording.signals.push_back(AnnotationSignal(false, {"",
                                                       AnnotationList("+1", "",
                                                                      "Gr\xF6\xDF"
                                                                      "e"),
                                                       ""}));
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok());
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.triggers.size(), 1u);
  EXPECT_EQ(collected.triggers[0].time_ns, 150'000'000);
  EXPECT_EQ(collected.triggers[0].label, "TIB L");
  EXPECT_EQ(collected.triggers[0].rate_hz, 5.1);
  ASSERT_EQ(collected.events.size(), 3u);
  EXPECT_EQ(collected.events[0].text, "before");
  EXPECT_EQ(collected.events[0].time_ns, -kSecond);
  EXPECT_EQ(collected.events[1].text,
            "Gr\u00F6\u00DF"
            "e");
  EXPECT_EQ(collected.events[2].text, "late mark");
  EXPECT_EQ(collected.events[2].duration_ns, 500'000'000);
  ASSERT_TRUE((*source)->info().texts);
  EXPECT_THAT(*(*source)->info().texts, ElementsAre("TIB L", "late mark", "before",
                                                    "Gr\u00F6\u00DF"
                                                    "e"));
}

TEST(EdfSource, AnnotationsAloneNeedNoDuration) {
  TestRecording recording;
  recording.reserved = "EDF+C";
  recording.record_duration_s = "0";
  recording.signals = {
      AnnotationSignal(false, {RecordTime("+0") + AnnotationList("+1", "", "a"),
                               RecordTime("+0") + AnnotationList("+7", "", "b"), ""})};
  auto source = OpenBytes(WriteRecording(recording));
  ASSERT_TRUE(source.ok()) << source.status();
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.events.size(), 2u);
  EXPECT_EQ(collected.events[1].text, "b");
  EXPECT_TRUE(collected.gaps.empty());
}

TEST(EdfSource, TriggersOfAChannelAreSampleExactAcrossRecords) {
  TestRecording recording;
  TestSignal trig;
  trig.label = "TRIG";
  trig.dimension = "";
  trig.physical_min = "-32768";
  trig.physical_max = "32767";
  trig.count = [](int64_t i) { return i >= 8 && i < 12 ? 2 : (i == 25 ? 1 : 0); };
  recording.signals = {TestSignal{}, trig};
  EdfOptions options;
  options.triggers.code_labels = {{2, "MED R"}};
  auto source = OpenBytes(WriteRecording(recording), options);
  ASSERT_TRUE(source.ok());
  const Collected collected = Collect(source->get());
  ASSERT_EQ(collected.triggers.size(), 2u);
  EXPECT_EQ(collected.triggers[0].time_ns, 800'000'000);
  EXPECT_EQ(collected.triggers[0].label, "MED R");
  EXPECT_EQ(collected.triggers[1].time_ns, 2'500'000'000);
  EXPECT_EQ(collected.triggers[1].code, 1);
  EXPECT_THAT(*(*source)->info().texts, ElementsAre("MED R"));
}

TEST(EdfSource, HostileOptionsAreRefused) {
  TestRecording recording;
  recording.signals = {TestSignal{}};
  EdfOptions options;
  options.triggers.from = TriggerOptions::From::kChannel;
  options.triggers.channel = "TRIG";
  const auto source = OpenBytes(WriteRecording(recording), options);
  EXPECT_EQ(source.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(source.status().message()),
              HasSubstr("no channel \"TRIG\"; there are: EEG Cz"));
  options = {};
  options.max_block_ms = 0;
  EXPECT_FALSE(OpenBytes(WriteRecording(recording), options).ok());
}

// Reads well once, then fails: a disk that goes away.
class FailingReader : public ByteReader {
 public:
  FailingReader(std::vector<uint8_t> bytes, uint64_t fail_from)
      : inner_(std::move(bytes)), fail_from_(fail_from) {}
  uint64_t size_bytes() const override { return inner_.size_bytes(); }
  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override {
    if (offset + out.size() > fail_from_) return absl::DataLossError("bad sector");
    return inner_.ReadAt(offset, out);
  }

 private:
  MemoryByteReader inner_;
  uint64_t fail_from_;
};

TEST(EdfSource, HostileStorageThatFailsEndsTheSourceWithItsReason) {
  TestRecording recording;
  recording.signals = {TestSignal{}};
  auto source = EdfSource::Open(
      std::make_unique<FailingReader>(WriteRecording(recording), 512 + 20), "x", {});
  ASSERT_TRUE(source.ok());
  const Collected collected = Collect(source->get());
  EXPECT_EQ(collected.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Samples(collected, 0, 0).size(), 10u);
  EXPECT_TRUE(std::holds_alternative<EndOfSource>(*(*source)->Next()));
}

TEST(EdfSource, HostileAnnotationBytesNeverBreakOrderOrMemory) {
  sim::SimRandom random(7, 0);
  const std::string alphabet = std::string("+-.0123456789\x14\x15 aS\xFF") + std::string(1, '\0');
  for (int round = 0; round < 300; ++round) {
    TestRecording recording = Discontinuous({"", "", "", "", ""});
    for (std::string& bytes : recording.signals[1].annotations) {
      if (random.NextBits() % 2 == 0)
        bytes = RecordTime("+" + std::to_string(random.NextBits() % 8));
      while (bytes.size() < 60) bytes.push_back(alphabet[random.NextBits() % alphabet.size()]);
    }
    auto source = OpenBytes(WriteRecording(recording));
    ASSERT_TRUE(source.ok()) << source.status();
    const Collected collected = Collect(source->get());
    EXPECT_TRUE(collected.status.ok());
    EXPECT_EQ(Samples(collected, 0, 0).size(), 50u);
  }
}

TEST(EdfSource, HostileTimesFarApartAreRefused) {
  const auto source = OpenBytes(WriteRecording(Discontinuous({"-316000000", "+316000000", "+0"})));
  EXPECT_EQ(source.status().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace remora::agent::edf
