#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#include "dsp/filter/butterworth.h"
#include "dsp/filter/notch.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Cascade SepBand() { return *ButterworthBandPass(4, 30.0, 500.0, 4000.0); }

std::vector<double> Filtered(StreamingFilter filter, const std::vector<double>& input) {
  std::vector<double> output(input.size());
  filter.Process(input, output);
  return output;
}

TEST(Butterworth, CornersAreMinusThreeDecibel) {
  const double half_power = std::sqrt(0.5);
  for (int order = 1; order <= 10; ++order) {
    const auto low = ButterworthLowPass(order, 300.0, 5000.0);
    const auto high = ButterworthHighPass(order, 30.0, 5000.0);
    const auto band = ButterworthBandPass(order, 30.0, 1500.0, 5000.0);
    const auto stop = ButterworthBandStop(order, 45.0, 55.0, 5000.0);
    ASSERT_TRUE(low.ok() && high.ok() && band.ok() && stop.ok()) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*low, 300.0, 5000.0)), half_power, 1e-9) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*high, 30.0, 5000.0)), half_power, 1e-9) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*band, 30.0, 5000.0)), half_power, 1e-7) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*band, 1500.0, 5000.0)), half_power, 1e-7) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*stop, 45.0, 5000.0)), half_power, 1e-5) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*low, 0.0, 5000.0)), 1.0, 1e-12) << order;
    EXPECT_NEAR(std::abs(ResponseAt(*stop, 0.0, 5000.0)), 1.0, 1e-9) << order;
    EXPECT_TRUE(IsStable(*low) && IsStable(*high) && IsStable(*band) && IsStable(*stop)) << order;
  }
}

TEST(Butterworth, HasHalfAsManySectionsAsPoles) {
  EXPECT_EQ(ButterworthLowPass(1, 70.0, 1000.0)->size(), 1u);
  EXPECT_EQ(ButterworthLowPass(5, 70.0, 1000.0)->size(), 3u);
  EXPECT_EQ(ButterworthBandPass(3, 70.0, 100.0, 1000.0)->size(), 3u);
  EXPECT_EQ(ButterworthBandStop(4, 70.0, 100.0, 1000.0)->size(), 4u);
}

TEST(Butterworth, HostileCornersAreRefusedWithTheNumberAndTheRange) {
  const auto above_nyquist = ButterworthLowPass(4, 2500.0, 5000.0);
  ASSERT_FALSE(above_nyquist.ok());
  EXPECT_EQ(above_nyquist.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(above_nyquist.status().message().find("2500"), absl::string_view::npos);
  for (const double corner : {0.0, -1.0, 2500.0, 1e9, kNaN, kInfinity}) {
    EXPECT_FALSE(ButterworthLowPass(4, corner, 5000.0).ok()) << corner;
    EXPECT_FALSE(ButterworthHighPass(4, corner, 5000.0).ok()) << corner;
    EXPECT_FALSE(ButterworthBandPass(4, 30.0, corner, 5000.0).ok()) << corner;
    EXPECT_FALSE(ButterworthBandStop(4, corner, 500.0, 5000.0).ok()) << corner;
  }
  EXPECT_FALSE(ButterworthBandPass(4, 500.0, 30.0, 5000.0).ok());
  EXPECT_FALSE(ButterworthBandPass(4, 30.0, 30.0, 5000.0).ok());
  for (const double rate : {0.0, -5000.0, kNaN, kInfinity}) {
    EXPECT_FALSE(ButterworthLowPass(4, 30.0, rate).ok()) << rate;
  }
  for (const int order : {0, -1, kMaxButterworthOrder + 1, 1 << 30}) {
    EXPECT_FALSE(ButterworthLowPass(order, 30.0, 5000.0).ok()) << order;
  }
}

TEST(Butterworth, HostileExtremesGiveAStableFilterOrAnError) {
  for (const double low : {1e-300, 1e-12, 1e-6, 0.01, 2499.999, 2499.9999999999}) {
    for (const double high : {2e-300, 1e-5, 0.02, 2499.9999, std::nextafter(2500.0, 0.0)}) {
      for (const int order : {1, 2, 7, 16}) {
        for (const auto& cascade :
             {ButterworthLowPass(order, low, 5000.0), ButterworthHighPass(order, low, 5000.0),
              ButterworthBandPass(order, low, high, 5000.0),
              ButterworthBandStop(order, low, high, 5000.0)}) {
          if (!cascade.ok()) continue;
          EXPECT_TRUE(IsStable(*cascade)) << low << " " << high << " " << order;
          for (const double sample :
               Filtered(StreamingFilter(*cascade), Sine(2000, 10.0, 5000.0, 1.0))) {
            ASSERT_TRUE(std::isfinite(sample)) << low << " " << high << " " << order;
          }
        }
      }
    }
  }
}

TEST(Notch, IsSilentAtItsFrequencyAndOneElsewhere) {
  const auto notch = DesignNotch(50.0, 30.0, 1000.0);
  ASSERT_TRUE(notch.ok());
  EXPECT_NEAR(std::abs(ResponseAt({*notch}, 50.0, 1000.0)), 0.0, 1e-12);
  EXPECT_NEAR(std::abs(ResponseAt({*notch}, 0.0, 1000.0)), 1.0, 1e-12);
  EXPECT_NEAR(std::abs(ResponseAt({*notch}, 500.0, 1000.0)), 1.0, 1e-12);
  EXPECT_TRUE(IsStable({*notch}));
}

TEST(Notch, HostileArgumentsAreRefused) {
  for (const double frequency : {0.0, -50.0, 500.0, kNaN, kInfinity}) {
    EXPECT_FALSE(DesignNotch(frequency, 30.0, 1000.0).ok()) << frequency;
  }
  for (const double quality : {0.0, -1.0, kNaN, kInfinity, 1e-9, 1e300}) {
    EXPECT_FALSE(DesignNotch(50.0, quality, 1000.0).ok()) << quality;
  }
  EXPECT_FALSE(DesignNotch(50.0, 30.0, kNaN).ok());
}

TEST(StreamingFilter, IsLinearAndTimeInvariant) {
  TestNoise noise(7);
  const std::vector<double> a = noise.Gaussian(2000, 3.0);
  const std::vector<double> b = noise.Gaussian(2000, 5.0);
  std::vector<double> mixed(2000);
  std::vector<double> delayed(2000, 0.0);
  for (std::size_t i = 0; i < 2000; ++i) {
    mixed[i] = 2.0 * a[i] - 0.5 * b[i];
    if (i >= 37) delayed[i] = a[i - 37];
  }
  const StreamingFilter filter(SepBand());
  const auto out_a = Filtered(filter, a);
  const auto out_b = Filtered(filter, b);
  const auto out_mixed = Filtered(filter, mixed);
  const auto out_delayed = Filtered(filter, delayed);
  for (std::size_t i = 0; i < 2000; ++i) {
    EXPECT_NEAR(out_mixed[i], 2.0 * out_a[i] - 0.5 * out_b[i], 1e-10);
    if (i >= 37) {
      EXPECT_EQ(out_delayed[i], out_a[i - 37]);
    }
  }
}

TEST(StreamingFilter, ImpulseResponseTransformsToTheDesignedGain) {
  const Cascade cascade = SepBand();
  std::vector<double> impulse(8000, 0.0);
  impulse[0] = 1.0;
  const auto response = Filtered(StreamingFilter(cascade), impulse);
  for (const double frequency : {10.0, 30.0, 120.0, 500.0, 900.0}) {
    std::complex<double> sum = 0.0;
    for (std::size_t i = 0; i < response.size(); ++i) {
      sum += std::polar(response[i],
                        -2.0 * std::numbers::pi * frequency * static_cast<double>(i) / 4000.0);
    }
    EXPECT_NEAR(std::abs(sum - ResponseAt(cascade, frequency, 4000.0)), 0.0, 1e-9) << frequency;
  }
}

TEST(StreamingFilter, InPlaceEqualsOutOfPlace) {
  std::vector<double> samples = TestNoise(3).Gaussian(500, 1.0);
  const auto expected = Filtered(StreamingFilter(SepBand()), samples);
  StreamingFilter filter(SepBand());
  filter.Process(samples, samples);
  EXPECT_EQ(samples, expected);
}

TEST(StreamingFilter, ResetToStartsWithoutAStep) {
  const std::vector<double> offset(1000, 250000.0);  // 250 mV electrode offset
  StreamingFilter high_pass(*ButterworthHighPass(2, 0.5, 20000.0));
  high_pass.ResetTo(offset[0]);
  EXPECT_LT(MaxAbs(Filtered(high_pass, offset)), 1e-6);
  StreamingFilter low_pass(*ButterworthLowPass(4, 500.0, 20000.0));
  low_pass.ResetToNextSample();
  for (const double sample : Filtered(low_pass, offset)) EXPECT_NEAR(sample, 250000.0, 1e-4);
  StreamingFilter cold(*ButterworthHighPass(2, 0.5, 20000.0));
  EXPECT_GT(MaxAbs(Filtered(cold, offset)), 1000.0);
}

TEST(StreamingFilter, ResetForgetsEverything) {
  StreamingFilter filter(SepBand());
  const std::vector<double> noise = TestNoise(4).Gaussian(300, 10.0);
  const auto first = Filtered(filter, noise);
  std::vector<double> output(noise.size());
  filter.Process(noise, output);
  filter.Reset();
  filter.Process(noise, output);
  EXPECT_EQ(output, first);
}

TEST(StreamingFilter, HostileSamplesDoNotOutliveThemselves) {
  for (const double poison : {kNaN, kInfinity, -kInfinity, 1e308, -1e200}) {
    std::vector<double> samples = Sine(4000, 100.0, 4000.0, 10.0);
    const auto clean = Filtered(StreamingFilter(SepBand()), samples);
    samples[1000] = samples[1001] = poison;
    StreamingFilter filter(SepBand());
    std::vector<double> output(samples.size());
    const FilterReport report = filter.Process(samples, output);
    EXPECT_EQ(report.non_finite_samples, 2u);
    EXPECT_EQ(report.first_non_finite, 1000u);
    EXPECT_EQ(report.restarts, 1u);
    EXPECT_EQ(filter.total_non_finite_samples(), 2u);
    EXPECT_TRUE(std::isnan(output[1000]) && std::isnan(output[1001]));
    const std::size_t settled = 1002 + SettlingSamples(filter.cascade(), 1e-9);
    for (std::size_t i = 0; i < output.size(); ++i) {
      if (i != 1000 && i != 1001) {
        ASSERT_TRUE(std::isfinite(output[i])) << i;
      }
      if (i < 1000 || i > settled) {
        ASSERT_NEAR(output[i], clean[i], 1e-6) << i;
      }
    }
  }
}

TEST(StreamingFilter, HostileUnstableCascadeComesBackAfterOverflow) {
  StreamingFilter filter({Section{1.0, 0.0, 0.0, -4.0, 0.0}});  // pole at z = 4
  const std::vector<double> ones(3000, 1.0);
  std::vector<double> output(ones.size());
  const FilterReport report = filter.Process(ones, output);
  EXPECT_GT(report.non_finite_samples, 0u);
  EXPECT_GT(report.restarts, 0u);
}

TEST(StreamingFilter, EmptyCascadeCopies) {
  const std::vector<double> samples = TestNoise(5).Gaussian(10, 1.0);
  EXPECT_EQ(Filtered(StreamingFilter({}), samples), samples);
}

TEST(SettlingSamples, BoundsTheImpulseResponse) {
  const Cascade cascade = SepBand();
  std::vector<double> impulse(20000, 0.0);
  impulse[0] = 1.0;
  const auto response = Filtered(StreamingFilter(cascade), impulse);
  const std::size_t settled = SettlingSamples(cascade, 1e-6);
  const double largest = MaxAbs(response);
  for (std::size_t i = settled; i < response.size(); ++i) {
    EXPECT_LT(std::abs(response[i]), 1e-5 * largest) << i;
  }
  EXPECT_EQ(SettlingSamples({}, 1e-6), 0u);
}

}  // namespace
}  // namespace remora::dsp
