#include "dsp/evoked/sequential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "dsp/testing/sep_sweeps.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

SequentialOptions MedianNerve() {
  SequentialOptions options;
  options.pair.first_name = "N20";
  options.pair.second_name = "P25";
  options.pair.first_polarity = Polarity::kTrough;
  options.pair.first_window = {16.0, 25.0};
  options.pair.second_window = {20.0, 32.0};
  options.pair.min_inter_peak_ms = 2.0;
  options.pair.max_inter_peak_ms = 12.0;
  options.window = {15.0, 32.0};
  return options;
}

SequentialAverage Average(const SequentialOptions& options) {
  return *SequentialAverage::Create(options, SepSweeps::kSamples, SepSweeps::timebase());
}

// The last look: at the decision, or at the cap.
SequentialLook RunOver(SepSweeps& sweeps, SequentialAverage& average) {
  while (true) {
    const auto look = average.Add(sweeps.Next(), Rejection::kNone);
    if (look && look->state != SequentialState::kMore) return *look;
  }
}

PairMarking Truth() {
  SepSweepsOptions options;
  options.eeg_uv = options.emg_uv = 0.0;
  SepSweeps clean(1, options);
  return MarkPair(clean.Next(), SepSweeps::timebase(), MedianNerve().pair, 0.0);
}

struct Bias {
  int trials = 0;
  int decided = 0;
  double latency_ms = 0.0;
  double second_ms = 0.0;
  double amplitude_percent = 0.0;
  double plain_percent = 0.0;  // without the correction
  double latency_sd_ms = 0.0;
  double amplitude_sd_percent = 0.0;
  double sweeps = 0.0;
  double ratio = 0.0;
  double least_ratio = std::numeric_limits<double>::infinity();
};

Bias Measure(const SequentialOptions& options, double response, int trials,
             std::uint64_t first_seed) {
  const PairMarking truth = Truth();
  Bias bias;
  double latency_squares = 0.0;
  double amplitude_squares = 0.0;
  for (int trial = 0; trial < trials; ++trial) {
    SepSweepsOptions signal;
    signal.response = response;
    SepSweeps sweeps(first_seed + static_cast<std::uint64_t>(trial), signal);
    SequentialAverage average = Average(options);
    const SequentialLook look = RunOver(sweeps, average);
    ++bias.trials;
    if (look.state != SequentialState::kPresent) continue;
    ++bias.decided;
    const double true_uv = response * truth.amplitude_uv;
    const double latency = look.marking.first.latency_ms - truth.first.latency_ms;
    const double percent = 100.0 * (look.amplitude_uv / true_uv - 1.0);
    bias.latency_ms += latency;
    bias.second_ms += look.marking.second.latency_ms - truth.second.latency_ms;
    bias.amplitude_percent += percent;
    bias.plain_percent += 100.0 * (look.marking.amplitude_uv / true_uv - 1.0);
    bias.sweeps += look.sweeps;
    bias.ratio += look.ratio;
    bias.least_ratio = std::min(bias.least_ratio, look.ratio);
    latency_squares += latency * latency;
    amplitude_squares += percent * percent;
  }
  const double count = std::max(1, bias.decided);
  for (double* mean : {&bias.latency_ms, &bias.second_ms, &bias.amplitude_percent,
                       &bias.plain_percent, &bias.sweeps, &bias.ratio}) {
    *mean /= count;
  }
  bias.latency_sd_ms = std::sqrt(latency_squares / count - bias.latency_ms * bias.latency_ms);
  bias.amplitude_sd_percent =
      std::sqrt(amplitude_squares / count - bias.amplitude_percent * bias.amplitude_percent);
  std::printf(
      "response x %.1f: %d of %d decided, %.0f sweeps, ratio %.2f (least %.2f); N20 %+.3f ms (sd "
      "%.3f), P25 %+.3f ms, amplitude %+.1f %% (sd %.1f; uncorrected %+.1f %%)\n",
      response, bias.decided, bias.trials, bias.sweeps, bias.ratio, bias.least_ratio,
      bias.latency_ms, bias.latency_sd_ms, bias.second_ms, bias.amplitude_percent,
      bias.amplitude_sd_percent, bias.plain_percent);
  return bias;
}

// What is asked for is a ratio of 3, and nothing else: the hardest stop.
TEST(Sequential, AtARatioOfThreeNeitherLatencyNorAmplitudeIsBiased) {
  SequentialOptions options = MedianNerve();
  options.max_amplitude_error = 1.0;
  options.max_latency_error_ms = 1000.0;
  options.max_sweeps = 1000;
  for (const double response : {1.0, 1.6, 2.5}) {
    const Bias bias = Measure(options, response, 200, 50000);
    EXPECT_GE(bias.decided, 195) << response;
    EXPECT_GE(bias.least_ratio, 3.0);
    EXPECT_LT(std::abs(bias.latency_ms), 0.1) << response;
    EXPECT_LT(std::abs(bias.second_ms), 0.1) << response;
    EXPECT_LT(std::abs(bias.amplitude_percent), 5.0) << response;
  }
}

TEST(Sequential, WithItsOwnLimitsTheErrorsAreWhatItSays) {
  SequentialOptions options = MedianNerve();
  options.max_sweeps = 1000;
  const Bias bias = Measure(options, 1.2, 150, 60000);
  EXPECT_GE(bias.decided, 147);
  EXPECT_LT(std::abs(bias.latency_ms), 0.1);
  EXPECT_LT(std::abs(bias.amplitude_percent), 5.0);
  EXPECT_LT(bias.amplitude_sd_percent, 20.0);
  EXPECT_LT(bias.latency_sd_ms, 0.3);
}

TEST(Sequential, LookingOftenDoesNotFindAResponseInNoise) {
  SequentialOptions options = MedianNerve();
  options.max_sweeps = 200;
  constexpr int kTrials = 1000;
  int present = 0;
  int present_if_unpaid = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    SepSweepsOptions signal;
    signal.response = 0.0;
    signal.interval_ms = 100.0;
    SepSweeps sweeps(90000 + static_cast<std::uint64_t>(trial), signal);
    SequentialAverage average = Average(options);
    bool unpaid = false;
    bool found = false;
    for (std::uint32_t i = 0; i < options.max_sweeps; ++i) {
      const auto look = average.Add(sweeps.Next(), Rejection::kNone);
      if (!look) continue;
      found = found || look->present;
      unpaid = unpaid || look->p_value <= options.false_present_rate;
    }
    present += found;
    present_if_unpaid += unpaid;
  }
  std::printf("of %d trials of noise %d present; at 1 %% a look %d\n", kTrials, present,
              present_if_unpaid);
  EXPECT_LE(present, kTrials / 100);
  EXPECT_GT(present_if_unpaid, 2 * kTrials / 100);
}

TEST(Sequential, SaysHowManyMoreSweepsItTakes) {
  int inside = 0;
  double log_ratio = 0.0;
  constexpr int kTrials = 120;
  for (int trial = 0; trial < kTrials; ++trial) {
    SepSweeps sweeps(70000 + static_cast<std::uint64_t>(trial), {});
    SequentialOptions options = MedianNerve();
    options.max_sweeps = 1000;
    SequentialAverage average = Average(options);
    std::optional<SequentialLook> early;
    while (true) {
      const auto look = average.Add(sweeps.Next(), Rejection::kNone);
      if (!look) continue;
      if (look->sweeps == 100) early = look;
      if (look->state == SequentialState::kMore) continue;
      if (!early) early = look;
      const double total = look->sweeps;
      inside += early->sweeps + early->more.low <= total + 20.0 &&
                early->sweeps + early->more.high >= total - 20.0;
      log_ratio += std::log((early->sweeps + early->more.estimate) / total) / kTrials;
      EXPECT_LE(early->more.low, early->more.estimate);
      EXPECT_LE(early->more.estimate, early->more.high);
      break;
    }
  }
  std::printf("foretold at 100 sweeps: %d of %d within the bounds, on the whole x %.2f\n", inside,
              kTrials, std::exp(log_ratio));
  EXPECT_GE(inside, kTrials * 7 / 10);
  EXPECT_NEAR(log_ratio, 0.0, std::log(1.5));
}

TEST(Sequential, NoResponseIsAbsentWhereTheNoiseIsLowEnoughToSay) {
  SequentialOptions options = MedianNerve();
  options.max_sweeps = 1000;
  options.smallest_response_uv = 2.0;
  int absent = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    SepSweepsOptions signal;
    signal.response = 0.0;
    SepSweeps sweeps(80000 + seed, signal);
    SequentialAverage average = Average(options);
    const SequentialLook look = RunOver(sweeps, average);
    absent += look.state == SequentialState::kAbsent;
    EXPECT_LE(4.0 * look.residual_noise_uv, 2.0 + 1e-9);
  }
  EXPECT_GE(absent, 39);
}

TEST(Sequential, TheCapEndsWhatIsNotDecided) {
  SequentialOptions options = MedianNerve();
  options.max_sweeps = 70;  // no whole number of blocks
  SepSweepsOptions signal;
  signal.response = 0.0;
  SepSweeps sweeps(3, signal);
  SequentialAverage average = Average(options);
  const SequentialLook look = RunOver(sweeps, average);
  EXPECT_EQ(look.state, SequentialState::kCapped);
  EXPECT_EQ(look.sweeps, 70u);
  EXPECT_NE(look.lacks & kLackPresence, 0u);
  EXPECT_EQ(look.more.estimate, 0u);
  // Nothing is left to spend behind it.
  std::optional<SequentialLook> after;
  while (!after) after = average.Add(sweeps.Next(), Rejection::kNone);
  EXPECT_EQ(after->p_needed, 0.0);
}

TEST(Sequential, WhatItSpendsSumsToTheRate) {
  SequentialOptions options = MedianNerve();
  options.max_sweeps = 130;
  SepSweepsOptions signal;
  signal.response = 0.0;
  SepSweeps sweeps(4, signal);
  SequentialAverage average = Average(options);
  double spent = 0.0;
  for (int i = 0; i < 200; ++i) {
    if (const auto look = average.Add(sweeps.Next(), Rejection::kNone)) spent += look->p_needed;
  }
  EXPECT_NEAR(spent, options.false_present_rate, 1e-12);
}

TEST(Sequential, RejectedSweepsChangeNothingAndResetForgets) {
  SepSweeps sweeps(5, {});
  SequentialAverage average = Average(MedianNerve());
  std::vector<double> bad(SepSweeps::kSamples, kNaN);
  for (int i = 0; i < 60; ++i) {
    average.Add(sweeps.Next(), Rejection::kNone);
    EXPECT_FALSE(average.Add(bad, Rejection::kNone).has_value());
    EXPECT_FALSE(average.Add(bad, Rejection::kAmplitude).has_value());
  }
  EXPECT_EQ(average.average().accepted(), 60u);
  const SequentialLook look = average.Now();
  EXPECT_EQ(look.sweeps, 60u);
  EXPECT_TRUE(std::isfinite(look.amplitude_uv));
  EXPECT_GT(look.odd_even_correlation, 0.2);
  average.Reset();
  EXPECT_EQ(average.Now().sweeps, 0u);
  EXPECT_EQ(average.Now().p_value, 1.0);
  EXPECT_FALSE(average.Now().present);
}

TEST(Sequential, HostileSweepsAreNoResponse) {
  SequentialAverage average = Average(MedianNerve());
  for (int i = 0; i < 200; ++i) {
    const auto look =
        average.Add(std::vector<double>(SepSweeps::kSamples, 0.0), Rejection::kNone);
    if (!look) continue;
    EXPECT_FALSE(look->present);
    EXPECT_NE(look->state, SequentialState::kPresent);
  }
  EXPECT_FALSE(average.Add({}, Rejection::kNone).has_value());
}

TEST(Sequential, HostileOptionsAreRefusedByName) {
  const auto message = [](const SequentialOptions& options) {
    return std::string(
        SequentialAverage::Create(options, SepSweeps::kSamples, SepSweeps::timebase())
            .status()
            .message());
  };
  SequentialOptions options = MedianNerve();
  EXPECT_EQ(message(options), "");
  options.window = {15.0, 15.5};
  EXPECT_NE(message(options).find("window"), std::string::npos);
  options = MedianNerve();
  options.block_sweeps = 0;
  EXPECT_NE(message(options).find("block_sweeps"), std::string::npos);
  options = MedianNerve();
  options.max_sweeps = 30;
  EXPECT_NE(message(options).find("max_sweeps"), std::string::npos);
  options = MedianNerve();
  options.min_ratio = kNaN;
  EXPECT_NE(message(options).find("min_ratio"), std::string::npos);
  options = MedianNerve();
  options.smallest_response_uv = kNaN;
  EXPECT_NE(message(options).find("smallest_response_uv"), std::string::npos);
  options = MedianNerve();
  options.pair.min_inter_peak_ms = 50.0;
  EXPECT_NE(message(options), "");
}

}  // namespace
}  // namespace remora::dsp
