#include "dsp/eeg/clamp_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

// Power at 0.5-4 and 8-15 Hz alone, a little uneven from window to window.
Spectrum Window(double delta, double fast, TestNoise& noise) {
  Spectrum spectrum;
  spectrum.resolution_hz = 0.5;
  spectrum.density_uv2_per_hz.assign(128, 0.0);
  for (std::size_t bin = 0; bin < 128; ++bin) {
    const double hz = spectrum.FrequencyHz(bin);
    const double level = hz >= 0.5 && hz < 4.0 ? delta : hz >= 8.0 && hz < 15.0 ? fast : 0.0;
    spectrum.density_uv2_per_hz[bin] = level * (1.0 + 0.2 * noise.Uniform());
  }
  return spectrum;
}

ClampWatch Ready(TestNoise& noise) {
  ClampWatch watch = *ClampWatch::Create({});
  for (int i = 0; i < 20; ++i) watch.AddBaseline(Window(5, 10, noise), Window(5, 10, noise));
  return watch;
}

struct Levels {
  double left_delta = 5.0;
  double left_fast = 10.0;
  double right_delta = 5.0;
  double right_fast = 10.0;
};

// A window each 2 s from `from_s` on; the last state.
ClampState RunOver(ClampWatch& watch, const Levels& levels, double from_s, double seconds,
               TestNoise& noise) {
  ClampState state;
  for (double t = from_s; t < from_s + seconds; t += 2.0) {
    state = watch.Watch(Window(levels.left_delta, levels.left_fast, noise),
                        Window(levels.right_delta, levels.right_fast, noise), 1000.0 * t);
  }
  return state;
}

TEST(ClampWatch, LossOfFastPowerOnOneSideTellsThatSideAfterHalfAMinute) {
  TestNoise noise(1);
  ClampWatch watch = Ready(noise);
  EXPECT_EQ(RunOver(watch, {}, 0.0, 20.0, noise).finding, ClampFinding::kUnchanged);
  Levels levels;
  levels.right_fast = 4.0;
  EXPECT_EQ(RunOver(watch, levels, 20.0, 30.0, noise).finding, ClampFinding::kPending);
  const ClampState state = RunOver(watch, levels, 50.0, 4.0, noise);
  EXPECT_EQ(state.finding, ClampFinding::kRight);
  EXPECT_NEAR(state.right.fast_percent, 40.0, 4.0);
  EXPECT_NEAR(state.left.fast_percent, 100.0, 6.0);
  EXPECT_NEAR(*state.asymmetry, (4.0 - 10.0) / 14.0, 0.04);
  EXPECT_EQ(RunOver(watch, {}, 54.0, 2.0, noise).finding, ClampFinding::kUnchanged);
}

TEST(ClampWatch, DoublingOfDeltaCountsAsMuch) {
  TestNoise noise(2);
  ClampWatch watch = Ready(noise);
  Levels levels;
  levels.left_delta = 12.0;
  const ClampState state = RunOver(watch, levels, 0.0, 34.0, noise);
  EXPECT_EQ(state.finding, ClampFinding::kLeft);
  EXPECT_NEAR(state.left.delta_percent, 240.0, 20.0);
}

TEST(ClampWatch, BothSidesAreNoSide) {
  TestNoise noise(3);
  ClampWatch watch = Ready(noise);
  Levels levels;
  levels.left_fast = levels.right_fast = 3.0;
  EXPECT_EQ(RunOver(watch, levels, 0.0, 34.0, noise).finding, ClampFinding::kBoth);
}

TEST(ClampWatch, AShortChangeIsNone) {
  TestNoise noise(4);
  ClampWatch watch = Ready(noise);
  Levels levels;
  levels.left_fast = 2.0;
  for (double t = 0.0; t < 200.0; t += 30.0) {
    EXPECT_EQ(RunOver(watch, levels, t, 26.0, noise).finding, ClampFinding::kPending);
    EXPECT_EQ(RunOver(watch, {}, t + 26.0, 4.0, noise).finding, ClampFinding::kUnchanged);
  }
}

TEST(ClampWatch, WindowsThatCannotBeJudgedNeitherCountNorEndAChange) {
  TestNoise noise(5);
  ClampWatch watch = Ready(noise);
  Levels levels;
  levels.left_fast = 2.0;
  RunOver(watch, levels, 0.0, 20.0, noise);
  Levels nothing;
  nothing.left_fast = nothing.left_delta = 0.0;
  const ClampState between = RunOver(watch, nothing, 20.0, 6.0, noise);
  EXPECT_TRUE(std::isnan(between.left.fast_percent));
  EXPECT_TRUE(between.left.changed);
  EXPECT_EQ(RunOver(watch, levels, 26.0, 8.0, noise).finding, ClampFinding::kLeft);
  // Missing for longer than that, nobody knows.
  RunOver(watch, nothing, 34.0, 60.0, noise);
  EXPECT_EQ(RunOver(watch, levels, 94.0, 2.0, noise).finding, ClampFinding::kPending);
}

TEST(ClampWatch, WithoutABaselineThereIsNoFinding) {
  TestNoise noise(6);
  ClampWatch watch = *ClampWatch::Create({});
  EXPECT_EQ(RunOver(watch, {}, 0.0, 2.0, noise).finding, ClampFinding::kNoBaseline);
  for (int i = 0; i < 4; ++i) watch.AddBaseline(Window(5, 10, noise), Window(5, 10, noise));
  EXPECT_FALSE(watch.has_baseline());
  watch.AddBaseline(Window(5, 10, noise), Window(5, 10, noise));
  EXPECT_TRUE(watch.has_baseline());
  watch.ForgetBaseline();
  EXPECT_FALSE(watch.has_baseline());
}

TEST(ClampWatch, HostileSpectraAndOptionsAreNoBaseline) {
  TestNoise noise(7);
  ClampWatch watch = *ClampWatch::Create({});
  for (int i = 0; i < 10; ++i) {
    watch.AddBaseline(Window(kNaN, 10, noise), Window(0.0, 10, noise));
    watch.AddBaseline({}, {});
  }
  EXPECT_FALSE(watch.has_baseline());
  for (int i = 0; i < 400; ++i) watch.AddBaseline(Window(5, 10, noise), Window(5, 10, noise));
  EXPECT_EQ(watch.Watch(Window(kNaN, kNaN, noise), Window(5, 10, noise), 0.0).finding,
            ClampFinding::kUnchanged);
  ClampOptions options;
  options.loss_percent = 100.0;
  EXPECT_FALSE(ClampWatch::Create(options).ok());
  options = {};
  options.delta_ratio = kNaN;
  EXPECT_FALSE(ClampWatch::Create(options).ok());
  options = {};
  options.sustain_ms = -1.0;
  EXPECT_FALSE(ClampWatch::Create(options).ok());
  options = {};
  options.baseline_windows = 0;
  EXPECT_FALSE(ClampWatch::Create(options).ok());
}

}  // namespace
}  // namespace remora::dsp
