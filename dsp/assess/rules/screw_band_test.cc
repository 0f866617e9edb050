#include "dsp/assess/rules/screw_band.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace remora::dsp {
namespace {

ScrewBand Band(ScrewRegion region, double threshold_ma, std::optional<double> own = std::nullopt) {
  ScrewFinding finding;
  finding.region = region;
  finding.threshold_ma = threshold_ma;
  finding.own_mean_ma = own;
  return ReadScrew(finding).band;
}

TEST(ScrewBand, LumbarIsRaynors) {
  EXPECT_EQ(Band(ScrewRegion::kLumbar, 2.8), ScrewBand::kRed);
  EXPECT_EQ(Band(ScrewRegion::kLumbar, 3.9), ScrewBand::kRed);
  EXPECT_EQ(Band(ScrewRegion::kLumbar, 4.0), ScrewBand::kAmber);
  EXPECT_EQ(Band(ScrewRegion::kLumbar, 8.0), ScrewBand::kAmber);
  EXPECT_EQ(Band(ScrewRegion::kLumbar, 8.1), ScrewBand::kGreen);
}

TEST(ScrewBand, ThoracicNeedsThePatientsOwnMean) {
  EXPECT_EQ(Band(ScrewRegion::kThoracic, 6.0, 10), ScrewBand::kGreen);
  EXPECT_EQ(Band(ScrewRegion::kThoracic, 5.0, 10), ScrewBand::kAmber);  // 50 % below
  EXPECT_EQ(Band(ScrewRegion::kThoracic, 4.0, 10), ScrewBand::kRed);    // 60 % below
  EXPECT_EQ(Band(ScrewRegion::kThoracic, 1.0), ScrewBand::kAmber);      // none to compare with
}

TEST(ScrewBand, DilatorHasItsOwnLimits) {
  EXPECT_EQ(Band(ScrewRegion::kDilator, 4.9), ScrewBand::kRed);
  EXPECT_EQ(Band(ScrewRegion::kDilator, 5.0), ScrewBand::kAmber);
  EXPECT_EQ(Band(ScrewRegion::kDilator, 10.5), ScrewBand::kGreen);
}

TEST(ScrewBand, SilenceIsUnverifiedUntilDeliveryAndControlAreOnRecord) {
  ScrewFinding silent;
  silent.region = ScrewRegion::kLumbar;
  silent.highest_ma = 30;
  EXPECT_EQ(ReadScrew(silent).band, ScrewBand::kUnverified);
  silent.delivery_is_proven = true;
  EXPECT_EQ(ReadScrew(silent).band, ScrewBand::kUnverified);
  silent.has_positive_control = true;
  EXPECT_EQ(ReadScrew(silent).band, ScrewBand::kGreen);
  silent.highest_ma = 8;
  EXPECT_EQ(ReadScrew(silent).band, ScrewBand::kUnverified);
}

TEST(ScrewBand, UnderRelaxationAndElsewhereSaysNothing) {
  ScrewFinding finding;
  finding.region = ScrewRegion::kLumbar;
  finding.threshold_ma = 2;
  finding.is_relaxed = true;
  EXPECT_EQ(ReadScrew(finding).band, ScrewBand::kNotInterpretable);
  EXPECT_EQ(Band(ScrewRegion::kOther, 2), ScrewBand::kNoBand);
}

TEST(ScrewBand, HostileThresholdsAreUnverified) {
  for (const double ma : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_EQ(Band(ScrewRegion::kLumbar, ma), ScrewBand::kUnverified) << ma;
  }
  EXPECT_EQ(Band(ScrewRegion::kThoracic, 3, 0.0), ScrewBand::kAmber);
}

}  // namespace
}  // namespace remora::dsp
