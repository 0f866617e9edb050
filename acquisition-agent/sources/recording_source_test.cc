#include "acquisition-agent/sources/recording_source.h"

#include <algorithm>
#include <cmath>

#include "acquisition-agent/sources/testing/collected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

// Sample `i` of channel `k` of a group is 1000 k + i; fails from sample `fails_at` on.
class Ramp : public SampleReader {
 public:
  explicit Ramp(int64_t fails_at = INT64_MAX) : fails_at_(fails_at) {}
  absl::Status Read(int, int64_t first, int64_t count, std::span<double> out) override {
    if (first + count > fails_at_) return absl::DataLossError("the disk is gone");
    for (size_t i = 0; i < out.size(); ++i) {
      const int64_t k = static_cast<int64_t>(i) / count;
      out[i] = static_cast<double>(1000 * k + first + static_cast<int64_t>(i) % count);
    }
    return absl::OkStatus();
  }

 private:
  const int64_t fails_at_;
};

// Groups of one channel each with that many samples a frame.
Recording Of(double rate_hz, int64_t frames, const std::vector<int32_t>& samples_per_frame) {
  Recording recording;
  recording.clock = FrameClock::OfRate(rate_hz);
  recording.frames = frames;
  recording.samples_per_frame = samples_per_frame;
  recording.info.name = "test";
  for (const int32_t samples : samples_per_frame) {
    ChannelInfo channel;
    channel.label = "c" + std::to_string(recording.info.channels.size());
    channel.rate_group = static_cast<int>(recording.info.rate_groups.size());
    channel.uv_per_count = 1;
    channel.digital_min = -100'000;
    channel.digital_max = 100'000;
    recording.info.rate_groups.push_back({rate_hz * samples, {channel.rate_group}});
    recording.info.channels.push_back(channel);
  }
  recording.samples = std::make_unique<Ramp>();
  return recording;
}

TEST(FrameClock, IsExactOverLongRecordings) {
  const FrameClock clock = FrameClock::OfRate(4000);
  EXPECT_EQ(clock.Ns(int64_t{4000} * 86'400), 86'400 * kSecond);
  EXPECT_EQ(clock.Ns(1), 250'000);
  EXPECT_EQ(clock.Ns(1, 1, 4), 312'500);
  EXPECT_DOUBLE_EQ(clock.rate_hz(), 4000);
  EXPECT_EQ(FrameClock::OfIntervalPs(3'906'250'000).Ns(256 * 3600), 3600 * kSecond);
  EXPECT_EQ(FrameClock::OfRate(360).Ns(1), 2'777'778);
  EXPECT_EQ(FrameClock::OfRate(360).Ns(-1), -2'777'778);
  EXPECT_EQ(FrameClock::OfRate(360).Ns(360 * 1000), 1000 * kSecond);
}

TEST(FrameClock, FindsTheFrameOfATime) {
  for (const double rate : {0.5, 62.4725, 360.0, 4000.0, 1e7}) {
    const FrameClock clock = FrameClock::OfRate(rate);
    for (const int64_t frame : {int64_t{0}, int64_t{1}, int64_t{999}, int64_t{123'456'789}}) {
      EXPECT_EQ(clock.FrameAt(clock.Ns(frame)), frame) << rate;
      EXPECT_EQ(clock.FrameAt(clock.Ns(frame + 1) - 1), frame) << rate;
    }
  }
}

TEST(RecordingSource, SameSamplesForEveryBlockLength) {
  for (const int32_t block_ms : {1, 7, 50, 10'000}) {
    Recording recording = Of(997, 997 * 3, {1, 4});
    recording.options.max_block_ms = block_ms;
    RecordingSource source(std::move(recording));
    const Collected collected = Collect(&source);
    const std::vector<double> slow = Samples(collected, 0, 0);
    const std::vector<double> fast = Samples(collected, 1, 0);
    ASSERT_EQ(slow.size(), 2991u);
    ASSERT_EQ(fast.size(), 4 * 2991u);
    for (size_t i = 0; i < fast.size(); ++i) ASSERT_EQ(fast[i], static_cast<double>(i));
    for (const SampleBlock& block : collected.blocks) {
      EXPECT_LE(block.samples_per_channel, block.sample_rate_hz * block_ms / 1000 + 1);
      EXPECT_NEAR(block.start_time_ns, block.first_sample_index / block.sample_rate_hz * 1e9, 1);
    }
  }
}

TEST(RecordingSource, CutsLongFramesIntoShortBlocks) {
  RecordingSource source(Of(1, 3, {1000, 7, 1}));
  const Collected collected = Collect(&source);
  EXPECT_EQ(Samples(collected, 0, 0).size(), 3000u);
  EXPECT_EQ(Samples(collected, 1, 0).size(), 21u);
  EXPECT_EQ(Samples(collected, 2, 0).size(), 3u);
  for (const SampleBlock& block : collected.blocks) EXPECT_LE(block.samples_per_channel, 51);
}

TEST(RecordingSource, TellsMarksBeforeTheBlockThatTheyLieIn) {
  Recording recording = Of(1000, 200, {1});
  StimulusTrigger stimulus;
  stimulus.code = 3;
  stimulus.label = "MED R";
  recording.texts = {{"stop", {}}, {"STIM MED R", stimulus}};
  recording.marks = {{120'000'000, 5, 0},
                     {70'500'000, 0, 1},
                     {-1'000'000, 0, 0},
                     {200'000'000, 0, 0},
                     {900'000'000, 0, 0}};
  RecordingSource source(std::move(recording));
  EXPECT_THAT(*source.info().texts, ElementsAre("MED R", "stop"));
  EXPECT_EQ(source.info().duration_ns, 200'000'000);
  const Collected collected = Collect(&source);
  ASSERT_EQ(collected.triggers.size(), 1u);
  EXPECT_EQ(collected.triggers[0].time_ns, 70'500'000);
  EXPECT_EQ(collected.triggers[0].code, 3);
  ASSERT_EQ(collected.events.size(), 4u);
  EXPECT_EQ(collected.events[0].time_ns, -1'000'000);
  EXPECT_EQ(collected.events[1].duration_ns, 5);
  EXPECT_EQ(collected.events[3].time_ns, 900'000'000);
}

TEST(RecordingSource, BreaksBecomeGaps) {
  Recording recording = Of(100, 300, {1});
  recording.stretches = {
      {0, 0, 0}, {100, 4 * kSecond, 0}, {150, 4'500'000'000, -2 * kSecond}, {200, 5 * kSecond, 0}};
  recording.marks = {{2 * kSecond, 0, 0}};
  recording.texts = {{"in the gap", {}}};
  RecordingSource source(std::move(recording));
  EXPECT_EQ(source.info().duration_ns, 6 * kSecond);
  const Collected collected = Collect(&source);
  ASSERT_EQ(collected.gaps.size(), 3u);
  EXPECT_EQ(collected.gaps[0].kind, Gap::Kind::kMissing);
  EXPECT_EQ(collected.gaps[0].from_ns, kSecond);
  EXPECT_EQ(collected.gaps[0].to_ns, 4 * kSecond);
  EXPECT_THAT(collected.gaps[0].cause, HasSubstr("interrupted for 3 s"));
  EXPECT_EQ(collected.gaps[1].kind, Gap::Kind::kTimeJumpedBack);
  EXPECT_EQ(collected.gaps[1].clock_step_ns, -2 * kSecond);
  EXPECT_EQ(collected.gaps[2].from_ns, collected.gaps[2].to_ns);
  EXPECT_EQ(collected.events.size(), 1u);
  EXPECT_EQ(Samples(collected, 0, 0).size(), 300u);
}

TEST(RecordingSource, FindsStimuliInATriggerChannel) {
  Recording recording = Of(1, 4, {1000, 35});
  class Steps : public SampleReader {
   public:
    absl::Status Read(int group, int64_t first, int64_t count, std::span<double> out) override {
      for (int64_t i = 0; i < count; ++i) {
        out[static_cast<size_t>(i)] = group == 1 && (first + i) % 10 == 9 ? 5 : 0;
      }
      return absl::OkStatus();
    }
  };
  recording.samples = std::make_unique<Steps>();
  recording.trigger_channel = 1;
  recording.options.triggers.code_labels = {{5, "TIB L"}};
  RecordingSource source(std::move(recording));
  EXPECT_THAT(*source.info().texts, ElementsAre("TIB L"));
  const Collected collected = Collect(&source);
  ASSERT_EQ(collected.triggers.size(), 14u);
  for (size_t i = 0; i < 14; ++i) {
    EXPECT_NEAR(collected.triggers[i].time_ns, (10.0 * i + 9) / 35 * 1e9, 2);
    EXPECT_EQ(collected.triggers[i].label, "TIB L");
  }
}

TEST(RecordingSource, SkipsOnlyWhatEndsBefore) {
  for (const int64_t time_ns : {int64_t{0}, int64_t{1}, kSecond - 1, kSecond, 2 * kSecond,
                                4 * kSecond, int64_t{5'300'000'000}, 100 * kSecond}) {
    const auto make = [] {
      Recording recording = Of(100, 300, {1, 3});
      recording.stretches = {{0, 0, 0}, {100, 4 * kSecond, 0}};
      recording.texts = {{"mark", {}}};
      for (int64_t i = 0; i < 60; ++i) recording.marks.push_back({i * 100'000'000, 0, 0});
      return recording;
    };
    RecordingSource whole(make());
    RecordingSource skipping(make());
    skipping.SkipBefore(time_ns);
    const auto wanted = [&](SignalSource* source) {
      std::vector<std::string> out;
      while (true) {
        const absl::StatusOr<Item> item = source->Next();
        if (std::holds_alternative<EndOfSource>(*item)) return out;
        if (const auto* block = std::get_if<SampleBlock>(&*item)) {
          for (int64_t i = 0; i < block->samples_per_channel; ++i) {
            const int64_t index = block->first_sample_index + i;
            const int64_t length_ns = block->end_time_ns - block->start_time_ns;
            // Blocks may be cut elsewhere: what counts is each sample at its time.
            if (block->start_time_ns + length_ns * i / block->samples_per_channel < time_ns)
              continue;
            out.push_back(std::to_string(block->rate_group) + " " + std::to_string(index) + " " +
                          std::to_string(block->samples[static_cast<size_t>(i)]));
          }
        } else if (DueTimeNs(*item) >= time_ns) {
          out.push_back(std::to_string(item->index()) + " " + std::to_string(DueTimeNs(*item)));
        }
      }
    };
    std::vector<std::string> all = wanted(&whole);
    std::vector<std::string> rest = wanted(&skipping);
    std::sort(all.begin(), all.end());
    std::sort(rest.begin(), rest.end());
    EXPECT_EQ(all, rest) << time_ns;
  }
}

TEST(RecordingSource, SaysWhereTheStorageFailed) {
  Recording recording = Of(1000, 1000, {1});
  recording.samples = std::make_unique<Ramp>(/*fails_at=*/500);
  RecordingSource source(std::move(recording));
  const Collected collected = Collect(&source);
  EXPECT_EQ(collected.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(collected.status.message()), HasSubstr("test: the disk is gone"));
  EXPECT_TRUE(std::holds_alternative<EndOfSource>(*source.Next()));
}

TEST(RecordingSource, HostileRecordingsWithoutSamplesEndAtOnce) {
  RecordingSource none(Of(1000, 0, {1}));
  EXPECT_TRUE(Collect(&none).blocks.empty());
  RecordingSource no_channels(Of(1000, 100, {}));
  EXPECT_TRUE(Collect(&no_channels).blocks.empty());
}

}  // namespace
}  // namespace remora::agent
