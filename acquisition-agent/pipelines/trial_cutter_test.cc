#include "acquisition-agent/pipelines/trial_cutter.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>

#include "acquisition-agent/pipelines/testing/one_rate_device.h"
#include "dsp/filter/butterworth.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

constexpr double kRateHz = 4000;
constexpr int64_t kChunk = 400;
constexpr int kChannels = 3;

SourceInfo Device() { return OneRateDevice(kChannels, kRateHz); }

SweepStreamOptions Muscle(int channel) {
  SweepStreamOptions options;
  options.derivation.rate_group = 0;
  options.derivation.sample_rate_hz = kRateHz;
  options.derivation.plus = {channel};
  options.filter = *dsp::ButterworthBandPass(2, 10, 1500, kRateHz);
  options.epoch_from_ms = -20;
  options.epoch_to_ms = 80;
  options.blank_from_ms = -0.5;
  options.blank_to_ms = 3;
  return options;
}

std::vector<SweepStreamOptions> Muscles() { return {Muscle(0), Muscle(1), Muscle(2)}; }

// Drift, hum and a wave, other ones on each channel.
double SampleAt(int channel, int64_t position) {
  const double t = static_cast<double>(position) / kRateHz;
  const double hum = std::sin(2 * std::numbers::pi * 50 * t + channel);
  const double wave = std::sin(2 * std::numbers::pi * (173.0 + 41 * channel) * t);
  return 900.0 * (channel + 1) + 40 * t + 15 * hum + 60 * wave;
}

Chunk ChunkAt(int64_t first, int64_t samples, bool starts_segment) {
  Chunk chunk;
  chunk.rate_group = 0;
  chunk.sample_rate_hz = kRateHz;
  chunk.first_position = first;
  chunk.samples = samples;
  chunk.starts_segment = starts_segment;
  chunk.channels.resize(kChannels);
  chunk.marks.resize(kChannels);
  chunk.marks_before.resize(kChannels);
  chunk.usual_rms_uv.resize(kChannels);
  for (int channel = 0; channel < kChannels; ++channel) {
    for (int64_t i = 0; i < samples; ++i) {
      chunk.channels[static_cast<size_t>(channel)].push_back(SampleAt(channel, first + i));
    }
  }
  chunk.end_ns = chunk.TimeOf(static_cast<double>(first + samples));
  return chunk;
}

Stimulus At(double position) {
  Stimulus stimulus;
  stimulus.time_ns = std::llround(position * 1e9 / kRateHz);
  return stimulus;
}

TrialCutter Cutter() { return *TrialCutter::Create(Muscles(), Device()); }

// Stimuli between samples, the second of them over the end of a chunk.
const double kStimuli[] = {5000.37, 9190.0, 14211.5};

TEST(TrialCutter, GivesWhatAStreamThatFiltersAllGives) {
  TrialCutter cutter = Cutter();
  std::vector<SweepStream> streams;
  for (const SweepStreamOptions& muscle : Muscles()) {
    streams.push_back(*SweepStream::Create(muscle, Device()));
  }
  for (const double at : kStimuli) {
    cutter.OnStimulus(At(at), true);
    for (SweepStream& stream : streams) stream.OnStimulus(At(at), true);
  }
  std::vector<CutTrial> trials;
  std::vector<std::vector<CutSweep>> expected(kChannels);
  for (int64_t first = 0; first < 16000; first += kChunk) {
    const Chunk chunk = ChunkAt(first, kChunk, first == 0);
    cutter.OnChunk(chunk, &trials);
    for (size_t i = 0; i < streams.size(); ++i) streams[i].OnChunk(chunk, &expected[i]);
  }
  ASSERT_EQ(trials.size(), 3u);
  EXPECT_EQ(cutter.timebase().start_ms, streams[0].timebase().start_ms);
  for (size_t trial = 0; trial < trials.size(); ++trial) {
    ASSERT_EQ(trials[trial].sweeps.size(), static_cast<size_t>(kChannels));
    for (size_t channel = 0; channel < kChannels; ++channel) {
      const CutSweep& sweep = trials[trial].sweeps[channel];
      ASSERT_EQ(sweep.uv.size(), expected[channel][trial].uv.size());
      EXPECT_EQ(sweep.cause, expected[channel][trial].cause);
      for (size_t i = 0; i < sweep.uv.size(); ++i) {
        // Of a signal of some 75 uV on 900 to 2,700 uV of offset.
        ASSERT_NEAR(sweep.uv[i], expected[channel][trial].uv[i], 1e-3) << trial << " " << i;
      }
    }
  }
}

TEST(TrialCutter, ALookGivesTheSameAsTheChunkAndOnce) {
  TrialCutter waits = Cutter();
  TrialCutter looks = Cutter();
  for (const double at : kStimuli) {
    waits.OnStimulus(At(at), true);
    looks.OnStimulus(At(at), true);
  }
  std::vector<CutTrial> late;
  std::vector<CutTrial> early;
  for (int64_t first = 0; first < 16000; first += kChunk) {
    const Chunk chunk = ChunkAt(first, kChunk, first == 0);
    for (int64_t due; (due = looks.DueNs(first == 0 ? 0 : chunk.TimeOf(first))) < chunk.end_ns;) {
      const size_t had = early.size();
      looks.Look(ChunkAt(first, chunk.SamplesUntil(due), first == 0), &early);
      ASSERT_EQ(early.size(), had + 1);
    }
    const size_t had = early.size();
    looks.OnChunk(chunk, &early);
    EXPECT_EQ(early.size(), had);
    waits.OnChunk(chunk, &late);
  }
  ASSERT_EQ(early.size(), late.size());
  ASSERT_EQ(early.size(), 3u);
  for (size_t trial = 0; trial < early.size(); ++trial) {
    EXPECT_EQ(early[trial].stimulus.time_ns, late[trial].stimulus.time_ns);
    for (size_t i = 0; i < kChannels; ++i) {
      EXPECT_EQ(early[trial].sweeps[i].uv, late[trial].sweeps[i].uv) << trial << " " << i;
      EXPECT_EQ(early[trial].sweeps[i].cause, late[trial].sweeps[i].cause);
    }
  }
}

TEST(TrialCutter, WhatIsBehindAGapInTimeDoesNotRestOnWhatWasBeforeIt) {
  // No position is lost where a recording's time jumps back. Before it lies a step of 500 mV.
  TrialCutter jumped = Cutter();
  TrialCutter fresh = Cutter();
  Chunk before = ChunkAt(0, kChunk, true);
  for (std::vector<double>& channel : before.channels) channel.assign(channel.size(), 5e5);
  std::vector<CutTrial> none;
  jumped.OnChunk(before, &none);
  std::vector<CutTrial> trials[2];
  int which = 0;
  for (TrialCutter* cutter : {&jumped, &fresh}) {
    cutter->OnStimulus(At(1300.25), true);  // the lead-in is 1244 samples
    for (int64_t first = kChunk; first < 4000; first += kChunk) {
      cutter->OnChunk(ChunkAt(first, kChunk, first == kChunk), &trials[which]);
    }
    ++which;
  }
  ASSERT_EQ(trials[0].size(), 1u);
  ASSERT_EQ(trials[1].size(), 1u);
  for (size_t i = 0; i < kChannels; ++i) {
    EXPECT_EQ(trials[0][0].sweeps[i].uv, trials[1][0].sweeps[i].uv);
    EXPECT_EQ(trials[0][0].sweeps[i].cause, dsp::Rejection::kNone);
  }
}

TEST(TrialCutter, SamplesThatWereLostOrAreNoNumbersAreSaidOfTheSweepThatHasThem) {
  TrialCutter cutter = Cutter();
  for (const double at : {2000.0, 6000.0, 10000.0}) cutter.OnStimulus(At(at), true);
  std::vector<CutTrial> trials;
  for (int64_t first = 0; first < 12000; first += kChunk) {
    if (first == 6000) continue;  // the response of the second
    Chunk chunk = ChunkAt(first, kChunk, first == 0 || first == 6000 + kChunk);
    if (first == 10000) {
      chunk.channels[1][100] = std::numeric_limits<double>::quiet_NaN();
      chunk.marks[1].runs.push_back({10100, 10100, dsp::kQualityNonFinite});
    }
    cutter.OnChunk(chunk, &trials);
  }
  ASSERT_EQ(trials.size(), 3u);
  for (size_t i = 0; i < kChannels; ++i) {
    EXPECT_EQ(trials[0].sweeps[i].cause, dsp::Rejection::kNone);
    EXPECT_EQ(trials[1].sweeps[i].cause, dsp::Rejection::kGap);
    EXPECT_EQ(trials[2].sweeps[i].cause,
              i == 1 ? dsp::Rejection::kNonFinite : dsp::Rejection::kNone);
  }
}

TEST(TrialCutter, OfAStimulusThatIsToldTooLateNothingIsTakenForASweep) {
  // Before the first sample; with samples that are gone; and with those of the sweep still there,
  // but too little before it for the filter to settle.
  for (const double at : {-20.0, 4500.0, 6900.0}) {
    TrialCutter cutter = Cutter();
    std::vector<CutTrial> trials;
    for (int64_t first = 4000; first < 12400; first += kChunk) {
      cutter.OnChunk(ChunkAt(first, kChunk, first == 4000), &trials);
    }
    Stimulus late = At(at);
    late.known = true;  // its artefact was blanked
    cutter.OnStimulus(late, true);
    cutter.OnChunk(ChunkAt(12400, kChunk, false), &trials);
    ASSERT_EQ(trials.size(), 1u) << at;
    EXPECT_EQ(trials[0].sweeps[2].cause, dsp::Rejection::kGap) << at;
  }
  TrialCutter cutter = Cutter();
  std::vector<CutTrial> trials;
  for (int64_t first = 4000; first < 12400; first += kChunk) {
    cutter.OnChunk(ChunkAt(first, kChunk, first == 4000), &trials);
  }
  Stimulus just_in_time = At(8400);
  just_in_time.known = true;
  cutter.OnStimulus(just_in_time, true);
  cutter.OnChunk(ChunkAt(12400, kChunk, false), &trials);
  ASSERT_EQ(trials.size(), 1u);
  EXPECT_EQ(trials[0].sweeps[2].cause, dsp::Rejection::kNone);
}

std::vector<CutTrial> TrialsOf(const std::vector<double>& stimuli, int64_t chunk) {
  std::vector<SweepStreamOptions> muscles = Muscles();
  // So short that it reaches from sample to sample: nothing of others is blanked.
  for (SweepStreamOptions& muscle : muscles) muscle.blank_from_ms = muscle.blank_to_ms = 0;
  TrialCutter cutter = *TrialCutter::Create(muscles, Device());
  std::vector<CutTrial> trials;
  for (const double at : stimuli) cutter.OnStimulus(At(at), true);
  for (int64_t first = 0; first < 20000; first += chunk) {
    cutter.OnChunk(ChunkAt(first, chunk, first == 0), &trials);
  }
  return trials;
}

void ExpectSame(const CutTrial& trial, const CutTrial& expected) {
  EXPECT_EQ(trial.stimulus.time_ns, expected.stimulus.time_ns);
  for (size_t i = 0; i < kChannels; ++i) {
    EXPECT_EQ(trial.sweeps[i].uv, expected.sweeps[i].uv) << i;
    EXPECT_EQ(trial.sweeps[i].cause, expected.sweeps[i].cause) << i;
  }
}

// Those that are filtered as they come, and those that are when they are complete.
TEST(TrialCutter, AsManyAsAreUnderWayEachIsAsIfItWereAloneInAnyChunks) {
  std::vector<double> stimuli;
  // Epochs of 400 samples, told with their chunk: some 16 are under way at a time.
  for (int i = 0; i < 4 * static_cast<int>(kMaxTrialsAhead); ++i) {
    stimuli.push_back(5000.3 + 45.7 * i);
  }
  const std::vector<CutTrial> together = TrialsOf(stimuli, kChunk);
  ASSERT_EQ(together.size(), stimuli.size());
  for (size_t i = 0; i < stimuli.size(); i += 3) {
    for (const int64_t chunk : {kChunk, int64_t{37}, int64_t{10'000}}) {
      const std::vector<CutTrial> alone = TrialsOf({stimuli[i]}, chunk);
      ASSERT_EQ(alone.size(), 1u);
      EXPECT_EQ(alone[0].sweeps[0].cause, dsp::Rejection::kNone);
      ExpectSame(together[i], alone[0]);
    }
  }
}

// Behind the gap a window that is not closed holds a whole chunk back.
TEST(TrialCutter, ALookBehindAGapTakesNothingForWhatWasLost) {
  std::vector<SweepStreamOptions> muscles = Muscles();
  for (SweepStreamOptions& muscle : muscles) {
    muscle.blank_from_ms = -50;
    muscle.blank_to_ms = 50;
    muscle.epoch_to_ms = 150;
  }
  TrialCutter cutter = *TrialCutter::Create(muscles, Device());
  std::vector<CutTrial> trials;
  cutter.OnStimulus(At(3380.5), true);  // its last sample is 3980, its last neighbours are lost
  for (int64_t first = 0; first < 4000; first += kChunk) {
    cutter.OnChunk(ChunkAt(first, kChunk, first == 0), &trials);
  }
  cutter.OnStimulus(At(3398.5), true);
  cutter.OnStimulus(At(8010), true);
  cutter.OnChunk(ChunkAt(8000, kChunk, true), &trials);
  cutter.Look(ChunkAt(8400, 230, false), &trials);
  ASSERT_EQ(trials.size(), 3u);
  EXPECT_EQ(trials[0].stimulus.time_ns, At(3380.5).time_ns);
  EXPECT_EQ(trials[1].stimulus.time_ns, At(3398.5).time_ns);
  EXPECT_EQ(trials[1].sweeps[0].cause, dsp::Rejection::kGap);
  EXPECT_EQ(trials[2].stimulus.time_ns, At(8010).time_ns);
}

TEST(TrialCutter, AGapLongerThanItsMemoryLeavesWhatCameBeforeItToTheTrial) {
  for (const int64_t gap : {int64_t{800}, int64_t{400'000}}) {
    TrialCutter cutter = Cutter();
    std::vector<CutTrial> trials;
    const double stimulus = 4000 - 100.5;  // 80 ms behind it are 320 samples
    cutter.OnStimulus(At(stimulus), true);
    for (int64_t first = 0; first < 4000; first += kChunk) {
      cutter.OnChunk(ChunkAt(first, kChunk, first == 0), &trials);
    }
    cutter.OnChunk(ChunkAt(4000 + gap, kChunk, true), &trials);
    ASSERT_EQ(trials.size(), 1u);
    const CutTrial whole = TrialsOf({stimulus}, kChunk)[0];
    for (size_t i = 0; i < kChannels; ++i) {
      EXPECT_EQ(trials[0].sweeps[i].cause, dsp::Rejection::kGap);
      // Beside what is blanked here, and not there.
      EXPECT_NEAR(trials[0].sweeps[i].uv[60], whole.sweeps[i].uv[60], 1e-9);
      EXPECT_TRUE(std::isnan(trials[0].sweeps[i].uv.back()));
    }
  }
}

TEST(TrialCutter, HostileStimuliByTheThousandHaveTrialsButNoSweepsOfTheirOwn) {
  TrialCutter cutter = Cutter();
  for (int i = 0; i < 1000; ++i) cutter.OnStimulus(At(4000 + 0.4 * i), true);
  std::vector<CutTrial> trials;
  for (int64_t first = 0; first < 6000; first += kChunk) {
    cutter.OnChunk(ChunkAt(first, kChunk, first == 0), &trials);
  }
  ASSERT_EQ(trials.size(), 1000u);
  EXPECT_EQ(std::count_if(trials.begin(), trials.end(),
                          [](const CutTrial& trial) { return !trial.sweeps[0].uv.empty(); }),
            kMaxTrialsAChunk);
  EXPECT_GE(cutter.late_total(), 990u);
}

// Windows whose ends lie between samples, at rates that do not divide them.
TEST(TrialCutter, ALookAndAChunkHaveTheWholeSweepAtAnyRateAndWindow) {
  for (const auto& [rate_hz, from_ms, to_ms] :
       {std::tuple{2500.0, -100.0, 99.0}, {3125.0, -30.0, 150.0}, {5000.0, -20.0, 100.1}}) {
    for (const double low_pass_hz : {50.0, 57.3, 63.1, 200.0, 317.0}) {
      std::vector<SweepStreamOptions> muscles;
      for (int channel = 0; channel < 2; ++channel) {
        muscles.push_back(Muscle(channel));
        muscles.back().derivation.sample_rate_hz = rate_hz;
        muscles.back().filter = *dsp::ButterworthLowPass(2, low_pass_hz, rate_hz);
        muscles.back().epoch_from_ms = from_ms;
        muscles.back().epoch_to_ms = to_ms;
      }
      TrialCutter cutter = *TrialCutter::Create(muscles, Device());
      Chunk chunk = ChunkAt(0, 10'000, true);
      chunk.sample_rate_hz = rate_hz;
      chunk.end_ns = chunk.TimeOf(10'000);
      chunk.channels[0].assign(10'000, 100);
      chunk.channels[1].assign(10'000, -500);
      Stimulus stimulus;
      stimulus.time_ns = chunk.TimeOf(6000.4);
      cutter.OnStimulus(stimulus, true);
      std::vector<CutTrial> trials;
      cutter.OnChunk(chunk, &trials);
      ASSERT_EQ(trials.size(), 1u);
      for (const double uv : trials[0].sweeps[0].uv) ASSERT_NEAR(uv, 100, 1e-6) << rate_hz;
      for (const double uv : trials[0].sweeps[1].uv) ASSERT_NEAR(uv, -500, 1e-6) << rate_hz;
    }
  }
}

TEST(TrialCutter, TheEndTellsWhatWasBegunAsFarAsItCame) {
  TrialCutter cutter = Cutter();
  cutter.OnStimulus(At(3900), true);
  std::vector<CutTrial> trials;
  for (int64_t first = 0; first < 4000; first += kChunk) {
    cutter.OnChunk(ChunkAt(first, kChunk, first == 0), &trials);
  }
  EXPECT_TRUE(trials.empty());
  cutter.OnEnd(&trials);
  ASSERT_EQ(trials.size(), 1u);
  EXPECT_EQ(trials[0].sweeps[0].cause, dsp::Rejection::kGap);
}

TEST(TrialCutter, ALowHighPassHasAsMuchLeadInAsThereIsRoomFor) {
  std::vector<SweepStreamOptions> muscles = {Muscle(0)};
  muscles[0].filter = *dsp::ButterworthBandPass(2, 0.1, 1500, kRateHz);
  EXPECT_TRUE(TrialCutter::Create(muscles, Device()).ok());
  EXPECT_EQ(TrialCutter::Create({}, Device()).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace remora::agent
