#include "acquisition-agent/pipelines/twitch_control.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {
namespace {

constexpr uint32_t kTwitches = 4;
// Longer names before those that they hold: cisatracurium is no atracurium.
constexpr std::array<absl::string_view, 14> kRelaxants = {
    "rocuronium",   "cisatracurium", "atracurium",      "mivacurium",   "vecuronium",
    "pancuronium",  "suxamethonium", "succinylcholine", "pipecuronium", "alcuronium",
    "rapacuronium", "doxacurium",    "tubocurarine",    "gallamine"};

double IntensityOf(const v1::StimulusSetting& setting) {
  for (const double value : {setting.delivered_ma(), setting.current_ma(), setting.delivered_v()}) {
    if (value > 0) return value;
  }
  return setting.voltage_v();
}

// Both known, and not alike.
bool Differ(double a, double b) {
  return a > 0 && b > 0 && std::fabs(a - b) > kSameCurrentShare * std::max(a, b);
}

}  // namespace

std::optional<absl::string_view> RelaxantIn(absl::string_view drug) {
  const std::string name = absl::AsciiStrToLower(drug);
  for (const absl::string_view relaxant : kRelaxants) {
    if (absl::StrContains(name, relaxant)) return relaxant;
  }
  return std::nullopt;
}

void TwitchControl::Refuse(absl::string_view why, int64_t from_ns) {
  if (refused_.empty() || from_ns < refused_from_ns_) {
    refused_ = std::string(why);
    refused_from_ns_ = from_ns;
  }
  if (control_ && control_->at_ns >= from_ns) control_.reset();
}

std::optional<double> TwitchControl::UvOf(const v1::StimulusSetting& setting) const {
  if (!control_ || Differ(control_->intensity, IntensityOf(setting))) return std::nullopt;
  return control_->uv;
}

bool TwitchControl::Offer(const dsp::TrainOfFour& train, double first_uv,
                          const v1::StimulusSetting& setting, int64_t at_ns) {
  // What cannot be read says nothing of a relaxant either.
  if (train.doubts != dsp::kTrainGood) return false;
  const double intensity = IntensityOf(setting);
  if (control_ && !Differ(control_->intensity, intensity)) return false;
  if (!faded_.empty() && Differ(faded_intensity_, intensity)) faded_.clear();
  const double ratio = train.ratio.value_or(0);
  if (train.count < kTwitches || ratio < kLeastControlRatio) {
    if (!faded_.empty()) return false;
    faded_ = train.count < kTwitches ? absl::StrCat("a train had ", train.count, " of 4")
                                     : absl::StrFormat("a train had a ratio of %.2f", ratio);
    faded_intensity_ = intensity;
    return false;
  }
  const bool refused = !refused_.empty() && at_ns >= refused_from_ns_;
  if (refused || !faded_.empty()) return false;
  control_ = Control{first_uv, intensity, at_ns};
  return true;
}

std::string TwitchControl::WhyNone(const v1::StimulusSetting& setting) const {
  if (UvOf(setting)) return "";
  if (control_) return "no control of T1: it was taken with another current";
  if (!refused_.empty()) return absl::StrCat("no control of T1: ", refused_);
  if (!faded_.empty()) return absl::StrCat("no control of T1: ", faded_);
  return "no control of T1 yet";
}

}  // namespace remora::agent
