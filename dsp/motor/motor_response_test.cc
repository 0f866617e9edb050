#include "dsp/motor/motor_response.h"

#include <gtest/gtest.h>

#include <cmath>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

constexpr double kRateHz = 10'000.0;
constexpr std::size_t kSamples = 1'200;  // -20 to 100 ms
const Timebase kTimebase{kRateHz, -20.0};

// One cycle of a sine under a squared sine: biphasic, from `onset_ms` on for `length_ms`.
std::vector<double> Response(double onset_ms, double length_ms, double height_uv) {
  std::vector<double> sweep(kSamples, 0.0);
  for (std::size_t i = 0; i < kSamples; ++i) {
    const double part = (kTimebase.LatencyMs(static_cast<double>(i)) - onset_ms) / length_ms;
    if (part <= 0.0 || part >= 1.0) continue;
    const double window = std::sin(std::numbers::pi * part);
    sweep[i] = height_uv * window * window * std::sin(2.0 * std::numbers::pi * part);
  }
  return sweep;
}

MotorResponseOptions Options() {
  MotorResponseOptions options;
  options.search = {12.0, 80.0};
  options.noise = {-18.0, -2.0};
  return options;
}

MotorResponse Measure(const std::vector<double>& sweep, const MotorResponseOptions& options) {
  const auto response = MeasureMotorResponse(sweep, kTimebase, options);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? *response : MotorResponse{};
}

std::vector<double> Plus(std::vector<double> sweep, const std::vector<double>& other) {
  for (std::size_t i = 0; i < sweep.size(); ++i) sweep[i] += other[i];
  return sweep;
}

// Of the shape above: sin^2(pi p) sin(2 pi p) is largest, 3 sqrt(3) / 8, at p = 1/3.
constexpr double kPeakOfShape = 0.649519;

TEST(MotorResponse, OfAKnownShapeIsWhatItIs) {
  const MotorResponse response = Measure(Response(22.0, 15.0, 1'000.0), Options());
  EXPECT_EQ(response.presence, Presence::kPresent);
  EXPECT_NEAR(response.amplitude_uv, 2'000.0 * kPeakOfShape, 0.5);
  EXPECT_NEAR(response.first.latency_ms, 22.0 + 5.0, 0.01);
  EXPECT_NEAR(response.second.latency_ms, 22.0 + 10.0, 0.01);
  EXPECT_EQ(response.phases, 2u);
  EXPECT_NEAR(response.duration_ms(), 15.0, 3.5) << "its foot is flat";
  // 2 * integral of sin^2 sin(2 pi p) over half of it = 1 / pi.
  EXPECT_NEAR(response.area_uv_ms, 1'000.0 * 15.0 / std::numbers::pi, 60.0);
}

TEST(MotorResponse, LatencyAndAmplitudeAreUnbiasedInNoise) {
  TestNoise noise(3);
  double latency = 0.0, amplitude = 0.0;
  constexpr int kSweeps = 200;
  for (int i = 0; i < kSweeps; ++i) {
    const auto sweep = Plus(Response(22.0, 15.0, 1'000.0), noise.Gaussian(kSamples, 8.0));
    const MotorResponse response = Measure(sweep, Options());
    ASSERT_EQ(response.presence, Presence::kPresent);
    latency += response.first.latency_ms / kSweeps;
    amplitude += response.amplitude_uv / kSweeps;
    EXPECT_NEAR(response.onset_ms, 23.5, 1.5);
  }
  EXPECT_NEAR(latency, 27.0, 0.1);
  EXPECT_NEAR(amplitude, 2'000.0 * kPeakOfShape, 0.05 * 2'000.0 * kPeakOfShape);
}

TEST(MotorResponse, PolarityAndOffsetChangeNothing) {
  TestNoise noise(5);
  const auto sweep = Plus(Response(30.0, 20.0, 400.0), noise.Gaussian(kSamples, 4.0));
  std::vector<double> turned = sweep;
  for (double& value : turned) value = 250.0 - value;
  const MotorResponse one = Measure(sweep, Options());
  const MotorResponse other = Measure(turned, Options());
  EXPECT_NEAR(one.amplitude_uv, other.amplitude_uv, 1e-6);
  EXPECT_NEAR(one.first.latency_ms, other.first.latency_ms, 1e-6);
  EXPECT_NEAR(one.onset_ms, other.onset_ms, 0.011);
  EXPECT_NEAR(one.area_uv_ms, other.area_uv_ms, 0.02 * one.area_uv_ms);
  EXPECT_EQ(one.phases, other.phases);
  EXPECT_EQ(other.presence, Presence::kPresent);
}

TEST(MotorResponse, NoiseAloneIsNoResponse) {
  TestNoise noise(11);
  int absent = 0;
  for (int i = 0; i < 300; ++i) {
    const MotorResponse response = Measure(noise.Gaussian(kSamples, 8.0), Options());
    absent += response.presence == Presence::kAbsent;
    EXPECT_NE(response.presence, Presence::kPresent);
    EXPECT_GT(response.amplitude_uv, 30.0) << "what is there is told";
  }
  EXPECT_GE(absent, 297);
}

TEST(MotorResponse, ASmallOneOnAQuietChannelIsPresentUnlessItIsToBeLarger) {
  TestNoise noise(13);
  const auto sweep = Plus(Response(22.0, 15.0, 30.0), noise.Gaussian(kSamples, 1.0));
  EXPECT_EQ(Measure(sweep, Options()).presence, Presence::kPresent);
  MotorResponseOptions options = Options();
  options.least_uv = 50.0;
  EXPECT_EQ(Measure(sweep, options).presence, Presence::kAbsent);
}

TEST(MotorResponse, OfOnePhaseIsMeasuredWhereThatPhaseIs) {
  // The opposite extreme is noise: before it in some sweeps, long after it in others.
  TestNoise noise(15);
  for (const double sign : {1.0, -1.0}) {
    for (int i = 0; i < 50; ++i) {
      auto sweep = noise.Gaussian(kSamples, 3.0);
      for (std::size_t k = 0; k < kSamples; ++k) {
        const double ms = kTimebase.LatencyMs(static_cast<double>(k)) - 30.0;
        sweep[k] += sign * 500.0 * std::exp(-ms * ms / 8.0);
      }
      const MotorResponse response = Measure(sweep, Options());
      EXPECT_NEAR(response.first.latency_ms, 30.0, 0.5);
      EXPECT_NEAR(response.onset_ms, 25.0, 1.0);
      EXPECT_NEAR(response.end_ms, 35.0, 1.0);
      EXPECT_EQ(response.phases, 1u);
    }
  }
}

TEST(MotorResponse, PhasesOfAPolyphasicResponseAreCounted) {
  TestNoise noise(17);
  auto sweep = noise.Gaussian(kSamples, 2.0);
  const double heights_uv[] = {300.0, -500.0, 400.0, -200.0};
  for (int phase = 0; phase < 4; ++phase) {
    for (std::size_t i = 0; i < kSamples; ++i) {
      const double ms = kTimebase.LatencyMs(static_cast<double>(i)) - (25.0 + 6.0 * phase);
      sweep[i] += heights_uv[phase] * std::exp(-ms * ms / 2.0);
    }
  }
  const MotorResponse response = Measure(sweep, Options());
  EXPECT_EQ(response.phases, 4u);
  EXPECT_NEAR(response.first.latency_ms, 31.0, 0.1) << "the larger of the troughs";
  EXPECT_NEAR(response.second.latency_ms, 37.0, 0.1);
  EXPECT_NEAR(response.onset_ms, 23.0, 1.0) << "with the phase before the first extreme";
  EXPECT_NEAR(response.end_ms, 45.0, 1.0);
}

TEST(MotorResponse, WithoutNoiseToCompareWithNothingIsCertain) {
  MotorResponseOptions options = Options();
  options.noise = {-30.0, -20.0};  // one sample of the sweep
  const MotorResponse response = Measure(Response(22.0, 15.0, 1'000.0), options);
  EXPECT_EQ(response.presence, Presence::kUncertain);
  EXPECT_EQ(response.doubts, kDoubtNoiseUnknown);
}

TEST(MotorResponse, HostileSweepsAreAbsentAndHostileOptionsRefused) {
  auto sweep = Response(22.0, 15.0, 1'000.0);
  sweep[450] = kNaN;  // 25 ms
  const MotorResponse response = Measure(sweep, Options());
  EXPECT_EQ(response.presence, Presence::kAbsent);
  EXPECT_EQ(response.doubts, kDoubtBadInput);
  EXPECT_TRUE(std::isnan(response.amplitude_uv));
  // Outside the window it harms nothing.
  sweep = Response(22.0, 15.0, 1'000.0);
  sweep[200] = sweep[318] = sweep[1'100] = kNaN;
  EXPECT_NEAR(Measure(sweep, Options()).amplitude_uv, 2'000.0 * kPeakOfShape, 0.5);

  const auto refused = [&](auto change) {
    MotorResponseOptions options = Options();
    change(options);
    return !MeasureMotorResponse(sweep, kTimebase, options).ok();
  };
  EXPECT_TRUE(refused([](auto& options) { options.search = {200.0, 300.0}; }));
  EXPECT_TRUE(refused([](auto& options) { options.search = {50.0, 20.0}; }));
  EXPECT_TRUE(refused([](auto& options) { options.noise = {-18.0, 30.0}; }));
  EXPECT_TRUE(refused([](auto& options) { options.least_uv = kNaN; }));
  EXPECT_TRUE(refused([](auto& options) { options.certain_over_noise_range = 1.0; }));
  EXPECT_FALSE(MeasureMotorResponse(sweep, {0.0, 0.0}, Options()).ok());
  EXPECT_FALSE(MeasureMotorResponse({}, kTimebase, Options()).ok());
}

}  // namespace
}  // namespace remora::dsp
