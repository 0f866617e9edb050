#include "dsp/assess/rules/baep_rule.h"

#include <cmath>

#include "absl/strings/str_format.h"

namespace remora::dsp {
namespace {

constexpr double kAmberRiseMs = 0.5;
constexpr double kAmberFallPercent = 30;
constexpr double kRedFallPercent = 50;
constexpr int kRedAverages = 2;
constexpr int kBackAverages = 2;

}  // namespace

BaepAssessment BaepRule::Update(const BaepAverage& average) {
  BaepAssessment result;
  const AlertLevel before = level_;
  AlertLevel now = AlertLevel::kNormal;
  if (!average.has_wave_one) {
    result.words = "wave I is lost as well: the ear insert, or the cochlea";
    now = AlertLevel::kAmber;
    deep_in_a_row_ = 0;
  } else if (!average.has_wave_five) {
    result.words = "wave V is lost";
    now = AlertLevel::kRed;
    ++deep_in_a_row_;
  } else {
    result.words = absl::StrFormat("V %+.1f ms, %+.0f %%", average.latency_rise_ms,
                                   -average.amplitude_fall_percent);
    const bool deep = average.amplitude_fall_percent >= kRedFallPercent;
    deep_in_a_row_ = deep ? deep_in_a_row_ + 1 : 0;
    if (deep_in_a_row_ >= kRedAverages) {
      now = AlertLevel::kRed;
    } else if (deep || average.amplitude_fall_percent >= kAmberFallPercent ||
               average.latency_rise_ms >= kAmberRiseMs) {
      now = AlertLevel::kAmber;
    }
  }
  // Numbers that are none pass no limit; nor do they show that all is well.
  const bool is_judged = average.has_wave_one && average.has_wave_five &&
                         std::isfinite(average.latency_rise_ms) &&
                         std::isfinite(average.amplitude_fall_percent);
  well_in_a_row_ = is_judged && now < level_ ? well_in_a_row_ + 1 : 0;
  if (now > level_) {
    level_ = now;
  } else if (well_in_a_row_ >= kBackAverages) {
    level_ = now;
    well_in_a_row_ = 0;
  }
  result.level = level_;
  if (level_ > before) {
    result.transition =
        before == AlertLevel::kNormal ? AlertTransition::kRaised : AlertTransition::kEscalated;
  } else if (level_ < before) {
    result.transition =
        level_ == AlertLevel::kNormal ? AlertTransition::kRecovered : AlertTransition::kEased;
  }
  return result;
}

}  // namespace remora::dsp
