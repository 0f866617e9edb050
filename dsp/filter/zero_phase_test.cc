#include "dsp/filter/zero_phase.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "dsp/filter/butterworth.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

Cascade SepBand() { return *ButterworthBandPass(4, 30.0, 500.0, 4000.0); }

// EEG-like: noise on a slow drift and an electrode offset.
std::vector<double> Recording(std::size_t samples) {
  std::vector<double> recording = TestNoise(11).Gaussian(samples, 10.0);
  for (std::size_t i = 0; i < samples; ++i) {
    recording[i] += 300.0 + 50.0 * std::sin(static_cast<double>(i) / 3000.0);
  }
  return recording;
}

std::vector<double> Stream(const Cascade& cascade, const std::vector<double>& input,
                           std::size_t look_ahead, std::size_t stride, std::size_t block) {
  StreamingZeroPhase filter(cascade, look_ahead, stride);
  std::vector<double> output;
  for (std::size_t at = 0; at < input.size(); at += block) {
    filter.Push(std::span(input).subspan(at, std::min(block, input.size() - at)), output);
    EXPECT_EQ(output.size() + filter.pending_samples(), std::min(at + block, input.size()));
  }
  filter.Flush(output);
  return output;
}

double LargestDifference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

TEST(ZeroPhaseFilter, KeepsThePlaceOfAPeak) {
  std::vector<double> input(4001, 0.0);
  for (std::size_t i = 0; i < input.size(); ++i) {
    const double t = (static_cast<double>(i) - 2000.0) / 12.0;
    input[i] = std::exp(-0.5 * t * t);
  }
  const auto output = ZeroPhaseFilter(SepBand(), input);
  ASSERT_TRUE(output.ok());
  EXPECT_EQ(std::max_element(output->begin(), output->end()) - output->begin(), 2000);
  for (std::size_t i = 1; i < 500; ++i) {
    EXPECT_NEAR((*output)[2000 - i], (*output)[2000 + i], 1e-9);
  }
}

TEST(ZeroPhaseFilter, HasTheSquaredGain) {
  const Cascade cascade = SepBand();
  const auto output = ZeroPhaseFilter(cascade, Sine(16000, 30.0, 4000.0, 1.0));
  ASSERT_TRUE(output.ok());
  const std::vector<double> middle(output->begin() + 6000, output->begin() + 10000);
  EXPECT_NEAR(MaxAbs(middle), 0.5, 1e-3);  // -3 dB twice
}

TEST(ZeroPhaseFilter, HostileInputIsRefused) {
  const Cascade cascade = SepBand();
  const std::size_t pad = PadSamples(cascade);
  EXPECT_EQ(pad, 27u);
  EXPECT_FALSE(ZeroPhaseFilter(cascade, std::vector<double>(pad, 1.0)).ok());
  EXPECT_TRUE(ZeroPhaseFilter(cascade, std::vector<double>(pad + 1, 1.0)).ok());
  EXPECT_FALSE(ZeroPhaseFilter(cascade, {}).ok());
  std::vector<double> broken(1000, 1.0);
  broken[17] = kNaN;
  const auto result = ZeroPhaseFilter(cascade, broken);
  ASSERT_FALSE(result.ok());
  EXPECT_NE(result.status().message().find("sample 17"), absl::string_view::npos);
}

TEST(StreamingZeroPhase, AgreesWithTheWholeFileToItsStatedError) {
  const Cascade cascade = SepBand();
  const std::vector<double> input = Recording(40000);
  const auto whole = ZeroPhaseFilter(cascade, input);
  ASSERT_TRUE(whole.ok());
  const double scale = MaxAbs(*whole);
  double previous = 1.0;
  for (const double error : {1e-2, 1e-4, 1e-6, 1e-8}) {
    const std::size_t look_ahead = StreamingZeroPhase::LookAheadFor(cascade, error);
    const auto streamed = Stream(cascade, input, look_ahead, 1000, 333);
    ASSERT_EQ(streamed.size(), input.size());
    const double difference = LargestDifference(streamed, *whole) / scale;
    std::printf("error %.0e: look-ahead %.0f ms, difference %.1e of the maximum\n", error,
                static_cast<double>(look_ahead) / 4.0, difference);
    EXPECT_LT(difference, 10.0 * error);
    EXPECT_LT(difference, previous);
    previous = difference;
  }
}

TEST(StreamingZeroPhase, DoesNotDependOnTheBlocks) {
  const Cascade cascade = SepBand();
  const std::vector<double> input = Recording(9000);
  const auto expected = Stream(cascade, input, 800, 500, 9000);
  for (const std::size_t block : {1, 7, 500, 1299}) {
    EXPECT_EQ(Stream(cascade, input, 800, 500, block), expected) << block;
  }
}

TEST(StreamingZeroPhase, EndsOfTheRecordingAreExact) {
  const Cascade cascade = SepBand();
  const std::vector<double> input = Recording(5000);
  const auto whole = ZeroPhaseFilter(cascade, input);
  const auto streamed = Stream(cascade, input, 1000, 400, 128);
  ASSERT_TRUE(whole.ok());
  for (std::size_t i = 4000; i < 5000; ++i) EXPECT_NEAR(streamed[i], (*whole)[i], 1e-10);
}

TEST(StreamingZeroPhase, HostileSamplesSplitTheRecordingAndNothingElse) {
  const Cascade cascade = SepBand();
  std::vector<double> input = Recording(6000);
  input[2500] = kNaN;
  input[2501] = std::numeric_limits<double>::infinity();
  input[2510] = kNaN;  // leaves a stretch too short to filter
  const auto streamed = Stream(cascade, input, 800, 300, 77);
  ASSERT_EQ(streamed.size(), input.size());
  const auto before = ZeroPhaseFilter(cascade, std::span(input).first(2500));
  const auto after = ZeroPhaseFilter(cascade, std::span(input).subspan(2511));
  ASSERT_TRUE(before.ok() && after.ok());
  const double tolerance = 1e-3 * MaxAbs(*before);
  for (std::size_t i = 0; i < 2500; ++i) ASSERT_NEAR(streamed[i], (*before)[i], tolerance) << i;
  for (std::size_t i = 2500; i < 2511; ++i) ASSERT_TRUE(std::isnan(streamed[i])) << i;
  for (std::size_t i = 2511; i < 6000; ++i) {
    ASSERT_NEAR(streamed[i], (*after)[i - 2511], tolerance) << i;
  }
}

TEST(StreamingZeroPhase, HostileStrideAndLookAheadOfZeroStillGiveEverySample) {
  const std::vector<double> input = Recording(500);
  EXPECT_EQ(Stream(SepBand(), input, 0, 0, 3).size(), input.size());
  EXPECT_EQ(Stream({}, input, 0, 0, 3), input);
}

}  // namespace
}  // namespace remora::dsp
