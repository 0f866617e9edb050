#include "dsp/eeg/eeg_measures.h"

#include <gtest/gtest.h>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

// Bins of 0.5 Hz up to 50 Hz, all of one density.
Spectrum Flat(double density) { return {0.5, std::vector<double>(101, density)}; }

TEST(EegMeasures, OfAFlatSpectrumAreProportionsOfTheRange) {
  const auto measures = MeasureEeg(Flat(2.0));
  ASSERT_TRUE(measures.ok()) << measures.status();
  EXPECT_DOUBLE_EQ(measures->delta_uv2, 7.0);
  EXPECT_DOUBLE_EQ(measures->theta_uv2, 8.0);
  EXPECT_DOUBLE_EQ(measures->alpha_uv2, 10.0);
  EXPECT_DOUBLE_EQ(measures->beta_uv2, 34.0);
  EXPECT_DOUBLE_EQ(measures->total_uv2, 59.0);
  // 60 bins from 0.5 to 30 Hz: the 57th and the 30th.
  EXPECT_DOUBLE_EQ(measures->spectral_edge_hz, 28.5);
  EXPECT_DOUBLE_EQ(measures->median_frequency_hz, 15.0);
}

TEST(EegMeasures, WhatLiesOutsideTheRangeMovesNoEdge) {
  Spectrum spectrum = Flat(0.0);
  spectrum.density_uv2_per_hz[0] = 1e6;   // 0 Hz
  spectrum.density_uv2_per_hz[20] = 1.0;  // 10 Hz
  spectrum.density_uv2_per_hz[60] = 0.01;
  spectrum.density_uv2_per_hz[61] = 1e6;  // 30.5 Hz
  EXPECT_DOUBLE_EQ(SpectralEdge(spectrum, 0.95).value(), 10.0);
  EXPECT_DOUBLE_EQ(SpectralEdge(spectrum, 1.0).value(), 30.0) << "30 Hz belongs to it";
}

TEST(EegMeasures, HostileSpectraAreRefused) {
  EXPECT_FALSE(MeasureEeg(Flat(0.0)).ok());
  EXPECT_FALSE(MeasureEeg({0.5, {}}).ok());
  EXPECT_FALSE(MeasureEeg(Flat(kNaN)).ok());
  EXPECT_FALSE(SpectralEdge(Flat(1.0), 0.0).ok());
  EXPECT_FALSE(SpectralEdge(Flat(1.0), kNaN).ok());
  EXPECT_FALSE(SpectralEdge(Flat(1.0), 0.95, {70.0, 90.0}).ok());
  EXPECT_EQ(BandPower(Flat(1.0), {-5.0, 0.0}), 0.0);
}

}  // namespace
}  // namespace remora::dsp
