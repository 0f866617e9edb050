#include "dsp/motor/recruitment_curve.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

// A logistic curve of 5 mV about 10 mA, a trial each 0.02 mA.
std::vector<StimulusTrial> Logistic() {
  std::vector<StimulusTrial> trials;
  for (double intensity = 5.0; intensity <= 15.0; intensity += 0.02) {
    trials.push_back({intensity, 5'000.0 / (1.0 + std::exp(-2.0 * (intensity - 10.0)))});
  }
  return trials;
}

TEST(RecruitmentCurve, OfALogisticIsWhereItCrosses) {
  const auto curve = FitRecruitmentCurve(Logistic());
  ASSERT_TRUE(curve.ok()) << curve.status();
  EXPECT_NEAR(curve->maximum_uv, 5'000.0, 5.0);
  EXPECT_NEAR(curve->s50, 10.0, 0.03);
  EXPECT_NEAR(curve->s5, 10.0 - std::log(19.0) / 2.0, 0.03);
  EXPECT_NEAR(curve->s95, 10.0 + std::log(19.0) / 2.0, 0.03);
  EXPECT_NEAR(curve->relative_range(), std::log(19.0) / 10.0, 0.006);
}

TEST(RecruitmentCurve, OrderAndSingleOutliersChangeNothing) {
  auto trials = Logistic();
  const auto expected = FitRecruitmentCurve(trials);
  ASSERT_TRUE(expected.ok());
  trials[40].amplitude_uv = 30'000.0;  // an artefact far below the threshold
  trials[400].amplitude_uv = 0.0;
  std::reverse(trials.begin(), trials.end());
  const auto curve = FitRecruitmentCurve(trials);
  ASSERT_TRUE(curve.ok());
  EXPECT_NEAR(curve->s5, expected->s5, 0.021);
  EXPECT_NEAR(curve->s50, expected->s50, 0.021);
  EXPECT_NEAR(curve->s95, expected->s95, 0.021);
  EXPECT_NEAR(curve->maximum_uv, expected->maximum_uv, 1.0);
}

TEST(RecruitmentCurve, HostileTrialsAreRefused) {
  EXPECT_FALSE(FitRecruitmentCurve({}).ok());
  auto trials = Logistic();
  trials[3].amplitude_uv = kNaN;
  EXPECT_FALSE(FitRecruitmentCurve(trials).ok());
  trials = Logistic();
  trials[3].intensity = -1.0;
  EXPECT_FALSE(FitRecruitmentCurve(trials).ok());
  EXPECT_FALSE(FitRecruitmentCurve(std::vector<StimulusTrial>(20, {3.0, 7.0})).ok());
  std::vector<StimulusTrial> falling;
  for (double i = 1.0; i <= 12.0; ++i) falling.push_back({i, 100.0 - 5.0 * i});
  EXPECT_FALSE(FitRecruitmentCurve(falling).ok());
  std::vector<StimulusTrial> many;
  for (std::size_t i = 0; i <= kMaxCurveTrials; ++i) {
    many.push_back({static_cast<double>(i), static_cast<double>(i)});
  }
  EXPECT_FALSE(FitRecruitmentCurve(many).ok());
  many.pop_back();
  EXPECT_TRUE(FitRecruitmentCurve(many).ok());
}

struct Scan {
  std::vector<StimulusTrial> trials;
  std::map<std::string, double> published;  // as the equipment that recorded it computed them
};

Scan ReadScan(const std::string& path) {
  Scan scan;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, equals;
    StimulusTrial trial;
    double millivolts = 0.0;
    if (line.starts_with("MS.") && words >> name >> trial.intensity >> millivolts) {
      trial.amplitude_uv = 1000.0 * millivolts;
      scan.trials.push_back(trial);
    } else if (line.starts_with("MScS") || line.starts_with("MScPeak")) {
      words >> name >> equals >> scan.published[name];
    }
  }
  return scan;
}

// CMAP scans of healthy volunteers (../shared/data/cmap_scans).
class RecordedScan : public testing::TestWithParam<const char*> {};

TEST_P(RecordedScan, CurrentsAreAsTheEquipmentComputedThem) {
  const std::string path = DataFolder() + "/cmap_scans/" + GetParam() + "_OM2.MEM";
  if (!FileExists(path)) GTEST_SKIP() << "skipped: no data";
  Scan scan = ReadScan(path);
  ASSERT_GT(scan.trials.size(), 400u);
  const auto curve = FitRecruitmentCurve(scan.trials);
  ASSERT_TRUE(curve.ok()) << curve.status();
  // Its maximum is a mean over the plateau, this one is the largest median of five: within 5 %.
  const auto near = [&](double value, const char* name) {
    ASSERT_GT(scan.published[name], 0.0) << name;
    EXPECT_NEAR(value, scan.published[name], 0.05 * scan.published[name]) << name;
  };
  near(curve->maximum_uv / 1000.0, "MScPeak(mV)");
  near(curve->s5, "MScS5(mA)");
  near(curve->s50, "MScS50(mA)");
  near(curve->s95, "MScS95(mA)");
}

INSTANTIATE_TEST_SUITE_P(CmapScans, RecordedScan,
                         testing::Values("MSCC00128A", "MSCC00201A", "MSCC00205A", "MSCC00211A"));

TEST(RecordedScans, OfOneTheCurrentsAreThoseOfTheReferenceWithinOneStep) {
  const std::string path = DataFolder() + "/cmap_scans/MSCC00128A_OM2.MEM";
  if (!FileExists(path)) GTEST_SKIP() << "skipped: no data";
  const auto curve = FitRecruitmentCurve(ReadScan(path).trials);
  ASSERT_TRUE(curve.ok());
  std::printf("s5 %.3f, s50 %.3f, s95 %.3f mA\n", curve->s5, curve->s50, curve->s95);
  constexpr double kStepMa = 0.03;
  EXPECT_NEAR(curve->maximum_uv, 6'837.0, 10.0);
  EXPECT_NEAR(curve->s5, 6.652, kStepMa);
  EXPECT_NEAR(curve->s50, 8.980, kStepMa);
  EXPECT_NEAR(curve->s95, 11.392, kStepMa);
}

}  // namespace
}  // namespace remora::dsp
