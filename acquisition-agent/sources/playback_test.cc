#include "acquisition-agent/sources/playback.h"

#include <cmath>

#include "acquisition-agent/sources/recording_source.h"
#include "acquisition-agent/sources/testing/collected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;

class Ramp : public SampleReader {
 public:
  absl::Status Read(int, int64_t first, int64_t count, std::span<double> out) override {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<double>(first + static_cast<int64_t>(i) % count);
    }
    return absl::OkStatus();
  }
};

// 10 s: 1000 Hz and 3 Hz, marks at each half second and after the end, a gap from 4 s to 6 s.
absl::StatusOr<std::unique_ptr<SignalSource>> OpenTest() {
  Recording recording;
  recording.info.name = "test";
  recording.info.start_local = absl::CivilSecond(2020, 3, 2, 9, 10, 11);
  recording.info.start_subsecond_ns = 750'000'000;
  recording.clock = FrameClock::OfRate(1);
  recording.frames = 8;
  recording.samples_per_frame = {1000, 3};
  for (int i = 0; i < 2; ++i) {
    ChannelInfo channel;
    channel.label = std::to_string(i);
    channel.rate_group = i;
    channel.uv_per_count = 1;
    recording.info.rate_groups.push_back({i == 0 ? 1000.0 : 3.0, {i}});
    recording.info.channels.push_back(channel);
  }
  recording.stretches = {{0, 0, 0}, {4, 6 * kSecond, 0}};
  recording.texts = {{"mark", {}}, {"STIM 1", StimulusTrigger{}}};
  for (int64_t i = 0; i < 20; ++i) recording.marks.push_back({i * kSecond / 2, 0, i % 2 == 0});
  recording.marks.push_back({11 * kSecond, 0, 0});
  recording.marks.push_back({-kSecond, 0, 0});
  recording.samples = std::make_unique<Ramp>();
  return std::make_unique<RecordingSource>(std::move(recording));
}

std::unique_ptr<SignalSource> Play(int64_t from_ns, std::optional<int64_t> to_ns,
                                   int64_t rounds = 1) {
  auto source = PlaybackSource::Open(OpenTest, {from_ns, to_ns, rounds});
  EXPECT_TRUE(source.ok()) << source.status();
  return *std::move(source);
}

TEST(Playback, WithoutOptionsIsTheRecordingItself) {
  const std::unique_ptr<SignalSource> source = Play(0, {});
  EXPECT_NE(dynamic_cast<RecordingSource*>(source.get()), nullptr);
}

TEST(Playback, FromAndToCutExactly) {
  const std::unique_ptr<SignalSource> source = Play(1'234'500'000, 3'000'400'000);
  const SourceInfo& info = source->info();
  EXPECT_EQ(info.duration_ns, 1'765'900'000);
  EXPECT_EQ(info.start_local, absl::CivilSecond(2020, 3, 2, 9, 10, 12));
  EXPECT_EQ(info.start_subsecond_ns, 984'500'000);
  EXPECT_THAT(info.notes, Contains(HasSubstr("played from 1.2345 s to 3.0004 s")));
  const Collected collected = Collect(source.get(), kSecond / 3);
  const std::vector<double> fast = Samples(collected, 0, 0);
  EXPECT_EQ(fast.front(), 1235);
  EXPECT_EQ(fast.back(), 3000);
  EXPECT_EQ(fast.size(), 1766u);
  EXPECT_EQ(Samples(collected, 1, 0), (std::vector<double>{4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(collected.blocks.front().start_time_ns, 500'000);
  EXPECT_EQ(collected.blocks.back().end_time_ns, 1'765'900'000);
  // Marks at 1.5, 2, 2.5 and 3 s.
  EXPECT_EQ(collected.events.size() + collected.triggers.size(), 4u);
  EXPECT_EQ(collected.triggers[0].time_ns, 2 * kSecond - 1'234'500'000);
}

TEST(Playback, PartsPutTogetherAreTheWhole) {
  const Collected whole = Collect(Play(0, {}).get(), 0);
  std::vector<double> fast;
  std::vector<double> slow;
  size_t marks = 0;
  const std::vector<int64_t> cuts = {
      0, 1, 700'000'001, kSecond, 3'999'999'999, 5 * kSecond, 6'000'500'000, 9 * kSecond};
  for (size_t i = 0; i < cuts.size(); ++i) {
    const bool last = i + 1 == cuts.size();
    if (!last && cuts[i + 1] - cuts[i] < 1'000'000) continue;
    const int64_t from = i > 0 && cuts[i] == 1 ? 0 : cuts[i];
    const auto source = Play(from, last ? std::optional<int64_t>() : cuts[i + 1]);
    const Collected part = Collect(source.get(), kSecond / 3);
    const std::vector<double> f = Samples(part, 0, 0);
    const std::vector<double> s = Samples(part, 1, 0);
    fast.insert(fast.end(), f.begin(), f.end());
    slow.insert(slow.end(), s.begin(), s.end());
    marks += part.events.size() + part.triggers.size();
  }
  EXPECT_EQ(fast, Samples(whole, 0, 0));
  EXPECT_EQ(slow, Samples(whole, 1, 0));
  EXPECT_EQ(marks, whole.events.size() + whole.triggers.size());
}

TEST(Playback, AGapThatIsCutKeepsItsRest) {
  const Collected collected = Collect(Play(5 * kSecond, {}).get());
  ASSERT_EQ(collected.gaps.size(), 1u);
  EXPECT_EQ(collected.gaps[0].from_ns, 0);
  EXPECT_EQ(collected.gaps[0].to_ns, kSecond);
  EXPECT_EQ(Samples(collected, 0, 0).front(), 4000);
  const Collected before = Collect(Play(3 * kSecond, 5 * kSecond).get());
  ASSERT_EQ(before.gaps.size(), 1u);
  EXPECT_EQ(before.gaps[0].to_ns, 2 * kSecond);
}

TEST(Playback, RoundsGoOnInDeviceTimeAndBeginWithAGap) {
  const std::unique_ptr<SignalSource> source = Play(kSecond, 2'500'000'000, 3);
  EXPECT_EQ(source->info().duration_ns, 4'500'000'000);
  const Collected collected = Collect(source.get(), kSecond / 3);
  ASSERT_EQ(collected.gaps.size(), 2u);
  for (int64_t i = 0; i < 2; ++i) {
    EXPECT_EQ(collected.gaps[i].kind, Gap::Kind::kTimeJumpedBack);
    EXPECT_EQ(collected.gaps[i].from_ns, (i + 1) * 1'500'000'000);
    EXPECT_EQ(collected.gaps[i].clock_step_ns, -1'500'000'000);
  }
  EXPECT_THAT(collected.gaps[1].cause, HasSubstr("round 3 of 3"));
  const std::vector<double> fast = Samples(collected, 0, 0);
  ASSERT_EQ(fast.size(), 4500u);
  for (size_t i = 0; i < fast.size(); ++i) ASSERT_EQ(fast[i], static_cast<double>(1000 + i % 1500));
  EXPECT_EQ(collected.triggers.size(), 6u);
  EXPECT_EQ(collected.events.size(), 3u);
}

TEST(Playback, WholeRoundsKeepMarksThatWereSetAfterTheEnd) {
  const Collected collected = Collect(Play(0, {}, 2).get());
  EXPECT_EQ(collected.gaps.size(), 3u);  // the recording's own, twice, and one between
  EXPECT_EQ(collected.events.size(), 1 + 2 * 11u);
  EXPECT_EQ(collected.events.back().time_ns, 20 * kSecond);
}

TEST(Playback, EndlessRoundsHaveNoDuration) {
  const std::unique_ptr<SignalSource> source = Play(kSecond, 1'100'000'000, 0);
  EXPECT_FALSE(source->info().duration_ns);
  const Collected collected = Collect(source.get(), kSecond / 3, 2000);
  EXPECT_GT(collected.gaps.size(), 200u);
}

TEST(Playback, TellsARecordingThatWentAwayBetweenRounds) {
  int opened = 0;
  auto source = PlaybackSource::Open(
      [&]() -> absl::StatusOr<std::unique_ptr<SignalSource>> {
        if (++opened > 1) return absl::NotFoundError("cannot open test");
        return OpenTest();
      },
      {0, {}, 2});
  ASSERT_TRUE(source.ok());
  const Collected collected = Collect(source->get());
  EXPECT_EQ(collected.status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(collected.status.message()), HasSubstr("for round 2: cannot open test"));
  EXPECT_TRUE(std::holds_alternative<EndOfSource>(*(*source)->Next()));
}

TEST(Playback, HostilePartsAreRefused) {
  const auto error = [](int64_t from_ns, std::optional<int64_t> to_ns) {
    const auto source = PlaybackSource::Open(OpenTest, {from_ns, to_ns, 1});
    return source.ok() ? "no error" : std::string(source.status().message());
  };
  EXPECT_THAT(error(2 * kSecond, kSecond), HasSubstr("to must be later than from"));
  EXPECT_THAT(error(10 * kSecond, {}), HasSubstr("the recording lasts 10 s"));
  EXPECT_THAT(error(INT64_MAX / 8, {}), HasSubstr("the recording lasts 10 s"));
  EXPECT_THAT(error(0, 999'999), HasSubstr("at least 0.001 s"));
}

}  // namespace
}  // namespace remora::agent
