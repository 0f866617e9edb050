#include "dsp/emg/artefact_class.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_join.h"
#include "dsp/filter/butterworth.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/testing/emg_patterns.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 5000.0;
constexpr std::size_t kChannels = 8;
constexpr std::size_t kChunk = 500;
constexpr double kNoiseUv = 3.0;

using Channels = std::vector<std::vector<double>>;

std::size_t In(double seconds) { return static_cast<std::size_t>(seconds * kRateHz); }

Channels Quiet(double seconds, TestNoise& noise) {
  Channels channels;
  for (std::size_t c = 0; c < kChannels; ++c) {
    channels.push_back(noise.Gaussian(In(seconds), kNoiseUv));
  }
  return channels;
}

double Between(TestNoise& noise, double low, double high) {
  return low + (high - low) * (noise.Uniform() + 0.5);
}

// A muscle of its own on a channel: continuous units, its level swinging at swing_hz (0: steady).
void AddMuscle(std::uint64_t seed, double peak_uv, double swing_hz, std::vector<double>& channel) {
  EmgPatternSimulator simulator(seed, kRateHz);
  std::vector<double> muscle;
  while (muscle.size() < channel.size()) {
    simulator.Add(TruePattern::kC, peak_uv);
    const TrueEvent& event = simulator.events().back();
    muscle.insert(muscle.end(), simulator.samples().begin() + static_cast<long>(event.first),
                  simulator.samples().begin() + static_cast<long>(event.end));
  }
  for (std::size_t i = 0; i < channel.size(); ++i) {
    const double t = static_cast<double>(i) / kRateHz;
    const double level =
        swing_hz > 0.0 ? 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * swing_hz * t) : 1.0;
    channel[i] += level * muscle[i];
  }
}

Channels Simulate(NonMuscle kind, std::uint64_t seed, bool shiver) {
  TestNoise noise(seed);
  Channels channels = Quiet(4.0, noise);
  const double drill_hz = Between(noise, 110.0, 900.0);
  const double interval_s = 1.0 / Between(noise, 2.1, 9.0);
  std::vector<double> common = noise.Gaussian(In(4.0), 1.0);
  for (std::size_t c = 0; c < kChannels; ++c) {
    const double gain = Between(noise, 0.5, 1.5) * (noise.Uniform() > 0.0 ? 1.0 : -1.0);
    for (std::size_t i = 0; i < channels[c].size(); ++i) {
      const double t = static_cast<double>(i) / kRateHz;
      const double turn = 2.0 * std::numbers::pi * t;
      double& sample = channels[c][i];
      switch (kind) {
        case NonMuscle::kMains:
          if (c < 5) sample += 40.0 * gain * (std::sin(50.0 * turn) + 0.3 * std::sin(150.0 * turn));
          break;
        case NonMuscle::kDiathermy:
          sample += 400.0 * gain * (common[i] + 0.3 * noise.Gaussian());
          break;
        case NonMuscle::kDrill:
          sample += 60.0 * gain * std::sin(drill_hz * turn);
          sample += 24.0 * gain * std::sin(2.0 * drill_hz * turn);
          break;
        case NonMuscle::kStimulus: {
          const double since_ms = 1000.0 * std::fmod(t, interval_s);
          if (since_ms < 5.0) sample += 300.0 * gain * std::exp(-since_ms / 0.5);
          break;
        }
        default:
          break;
      }
    }
    if (kind == NonMuscle::kAllMuscles) {
      AddMuscle(100 * seed + c, Between(noise, 80.0, 300.0), shiver ? 8.0 : 0.0, channels[c]);
    }
  }
  return channels;
}

void Filter(Channels& channels) {
  for (std::vector<double>& channel : channels) {
    StreamingFilter filter(*ButterworthBandPass(2, 20.0, 1500.0, kRateHz));
    filter.ResetToNextSample();
    filter.Process(channel, channel);
  }
}

ArtefactClassifier Classifier() {
  ArtefactClassOptions options;
  options.sample_rate_hz = kRateHz;
  return *ArtefactClassifier::Create(options);
}

std::vector<ArtefactVerdict> RunOver(ArtefactClassifier& classifier, const Channels& channels) {
  std::vector<ArtefactVerdict> verdicts;
  const std::vector<double> floors(channels.size(), kNoiseUv);
  for (std::size_t at = 0; at + kChunk <= channels[0].size(); at += kChunk) {
    std::vector<std::span<const double>> spans;
    for (const auto& channel : channels) spans.push_back(std::span(channel).subspan(at, kChunk));
    verdicts.push_back(classifier.Push(spans, floors, {}));
  }
  return verdicts;
}

// What the last 1.5 s of 4 s were called.
TEST(ArtefactClass, NamesWhatNoNerveMade) {
  std::array<std::array<int, kNonMuscleKinds>, kNonMuscleKinds> called{};
  std::array<int, kNonMuscleKinds> all{};
  for (std::size_t kind = 0; kind < kNonMuscleKinds; ++kind) {
    for (std::uint64_t seed = 501; seed <= 510; ++seed) {
      Channels channels = Simulate(static_cast<NonMuscle>(kind), seed, seed % 2 == 0);
      Filter(channels);
      ArtefactClassifier classifier = Classifier();
      const auto verdicts = RunOver(classifier, channels);
      for (std::size_t i = verdicts.size() - 15; i < verdicts.size(); ++i) {
        // Between two stimuli there is nothing to name.
        const bool between = verdicts[i].active < kChannels / 2;
        if (static_cast<NonMuscle>(kind) == NonMuscle::kStimulus && between) continue;
        ++called[kind][static_cast<std::size_t>(verdicts[i].kind)];
        ++all[kind];
      }
      if (seed == 502) {
        std::printf("%s: %s\n", NonMuscleName(static_cast<NonMuscle>(kind)),
                    absl::StrJoin(verdicts.back().reasons, ", ").c_str());
      }
    }
  }
  for (std::size_t kind = 0; kind < kNonMuscleKinds; ++kind) {
    std::printf("%-12s", NonMuscleName(static_cast<NonMuscle>(kind)));
    for (const int count : called[kind]) std::printf(" %5d", count);
    std::printf("\n");
    EXPECT_GE(all[kind], 30);
    EXPECT_GE(called[kind][kind], 0.95 * all[kind]) << NonMuscleName(static_cast<NonMuscle>(kind));
  }
}

// Each pattern of a nerve, on one to three of eight channels, is no artefact.
TEST(ArtefactClass, ATrainOnSomeMusclesIsNone) {
  int wrong = 0;
  int all = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const TruePattern pattern : {TruePattern::kA, TruePattern::kBSpikes, TruePattern::kBBursts,
                                      TruePattern::kC, TruePattern::kContact}) {
      TestNoise noise(900 + seed);
      Channels channels = Quiet(4.0, noise);
      for (std::size_t c = 0; c < 1 + seed % 3; ++c) {
        EmgPatternSimulator simulator(10 * seed + c, kRateHz);
        simulator.Add(pattern, simulator.Between(60.0, 500.0));
        const auto& samples = simulator.samples();
        for (std::size_t i = 0; i < std::min(samples.size(), channels[c].size()); ++i) {
          channels[c][i] += samples[i];
        }
      }
      Filter(channels);
      ArtefactClassifier classifier = Classifier();
      for (const ArtefactVerdict& verdict : RunOver(classifier, channels)) {
        ++all;
        wrong += verdict.kind != NonMuscle::kNone || !verdict.alone.empty();
      }
    }
  }
  std::printf("%d of %d chunks of muscle called an artefact\n", wrong, all);
  EXPECT_LE(wrong, all / 100);
}

TEST(ArtefactClass, TellsAKnownStimulusInItsFirstChunk) {
  TestNoise noise(7);
  Channels channels = Quiet(0.1, noise);
  for (auto& channel : channels) {
    for (std::size_t i = 0; i < 20; ++i) channel[200 + i] += 400.0 * std::exp(-0.4 * i);
  }
  std::vector<std::span<const double>> spans(channels.begin(), channels.end());
  const std::vector<double> floors(kChannels, kNoiseUv);
  ArtefactClassifier classifier = Classifier();
  EXPECT_EQ(classifier.Push(spans, floors, std::vector<std::size_t>{}).kind, NonMuscle::kNone);
  const ArtefactVerdict verdict = classifier.Push(spans, floors, std::vector<std::size_t>{199});
  EXPECT_EQ(verdict.kind, NonMuscle::kStimulus);
  EXPECT_EQ(verdict.channels, kChannels);
  EXPECT_EQ(HintsOf(verdict.kind), static_cast<std::uint32_t>(kArtefactStimulus));
  // A stimulus elsewhere explains nothing.
  EXPECT_EQ(classifier.Push(spans, floors, std::vector<std::size_t>{400}).kind, NonMuscle::kNone);
}

// A loose electrode: hum, or more than any muscle, on one channel beside what the others do.
TEST(ArtefactClass, WhatOneChannelHasIsItsOwn) {
  for (const NonMuscle kind : {NonMuscle::kMains, NonMuscle::kDiathermy}) {
    for (const NonMuscle others : {NonMuscle::kNone, NonMuscle::kDrill}) {
      Channels channels = Simulate(others, 41, /*shiver=*/false);
      for (std::size_t i = 0; i < channels[3].size(); ++i) {
        const double turn = 2.0 * std::numbers::pi * static_cast<double>(i) / kRateHz;
        if (kind == NonMuscle::kMains) channels[3][i] += 900.0 * std::sin(50.0 * turn);
        if (kind == NonMuscle::kDiathermy && i % 400 < 15) channels[3][i] += 9000.0;
      }
      Filter(channels);
      ArtefactClassifier classifier = Classifier();
      const ArtefactVerdict verdict = RunOver(classifier, channels).back();
      EXPECT_EQ(verdict.kind, others) << NonMuscleName(kind);
      ASSERT_EQ(verdict.alone.size(), 1u) << NonMuscleName(kind);
      EXPECT_EQ(verdict.Of(3).kind, kind);
      EXPECT_EQ(verdict.Of(3).reasons.front(), "1 of 8 channels");
      for (const std::size_t other : {0u, 2u, 4u, 7u}) EXPECT_EQ(verdict.Of(other).kind, others);
    }
  }
}

// Half of the channels are all of them; one of two, or one alone, is not.
TEST(ArtefactClass, HumIsOfAllWhereHalfHaveIt) {
  for (const auto& [humming, of, whole] :
       {std::tuple{4u, 8u, true}, {3u, 8u, false}, {1u, 2u, false}, {1u, 1u, false}}) {
    TestNoise noise(42);
    Channels channels = Quiet(0.1, noise);
    channels.resize(of);
    for (std::size_t c = 0; c < humming; ++c) {
      for (std::size_t i = 0; i < kChunk; ++i) {
        const double t = static_cast<double>(i) / kRateHz;
        channels[c][i] += 60.0 * std::sin(100.0 * std::numbers::pi * t);
      }
    }
    ArtefactClassifier classifier = Classifier();
    const ArtefactVerdict verdict = RunOver(classifier, channels).front();
    EXPECT_EQ(verdict.kind, whole ? NonMuscle::kMains : NonMuscle::kNone) << humming;
    EXPECT_EQ(verdict.alone.size(), whole ? 0u : humming);
    EXPECT_EQ(verdict.Of(0).kind, NonMuscle::kMains);
    EXPECT_EQ(verdict.Of(of - 1).kind, whole || of == 1 ? NonMuscle::kMains : NonMuscle::kNone);
  }
}

// So of broad noise: one of two is noisy, and not both.
TEST(ArtefactClass, BroadNoiseOfOneIsItsOwn) {
  for (const bool both : {false, true}) {
    TestNoise noise(43);
    Channels channels = Quiet(0.1, noise);
    channels.resize(2);
    for (std::size_t c = both ? 0 : 1; c < 2; ++c) channels[c] = noise.Gaussian(kChunk, 200.0);
    ArtefactClassifier classifier = Classifier();
    const ArtefactVerdict verdict = RunOver(classifier, channels).front();
    EXPECT_EQ(verdict.kind, both ? NonMuscle::kDiathermy : NonMuscle::kNone);
    EXPECT_EQ(verdict.Of(0).kind, both ? NonMuscle::kDiathermy : NonMuscle::kNone);
    EXPECT_EQ(verdict.Of(1).kind, NonMuscle::kDiathermy);
  }
}

// A loose electrode among many: its noise is its own, whatever the others do, and hides nothing.
TEST(ArtefactClass, BroadNoiseOfOneOfManyIsItsOwn) {
  for (const double noise_uv : {30.0, 200.0, 2000.0}) {
    for (const NonMuscle others :
         {NonMuscle::kNone, NonMuscle::kDrill, NonMuscle::kMains, NonMuscle::kAllMuscles}) {
      Channels channels = Simulate(others, 45, /*shiver=*/false);
      channels[6] = TestNoise(46).Gaussian(channels[6].size(), noise_uv);
      Filter(channels);
      ArtefactClassifier classifier = Classifier();
      const std::vector<ArtefactVerdict> verdicts = RunOver(classifier, channels);
      for (std::size_t i = 1; i < verdicts.size(); ++i) {
        ASSERT_EQ(verdicts[i].alone.size(), 1u) << noise_uv << " " << NonMuscleName(others);
        EXPECT_EQ(verdicts[i].Of(6).kind, NonMuscle::kDiathermy);
        EXPECT_EQ(verdicts[i].Of(6).reasons.front(), "1 of 8 channels");
      }
      EXPECT_EQ(verdicts.back().kind, others) << noise_uv;
      for (const std::size_t other : {0u, 5u, 7u}) {
        EXPECT_EQ(verdicts.back().Of(other).kind, others);
      }
    }
  }
}

// Noise is over any limit in each 2 ms: a unit beside it is no pulse of both.
TEST(ArtefactClass, NoiseOfOneMakesNoStimulusOfAUnit) {
  TestNoise noise(47);
  Channels channels = Quiet(2.0, noise);
  channels.resize(2);
  channels[0] = noise.Gaussian(In(2.0), 300.0);
  for (std::size_t i = 0; i < channels[1].size(); ++i) {
    if (i % In(0.04) < In(0.003)) channels[1][i] += 300.0;
  }
  Filter(channels);
  ArtefactClassifier classifier = Classifier();
  for (const ArtefactVerdict& verdict : RunOver(classifier, channels)) {
    EXPECT_EQ(verdict.kind, NonMuscle::kNone);
    EXPECT_EQ(verdict.Of(0).kind, NonMuscle::kDiathermy);
    EXPECT_EQ(verdict.Of(1).kind, NonMuscle::kNone);
  }
}

// Electrodes that are not connected have no floor: a drill in all others is one.
TEST(ArtefactClass, WhatCannotBeJudgedDoesNotCount) {
  Channels channels = Simulate(NonMuscle::kDrill, 48, /*shiver=*/false);
  for (std::size_t c = 3; c < kChannels; ++c) channels[c].assign(channels[c].size(), 0.0);
  Filter(channels);
  std::vector<double> floors(kChannels, 0.0);
  std::fill(floors.begin(), floors.begin() + 3, kNoiseUv);
  ArtefactClassifier classifier = Classifier();
  std::vector<std::span<const double>> spans;
  for (const auto& channel : channels) spans.push_back(std::span(channel).subspan(1000, kChunk));
  const ArtefactVerdict verdict = classifier.Push(spans, floors, {});
  ASSERT_EQ(verdict.kind, NonMuscle::kDrill);
  EXPECT_EQ(verdict.reasons.front(), "3 of 3 channels");
}

// Where muscles answer stimuli little is left to look at: it is told all the same.
TEST(ArtefactClass, TellsDiathermyAndHumByWhatIsNotLeftOut) {
  for (const NonMuscle kind : {NonMuscle::kDiathermy, NonMuscle::kMains, NonMuscle::kNone}) {
    for (const std::size_t kept_from : {0u, 100u, 375u}) {
      const std::size_t kept = kind == NonMuscle::kMains ? 250 : 125;
      if (kept_from + kept > kChunk) continue;
      Channels channels = Simulate(kind, 49, /*shiver=*/false);
      Filter(channels);
      std::vector<std::span<const double>> spans;
      for (auto& channel : channels) {
        const auto chunk = std::span(channel).subspan(5000, kChunk);
        std::fill(chunk.begin(), chunk.begin() + static_cast<long>(kept_from), 0.0);
        std::fill(chunk.begin() + static_cast<long>(kept_from + kept), chunk.end(), 0.0);
        spans.push_back(chunk);
      }
      const std::vector<std::vector<SampleStretch>> left_out(
          kChannels, {{0, kept_from}, {kept_from + kept, kChunk}});
      const std::vector<double> floors(kChannels, kNoiseUv);
      ArtefactClassifier classifier = Classifier();
      EXPECT_EQ(classifier.Push(spans, floors, {}, left_out).kind, kind) << kept_from;
    }
  }
}

// A unit that discharges evenly, where no other channel can tell it from a stimulus.
TEST(ArtefactClass, EvenPulsesOfOneChannelAreNoStimulus) {
  for (const std::size_t of : {1u, 2u}) {
    TestNoise noise(44);
    Channels channels = Quiet(2.0, noise);
    channels.resize(of);
    for (std::vector<double>& channel : channels) {
      for (std::size_t i = 0; i < channel.size(); ++i) {
        if (i % In(0.04) < In(0.003)) channel[i] += 300.0;
      }
    }
    ArtefactClassifier classifier = Classifier();
    const NonMuscle kind = RunOver(classifier, channels).back().kind;
    EXPECT_EQ(kind, of == 1 ? NonMuscle::kNone : NonMuscle::kStimulus);
  }
}

TEST(ArtefactClass, AllMusclesTakesTwoSeconds) {
  Channels channels = Simulate(NonMuscle::kAllMuscles, 31, /*shiver=*/false);
  Filter(channels);
  ArtefactClassifier classifier = Classifier();
  const auto verdicts = RunOver(classifier, channels);
  for (std::size_t i = 0; i < 18; ++i) EXPECT_NE(verdicts[i].kind, NonMuscle::kAllMuscles) << i;
  EXPECT_EQ(verdicts[25].kind, NonMuscle::kAllMuscles);
  EXPECT_EQ(HintsOf(NonMuscle::kAllMuscles), static_cast<std::uint32_t>(kNoArtefact));
}

TEST(ArtefactClass, HostileChunksAreNone) {
  ArtefactClassifier classifier = Classifier();
  TestNoise noise(8);
  Channels channels = Simulate(NonMuscle::kDiathermy, 5, false);
  std::vector<std::span<const double>> spans;
  for (const auto& channel : channels) spans.push_back(std::span(channel).first(kChunk));
  const std::vector<double> floors(kChannels, kNoiseUv);
  EXPECT_EQ(classifier.Push(spans, floors, {}).kind, NonMuscle::kDiathermy);
  EXPECT_EQ(classifier.Push(spans, std::vector<double>(3, 1.0), {}).kind, NonMuscle::kNone);
  EXPECT_EQ(classifier.Push({}, {}, {}).kind, NonMuscle::kNone);
  auto uneven = spans;
  uneven[2] = uneven[2].first(100);
  EXPECT_EQ(classifier.Push(uneven, floors, {}).kind, NonMuscle::kNone);
  const std::vector<double> broken(kChunk, kNaN);
  for (auto& span : uneven) span = broken;
  EXPECT_EQ(classifier.Push(uneven, floors, {}).kind, NonMuscle::kNone);
  EXPECT_EQ(classifier.Push(uneven, floors, {}).active, 0u);
  const std::size_t most = static_cast<std::size_t>(-1);
  const std::vector<std::vector<SampleStretch>> wild(
      kChannels, {{most, most}, {600, 10}, {0, 490}, {20, 30}, {1000, most}});
  EXPECT_EQ(classifier.Push(spans, floors, {}, wild).kind, NonMuscle::kDiathermy);
  EXPECT_EQ(classifier.Push(spans, floors, {}, std::span(wild).first(2)).active, 0u);
  const std::vector<std::size_t> far{100000, static_cast<std::size_t>(-1)};
  EXPECT_EQ(classifier.Push(spans, floors, far).kind, NonMuscle::kDiathermy);
  ArtefactClassOptions options;
  EXPECT_FALSE(ArtefactClassifier::Create(options).ok());
  options.sample_rate_hz = kRateHz;
  options.mains_hz = kNaN;
  EXPECT_FALSE(ArtefactClassifier::Create(options).ok());
}

}  // namespace
}  // namespace remora::dsp
