#include "dsp/assess/rules/screw_band.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace remora::dsp {
namespace {

constexpr double kLumbarRedUnderMa = 4;
constexpr double kLumbarAmberToMa = 8;
constexpr double kThoracicUnderMa = 6;
constexpr double kThoracicBelowMeanPercent = 60;
constexpr double kDilatorRedUnderMa = 5;
constexpr double kDilatorAmberToMa = 10;

ScrewBand BandOf(double threshold_ma, double red_under_ma, double amber_to_ma) {
  if (threshold_ma < red_under_ma) return ScrewBand::kRed;
  return threshold_ma <= amber_to_ma ? ScrewBand::kAmber : ScrewBand::kGreen;
}

ScrewReading ReadThoracic(const ScrewFinding& finding, double threshold_ma) {
  std::string words = absl::StrFormat("%.1f mA", threshold_ma);
  if (threshold_ma >= kThoracicUnderMa) return {ScrewBand::kGreen, words};
  if (!finding.own_mean_ma || !(*finding.own_mean_ma > 0)) {
    return {ScrewBand::kAmber, absl::StrCat(words, "; too few other screws to compare with")};
  }
  const double below_percent = 100 * (1 - threshold_ma / *finding.own_mean_ma);
  absl::StrAppend(&words, absl::StrFormat(", %.0f %% below the patient's mean of %.1f mA",
                                          below_percent, *finding.own_mean_ma));
  return {below_percent >= kThoracicBelowMeanPercent ? ScrewBand::kRed : ScrewBand::kAmber, words};
}

ScrewReading ReadSilence(const ScrewFinding& finding) {
  const std::string words = absl::StrFormat("no response up to %.1f mA", finding.highest_ma);
  if (!finding.delivery_is_proven) {
    return {ScrewBand::kUnverified,
            absl::StrCat(words, "; the delivered current is not on record")};
  }
  if (!finding.has_positive_control) {
    return {ScrewBand::kUnverified,
            absl::StrCat(words, "; no positive control in these roots is on record")};
  }
  const double green_over_ma = finding.region == ScrewRegion::kThoracic  ? kThoracicUnderMa
                               : finding.region == ScrewRegion::kDilator ? kDilatorAmberToMa
                                                                         : kLumbarAmberToMa;
  if (!(finding.highest_ma > green_over_ma)) {
    return {ScrewBand::kUnverified, absl::StrCat(words, "; not tried high enough")};
  }
  return {ScrewBand::kGreen, words};
}

}  // namespace

ScrewReading ReadScrew(const ScrewFinding& finding) {
  if (finding.region == ScrewRegion::kOther) {
    return {ScrewBand::kNoBand, "no source gives limits for this region"};
  }
  if (finding.is_relaxed) {
    return {ScrewBand::kNotInterpretable, "thresholds mean nothing under relaxation"};
  }
  if (!finding.threshold_ma) return ReadSilence(finding);
  const double threshold_ma = *finding.threshold_ma;
  if (!std::isfinite(threshold_ma) || threshold_ma <= 0) {
    return {ScrewBand::kUnverified, "no threshold that can be read"};
  }
  if (finding.region == ScrewRegion::kThoracic) return ReadThoracic(finding, threshold_ma);
  const bool lumbar = finding.region == ScrewRegion::kLumbar;
  return {BandOf(threshold_ma, lumbar ? kLumbarRedUnderMa : kDilatorRedUnderMa,
                 lumbar ? kLumbarAmberToMa : kDilatorAmberToMa),
          absl::StrFormat("%.1f mA", threshold_ma)};
}

}  // namespace remora::dsp
