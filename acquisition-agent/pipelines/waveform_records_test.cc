#include "acquisition-agent/pipelines/waveform_records.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/sample_codec.h"

namespace remora::agent {
namespace {

TEST(ReduceTrace, KeepsThePeaksThatLieBetweenTheSamplesKept) {
  // 1 s at 2.5 kHz with a unit of one sample's width each 40 ms, at odd places.
  std::vector<double> uv(2500, 0.0);
  for (size_t i = 37; i < uv.size(); i += 100) {
    uv[i] = 200;
    uv[i + 1] = -150;
  }
  double interval_ms = 0;
  const v1::PackedSamples packed = ReduceTrace(uv, 2500, 512, &interval_ms);
  ASSERT_LE(packed.sample_count(), 512u);
  EXPECT_DOUBLE_EQ(interval_ms, 2.0);
  const auto reduced = UnpackMicrovolts(packed);
  ASSERT_TRUE(reduced.ok());
  EXPECT_NEAR(std::count_if(reduced->begin(), reduced->end(), [](double v) { return v > 199; }), 25,
              0);
  EXPECT_NEAR(std::count_if(reduced->begin(), reduced->end(), [](double v) { return v < -149; }),
              25, 0);
  const auto first = std::max_element(reduced->begin(), reduced->end());
  EXPECT_NEAR(static_cast<double>(first - reduced->begin()) * interval_ms, 37 * 0.4,
              2 * interval_ms);
}

TEST(ReduceTrace, LeavesAShortTraceAsItIs) {
  double interval_ms = 0;
  const v1::PackedSamples packed =
      ReduceTrace(std::vector<double>(512, 1.0), 2500, 512, &interval_ms);
  EXPECT_EQ(packed.sample_count(), 512u);
  EXPECT_DOUBLE_EQ(interval_ms, 0.4);
}

}  // namespace
}  // namespace remora::agent
