// Markers on a recorded median-nerve SEP (../shared/data/sep_median_256ch): grand average of about
// 6000 stimuli, 2048 Hz, from -50 ms; channel L6A is contralateral centro-parietal.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "dsp/evoked/peak_tracker.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kRowOfL6A = 63;

std::vector<double> ReadL6A(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  for (std::size_t row = 0; row <= kRowOfL6A; ++row) std::getline(file, line);
  std::vector<double> sweep;
  std::istringstream fields(line);
  for (std::string field; std::getline(fields, field, ',');) sweep.push_back(std::stod(field));
  return sweep;
}

TEST(MedianSep, MarkersOfARecordedResponseAreWhereTheReferenceHasThem) {
  const std::string path = DataFolder() + "/sep_median_256ch/eeg_256_channels_sep_data.csv";
  if (!FileExists(path)) GTEST_SKIP() << "skipped: no data";
  std::vector<double> sweep = ReadL6A(path);
  ASSERT_EQ(sweep.size(), 369u);
  const Timebase timebase{2048.0, -50.0};
  const SampleRange quiet = SamplesIn({-45.0, -5.0}, timebase, sweep.size());
  double offset = 0.0;
  for (std::size_t i = 0; i < quiet.count; ++i) {
    offset += sweep[quiet.first + i] / static_cast<double>(quiet.count);
  }
  for (double& value : sweep) value -= offset;

  const ComponentPair pair{"N20", "P25", Polarity::kTrough, {16.0, 25.0}, {21.0, 35.0}, 2.0, 15.0};
  const PairMarking marking = MarkPair(sweep, timebase, pair, 0.05);
  std::printf("N20 at %.2f ms, N20-P25 %.2f uV\n", marking.first.latency_ms, marking.amplitude_uv);
  EXPECT_EQ(marking.presence, Presence::kPresent) << DoubtText(marking.doubts);
  EXPECT_NEAR(marking.first.latency_ms, 19.19, 0.05);
  EXPECT_NEAR(marking.first.value_uv, -0.969, 0.02);
  EXPECT_NEAR(marking.second.latency_ms, 29.59, 0.25);  // given to the sample
  EXPECT_NEAR(marking.second.value_uv, 2.098, 0.02);
  EXPECT_NEAR(marking.amplitude_uv, 3.067, 0.03);
}

}  // namespace
}  // namespace remora::dsp
