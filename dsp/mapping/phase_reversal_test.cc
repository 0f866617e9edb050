#include "dsp/mapping/phase_reversal.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

const Timebase kTimebase{5'000.0, 0.0};
constexpr std::size_t kSamples = 250;  // 50 ms
const PhaseReversalOptions kOptions{{14.0, 32.0}};

using Traces = std::vector<std::vector<double>>;

// N20 and P25 of one sign behind the turn, of the other before it; largest next to it.
Traces Strip(std::size_t contacts, std::size_t after, double height_uv, double noise_uv,
             std::uint64_t seed) {
  TestNoise noise(seed);
  Traces traces;
  for (std::size_t contact = 0; contact < contacts; ++contact) {
    const double distance = static_cast<double>(contact) - static_cast<double>(after) - 0.5;
    const double height = -std::copysign(height_uv, distance) * std::exp(-std::abs(distance) / 3.0);
    auto& trace = traces.emplace_back(noise.Gaussian(kSamples, noise_uv));
    for (std::size_t i = 0; i < kSamples; ++i) {
      const double ms = kTimebase.LatencyMs(static_cast<double>(i));
      trace[i] += height * (std::exp(-std::pow((ms - 20.0) / 1.5, 2.0)) -
                            0.8 * std::exp(-std::pow((ms - 25.5) / 2.0, 2.0)));
    }
  }
  return traces;
}

absl::StatusOr<PhaseReversal> Find(const Traces& traces, double noise_uv,
                                   const PhaseReversalOptions& options = kOptions) {
  const std::vector<std::span<const double>> spans(traces.begin(), traces.end());
  return FindPhaseReversal(spans, kTimebase, noise_uv, options);
}

TEST(PhaseReversal, LiesBetweenTheContactsWherePolarityTurns) {
  for (std::size_t after = 0; after < 7; ++after) {
    const auto found = Find(Strip(8, after, 20.0, 0.01, after + 1), 0.01);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->after_contact, after);
    EXPECT_GT(found->confidence(), 0.99);
    for (std::size_t contact = 0; contact < 8; ++contact) {
      const bool of_first_side = (found->weights_uv[contact] > 0.0) == (found->weights_uv[0] > 0.0);
      EXPECT_EQ(of_first_side, contact <= after);
    }
  }
}

TEST(PhaseReversal, IsRightInNinetyFiveOfAHundredAtASignalToNoiseOfThree) {
  int right = 0;
  constexpr double kHeightUv = 6.0, kNoiseUv = kHeightUv / 3.0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const std::size_t after = seed % 7;
    const auto found = Find(Strip(8, after, kHeightUv, kNoiseUv, 1'000 + seed), kNoiseUv);
    ASSERT_TRUE(found.ok());
    right += found->after_contact == after;
  }
  EXPECT_GE(right, 95);
  RecordProperty("right_of_100", right);
}

TEST(PhaseReversal, OnePolarityThroughoutIsNone) {
  Traces traces = Strip(6, 5, 20.0, 0.1, 3);  // all before the turn
  const auto found = Find(traces, 0.5);
  ASSERT_TRUE(found.ok());
  EXPECT_FALSE(found->after_contact.has_value());
  EXPECT_EQ(found->confidence(), 0.0);
}

TEST(PhaseReversal, NoiseAloneIsNone) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto found = Find(Strip(8, 3, 0.0, 1.0, seed), 1.0);
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->after_contact.has_value()) << seed;
  }
}

TEST(PhaseReversal, CorrelationIsOfTheShapeNotOfTheSize) {
  // Heights fall to a fifth from the turn outwards.
  Traces traces = Strip(8, 1, 20.0, 0.05, 5);
  traces[4] = TestNoise(9).Gaussian(kSamples, 0.05);
  traces[5] = std::vector<double>(kSamples, 3.0);
  const auto found = Find(traces, 0.05);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->shape_correlations.size(), 8u);
  for (const std::size_t contact : {0, 1, 2, 3, 6, 7}) {
    const double correlation = found->shape_correlations[contact];
    EXPECT_GT(std::abs(correlation), 0.99) << contact;
    EXPECT_LE(std::abs(correlation), 1.0);
    EXPECT_EQ(found->weights_uv[contact] > 0.0, correlation > 0.0) << contact;
    EXPECT_EQ(contact <= 1, (correlation > 0.0) == (found->shape_correlations[0] > 0.0));
  }
  EXPECT_LT(std::abs(found->weights_uv[7]), 0.3 * std::abs(found->weights_uv[2]));
  EXPECT_LT(std::abs(found->shape_correlations[4]), 0.5);
  EXPECT_EQ(found->shape_correlations[5], 0.0);
}

TEST(PhaseReversal, CorrelationIsThatWithTheWeightedSumOfAll) {
  const Traces traces = Strip(5, 2, 3.0, 1.0, 6);
  const auto found = Find(traces, 1.0);
  ASSERT_TRUE(found.ok());
  Traces in_window;
  std::vector<double> common(91, 0.0);  // 14 to 32 ms
  for (std::size_t contact = 0; contact < 5; ++contact) {
    auto& row = in_window.emplace_back(traces[contact].begin() + 70, traces[contact].begin() + 161);
    double mean = 0.0;
    for (const double value : row) mean += value / 91.0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] -= mean;
      common[i] += found->weights_uv[contact] * row[i];
    }
  }
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  };
  for (std::size_t contact = 0; contact < 5; ++contact) {
    const auto& row = in_window[contact];
    EXPECT_NEAR(found->shape_correlations[contact],
                dot(row, common) / std::sqrt(dot(row, row) * dot(common, common)), 1e-6);
  }
}

TEST(PhaseReversal, SilentContactsBetweenTheSidesDoNotHideIt) {
  Traces traces = Strip(8, 3, 20.0, 0.5, 4);
  traces[5] = TestNoise(8).Gaussian(kSamples, 0.5);
  const auto found = Find(traces, 0.5);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->after_contact, 3u);
}

TEST(PhaseReversal, HostileStripsAreRefused) {
  Traces traces = Strip(8, 3, 20.0, 0.5, 4);
  EXPECT_FALSE(Find({traces[0]}, 0.5).ok());
  EXPECT_FALSE(Find(Traces(kMaxStripContacts + 1, traces[0]), 0.5).ok());
  EXPECT_FALSE(Find(traces, -1.0).ok());
  EXPECT_FALSE(Find(traces, kNaN).ok());
  EXPECT_FALSE(Find(traces, 0.5, {{60.0, 70.0}}).ok());
  traces[2].pop_back();
  EXPECT_FALSE(Find(traces, 0.5).ok());
  traces = Strip(8, 3, 20.0, 0.5, 4);
  traces[2][100] = kNaN;
  EXPECT_FALSE(Find(traces, 0.5).ok());
  const auto silent = Find(Traces(4, std::vector<double>(kSamples, 0.0)), 0.0);
  ASSERT_TRUE(silent.ok());
  EXPECT_FALSE(silent->after_contact.has_value());
}

TEST(MidlineByGradient, LiesWhereTheSidesCross) {
  const auto midline = FindMidlineByGradient(std::vector<double>{10, 8, 4, 1, 0},
                                             std::vector<double>{0, 2, 8, 18, 20});
  ASSERT_TRUE(midline.ok());
  EXPECT_NEAR(**midline, 2.0, 1e-12);
  const auto shifted = FindMidlineByGradient(std::vector<double>{10, 9, 6, 2},
                                             std::vector<double>{1, 3, 4, 10});
  ASSERT_TRUE(shifted.ok());
  EXPECT_NEAR(**shifted, 2.2, 1e-9);
}

TEST(MidlineByGradient, LiesBetweenTheMaximaNotInTheNoiseBesideThem) {
  const auto midline = FindMidlineByGradient(std::vector<double>{0, 10, 6, 5, 4},
                                             std::vector<double>{5, 1, 4, 6, 10});
  ASSERT_TRUE(midline.ok());
  EXPECT_NEAR(**midline, 2.0 + 2.0 / 3.0, 1e-9);
}

TEST(MidlineByGradient, OneSideThroughoutIsNone) {
  const auto none = FindMidlineByGradient(std::vector<double>{10, 10, 10},
                                          std::vector<double>{5, 6, 9.9});
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value()) << "a touch at the end is no crossing";
}

TEST(MidlineByGradient, HostileAmplitudesAreRefused) {
  const std::vector<double> good = {1, 2, 3};
  EXPECT_FALSE(FindMidlineByGradient(good, std::vector<double>{1, 2}).ok());
  EXPECT_FALSE(FindMidlineByGradient(good, std::vector<double>{1, kNaN, 2}).ok());
  EXPECT_FALSE(FindMidlineByGradient(good, std::vector<double>{0, 0, 0}).ok());
  EXPECT_FALSE(FindMidlineByGradient(good, std::vector<double>{-1, 0, 2}).ok());
}

}  // namespace
}  // namespace remora::dsp
