#include "acquisition-agent/sources/simulator/wave_shape.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

double Height(const WaveShape& shape) {
  double low = 0, high = 0;
  for (double x = 0; x < 1; x += 1e-4) {
    low = std::min(low, shape.At(x));
    high = std::max(high, shape.At(x));
  }
  return high - low;
}

TEST(WaveShape, IsStraightBetweenItsValuesAndNothingBeyond) {
  const WaveShape shape({0, 1, 0.5}, 0.5);
  EXPECT_EQ(shape.At(0.25), 0.5);
  EXPECT_EQ(shape.At(0.75), 0.75);
  EXPECT_EQ(shape.At(-0.01), 0);
  EXPECT_EQ(shape.At(1), 0);
  EXPECT_EQ(shape.At(std::nan("")), 0);
}

TEST(GaussianShape, IsABell) {
  for (double sigmas = -4.9; sigmas < 4.9; sigmas += 0.037) {
    EXPECT_NEAR(GaussianShape().At(0.5 + sigmas / kGaussianSigmas),
                std::exp(-0.5 * sigmas * sigmas), 2e-5);
  }
}

TEST(MuscleShapes, AreOneFromPeakToPeakAndBeginAtTheirReference) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const WaveShape mep = MakeMepShape(SimRandom(5, seed));
    EXPECT_NEAR(Height(mep), 1, 0.002) << seed;
    for (double x = 0; x < mep.reference() - 1.1e-3; x += 1e-4) {
      EXPECT_LT(std::abs(mep.At(x)), 0.05) << seed;
    }
    EXPECT_GE(std::abs(mep.At(mep.reference() + 1e-6)), 0.0499) << seed;
    EXPECT_LT(mep.reference() * kMepShapeS, 0.006) << seed;
  }
  EXPECT_NEAR(Height(CmapShape()), 1, 0.001);
  EXPECT_NEAR(std::abs(CmapShape().At(CmapShape().reference())), 0.05, 0.003);
  EXPECT_NEAR(Height(VolleyShape()), 1, 0.001);
  EXPECT_NEAR(VolleyShape().At(VolleyShape().reference()), 0.5, 0.001);
}

TEST(MepShape, DiffersFromMuscleToMuscle) {
  const WaveShape a = MakeMepShape(SimRandom(5, 1));
  const WaveShape b = MakeMepShape(SimRandom(5, 2));
  double difference = 0;
  for (double x = 0; x < 1; x += 0.01) difference += std::abs(a.At(x) - b.At(x));
  EXPECT_GT(difference, 1);
}

}  // namespace
}  // namespace remora::agent::sim
