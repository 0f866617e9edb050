#include "dsp/evoked/sweep_average.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dsp/evoked/reproducibility.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

const Timebase kTimebase{1000.0, -10.0};

TEST(SweepAverage, MeansAndHalvesAreThoseOfTheAcceptedSweeps) {
  SweepAverage average(3, kTimebase);
  for (int i = 1; i <= 5; ++i) {
    const double value = i;
    EXPECT_EQ(average.Add(std::vector<double>{value, 10.0 * value, -value}, Rejection::kNone),
              Rejection::kNone);
    average.Add(std::vector<double>{99.0, 99.0, 99.0}, Rejection::kAmplitude);
  }
  EXPECT_EQ(average.accepted(), 5u);
  EXPECT_EQ(average.rejected(), 5u);
  EXPECT_EQ(average.rejected(Rejection::kAmplitude), 5u);
  EXPECT_EQ(average.offered(), 10u);
  EXPECT_NEAR(average.mean_uv()[1], 30.0, 1e-12);
  EXPECT_NEAR(average.odd_uv()[0], 3.0, 1e-12);   // 1, 3, 5
  EXPECT_NEAR(average.even_uv()[0], 3.0, 1e-12);  // 2, 4
}

TEST(SweepAverage, PlusMinusNoiseEstimatesWhatIsLeft) {
  // Residual noise of n sweeps of white noise is rms / sqrt(n), with a response or without.
  for (const int sweeps : {50, 51, 200}) {
    TestNoise noise(static_cast<std::uint64_t>(sweeps));
    SweepAverage average(2000, {10000.0, 0.0});
    const std::vector<double> response = Sine(2000, 40.0, 10000.0, 5.0);
    for (int i = 0; i < sweeps; ++i) {
      std::vector<double> sweep = noise.Gaussian(2000, 8.0);
      for (std::size_t k = 0; k < sweep.size(); ++k) sweep[k] += response[k];
      average.Add(sweep, Rejection::kNone);
    }
    const double expected = 8.0 / std::sqrt(sweeps);
    EXPECT_NEAR(average.PlusMinusNoiseUv(), expected, 0.06 * expected) << sweeps;
    EXPECT_NEAR(average.PlusMinusNoiseUv({50.0, 150.0}), expected, 0.08 * expected) << sweeps;
  }
}

TEST(SweepAverage, NoiseOfTooFewSweepsIsUnknownNotZero) {
  SweepAverage average(4, kTimebase);
  EXPECT_TRUE(std::isnan(average.PlusMinusNoiseUv()));
  average.Add(std::vector<double>{1.0, 2.0, 3.0, 4.0}, Rejection::kNone);
  EXPECT_TRUE(std::isnan(average.PlusMinusNoiseUv()));
  average.Add(std::vector<double>{1.0, 2.0, 3.0, 4.0}, Rejection::kNone);
  EXPECT_EQ(average.PlusMinusNoiseUv(), 0.0);
  EXPECT_TRUE(std::isnan(average.PlusMinusNoiseUv({500.0, 600.0})));  // outside the sweep
}

TEST(SweepAverage, ResetForgets) {
  SweepAverage average(1, kTimebase);
  average.Add(std::vector<double>{7.0}, Rejection::kNone);
  average.Add(std::vector<double>{7.0}, Rejection::kFlat);
  average.Reset();
  EXPECT_EQ(average.offered(), 0u);
  EXPECT_EQ(average.mean_uv()[0], 0.0);
}

TEST(SweepAverage, HostileSweepsNeverEnterAMean) {
  SweepAverage average(2, kTimebase);
  average.Add(std::vector<double>{1.0, 1.0}, Rejection::kNone);
  EXPECT_EQ(average.Add(std::vector<double>{kNaN, 1.0}, Rejection::kNone), Rejection::kNonFinite);
  EXPECT_EQ(average.Add(std::vector<double>{1.0}, Rejection::kNone), Rejection::kNonFinite);
  EXPECT_EQ(average.Add({}, Rejection::kNone), Rejection::kNonFinite);
  EXPECT_EQ(average.accepted(), 1u);
  EXPECT_EQ(average.rejected(Rejection::kNonFinite), 3u);
  EXPECT_EQ(average.mean_uv()[0], 1.0);
}

TEST(JudgeSweep, NamesTheFirstCause) {
  RejectionLimits limits;
  limits.max_abs_uv = 40.0;
  limits.window = {0.0, 20.0};
  const std::vector<double> good = TestNoise(1).Gaussian(31, 5.0);
  EXPECT_EQ(JudgeSweep(good, kTimebase, limits), Rejection::kNone);
  EXPECT_EQ(JudgeSweep(good, kTimebase, limits, kQualityGap | kQualityClipping), Rejection::kGap);
  EXPECT_EQ(JudgeSweep(good, kTimebase, limits, kQualityClipping), Rejection::kClipping);
  EXPECT_EQ(JudgeSweep(good, kTimebase, limits, kQualityFlat), Rejection::kFlat);
  EXPECT_EQ(JudgeSweep(good, kTimebase, limits, kQualityMains), Rejection::kNone);
  std::vector<double> tall = good;
  tall[9] = 50.0;  // -1 ms: outside the window
  EXPECT_EQ(JudgeSweep(tall, kTimebase, limits), Rejection::kNone);
  tall[10] = -40.5;
  EXPECT_EQ(JudgeSweep(tall, kTimebase, limits), Rejection::kAmplitude);
  tall[11] = kNaN;
  EXPECT_EQ(JudgeSweep(tall, kTimebase, limits), Rejection::kNonFinite);
  EXPECT_EQ(JudgeSweep(std::vector<double>(31, 3.0), kTimebase, limits), Rejection::kFlat);
  EXPECT_EQ(JudgeSweep({}, kTimebase, limits), Rejection::kNonFinite);
}

TEST(Reproducibility, EqualShapesOfNearSizeAgree) {
  std::vector<double> odd = Sine(200, 20.0, 1000.0, 5.0);
  std::vector<double> even = odd;
  for (double& value : even) value *= 1.2;
  const Timebase timebase{1000.0, 0.0};
  const Reproducibility result = CompareHalves(odd, even, timebase, {0.0, 199.0});
  EXPECT_TRUE(result.reproducible());
  EXPECT_NEAR(result.correlation, 1.0, 1e-12);
  EXPECT_NEAR(result.amplitude_difference_percent, 100.0 * 0.2 / 1.1, 1e-9);
  for (double& value : even) value *= 1.5;
  EXPECT_EQ(CompareHalves(odd, even, timebase, {0.0, 199.0}).fault,
            ReproducibilityFault::kAmplitude);
}

TEST(Reproducibility, NoiseDoesNotAgree) {
  TestNoise noise(9);
  EXPECT_EQ(
      CompareHalves(noise.Gaussian(200, 1.0), noise.Gaussian(200, 1.0), {1000.0, 0.0}, {0.0, 199.0})
          .fault,
      ReproducibilityFault::kCorrelation);
}

TEST(Reproducibility, HostileInputIsUnknown) {
  const std::vector<double> flat(10, 1.0);
  std::vector<double> broken = flat;
  broken[4] = kNaN;
  const Timebase timebase{1000.0, 0.0};
  EXPECT_EQ(CompareHalves(flat, flat, timebase, {0.0, 9.0}).fault, ReproducibilityFault::kUnknown);
  EXPECT_EQ(CompareHalves(broken, flat, timebase, {0.0, 9.0}).fault,
            ReproducibilityFault::kUnknown);
  EXPECT_EQ(CompareHalves(flat, {}, timebase, {0.0, 9.0}).fault, ReproducibilityFault::kUnknown);
  EXPECT_EQ(CompareHalves(flat, flat, timebase, {50.0, 60.0}).fault,
            ReproducibilityFault::kUnknown);
  EXPECT_EQ(Correlation(broken, broken), 0.0);
  EXPECT_EQ(Correlation({}, {}), 0.0);
}

}  // namespace
}  // namespace remora::dsp
