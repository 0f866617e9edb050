#include "acquisition-agent/sources/lsl/lsl_source.h"

#include <cmath>
#include <limits>

#include "acquisition-agent/sources/lsl/testing/fake_lsl.h"
#include "acquisition-agent/sources/simulator/random.h"
#include "common/testing/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::lsl {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kMs = 1'000'000;

FakeStream Eeg(const std::string& name = "EEG", double rate_hz = 1000) {
  FakeStream stream;
  stream.name = name;
  stream.rate_hz = rate_hz;
  stream.channel_count = 2;
  stream.channels = {{"Cz", "microvolts", "EEG"}, {"Fz", "mV", "EEG"}};
  return stream;
}

FakeStream Markers(const std::string& name = "Markers") {
  FakeStream stream;
  stream.name = name;
  stream.type = "Markers";
  stream.format = kString;
  return stream;
}

// Samples `first` to `first + count` of a stream whose clock read `zero_s` at sample 0.
void Send(FakeStream* stream, int64_t first, int64_t count, double zero_s = 0, double rate = 0) {
  const double rate_hz = rate > 0 ? rate : stream->rate_hz;
  for (int64_t i = first; i < first + count; ++i) {
    FakeSample sample;
    sample.stamp_s = zero_s + static_cast<double>(i) / rate_hz;
    sample.values.assign(static_cast<size_t>(stream->channel_count), static_cast<double>(i));
    stream->waiting.push_back(std::move(sample));
  }
}

void Mark(FakeStream* stream, double stamp_s, const std::string& text) {
  stream->waiting.push_back({stamp_s, {0}, text});
}

struct Told {
  std::vector<SampleBlock> blocks;
  std::vector<StimulusTrigger> triggers;
  std::vector<SourceEvent> events;
  std::vector<Gap> gaps;
  absl::Status status;
  int64_t due_ns = INT64_MIN;
  std::vector<double> samples;  // of the first channel of group 0
};

// What there is now.
void Drain(SignalSource* source, Told* told) {
  while (true) {
    absl::StatusOr<Item> item = source->Next();
    if (!item.ok()) {
      told->status = item.status();
      return;
    }
    if (std::holds_alternative<NothingYet>(*item) || std::holds_alternative<EndOfSource>(*item))
      return;
    EXPECT_GE(DueTimeNs(*item), told->due_ns);
    told->due_ns = DueTimeNs(*item);
    if (auto* block = std::get_if<SampleBlock>(&*item)) {
      if (block->rate_group == 0) {
        told->samples.insert(told->samples.end(), block->channel(0).begin(),
                             block->channel(0).end());
      }
      told->blocks.push_back(std::move(*block));
    }
    if (auto* trigger = std::get_if<StimulusTrigger>(&*item)) told->triggers.push_back(*trigger);
    if (auto* event = std::get_if<SourceEvent>(&*item)) told->events.push_back(*event);
    if (auto* gap = std::get_if<Gap>(&*item)) told->gaps.push_back(*gap);
  }
}

std::unique_ptr<SignalSource> Open(const std::vector<std::string>& names, LslOptions options = {}) {
  options.names = names;
  auto source = LslSource::Open(FakeLsl::Api(), "lsl:test", options, FakeClock());
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : nullptr;
}

std::string ErrorOf(const std::vector<std::string>& names, absl::StatusCode code,
                    const std::string& type = "") {
  LslOptions options;
  options.names = names;
  options.type = type;
  const auto source = LslSource::Open(FakeLsl::Api(), "lsl:test", options, FakeClock());
  EXPECT_EQ(source.status().code(), code);
  return std::string(source.status().message());
}

TEST(LslSource, DeliversAStreamInMicrovoltsAndNothingYetAfterIt) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  {
    const std::unique_ptr<SignalSource> source = Open({"EEG"});
    const SourceInfo& info = source->info();
    EXPECT_TRUE(info.live);
    EXPECT_EQ(info.live_zero_ns, FakeClock().Now().nanoseconds());
    EXPECT_FALSE(info.duration_ns);
    EXPECT_FALSE(info.texts);
    EXPECT_EQ(info.channels[0].label, "Cz");
    EXPECT_EQ(info.channels[1].unit, "uV");
    EXPECT_EQ(info.rate_groups[0].sample_rate_hz, 1000);
    EXPECT_TRUE(std::holds_alternative<NothingYet>(*source->Next()));
    Told told;
    for (int part = 0; part < 10; ++part) {
      Send(eeg, part * 37, 37, 500);
      Drain(source.get(), &told);
    }
    ASSERT_EQ(told.samples.size(), 370u);
    for (int i = 0; i < 370; ++i) EXPECT_EQ(told.samples[i], i);
    EXPECT_EQ(told.blocks[0].channel(1)[3], 3000) << "millivolts";
    int64_t end_ns = 0;
    for (const SampleBlock& block : told.blocks) {
      EXPECT_EQ(block.start_time_ns, end_ns);
      EXPECT_LE(block.samples_per_channel, 50);
      end_ns = block.end_time_ns;
    }
    EXPECT_EQ(end_ns, 370 * kMs);
    EXPECT_TRUE(told.gaps.empty());
  }
  EXPECT_EQ(layer.open_inlets, 0);
  EXPECT_EQ(layer.open_infos, 0);
}

TEST(LslSource, MarkersFallOnTheSampleThatWasTakenWhenTheyCame) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  FakeStream* markers = layer.Add(Markers());
  eeg->correction_s = 500;  // its clock is 500 s behind this machine's
  markers->correction_s = -20;
  LslOptions options;
  options.triggers.code_labels = {{1, "MED R"}};
  const std::unique_ptr<SignalSource> source = Open({"Markers", "EEG"}, options);
  Told told;
  layer.now_s = 1001;
  Send(eeg, 0, 1000, 500);  // from 1000 to 1001 s here
  Mark(markers, 1020.25, "S  1");
  Mark(markers, 1020.5, "patient moved");
  Mark(markers, 1020.625, "STIM TIB L 3.1Hz 20mA");
  Drain(source.get(), &told);
  ASSERT_EQ(told.triggers.size(), 2u);
  EXPECT_NEAR(told.triggers[0].time_ns, 250 * kMs, 1000);
  EXPECT_EQ(told.triggers[0].label, "MED R");
  EXPECT_EQ(told.triggers[0].code, 1);
  EXPECT_EQ(told.triggers[1].label, "TIB L");
  EXPECT_EQ(told.triggers[1].delivered_ma, 20);
  ASSERT_EQ(told.events.size(), 1u);
  EXPECT_NEAR(told.events[0].time_ns, 500 * kMs, 1000);
  EXPECT_EQ(told.samples.size(), 900u) << "100 ms are held";
  EXPECT_EQ(layer.open_strings, 0);
}

TEST(LslSource, MissingSamplesAreAGapAsLongAsTheyAre) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  const std::unique_ptr<SignalSource> source = Open({"EEG"});
  Told told;
  Send(eeg, 0, 100, 500);
  Send(eeg, 351, 100, 500);
  Drain(source.get(), &told);
  ASSERT_EQ(told.gaps.size(), 1u);
  EXPECT_EQ(told.gaps[0].kind, Gap::Kind::kMissing);
  EXPECT_EQ(told.gaps[0].from_ns, 100 * kMs);
  EXPECT_EQ(told.gaps[0].to_ns, 351 * kMs);
  EXPECT_THAT(told.gaps[0].cause, HasSubstr("251 samples of stream EEG are missing"));
  EXPECT_EQ(told.samples.size(), 200u);
  EXPECT_EQ(told.blocks.back().end_time_ns, 451 * kMs);
  EXPECT_EQ(told.blocks.back().first_sample_index + told.blocks.back().samples_per_channel, 200);
}

TEST(LslSource, StampsThatJitterAreNoGap) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  const std::unique_ptr<SignalSource> source = Open({"EEG"});
  Told told;
  sim::SimRandom random(3, 0);
  for (int64_t i = 0; i < 30'000; ++i) {
    Send(eeg, i, 1, 500 + 0.02 * random.Uniform());
  }
  eeg->waiting[500].stamp_s = std::numeric_limits<double>::quiet_NaN();
  Drain(source.get(), &told);
  EXPECT_TRUE(told.gaps.empty());
  EXPECT_EQ(told.samples.size(), 30'000u);
}

TEST(LslSource, AClockThatJumpsOrWasResetBeginsAnew) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  const std::unique_ptr<SignalSource> source = Open({"EEG"});
  Told told;
  Send(eeg, 0, 100, 500);
  Send(eeg, 100, 100, 400);
  Drain(source.get(), &told);
  ASSERT_EQ(told.gaps.size(), 1u);
  EXPECT_EQ(told.gaps[0].kind, Gap::Kind::kTimeJumpedBack);
  EXPECT_NEAR(told.gaps[0].clock_step_ns, -100'000 * kMs, kMs);
  Send(eeg, 200, 100, 9e9);
  Drain(source.get(), &told);
  ASSERT_EQ(told.gaps.size(), 2u);
  EXPECT_EQ(told.gaps[1].from_ns, told.gaps[1].to_ns);
  eeg->clock_was_reset = true;
  layer.now_s += 6;
  Send(eeg, 300, 100, 9e9);
  Drain(source.get(), &told);
  ASSERT_EQ(told.gaps.size(), 3u);
  EXPECT_THAT(told.gaps[2].cause, HasSubstr("its clock was reset"));
  EXPECT_EQ(told.samples.size(), 400u);
  EXPECT_EQ(told.blocks.back().end_time_ns, 400 * kMs);
}

// Two amplifiers whose crystals are 50 ppm apart, and a stimulator with a clock of its own, for ten
// minutes: markers keep within 1 ms of the first stream, and the second within 3 ms of it.
TEST(LslSource, ClocksThatDriftStayAligned) {
  FakeLsl layer;
  FakeStream* first = layer.Add(Eeg("first", 1000));
  FakeStream* second = layer.Add(Eeg("second", 500));
  FakeStream* markers = layer.Add(Markers());
  LslOptions options;
  options.hold_ms = 300;
  const std::unique_ptr<SignalSource> source = Open({"first", "second", "Markers"}, options);
  Told told;
  const double first_rate = 1000 * (1 - 25e-6);
  const double second_rate = 500 * (1 + 25e-6);
  int64_t sent_first = 0;
  int64_t sent_second = 0;
  for (int step = 1; step <= 6000; ++step) {
    const double elapsed_s = step * 0.1;
    layer.now_s = 1000 + elapsed_s;
    const int64_t upto_first = static_cast<int64_t>(elapsed_s * first_rate);
    const int64_t upto_second = static_cast<int64_t>(elapsed_s * second_rate);
    Send(first, sent_first, upto_first - sent_first, 1000, first_rate);
    Send(second, sent_second, upto_second - sent_second, 1000, second_rate);
    sent_first = upto_first;
    sent_second = upto_second;
    if (step % 10 == 5) Mark(markers, layer.now_s - 0.05, "1");
    Drain(source.get(), &told);
  }
  ASSERT_GT(told.triggers.size(), 590u);
  for (size_t i = 0; i < told.triggers.size(); ++i) {
    const double true_s = (static_cast<double>(i) + 0.45) * first_rate / 1000;
    EXPECT_NEAR(static_cast<double>(told.triggers[i].time_ns) / 1e9, true_s, 1e-3) << i;
  }
  double worst_s = 0;
  for (const SampleBlock& block : told.blocks) {
    if (block.rate_group != 1) continue;
    // The first sample's number is its value: what moment it was on the first stream's clock.
    const double true_s = block.channel(0)[0] / second_rate * first_rate / 1000;
    worst_s = std::max(worst_s, std::abs(static_cast<double>(block.start_time_ns) / 1e9 - true_s));
  }
  EXPECT_LT(worst_s, 3e-3);
  EXPECT_THAT(told.gaps, SizeIs(::testing::AllOf(::testing::Ge(8u), ::testing::Le(20u))));
  EXPECT_THAT(told.gaps[0].cause,
              AllOf(HasSubstr("stream second has drifted"), HasSubstr("are left out")));
  EXPECT_GT(layer.corrections_asked, 300);
}

TEST(LslSource, WhatComesTooLateIsToldNotUsed) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  FakeStream* other = layer.Add(Eeg("other"));
  FakeStream* markers = layer.Add(Markers());
  const std::unique_ptr<SignalSource> source = Open({"EEG", "other", "Markers"});
  Told told;
  layer.now_s = 1001;
  Send(eeg, 0, 1000, 1000);
  Send(other, 0, 500, 1000);
  Drain(source.get(), &told);
  EXPECT_EQ(told.due_ns, 500 * kMs) << "the other stream may come yet";
  layer.now_s = 1004;
  Send(eeg, 1000, 3000, 1000);
  Drain(source.get(), &told);
  EXPECT_EQ(told.due_ns, 3900 * kMs) << "it has been silent for 3 s";
  Mark(markers, 1000.6, "17");
  Mark(markers, 1000.7, "late note");
  Send(other, 500, 100, 1000);
  Drain(source.get(), &told);
  EXPECT_TRUE(told.triggers.empty());
  layer.now_s = 1005;
  Send(eeg, 4000, 1000, 1000);
  Send(other, 600, 4400, 1000);
  Drain(source.get(), &told);
  ASSERT_EQ(told.events.size(), 2u);
  EXPECT_THAT(told.events[0].text, HasSubstr("a stimulus (code 17, \"17\") came 3.3 s too late"));
  EXPECT_EQ(told.events[1].text, "late note");
  EXPECT_EQ(told.events[1].time_ns, 3900 * kMs);
  ASSERT_GE(told.gaps.size(), 1u);
  EXPECT_THAT(told.gaps[0].cause, HasSubstr("samples of stream other came"));
  int64_t delivered = 0;
  for (const SampleBlock& block : told.blocks) {
    if (block.rate_group != 1) continue;
    EXPECT_EQ(block.first_sample_index, delivered);
    delivered += block.samples_per_channel;
  }
  EXPECT_GT(delivered, 500 + 800);
}

TEST(LslSource, NumbersAndTriggerChannelsAreStimuliToo) {
  FakeLsl layer;
  FakeStream trigger = Eeg();
  trigger.channels[1] = {"Trigger", "", "TRIG"};
  FakeStream* eeg = layer.Add(trigger);
  FakeStream codes = Markers("codes");
  codes.format = kInt32;
  FakeStream* numbers = layer.Add(codes);
  std::unique_ptr<SignalSource> source = Open({"EEG"});
  EXPECT_FALSE(source->info().channels[1].is_voltage);
  EXPECT_THAT(source->info().notes,
              Contains(HasSubstr("stimuli are taken from channel \"Trigger\"")));
  Send(eeg, 0, 100, 1000);
  for (int i = 0; i < 100; ++i) eeg->waiting[i].values[1] = i >= 40 && i < 45 ? 3 : 0;
  Told told;
  Drain(source.get(), &told);
  ASSERT_EQ(told.triggers.size(), 1u);
  EXPECT_EQ(told.triggers[0].time_ns, 40 * kMs);
  EXPECT_EQ(told.triggers[0].code, 3);
  source = Open({"EEG", "codes"});
  layer.now_s = 1002;
  Send(eeg, 0, 100, 1000);
  numbers->waiting.push_back({1000.05, {12}, ""});
  Told more;
  Drain(source.get(), &more);
  ASSERT_EQ(more.triggers.size(), 1u);
  EXPECT_EQ(more.triggers[0].code, 12);
}

TEST(LslSource, UnitsThatAreNotGivenAreSaid) {
  FakeLsl layer;
  FakeStream stream = Eeg();
  stream.channels.clear();
  stream.format = kInt16;
  layer.Add(stream);
  const std::unique_ptr<SignalSource> source = Open({"EEG"});
  EXPECT_THAT(source->info().notes,
              Contains(HasSubstr("gives no unit for 2 channels; microvolts are assumed")));
  EXPECT_EQ(source->info().channels[1].label, "EEG 2");
  EXPECT_EQ(source->info().channels[1].digital_max, 32'767);
}

TEST(LslSource, AStreamThatWentAwayIsAnErrorAfterWhatWasLeft) {
  FakeLsl layer;
  FakeStream* eeg = layer.Add(Eeg());
  const std::unique_ptr<SignalSource> source = Open({"EEG"});
  Send(eeg, 0, 100, 500);
  Told told;
  Drain(source.get(), &told);
  eeg->lost = true;
  Drain(source.get(), &told);
  EXPECT_EQ(told.samples.size(), 100u);
  EXPECT_EQ(told.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(told.status.message()), HasSubstr("stream EEG went away"));
  EXPECT_TRUE(std::holds_alternative<EndOfSource>(*source->Next()));
}

TEST(LslSource, HostileStreamsAreRefusedWithWhatIsThere) {
  FakeLsl layer;
  EXPECT_THAT(ErrorOf({"EEG"}, absl::StatusCode::kNotFound),
              AllOf(HasSubstr("no stream called EEG within 5 s"), HasSubstr("is there at all")));
  layer.Add(Eeg("EEG"));
  EXPECT_THAT(ErrorOf({"EGE"}, absl::StatusCode::kNotFound),
              HasSubstr("there are: EEG (EEG, on amplifier)"));
  EXPECT_THAT(ErrorOf({"EEG"}, absl::StatusCode::kNotFound, "EMG"),
              HasSubstr("no stream called EEG of type EMG"));
  EXPECT_THAT(ErrorOf({}, absl::StatusCode::kNotFound, "EMG"), HasSubstr("no stream of type EMG"));
  layer.Add(Eeg("EEG"));
  EXPECT_THAT(ErrorOf({"EEG"}, absl::StatusCode::kInvalidArgument),
              HasSubstr("2 streams are called EEG"));
  FakeStream bad = Eeg("fast");
  bad.rate_hz = 1e9;
  layer.Add(bad);
  EXPECT_THAT(ErrorOf({"fast"}, absl::StatusCode::kInvalidArgument), HasSubstr("says 1e+09 Hz"));
  bad = Eeg("none");
  bad.channel_count = 0;
  layer.Add(bad);
  EXPECT_THAT(ErrorOf({"none"}, absl::StatusCode::kInvalidArgument), HasSubstr("has 0 channels"));
  bad = Eeg("mute");
  bad.answers = false;
  layer.Add(bad);
  EXPECT_THAT(ErrorOf({"mute"}, absl::StatusCode::kUnavailable), HasSubstr("does not answer"));
  EXPECT_EQ(layer.open_inlets, 0);
  EXPECT_EQ(layer.open_infos, 0);
}

}  // namespace
}  // namespace remora::agent::lsl
