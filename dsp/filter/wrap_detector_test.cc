#include "dsp/filter/wrap_detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

using Marked = std::vector<std::size_t>;

WrapDetector Detector() { return *WrapDetector::Create({4000.0, -3276.8, 3276.7, 0.5}); }

// As a converter of 16 bits and 0.1 uV that does not clip.
double Wrapped(double uv) {
  const double counts = std::round(uv * 10.0);
  return (counts - 65536.0 * std::floor((counts + 32768.0) / 65536.0)) / 10.0;
}

TEST(WrapDetector, MarksBothEndsOfWhatWrapped) {
  for (const double peak_uv : {-7300.0, 7300.0, 3400.0}) {
    WrapDetector detector = Detector();
    std::vector<double> samples;
    std::size_t first = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < 400; ++i) {
      const double true_uv = peak_uv * std::exp(-std::pow((static_cast<double>(i) - 200) / 4, 2));
      if (true_uv < -3276.8 || true_uv > 3276.7) {
        if (first == 0) first = i;
        last = i;
      }
      samples.push_back(Wrapped(true_uv));
    }
    const Marked marked = detector.Push(samples);
    ASSERT_FALSE(marked.empty()) << peak_uv;
    EXPECT_EQ(marked.front(), first - 2);
    EXPECT_EQ(marked.back(), last + 2);
  }
}

TEST(WrapDetector, SignalsInsideTheRangeAreNotMarked) {
  WrapDetector detector = Detector();
  EXPECT_TRUE(detector.Push(TestNoise(4).Gaussian(40000, 300.0)).empty());
  EXPECT_TRUE(detector.Push(Sine(4000, 150.0, 4000.0, 3200.0)).empty());
}

TEST(WrapDetector, AStepIsLongerThanTwoFifthsOfTheRange) {
  WrapDetector detector = Detector();  // 6553.5 uV
  EXPECT_TRUE(detector.Push(std::vector<double>{-1000, 1600, 0, 0, 0}).empty());
  EXPECT_EQ(detector.Push(std::vector<double>{0, 0, -1000, 1650, 1000}), (Marked{1, 2, 3, 4}));
}

TEST(WrapDetector, MarksAcrossBlocks) {
  WrapDetector detector = Detector();
  EXPECT_EQ(detector.Push(std::vector<double>{0, 0, 0, 0, 0, 2600, -3200}), (Marked{4, 5, 6}));
  EXPECT_EQ(detector.Push(std::vector<double>{-3100, -3000, -2000}), (Marked{0}));
  EXPECT_EQ(detector.Push(std::vector<double>{3000, 1000, 0, 0}), (Marked{0, 1}));
  detector.Reset();
  EXPECT_TRUE(detector.Push(std::vector<double>{-3200}).empty());
}

TEST(WrapDetector, KnowingWhereItsSamplesLieChangesNothing) {
  // Quiet, with wraps in the middle of a block, and from one block to the next.
  std::vector<double> samples = TestNoise(7).Gaussian(4000, 300.0);
  for (const std::size_t at : {777u, 999u, 1000u, 2500u, 3999u}) samples[at] = -3200.0;
  for (const std::size_t at : {1200u, 1500u}) samples[at] = 2200.0;
  for (const std::size_t block : {1u, 2u, 100u, 500u}) {
    WrapDetector plain = Detector();
    WrapDetector knows = Detector();
    std::size_t marked = 0;
    for (std::size_t at = 0; at < samples.size(); at += block) {
      const auto part = std::span(samples).subspan(at, block);
      const auto [low, high] = std::minmax_element(part.begin(), part.end());
      const Marked expected = plain.Push(part);
      EXPECT_EQ(knows.Push(part, *low, *high), expected) << at;
      marked += expected.size();
    }
    EXPECT_GT(marked, 10u);
  }
}

TEST(WrapDetector, HostileSamplesMakeNoStep) {
  WrapDetector detector = Detector();
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(detector.Push(std::vector<double>{3000, kNaN, -infinite, 2900}).empty());
  EXPECT_EQ(detector.Push(std::vector<double>{kNaN, -3000}), (Marked{0, 1}));
  EXPECT_EQ(detector.Push({}), Marked{});
}

TEST(WrapDetector, HostileOptionsAreRefusedByName) {
  const auto error = [](const WrapOptions& options) {
    return std::string(WrapDetector::Create(options).status().message());
  };
  EXPECT_NE(error({0.0, -1.0, 1.0, 1.0}).find("sample_rate_hz"), std::string::npos);
  EXPECT_NE(error({1000.0, 1.0, 1.0, 1.0}).find("range"), std::string::npos);
  EXPECT_NE(error({1000.0, -1.0, kNaN, 1.0}).find("range"), std::string::npos);
  EXPECT_NE(error({1000.0, -1.0, 1.0, -1.0}).find("around_ms"), std::string::npos);
}

}  // namespace
}  // namespace remora::dsp
