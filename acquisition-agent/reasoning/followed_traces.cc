#include "acquisition-agent/reasoning/followed_traces.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/limbs.h"
#include "acquisition-agent/plan/planned_traces.h"

namespace remora::agent {
namespace {

constexpr size_t kMostSeen = 64;
// An average that ended so long before the change began still stands for how things are: the next
// one takes as long.
constexpr int64_t kGraceNs = int64_t{60} * 1'000'000'000;
constexpr int64_t kMinuteNs = int64_t{60} * 1'000'000'000;
// Averages vary by a tenth, single trials of muscles by a third and more.
constexpr double kReducedSepPercent = 70;
constexpr double kReducedMepPercent = 50;
constexpr double kLatePercent = 5;
// The middle of a fall: from a fifth of it to four fifths.
constexpr double kEdgeOfFall = 0.2;
constexpr double kLeastFallPercent = 10;
constexpr int64_t kMinutes = 20;
constexpr int64_t kSlopeMinutes = 180;
// Of what time alone leaves, what still is no more than that.
constexpr double kFadeTolerance = 0.85;

bool IsMep(v1::Modality modality) {
  return modality == v1::MODALITY_MEP_TRANSCRANIAL || modality == v1::MODALITY_MEP_DIRECT_CORTICAL;
}

bool IsSep(v1::Modality modality) {
  return modality == v1::MODALITY_SEP_UPPER || modality == v1::MODALITY_SEP_LOWER;
}

// The usual latency in a component's name: "N20" is 20 ms.
double LatencyInName(const v1::EvokedPlan& evoked) {
  if (evoked.component().empty()) return 0;
  const v1::ComponentPlan& first = evoked.component(0);
  if (first.expected_ms() > 0) return first.expected_ms();
  const size_t digit = first.label().find_first_of("0123456789");
  if (digit == std::string::npos) return (first.window_from_ms() + first.window_to_ms()) / 2;
  return std::atof(first.label().c_str() + digit);
}

// Where along its way a response of this latency arises (clinical ranges of adults;
// docs/modalities).
dsp::SepStage StageOf(const v1::EvokedPlan& evoked) {
  if (evoked.level_role() == v1::LEVEL_ROLE_PERIPHERAL_CONTROL) return dsp::SepStage::kPeripheral;
  const double ms = LatencyInName(evoked);
  const bool upper = evoked.modality() == v1::MODALITY_SEP_UPPER;
  if (ms < (upper ? 11 : 15)) return dsp::SepStage::kPeripheral;
  return ms < (upper ? 17 : 35) ? dsp::SepStage::kSubcortical : dsp::SepStage::kCortical;
}

dsp::BodyPart PartOf(LimbKind kind) {
  switch (kind) {
    case LimbKind::kLeg:
    case LimbKind::kTrunk:
      return dsp::BodyPart::kLeg;
    case LimbKind::kFace:
      return dsp::BodyPart::kHead;
    default:
      return dsp::BodyPart::kArm;
  }
}

std::string SideWord(v1::Side side) {
  return side == v1::SIDE_LEFT ? " left" : side == v1::SIDE_RIGHT ? " right" : "";
}

bool IsAbove(v1::LevelRole role) {
  return role == v1::LEVEL_ROLE_ABOVE || role == v1::LEVEL_ROLE_SYSTEMIC_CONTROL;
}

bool IsNoise(const v1::Measurement& measurement) {
  return measurement.state() == v1::MEASUREMENT_STATE_NOT_INTERPRETABLE &&
         measurement.held().empty();
}

std::vector<std::string> ElectrodesOf(const v1::Montage& montage, const std::string& derivation) {
  for (const v1::Derivation& one : montage.derivation()) {
    if (one.name() != derivation) continue;
    std::vector<std::string> electrodes(one.plus().begin(), one.plus().end());
    electrodes.insert(electrodes.end(), one.minus().begin(), one.minus().end());
    return electrodes;
  }
  return {};
}

}  // namespace

void FollowedTraces::OnPlan(const v1::CasePlanSet& set) {
  places_.clear();
  size_t next = 0;
  const std::vector<PlannedTrace> planned = PlannedTraces(set.plan());
  // As PlannedTraces lists them: evoked entries first, then muscles among others.
  for (const v1::EvokedPlan& evoked : set.plan().evoked()) {
    Place place;
    place.modality = evoked.modality();
    place.side = evoked.side();
    place.role = evoked.level_role();
    place.part = evoked.modality() == v1::MODALITY_SEP_LOWER   ? dsp::BodyPart::kLeg
                 : evoked.modality() == v1::MODALITY_SEP_UPPER ? dsp::BodyPart::kArm
                                                               : dsp::BodyPart::kHead;
    place.stage = StageOf(evoked);
    place.name = absl::StrCat(evoked.derivation(), SideWord(evoked.side()));
    place.electrodes = ElectrodesOf(set.montage(), evoked.derivation());
    place.stimulus = evoked.stimulus().electrodes();
    places_[TraceId(evoked.modality(), evoked.side(), evoked.derivation())] = std::move(place);
  }
  for (const v1::MotorPlan& motor : set.plan().motor()) {
    for (const v1::MusclePlan& muscle : motor.muscle()) {
      Place place;
      place.modality = motor.modality();
      place.side = muscle.side();
      place.role = muscle.level_role();
      place.part = PartOf(LimbKindOf(muscle));
      // Muscles without roots share none.
      place.myotome = muscle.myotome().empty() ? muscle.derivation() : muscle.myotome();
      place.name = muscle.derivation();
      place.electrodes = ElectrodesOf(set.montage(), muscle.derivation());
      place.stimulus = motor.stimulus().electrodes();
      std::string id = TraceId(motor.modality(), muscle.side(), muscle.derivation());
      for (; next < planned.size(); ++next) {
        if (planned[next].block != PlannedTrace::Block::kMotor) continue;
        id = planned[next++].trace_id;
        break;
      }
      places_[id] = std::move(place);
    }
  }
}

const FollowedTraces::Place* FollowedTraces::Find(const std::string& trace_id) const {
  const auto found = places_.find(trace_id);
  return found == places_.end() ? nullptr : &found->second;
}

void FollowedTraces::OnMeasurement(const v1::Measurement& measurement, int64_t at_ns) {
  const bool is_index = measurement.component() == "limb index";
  if (!is_index && Find(measurement.trace_id()) == nullptr) return;
  if (measurement.modality() == v1::MODALITY_BAEP) {
    bool has_one = measurement.intervals().empty();
    for (const v1::Interval& interval : measurement.intervals()) {
      if (absl::StartsWith(interval.name(), "I-")) {
        has_one = interval.confidence() != v1::MARK_CONFIDENCE_NO_RESPONSE;
      }
    }
    has_wave_one_[measurement.trace_id()] = has_one;
  }
  if (!measurement.has_baseline() && !is_index) return;
  std::deque<Seen>& history = history_[measurement.trace_id()];
  Seen& seen = history.emplace_back();
  seen.at_ns = at_ns;
  seen.noisy = IsNoise(measurement);
  seen.lost = measurement.state() == v1::MEASUREMENT_STATE_NO_RESPONSE ||
              measurement.muscle().presence() == v1::RESPONSE_PRESENCE_ABSENT;
  seen.percent = measurement.has_first_baseline() ? measurement.first_amplitude_percent()
                                                  : measurement.amplitude_percent_of_baseline();
  seen.latency_rise_percent = measurement.latency_change_percent();
  seen.expected_percent = measurement.expected_percent();
  if (history.size() > kMostSeen) history.pop_front();
}

const std::deque<FollowedTraces::Seen>* FollowedTraces::Known(const std::string& trace_id,
                                                              int64_t onset_ns) const {
  const auto found = history_.find(trace_id);
  if (found == history_.end() || found->second.empty()) return nullptr;
  return found->second.back().at_ns >= onset_ns - kGraceNs ? &found->second : nullptr;
}

dsp::PicturedTrace FollowedTraces::Picture(const Place& place,
                                           const std::deque<Seen>& history) const {
  dsp::PicturedTrace trace;
  trace.name = place.name;
  trace.kind = IsMep(place.modality) ? dsp::TraceKind::kMep : dsp::TraceKind::kSep;
  trace.side = place.side == v1::SIDE_RIGHT ? dsp::BodySide::kRight : dsp::BodySide::kLeft;
  trace.part = place.part;
  trace.stage = place.stage;
  trace.myotome = place.myotome;
  trace.is_above_level = IsAbove(place.role);
  const Seen& newest = history.back();
  trace.amplitude_percent = newest.percent;
  trace.latency_rise_percent = newest.latency_rise_percent;
  if (newest.noisy) {
    trace.change = dsp::TraceChange::kNoisy;
  } else if (newest.lost) {
    trace.change = dsp::TraceChange::kLost;
    trace.amplitude_percent = 0;
  } else if (trace.kind == dsp::TraceKind::kMep) {
    // Two trials say more than one.
    const Seen* before = history.size() > 1 ? &history[history.size() - 2] : nullptr;
    if (before != nullptr && !before->noisy && !before->lost && before->percent > 0) {
      trace.amplitude_percent = std::sqrt(newest.percent * before->percent);
    }
    if (newest.percent < kReducedMepPercent && trace.amplitude_percent < kReducedSepPercent) {
      trace.amplitude_percent = std::min(trace.amplitude_percent, newest.percent);
      trace.change = dsp::TraceChange::kReduced;
    }
  } else if (newest.percent < kReducedSepPercent) {
    trace.change = dsp::TraceChange::kReduced;
  } else if (newest.latency_rise_percent >= kLatePercent) {
    trace.change = dsp::TraceChange::kLate;
  }
  return trace;
}

std::vector<dsp::PicturedTrace> FollowedTraces::Pictured(int64_t onset_ns) const {
  std::vector<dsp::PicturedTrace> traces;
  for (const auto& [id, place] : places_) {
    if (!IsSep(place.modality) && !IsMep(place.modality)) continue;
    if (const auto* history = Known(id, onset_ns)) traces.push_back(Picture(place, *history));
  }
  return traces;
}

std::vector<std::string> FollowedTraces::Changed(int64_t onset_ns) const {
  std::vector<std::string> names;
  for (const dsp::PicturedTrace& trace : Pictured(onset_ns)) {
    const bool is_changed = trace.change == dsp::TraceChange::kLate ||
                            trace.change == dsp::TraceChange::kReduced ||
                            trace.change == dsp::TraceChange::kLost;
    if (is_changed) names.push_back(trace.name);
  }
  return names;
}

dsp::Known<dsp::TimeCourse> FollowedTraces::TimeCourseOf(const v1::Alert& alert) const {
  dsp::Known<dsp::TimeCourse> course;
  course.words = "no earlier trial of what changed";
  const bool by_index = history_.count(alert.trace_id()) > 0;
  const std::string& id =
      by_index || alert.traces().empty() ? alert.trace_id() : alert.traces(0).trace_id();
  const auto found = history_.find(id);
  if (found == history_.end() || found->second.size() < 2) return course;
  std::vector<const Seen*> judged;
  for (const Seen& seen : found->second) {
    if (!seen.noisy) judged.push_back(&seen);
  }
  if (judged.size() < 2) return course;
  const auto percent = [](const Seen& seen) { return seen.lost ? 0.0 : seen.percent; };
  const double now = percent(*judged.back());
  const double fall = 100 - now;
  if (fall < kLeastFallPercent) return course;
  size_t begin = 0;
  for (size_t i = 0; i < judged.size(); ++i) {
    if (percent(*judged[i]) >= 100 - kEdgeOfFall * fall) begin = i;
  }
  size_t end = begin;
  while (end + 1 < judged.size() && percent(*judged[end]) > now + kEdgeOfFall * fall) ++end;
  const int64_t minutes = (judged[end]->at_ns - judged[begin]->at_ns) / kMinuteNs;
  if (end <= begin + 1 && minutes < kMinutes) {
    course.value = dsp::TimeCourse::kInstant;
    course.words = "from one trial to the next";
    return course;
  }
  course.value = minutes < kMinutes        ? dsp::TimeCourse::kMinutes
                 : minutes < kSlopeMinutes ? dsp::TimeCourse::kSlope
                                           : dsp::TimeCourse::kHours;
  course.words = absl::StrCat("over ", minutes, " min");
  return course;
}

dsp::Known<dsp::DWaveChange> FollowedTraces::DWave(int64_t onset_ns) const {
  dsp::Known<dsp::DWaveChange> wave;
  wave.words = "no D-wave since";
  std::optional<double> caudal;
  std::optional<double> rostral;
  for (const auto& [id, place] : places_) {
    if (place.modality != v1::MODALITY_D_WAVE) continue;
    const auto* history = Known(id, onset_ns);
    if (history == nullptr || history->back().noisy) continue;
    const double percent = history->back().lost ? 0 : history->back().percent;
    std::optional<double>& of = IsAbove(place.role) ? rostral : caudal;
    of = of ? std::min(*of, percent) : percent;
  }
  if (!caudal) return wave;
  const bool down = *caudal < kReducedSepPercent;
  wave.value = !down                                      ? dsp::DWaveChange::kUnchanged
               : rostral && *rostral < kReducedSepPercent ? dsp::DWaveChange::kBothContacts
                                                          : dsp::DWaveChange::kCaudal;
  wave.words = absl::StrFormat(
      "caudal %.0f %%%s", *caudal,
      rostral ? absl::StrFormat(", rostral %.0f %%", *rostral) : std::string(", no rostral one"));
  return wave;
}

dsp::Known<dsp::BaepChange> FollowedTraces::Baep(int64_t onset_ns) const {
  dsp::Known<dsp::BaepChange> baep;
  baep.words = "no BAEP since";
  for (const auto& [id, place] : places_) {
    if (place.modality != v1::MODALITY_BAEP) continue;
    const auto* history = Known(id, onset_ns);
    if (history == nullptr || history->back().noisy) continue;
    const Seen& newest = history->back();
    const bool changed = newest.lost || newest.percent < kReducedSepPercent ||
                         newest.latency_rise_percent >= kLatePercent;
    if (baep.value && !changed) continue;
    const auto one = has_wave_one_.find(id);
    const bool has_one = one == has_wave_one_.end() || one->second;
    baep.value = !changed  ? dsp::BaepChange::kUnchanged
                 : has_one ? dsp::BaepChange::kWaveFive
                           : dsp::BaepChange::kWaveOneToo;
    baep.words = absl::StrFormat("%s wave V %.0f %%, %+.1f %%", place.name,
                                 newest.lost ? 0 : newest.percent, newest.latency_rise_percent);
  }
  return baep;
}

dsp::Known<bool> FollowedTraces::FitsFade(int64_t onset_ns) const {
  dsp::Known<bool> fits;
  fits.words = "not known how long anaesthesia has lasted";
  bool any = false;
  bool all = true;
  for (const auto& [id, place] : places_) {
    if (!IsMep(place.modality)) continue;
    const auto* history = Known(id, onset_ns);
    if (history == nullptr || history->back().noisy) continue;
    const Seen& newest = history->back();
    if (newest.percent >= kReducedSepPercent && !newest.lost) continue;
    if (newest.expected_percent <= 0) return fits;
    any = true;
    all = all && !newest.lost && newest.percent >= kFadeTolerance * newest.expected_percent;
  }
  if (!any) return fits;
  fits.value = all;
  fits.words =
      all ? "no muscle is below what time alone leaves" : "more is gone than time alone takes";
  return fits;
}

}  // namespace remora::agent
