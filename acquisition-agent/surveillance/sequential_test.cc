// When an average of a drawn case ends, what it says of how far it is, and what is measured between
// its components.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::Ge;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr double kPeriodS = 0.1037;  // in no step with mains, nor with the blocks

class SequentialTest : public DrawnCaseTest {
 protected:
  static std::string Plan(const std::string& more) {
    return absl::StrCat(R"(
      evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "CPc"
        trigger { label_prefix: "MED R" } stimulus { site: "median nerve" rate_hz: 9.643 }
        component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 25 }
        component { label: "P25" polarity: POLARITY_POSITIVE
          window_from_ms: 20 window_to_ms: 32 } )",
                        more, "}");
  }

  // N20 at 19.5 ms; nothing but noise where `amplitude_uv` is 0.
  static Drawing Sep(int stimuli, double amplitude_uv, double noise_uv, uint64_t seed = 1) {
    Drawing drawing;
    drawing.channels = {"CPc"};
    drawing.seconds = stimuli * kPeriodS + 1;
    drawing.noise_uv = noise_uv;
    drawing.seed = seed;
    for (int i = 0; i < stimuli; ++i) drawing.items.push_back(Pulse(0.5 + i * kPeriodS));
    drawing.uv = [amplitude_uv](int, double time_s) {
      if (time_s < 0.5) return 0.0;
      return -Biphasic(std::fmod(time_s - 0.5, kPeriodS), 0.0195, amplitude_uv);
    };
    return drawing;
  }

  static StimulusTrigger Pulse(double time_s) {
    StimulusTrigger trigger;
    trigger.time_ns = static_cast<int64_t>(time_s * 1e9);
    trigger.label = "MED R";
    return trigger;
  }

  std::vector<v1::Sweep> Sweeps(bool provisional) const {
    std::vector<v1::Sweep> found;
    for (const v1::Sweep& sweep : sink_.All(&v1::Record::has_sweep, &v1::Record::sweep)) {
      if (sweep.provisional() == provisional) found.push_back(sweep);
    }
    return found;
  }
  std::vector<v1::Measurement> Measurements() const {
    return sink_.All(&v1::Record::has_measurement, &v1::Record::measurement);
  }
};

TEST_F(SequentialTest, AClearResponseEndsItsAverageAsSoonAsItIsDecided) {
  Run(Plan("sweep_count: 200 sequential {}"), Sep(300, 5, 1));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(Ge(3)));
  for (const v1::Sweep& sweep : finished) {
    EXPECT_TRUE(sweep.decided());
    EXPECT_GE(sweep.accepted_count(), 50u);
    EXPECT_LE(sweep.accepted_count(), 100u);
    EXPECT_EQ(sweep.requested_count(), 200u);
    EXPECT_EQ(sweep.more_needed_count(), 0u);
    EXPECT_THAT(sweep.quality(), Not(Contains(v1::QUALITY_FLAG_TOO_FEW_SWEEPS)));
  }
  for (const v1::Measurement& measurement : Measurements()) {
    // The bell over the drawn wave moves its first peak by 0.32 ms.
    EXPECT_NEAR(measurement.latency_ms(), 19.82, 0.2);
    EXPECT_EQ(measurement.confidence(), v1::MARK_CONFIDENCE_CLEAR) << measurement.reason();
  }
  for (const v1::Sweep& sweep : Sweeps(/*provisional=*/true)) EXPECT_FALSE(sweep.decided());
}

TEST_F(SequentialTest, NoiseAloneRunsToTheMaximumAndIsNotDecided) {
  Run(Plan("sweep_count: 200 sequential { maximum_sweep_count: 120 }"), Sep(250, 0, 5));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(2));
  for (const v1::Sweep& sweep : finished) {
    EXPECT_FALSE(sweep.decided());
    EXPECT_EQ(sweep.accepted_count(), 120u);
    EXPECT_EQ(sweep.requested_count(), 120u);
    EXPECT_GT(sweep.more_needed_count(), 120u) << "more of the same would not do";
  }
}

TEST_F(SequentialTest, WhatItStillTakesFallsAsTheAverageGrows) {
  Run(Plan("sequential { maximum_sweep_count: 1000 }"), Sep(600, 5, 3.2));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, Not(IsEmpty()));
  EXPECT_TRUE(finished[0].decided());
  const double total = finished[0].accepted_count();
  EXPECT_GT(total, 120);
  std::vector<v1::Sweep> growing;
  for (const v1::Sweep& sweep : Sweeps(/*provisional=*/true)) {
    if (sweep.block_index() == 0 && sweep.accepted_count() >= 60) growing.push_back(sweep);
    if (sweep.accepted_count() < 20) {
      EXPECT_EQ(sweep.more_needed_count(), 0u) << "nothing is known yet";
    }
  }
  ASSERT_THAT(growing, SizeIs(Ge(6)));
  for (const v1::Sweep& sweep : growing) {
    EXPECT_GT(sweep.more_needed_count(), 0u) << "it is not decided";
    const double foretold = sweep.accepted_count() + sweep.more_needed_count();
    // What ten groups know of an error's variance; and it ends at the first look that is content.
    EXPECT_GT(foretold, 0.25 * total);
    EXPECT_LT(foretold, 4 * total);
  }
  EXPECT_LT(growing.back().more_needed_count(), growing.front().more_needed_count());
}

TEST_F(SequentialTest, WithoutARuleInThePlanOnlyTheEstimateIsThere) {
  Run(Plan("sweep_count: 100"), Sep(220, 5, 1));
  auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(2));
  for (const v1::Sweep& sweep : finished) {
    EXPECT_EQ(sweep.accepted_count(), 100u) << "a clear response changes nothing";
    EXPECT_FALSE(sweep.decided());
    EXPECT_EQ(sweep.more_needed_count(), 0u);
  }
}

TEST_F(SequentialTest, WithoutARuleAnAverageThatIsTooShortSaysSo) {
  Run(Plan("sweep_count: 60"), Sep(130, 5, 5));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(2));
  for (const v1::Sweep& sweep : finished) {
    EXPECT_EQ(sweep.accepted_count(), 60u);
    EXPECT_FALSE(sweep.decided());
    EXPECT_GT(sweep.more_needed_count(), 60u);
  }
}

TEST_F(SequentialTest, WhereTheRuleCannotBeAppliedNothingIsSaid) {
  Run(Plan("sweep_count: 8"), Sep(40, 5, 1));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(5));
  for (const v1::Sweep& sweep : finished) {
    EXPECT_EQ(sweep.accepted_count(), 8u);
    EXPECT_EQ(sweep.more_needed_count(), 0u);
    EXPECT_FALSE(sweep.decided());
  }
}

TEST_F(SequentialTest, ADecidedAverageIsWholeForTheBaseline) {
  Run(Plan("sweep_count: 400 sequential {} baseline { first_averages_count: 2 }"), Sep(300, 5, 1));
  EXPECT_THAT(sink_.All(&v1::Record::has_baseline_set, &v1::Record::baseline_set), SizeIs(1));
  ASSERT_THAT(Measurements(), SizeIs(Ge(4)));
  EXPECT_EQ(Measurements().back().state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS)
      << Measurements().back().reason();
}

TEST_F(SequentialTest, APauseStillEndsAnUndecidedAverage) {
  Drawing drawing = Sep(110, 0, 5);
  drawing.seconds += 20;
  for (int i = 0; i < 20; ++i) drawing.items.push_back(Pulse(0.5 + (200 + i) * kPeriodS));
  Run(Plan("sequential { maximum_sweep_count: 400 }"), std::move(drawing));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(1));
  EXPECT_FALSE(finished[0].decided());
  EXPECT_GE(finished[0].accepted_count(), 100u);
  EXPECT_THAT(finished[0].quality(), Contains(v1::QUALITY_FLAG_TOO_FEW_SWEEPS));
}

// A response of 5 uV that is gone from the 150th stimulus on.
Drawing Lost(Drawing drawing) {
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    return time_s < 0.5 + 150 * kPeriodS ? drawn(channel, time_s) : 0.0;
  };
  return drawing;
}

constexpr char kRule[] =
    "sequential { maximum_sweep_count: 200 } baseline { first_averages_count: 1 } ";

TEST_F(SequentialTest, ALossIsDecidedOnceNoiseIsFarBelowWhatTheCriterionLeavesOfTheBaseline) {
  criteria_text_ =
      R"(name: "test" version: "1" criterion { key: "SEP.amp" modality: MODALITY_SEP_UPPER
    red_amplitude_fall_percent: 50 source: "test" })";
  Run(Plan(absl::StrCat(kRule, "criterion: \"SEP.amp\"")), Lost(Sep(600, 5, 2)));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, SizeIs(Ge(6)));
  EXPECT_TRUE(finished.back().decided());
  EXPECT_LE(finished.back().accepted_count(), 100u);
  EXPECT_EQ(finished.back().more_needed_count(), 0u);
  EXPECT_THAT(finished.back().quality(), Not(Contains(v1::QUALITY_FLAG_TOO_FEW_SWEEPS)));
  EXPECT_NE(Measurements().back().confidence(), v1::MARK_CONFIDENCE_CLEAR);
  EXPECT_THAT(Measurements().back().state(),
              testing::AnyOf(v1::MEASUREMENT_STATE_NO_RESPONSE, v1::MEASUREMENT_STATE_RED));
}

TEST_F(SequentialTest, ALossWithoutACriterionRunsToTheMaximum) {
  Run(Plan(kRule), Lost(Sep(600, 5, 2)));
  const auto finished = Sweeps(/*provisional=*/false);
  ASSERT_THAT(finished, Not(IsEmpty()));
  EXPECT_FALSE(finished.back().decided());
  EXPECT_EQ(finished.back().accepted_count(), 200u);
}

class SequentialBiasTest : public SequentialTest {
 protected:
  struct Bias {
    int decided = 0;
    int finished = 0;
    double sweeps = 0;
    double ratio = 0;  // of the drawn response in the average, rms, over the noise that is left
    double latency_ms = 0;
    double amplitude_percent = 0;
  };

  // What is measured on the averages that the rule ended, or on those that it did not, over what is
  // measured without noise.
  Bias BiasOf(const std::string& rule, double noise_uv, int seeds, bool of_decided = true,
              uint32_t least_sweeps = 0) {
    Run(Plan(rule), Sep(160, 5, 0));
    EXPECT_FALSE(Measurements().empty());
    if (Measurements().empty()) return {};
    const v1::Measurement truth = Measurements()[0];
    Bias bias;
    for (int seed = 1; seed <= seeds; ++seed) {
      sink_ = KeepingSink();
      Run(Plan(rule), Sep(2500, 5, noise_uv, static_cast<uint64_t>(seed)));
      const auto sweeps = Sweeps(/*provisional=*/false);
      const auto measurements = Measurements();
      EXPECT_EQ(sweeps.size(), measurements.size());
      for (size_t i = 0; i < std::min(sweeps.size(), measurements.size()); ++i) {
        ++bias.finished;
        if (sweeps[i].decided() != of_decided || sweeps[i].accepted_count() < least_sweeps)
          continue;
        ++bias.decided;
        bias.sweeps += sweeps[i].accepted_count();
        bias.ratio += kResponseRms * truth.amplitude_uv() / sweeps[i].noise_uv_rms();
        bias.latency_ms += measurements[i].latency_ms() - truth.latency_ms();
        bias.amplitude_percent += 100 * (measurements[i].amplitude_uv() / truth.amplitude_uv() - 1);
      }
    }
    const double count = std::max(1, bias.decided);
    for (double* mean : {&bias.sweeps, &bias.ratio, &bias.latency_ms, &bias.amplitude_percent}) {
      *mean /= count;
    }
    std::printf("%d of %d decided, %.0f sweeps, ratio %.1f: latency %+.3f ms, amplitude %+.2f %%\n",
                bias.decided, bias.finished, bias.sweeps, bias.ratio, bias.latency_ms,
                bias.amplitude_percent);
    return bias;
  }

  // Rms of the drawn wave within the components' windows (16 to 32 ms) over its peak to peak.
  static constexpr double kResponseRms = 0.22;
};

TEST_F(SequentialBiasTest, WithTheRulesOwnLimitsLatencyAndAmplitudeAreNotBiased) {
  const Bias bias = BiasOf("sequential { maximum_sweep_count: 1000 }", /*noise_uv=*/4, 3);
  EXPECT_GE(bias.decided, 20);
  EXPECT_GE(bias.decided, 0.95 * bias.finished);
  EXPECT_LT(std::fabs(bias.latency_ms), 0.1);
  EXPECT_LT(std::fabs(bias.amplitude_percent), 5);
}

// The hardest stop: a ratio of three is all that is asked for.
TEST_F(SequentialBiasTest, AtARatioOfThreeAloneLatencyAndAmplitudeAreNotBiased) {
  const Bias bias = BiasOf(
      "sequential { maximum_sweep_count: 1000 amplitude_error_percent: 50 latency_error_ms: 10 }",
      /*noise_uv=*/8, 6);
  EXPECT_GE(bias.decided, 60);
  EXPECT_LT(bias.ratio, 4);
  EXPECT_LT(std::fabs(bias.latency_ms), 0.1);
  EXPECT_LT(std::fabs(bias.amplitude_percent), 5);
}

// A limit that no average meets: all run to the maximum. What was decided before or after is
// compared with them.
TEST_F(SequentialBiasTest, AnAverageThatTheMaximumEndsIsNotBiasedEither) {
  const Bias bias = BiasOf("sequential { maximum_sweep_count: 60 amplitude_error_percent: 0.1 }",
                           /*noise_uv=*/8, 6, /*of_decided=*/false, /*least_sweeps=*/60);
  EXPECT_GE(bias.decided, 60);
  EXPECT_LT(bias.ratio, 4);
  EXPECT_LT(std::fabs(bias.amplitude_percent), 4);
}

// Waves I, III and V, as positive bells of 0.3 ms.
Drawing Baep(double third_uv, double delay_ms, int stimuli, double noise_uv) {
  Drawing drawing;
  drawing.channels = {"CPc"};
  drawing.rate_hz = 20000;
  drawing.noise_uv = noise_uv;
  constexpr double kClickS = 0.0311;
  drawing.seconds = stimuli * kClickS + 1;
  for (int i = 0; i < stimuli; ++i) {
    StimulusTrigger click;
    click.time_ns = static_cast<int64_t>((0.5 + i * kClickS) * 1e9);
    click.label = "MED R";
    drawing.items.push_back(click);
  }
  drawing.uv = [=](int, double time_s) {
    if (time_s < 0.5) return 0.0;
    const double ms = 1000 * std::fmod(time_s - 0.5, kClickS);
    // The second half of the stimuli: III and V come later.
    const double late = time_s > 0.5 + 0.5 * stimuli * kClickS ? delay_ms : 0.0;
    const auto bell = [&](double at_ms, double uv) {
      const double z = (ms - at_ms) / 0.3;
      return uv * std::exp(-z * z / 2);
    };
    return bell(1.8, 1) + bell(4.0 + late, third_uv) + bell(6.0 + 2 * late, 1.5) -
           bell(7.0 + 2 * late, 1.0);
  };
  return drawing;
}

constexpr char kBaepPlan[] = R"(
  evoked { modality: MODALITY_BAEP side: SIDE_RIGHT derivation: "CPc"
    trigger { label_prefix: "MED R" } stimulus { site: "ear" rate_hz: 32.15 } sweep_count: 300
    filter { high_pass_hz: 10 low_pass_hz: 1500 order: 2 zero_phase: true }
    component { label: "V" polarity: POLARITY_POSITIVE
      window_from_ms: 5 window_to_ms: 8 expected_ms: 6 }
    component { label: "V'" polarity: POLARITY_NEGATIVE
      window_from_ms: 6 window_to_ms: 9.5 expected_ms: 7 }
    component { label: "I" polarity: POLARITY_POSITIVE
      window_from_ms: 1.2 window_to_ms: 2.8 expected_ms: 1.8 }
    component { label: "III" polarity: POLARITY_POSITIVE
      window_from_ms: 3 window_to_ms: 5.5 expected_ms: 4 }
    interval { name: "I-III" from_component: "I" to_component: "III" }
    interval { name: "III-V" from_component: "III" to_component: "V" }
    interval { name: "I-V" from_component: "I" to_component: "V" }
    baseline { first_averages_count: 1 } })";

TEST_F(SequentialTest, IntervalsStandBesideThoseOfTheBaseline) {
  Run(kBaepPlan, Baep(/*third_uv=*/1, /*delay_ms=*/0.3, 600, /*noise_uv=*/0.5));
  const auto measurements = Measurements();
  ASSERT_THAT(measurements, SizeIs(2));
  const auto& before = measurements[0].intervals();
  const auto& after = measurements[1].intervals();
  ASSERT_THAT(before, SizeIs(3));
  ASSERT_THAT(after, SizeIs(3));
  const double usual_ms[] = {2.2, 2.0, 4.2};
  const double late_ms[] = {0.3, 0.3, 0.6};
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(before[i].interval_ms(), usual_ms[i], 0.1) << before[i].name();
    EXPECT_EQ(before[i].confidence(), v1::MARK_CONFIDENCE_CLEAR) << before[i].name();
    EXPECT_NEAR(after[i].interval_ms(), usual_ms[i] + late_ms[i], 0.1) << after[i].name();
    EXPECT_NEAR(after[i].baseline_ms(), before[i].interval_ms(), 1e-9) << after[i].name();
  }
  EXPECT_EQ(after[2].name(), "I-V");
  const auto sweeps = Sweeps(/*provisional=*/false);
  ASSERT_THAT(sweeps, SizeIs(2));
  ASSERT_THAT(sweeps[1].marks(), SizeIs(4));
  EXPECT_EQ(sweeps[1].marks(2).label(), "I");
  EXPECT_NEAR(sweeps[1].marks(2).latency_ms(), 1.8, 0.1);
}

TEST_F(SequentialTest, AnIntervalToAWaveThatIsNotThereHasNoLength) {
  Run(kBaepPlan, Baep(/*third_uv=*/0, /*delay_ms=*/0, 310, /*noise_uv=*/3));
  const auto measurements = Measurements();
  ASSERT_THAT(measurements, SizeIs(1));
  const auto& intervals = measurements[0].intervals();
  ASSERT_THAT(intervals, SizeIs(3));
  EXPECT_EQ(intervals[0].confidence(), v1::MARK_CONFIDENCE_NO_RESPONSE);
  EXPECT_EQ(intervals[0].interval_ms(), 0);
  EXPECT_EQ(intervals[1].confidence(), v1::MARK_CONFIDENCE_NO_RESPONSE);
  EXPECT_NEAR(intervals[2].interval_ms(), 4.2, 0.2);
  EXPECT_EQ(intervals[2].confidence(), v1::MARK_CONFIDENCE_CLEAR);
}

}  // namespace
}  // namespace remora::agent
