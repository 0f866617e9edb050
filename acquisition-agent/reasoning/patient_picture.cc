// FollowedPatient: what the picture of a change has of patient, equipment and operation.
#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/reasoning/followed_patient.h"

namespace remora::agent {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kMinuteNs = 60 * kSecondNs;
// How far back each counts (picture.h).
constexpr int64_t kRelaxantNs = 30 * kMinuteNs;
constexpr int64_t kAnaestheticNs = 15 * kMinuteNs;
constexpr int64_t kMovedNs = 30 * kMinuteNs;
constexpr int64_t kEventNs = 5 * kMinuteNs;
constexpr int64_t kDeviceNs = 30 * kSecondNs;
constexpr int64_t kTrainsNs = 5 * kMinuteNs;
constexpr int64_t kSpectrumNs = 2 * kMinuteNs;

constexpr double kLowPressureShare = 0.8;
constexpr double kColdCore = 35.5;
constexpr double kCoolingPerHour = 0.5;
constexpr double kColdLimb = 28;
constexpr double kDeeperHz = 3;
constexpr double kDeeperSuppressionPercent = 10;
constexpr double kAsymmetryChange = 0.3;
// An electrode that is open, over this, or three times what it was.
constexpr double kBadKohm = 20;
constexpr double kWorseTimes = 3;
constexpr double kFullRatio = 0.7;

int64_t Minutes(int64_t ns) { return ns / kMinuteNs; }

bool HasWord(absl::string_view lower, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return absl::StrContains(lower, word); });
}

// The newest of a series within a time, or nothing.
template <typename Series>
auto NewestWithin(const Series& series, int64_t within_ns, int64_t now_ns) -> const
    typename Series::value_type* {
  if (series.empty() || now_ns - series.back().at_ns > within_ns) return nullptr;
  return &series.back();
}

// Median of what was told between 10 and 60 minutes before; nothing: too little.
template <typename Series>
std::optional<double> Before(const Series& series, int64_t now_ns) {
  std::vector<double> values;
  for (const auto& one : series) {
    const int64_t age_ns = now_ns - one.at_ns;
    if (age_ns >= 10 * kMinuteNs && age_ns <= 60 * kMinuteNs) values.push_back(one.value);
  }
  if (values.size() < 2) return std::nullopt;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

bool SharesRoot(const std::string& a, const std::string& b) {
  return !a.empty() && !b.empty() && (absl::StrContains(a, b) || absl::StrContains(b, a));
}

}  // namespace

dsp::Known<dsp::StageOfSurgery> FollowedPatient::Stage() const {
  dsp::Known<dsp::StageOfSurgery> stage;
  switch (phase_) {
    case v1::PHASE_UNSPECIFIED:
      stage.words = "no phase on record";
      return stage;
    case v1::PHASE_INSTRUMENTATION:
    case v1::PHASE_NEURAL_MANIPULATION:
    case v1::PHASE_CORRECTION:
    case v1::PHASE_RESECTION:
    case v1::PHASE_DECOMPRESSION:
      stage.value = dsp::StageOfSurgery::kManipulation;
      break;
    case v1::PHASE_CLAMP:
      stage.value = dsp::StageOfSurgery::kClamp;
      break;
    case v1::PHASE_POSITIONING:
    case v1::PHASE_POST_POSITION:
      stage.value = dsp::StageOfSurgery::kPositioning;
      break;
    default:
      stage.value = dsp::StageOfSurgery::kOther;
      break;
  }
  constexpr size_t kPrefix = sizeof("PHASE_") - 1;
  stage.words = absl::AsciiStrToLower(v1::Phase_Name(phase_).substr(kPrefix));
  std::replace(stage.words.begin(), stage.words.end(), '_', ' ');
  return stage;
}

dsp::Known<dsp::Relaxation> FollowedPatient::RelaxationNow(int64_t now_ns) const {
  dsp::Known<dsp::Relaxation> relaxation;
  relaxation.words = "no train-of-four";
  const v1::TrainOfFour* worst = nullptr;
  int64_t newest_ns = 0;
  for (const auto& [limb, train] : trains_of_four_) {
    const int64_t at_ns = trains_of_four_ns_.at(limb);
    newest_ns = std::max(newest_ns, at_ns);
    if (now_ns - at_ns > due_.train_ns) continue;
    if (worst == nullptr || train.twitch_count() < worst->twitch_count()) worst = &train;
  }
  if (worst == nullptr) {
    if (newest_ns > 0) {
      relaxation.words =
          absl::StrCat("train-of-four overdue: ", Minutes(now_ns - newest_ns), " min ago");
    }
    return relaxation;
  }
  const int64_t age = Minutes(now_ns - trains_of_four_ns_.at(worst->limb()));
  relaxation.words =
      absl::StrCat("TOF ", worst->limb(), " ", worst->twitch_count(), "/4, ", age, " min ago");
  const bool full = worst->twitch_count() == 4 && worst->ratio() >= kFullRatio;
  relaxation.value = worst->twitch_count() <= 1 ? dsp::Relaxation::kDeep
                     : full                     ? dsp::Relaxation::kFull
                                                : dsp::Relaxation::kPartial;
  return relaxation;
}

dsp::Known<bool> FollowedPatient::Given(const Series& series, int64_t within_ns, int64_t now_ns,
                                        const char* none) const {
  dsp::Known<bool> given;
  given.words = "no drug is entered in this case";
  if (!any_drug_) return given;
  given.value = false;
  given.words = none;
  for (const Timed& one : series) {
    if (one.value < 0 || now_ns - one.at_ns > within_ns) continue;
    given.value = true;
    given.words = absl::StrCat(one.words, ", ", Minutes(now_ns - one.at_ns), " min ago");
  }
  return given;
}

dsp::Known<bool> FollowedPatient::Deeper(int64_t now_ns) const {
  dsp::Known<bool> deeper;
  deeper.words = "no EEG";
  for (const auto& [trace, series] : edge_) {
    const Timed* newest = NewestWithin(series, kSpectrumNs, now_ns);
    const std::optional<double> before = Before(series, now_ns);
    const Series& suppressed = suppression_.at(trace);
    const std::optional<double> suppressed_before = Before(suppressed, now_ns);
    if (newest == nullptr || !before || !suppressed_before || suppressed.empty()) continue;
    const bool is_deeper =
        newest->value <= *before - kDeeperHz ||
        suppressed.back().value >= *suppressed_before + kDeeperSuppressionPercent;
    if (deeper.value && *deeper.value && !is_deeper) continue;
    deeper.value = is_deeper;
    deeper.words =
        absl::StrFormat("SEF95 %.0f Hz, was %.0f; suppression %.0f %%, was %.0f", newest->value,
                        *before, suppressed.back().value, *suppressed_before);
  }
  if (!deeper.value && !edge_.empty()) deeper.words = "too little EEG to compare";
  return deeper;
}

dsp::Known<bool> FollowedPatient::PressureLow(int64_t now_ns) const {
  dsp::Known<bool> low;
  low.words = "no pressure on record";
  if (pressure_.empty()) return low;
  const Timed* newest = NewestWithin(pressure_, due_.vitals_ns, now_ns);
  if (newest == nullptr) {
    low.words = absl::StrCat("MAP overdue: ", Minutes(now_ns - pressure_.back().at_ns), " min ago");
    return low;
  }
  const std::optional<double> before = Before(pressure_, now_ns);
  if (target_map_mmhg_ <= 0 && !before) {
    low.words = absl::StrFormat("MAP %.0f, with no target and none before", newest->value);
    return low;
  }
  const bool under = target_map_mmhg_ > 0 && newest->value < target_map_mmhg_;
  const bool fell = before && newest->value < kLowPressureShare * *before;
  low.value = under || fell;
  low.words = absl::StrFormat("MAP %.0f", newest->value);
  if (target_map_mmhg_ > 0) absl::StrAppendFormat(&low.words, ", target %.0f", target_map_mmhg_);
  if (before) absl::StrAppendFormat(&low.words, ", was %.0f", *before);
  return low;
}

dsp::Known<bool> FollowedPatient::CoreCooling(int64_t now_ns) const {
  dsp::Known<bool> cooling;
  cooling.words = "no core temperature on record";
  if (core_.empty()) return cooling;
  const Timed* newest = NewestWithin(core_, 4 * due_.vitals_ns, now_ns);
  if (newest == nullptr) {
    cooling.words = absl::StrCat("core temperature overdue: ", Minutes(now_ns - core_.back().at_ns),
                                 " min ago");
    return cooling;
  }
  const Timed* oldest = nullptr;
  for (const Timed& one : core_) {
    if (now_ns - one.at_ns <= 60 * kMinuteNs) {
      oldest = &one;
      break;
    }
  }
  const double hours =
      oldest == nullptr ? 0 : static_cast<double>(newest->at_ns - oldest->at_ns) / 3.6e12;
  const double fall = oldest == nullptr ? 0 : oldest->value - newest->value;
  cooling.value = newest->value < kColdCore || (fall >= 0.3 && fall >= kCoolingPerHour * hours);
  cooling.words = absl::StrFormat("core %.1f degrees, was %.1f", newest->value,
                                  oldest == nullptr ? newest->value : oldest->value);
  return cooling;
}

dsp::Known<bool> FollowedPatient::LimbCold(const About& about, int64_t now_ns) const {
  dsp::Known<bool> cold;
  cold.words = "no temperature of that limb";
  for (const auto& [site, series] : limb_temperature_) {
    const std::string lower = absl::AsciiStrToLower(site);
    const bool is_leg = HasWord(lower, {"foot", "leg"});
    const bool meant = std::any_of(about.parts.begin(), about.parts.end(), [&](dsp::BodyPart part) {
      return (part == dsp::BodyPart::kLeg) == is_leg;
    });
    const Timed* newest = NewestWithin(series, 4 * due_.vitals_ns, now_ns);
    if (!meant || newest == nullptr) continue;
    if (cold.value && *cold.value) continue;
    cold.value = newest->value < kColdLimb;
    cold.words = absl::StrFormat("%s %.1f degrees", site, newest->value);
  }
  return cold;
}

dsp::Known<dsp::ImpedanceChange> FollowedPatient::Impedance(const About& about) const {
  dsp::Known<dsp::ImpedanceChange> change;
  change.words = "no impedance on record of what changed";
  const auto look = [&](const std::vector<std::string>& electrodes, dsp::ImpedanceChange as) {
    for (const std::string& electrode : electrodes) {
      const auto found = kohm_.find(electrode);
      if (found == kohm_.end() || found->second.empty()) continue;
      const double now = found->second.back().value;
      const double first = found->second.front().value;
      const bool bad = now < 0 || now >= kBadKohm || (first > 0 && now >= kWorseTimes * first);
      if (!bad) {
        if (change.value) continue;
        change.value = dsp::ImpedanceChange::kNone;
        change.words = absl::StrFormat("%s %.1f kOhm", electrode, now);
        continue;
      }
      change.value = as;
      change.words = now < 0 ? absl::StrCat(electrode, " open")
                             : absl::StrFormat("%s %.1f kOhm, was %.1f", electrode, now, first);
      return true;
    }
    return false;
  };
  if (!look(about.stimulating, dsp::ImpedanceChange::kStimulating)) {
    look(about.electrodes, dsp::ImpedanceChange::kRecording);
  }
  return change;
}

dsp::Known<bool> FollowedPatient::Delivered(const About& about) const {
  dsp::Known<bool> delivered;
  delivered.words = "the stimulator does not tell what it delivered";
  for (const v1::Modality modality : about.modalities) {
    const auto found = delivered_.find(modality);
    if (found == delivered_.end()) continue;
    if (delivered.value && !*delivered.value) continue;
    delivered.value = found->second.first;
    delivered.words =
        absl::StrCat(found->second.second, found->second.first ? ": delivered as asked for"
                                                               : ": not delivered as asked for");
  }
  return delivered;
}

dsp::Known<bool> FollowedPatient::DeviceOn(int64_t now_ns) const {
  dsp::Known<bool> on;
  on.words = "no free-running EMG that would show it";
  if (!any_emg_) return on;
  const Timed* newest = NewestWithin(artefacts_, kDeviceNs, now_ns);
  on.value = newest != nullptr;
  on.words = newest == nullptr ? "no diathermy or drill" : newest->words;
  return on;
}

dsp::Known<dsp::SurgicalEvent> FollowedPatient::EventOfSurgery(int64_t now_ns) const {
  dsp::Known<dsp::SurgicalEvent> event;
  event.words = "nobody notes what is done";
  const bool entered_now = phase_ != v1::PHASE_UNSPECIFIED &&
                           now_ns - phase_since_ns_ <= kEventNs &&
                           (phase_ == v1::PHASE_CORRECTION || phase_ == v1::PHASE_INSTRUMENTATION ||
                            phase_ == v1::PHASE_NEURAL_MANIPULATION);
  const Timed* newest = nullptr;
  const auto consider = [&](const Series& series, dsp::SurgicalEvent as) {
    const Timed* one = NewestWithin(series, kEventNs, now_ns);
    if (one == nullptr || (newest != nullptr && newest->at_ns > one->at_ns)) return;
    newest = one;
    event.value = as;
    event.words = absl::StrCat(one->words, ", ", Minutes(now_ns - one->at_ns), " min ago");
  };
  consider(instruments_, dsp::SurgicalEvent::kInstrument);
  consider(retractors_, dsp::SurgicalEvent::kRetractorOrClip);
  consider(vessels_, dsp::SurgicalEvent::kVessel);
  if (event.value) return event;
  if (entered_now) {
    event.value = dsp::SurgicalEvent::kInstrument;
    event.words = "this phase has just begun";
  } else if (phase_ == v1::PHASE_CLAMP && now_ns - phase_since_ns_ <= kEventNs) {
    event.value = dsp::SurgicalEvent::kRetractorOrClip;
    event.words = "the clamp has just been set";
  } else if (any_words_) {
    event.value = dsp::SurgicalEvent::kNone;
    event.words = "nothing noted in 5 min";
  }
  return event;
}

dsp::Known<bool> FollowedPatient::Trains(const About& about, int64_t now_ns) const {
  dsp::Known<bool> trains;
  trains.words = "no free-running EMG of those roots";
  if (!any_emg_) return trains;
  trains.value = false;
  trains.words = "no trains in 5 min";
  for (const auto& [trace, series] : emg_trains_) {
    if (NewestWithin(series, kTrainsNs, now_ns) == nullptr) continue;
    const std::string muscle = trace.substr(trace.rfind('/') + 1);
    const bool meant = std::any_of(about.myotomes.begin(), about.myotomes.end(),
                                   [&](const std::string& of) { return SharesRoot(of, muscle); });
    if (!meant) continue;
    trains.value = true;
    trains.words = absl::StrCat("trains in ", muscle);
  }
  return trains;
}

dsp::Known<bool> FollowedPatient::EegDiffers(int64_t now_ns) const {
  dsp::Known<bool> differs;
  differs.words = "no EEG of both sides";
  for (const auto& [trace, series] : asymmetry_) {
    const Timed* newest = NewestWithin(series, kSpectrumNs, now_ns);
    const std::optional<double> before = Before(series, now_ns);
    if (newest == nullptr || !before) continue;
    const bool is_changed = std::fabs(newest->value - *before) >= kAsymmetryChange;
    if (differs.value && *differs.value && !is_changed) continue;
    differs.value = is_changed;
    differs.words = absl::StrFormat("asymmetry %.2f, was %.2f", newest->value, *before);
  }
  return differs;
}

void FollowedPatient::Fill(const About& about, int64_t now_ns, dsp::CasePicture* picture) const {
  picture->stage = Stage();
  picture->relaxation = RelaxationNow(now_ns);
  picture->relaxant_given = Given(relaxants_, kRelaxantNs, now_ns, "no relaxant in 30 min");
  picture->anaesthetic_given =
      Given(anaesthetics_, kAnaestheticNs, now_ns, "no more anaesthetic in 15 min");
  picture->is_deeper = Deeper(now_ns);
  picture->pressure_is_low = PressureLow(now_ns);
  picture->core_is_cooling = CoreCooling(now_ns);
  picture->limb_is_cold = LimbCold(about, now_ns);
  picture->impedance = Impedance(about);
  picture->delivered_as_asked = Delivered(about);
  picture->device_is_on = DeviceOn(now_ns);
  picture->surgical_event = EventOfSurgery(now_ns);
  picture->trains_there = Trains(about, now_ns);
  picture->eeg_differs = EegDiffers(now_ns);
  picture->was_moved.words = "nobody notes how the patient lies";
  if (!any_position_) return;
  const Timed* moved = NewestWithin(moves_, kMovedNs, now_ns);
  picture->was_moved.value = moved != nullptr;
  picture->was_moved.words =
      moved == nullptr
          ? "not moved in 30 min"
          : absl::StrCat(moved->words, ", ", Minutes(now_ns - moved->at_ns), " min ago");
}

}  // namespace remora::agent
