#include "acquisition-agent/pipelines/emg_discharges.h"

#include <algorithm>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/pipelines/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr double kEvidenceMs = 400;  // of a train: some forty discharges at 100 a second
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kTrainUpdateNs = kSecondNs;
constexpr char kStimulatedText[] = "while the cortex was stimulated";
constexpr char kCutOffText[] =
    "cut off by an artefact, a pause, or answers to stimuli: its end was not seen";

v1::EmgActivityKind KindOf(dsp::ActivityKind kind) {
  switch (kind) {
    case dsp::ActivityKind::kSpike:
      return v1::EMG_ACTIVITY_KIND_SPIKE;
    case dsp::ActivityKind::kBurst:
      return v1::EMG_ACTIVITY_KIND_BURST;
    case dsp::ActivityKind::kTrain:
      return v1::EMG_ACTIVITY_KIND_TRAIN;
    case dsp::ActivityKind::kArtefact:
      return v1::EMG_ACTIVITY_KIND_ARTEFACT;
  }
  return v1::EMG_ACTIVITY_KIND_UNSPECIFIED;
}

v1::TrainPattern PatternOf(dsp::TrainPattern pattern) {
  switch (pattern) {
    case dsp::TrainPattern::kA:
      return v1::TRAIN_PATTERN_A;
    case dsp::TrainPattern::kBSpikes:
    case dsp::TrainPattern::kBBursts:
      return v1::TRAIN_PATTERN_B;
    case dsp::TrainPattern::kC:
      return v1::TRAIN_PATTERN_C;
    case dsp::TrainPattern::kNone:
      break;
  }
  return v1::TRAIN_PATTERN_UNSPECIFIED;
}

v1::ArtefactClass ClassOf(dsp::NonMuscle kind) {
  switch (kind) {
    case dsp::NonMuscle::kStimulus:
      return v1::ARTEFACT_CLASS_STIMULUS;
    case dsp::NonMuscle::kDiathermy:
      return v1::ARTEFACT_CLASS_DIATHERMY;
    case dsp::NonMuscle::kMains:
      return v1::ARTEFACT_CLASS_MAINS;
    case dsp::NonMuscle::kDrill:
      return v1::ARTEFACT_CLASS_DRILL;
    case dsp::NonMuscle::kAllMuscles:
      return v1::ARTEFACT_CLASS_SHIVERING;
    case dsp::NonMuscle::kNone:
      break;
  }
  return v1::ARTEFACT_CLASS_UNSPECIFIED;
}

// Where the muscles together say nothing: what is wrong with this one.
v1::ArtefactClass ClassOf(uint32_t hints) {
  if (hints & (dsp::kArtefactNonFinite | dsp::kArtefactClipping | dsp::kArtefactFlat)) {
    return v1::ARTEFACT_CLASS_UNSPECIFIED;
  }
  if (hints & dsp::kArtefactDiathermy) return v1::ARTEFACT_CLASS_DIATHERMY;
  if (hints & dsp::kArtefactStimulus) return v1::ARTEFACT_CLASS_STIMULUS;
  if (hints & dsp::kArtefactMains) return v1::ARTEFACT_CLASS_MAINS;
  return v1::ARTEFACT_CLASS_UNSPECIFIED;
}

std::string CauseOf(uint32_t hints) {
  if (hints & dsp::kArtefactNonFinite) return "samples without a value";
  if (hints & dsp::kArtefactClipping) return "amplifier at its limit";
  if (hints & dsp::kArtefactFlat) return "electrode disconnected";
  if (hints & dsp::kArtefactDiathermy) return "interference, as from diathermy";
  if (hints & dsp::kArtefactStimulus) return "stimuli, or what muscles answered to them";
  if (hints & dsp::kArtefactMains) return "mains";
  return "";
}

std::string TextOf(const dsp::ArtefactVerdict& verdict) {
  return absl::StrCat(dsp::NonMuscleName(verdict.kind), verdict.reasons.empty() ? "" : ": ",
                      absl::StrJoin(verdict.reasons, ", "));
}

}  // namespace

absl::StatusOr<EmgDischarges> EmgDischarges::Create(const ResolvedEmg& plan, double sent_rate_hz) {
  const double rate = plan.derivation.sample_rate_hz;
  dsp::BurstTrainOptions activities;
  activities.sample_rate_hz = rate;
  ASSIGN_OR_RETURN(dsp::BurstTrainDetector detector, dsp::BurstTrainDetector::Create(activities));
  dsp::TrainPatternOptions trains;
  trains.sample_rate_hz = rate;
  ASSIGN_OR_RETURN(dsp::TrainPatternDetector patterns, dsp::TrainPatternDetector::Create(trains));
  dsp::SilenceOptions quiet;
  quiet.sample_rate_hz = rate;
  ASSIGN_OR_RETURN(dsp::SilenceWatch silence, dsp::SilenceWatch::Create(quiet));
  return EmgDischarges(plan, sent_rate_hz, std::move(detector), std::move(patterns),
                       std::move(silence));
}

EmgDischarges::EmgDischarges(const ResolvedEmg& plan, double sent_rate_hz,
                             dsp::BurstTrainDetector detector, dsp::TrainPatternDetector patterns,
                             dsp::SilenceWatch silence)
    : plan_(plan),
      sent_rate_hz_(sent_rate_hz),
      detector_(std::move(detector)),
      patterns_(std::move(patterns)),
      silence_(std::move(silence)) {}

int64_t EmgDischarges::TimeOf(double position) const {
  return static_cast<int64_t>(position * 1e9 / plan_.derivation.sample_rate_hz + position_zero_ns_);
}

int64_t EmgDischarges::TimeOfSample(uint64_t sample) const {
  return TimeOf(static_cast<double>(static_cast<int64_t>(sample) + detector_offset_));
}

int64_t EmgDischarges::StartOf(Open* open, uint64_t first_sample, bool goes_on) {
  if (!open->is_open || open->first_sample != first_sample) {
    open->first_sample = first_sample;
    open->started_ns = TimeOfSample(first_sample);
  }
  open->is_open = goes_on;
  return open->started_ns;
}

EmgState EmgDischarges::state() const {
  return {detector_.silent_ms(), detector_.unassessed_ms(), CauseOf(detector_.unassessed_hints())};
}

void EmgDischarges::Take(const Piece& piece, const dsp::ArtefactVerdict& verdict,
                         std::vector<EmgEvent>* events) {
  position_zero_ns_ = piece.position_zero_ns;
  if (piece.starts_segment) {
    detector_offset_ = piece.first_position - static_cast<int64_t>(detected_samples_);
  }
  recent_.insert(recent_.end(), piece.sent_uv.begin(), piece.sent_uv.end());
  while (static_cast<double>(recent_.size()) > sent_rate_hz_ * kEvidenceMs / 1000) {
    recent_.pop_front();
  }
  if (piece.stimulated) {
    if (stimulated_to_ != detected_samples_) stimulated_from_ = detected_samples_;
    stimulated_to_ = detected_samples_ + piece.uv.size();
  }
  const uint32_t hints = piece.hints | dsp::HintsOf(verdict.kind);
  if (hints != dsp::kNoArtefact || !detector_.in_artefact()) verdict_ = verdict;
  const double floor_uv = detector_.noise_floor_uv();  // what was known before it
  std::vector<dsp::Activity> activities;
  std::vector<dsp::PatternTrain> trains;
  std::optional<dsp::SilenceAfterBurst> silence;
  const auto detect = [&](size_t from, size_t to, uint32_t more_hints) {
    const std::span<const double> uv = std::span<const double>(piece.uv).subspan(from, to - from);
    detector_.Push(uv, hints | more_hints, activities);
    patterns_.Push(uv, hints | more_hints, floor_uv, trains);
    if (const auto found = silence_.Push(uv, hints | more_hints, floor_uv)) silence = found;
  };
  size_t at = 0;
  for (const Piece::Range& answer : piece.answers) {
    detect(at, answer.from, dsp::kNoArtefact);
    detect(answer.from, answer.to, dsp::kPassedOver);
    at = answer.to;
  }
  detect(at, piece.uv.size(), dsp::kNoArtefact);
  detected_samples_ += piece.uv.size();
  next_position_ = piece.first_position + static_cast<int64_t>(piece.uv.size());

  TellActivities(activities, events);
  if (TimeOf(static_cast<double>(next_position_)) / kSecondNs > second_) TellUntold(events);
  TellTrain(events);
  TellPatterns(trains, events);
  if (silence) TellSilence(*silence, events);
  TellAllMuscles(verdict, events);
}

void EmgDischarges::EndSegment(std::vector<EmgEvent>* events) {
  std::vector<dsp::Activity> activities;
  detector_.Flush(activities);
  std::vector<dsp::PatternTrain> trains;
  patterns_.Flush(trains);
  silence_.Restart();
  TellActivities(activities, events);
  TellPatterns(trains, events);
  TellAllMuscles({}, events);
}

void EmgDischarges::End(std::vector<EmgEvent>* events) { TellUntold(events); }

EmgEvent EmgDischarges::NewEvent(v1::EmgActivityKind kind) const {
  EmgEvent event;
  event.activity.set_trace_id(plan_.trace_id);
  event.activity.set_side(plan_.plan.side());
  event.activity.set_kind(kind);
  return event;
}

EmgEvent EmgDischarges::Describe(const dsp::Activity& activity) {
  const bool goes_on = activity.phase == dsp::ActivityPhase::kBegan;
  EmgEvent event = NewEvent(KindOf(activity.kind));
  event.activity.set_started_monotonic_ns(StartOf(&activity_, activity.first_sample, goes_on));
  event.activity.set_duration_ms(activity.duration_ms);
  event.activity.set_peak_uv(activity.peak_uv);
  event.activity.set_discharge_rate_hz(activity.discharge_rate_hz);
  event.activity.set_ongoing(goes_on);
  event.trace_rate_hz = sent_rate_hz_;
  event.stimulated = IsStimulated(activity.first_sample, activity.last_sample);
  return event;
}

bool EmgDischarges::IsStimulated(uint64_t first_sample, uint64_t last_sample) const {
  return first_sample < stimulated_to_ && last_sample >= stimulated_from_;
}

void EmgDischarges::AddReason(const std::string& reason, EmgEvent* event) {
  if (reason.empty()) return;
  std::string* words = event->activity.mutable_reason();
  absl::StrAppend(words, words->empty() ? "" : "; ", reason);
}

std::string EmgDischarges::ReasonOf(const dsp::Activity& activity) {
  std::string reason = CauseOf(activity.hints);
  if (activity.kind == dsp::ActivityKind::kArtefact && verdict_.kind != dsp::NonMuscle::kNone) {
    reason = TextOf(verdict_);
  }
  if (activity.interrupted) reason = kCutOffText;
  return reason;
}

void EmgDischarges::AddUntold(EmgEvent* event) {
  if (untold_ == 0) return;
  AddReason(absl::StrCat(untold_, " spikes before it were not told one by one"), event);
  untold_ = 0;
}

void EmgDischarges::TellUntold(std::vector<EmgEvent>* events) {
  if (untold_ == 0) return;
  --untold_;
  AddUntold(&untold_spike_);
  events->push_back(std::move(untold_spike_));
}

void EmgDischarges::TellActivities(const std::vector<dsp::Activity>& activities,
                                   std::vector<EmgEvent>* events) {
  for (const dsp::Activity& found : activities) {
    const bool train = found.kind == dsp::ActivityKind::kTrain;
    const bool began = found.phase == dsp::ActivityPhase::kBegan;
    EmgEvent event = Describe(found);
    AddReason(ReasonOf(found), &event);
    if (event.stimulated) AddReason(kStimulatedText, &event);
    if (found.kind == dsp::ActivityKind::kSpike) {
      const int64_t second = event.activity.started_monotonic_ns() / kSecondNs;
      if (std::exchange(second_, second) != second) spikes_in_second_ = 0;
      if (++spikes_in_second_ > kMaxSpikesPerSecond) {
        ++untold_;
        untold_spike_ = std::move(event);
        continue;
      }
    }
    AddUntold(&event);
    if (found.kind == dsp::ActivityKind::kArtefact) {
      event.activity.set_artefact_class(
          verdict_.kind != dsp::NonMuscle::kNone ? ClassOf(verdict_.kind) : ClassOf(found.hints));
    }
    if (train) {
      event.train_ongoing = began;
      event.train_ended = !began;
      event.interrupted = found.interrupted;
      event.trace_uv.assign(recent_.begin(), recent_.end());
      if (began) train_told_ns_ = TimeOf(static_cast<double>(next_position_));
    }
    events->push_back(std::move(event));
  }
}

void EmgDischarges::TellTrain(std::vector<EmgEvent>* events) {
  const std::optional<dsp::Activity> train = detector_.CurrentTrain();
  if (!train) return;
  EmgEvent event = Describe(*train);
  if (event.stimulated) AddReason(kStimulatedText, &event);
  event.train_ongoing = true;
  event.trace_uv.assign(recent_.begin(), recent_.end());
  // As a record each second; to the surveillance with every chunk, so that an alert is not late.
  const int64_t now_ns = TimeOf(static_cast<double>(next_position_));
  if (now_ns - train_told_ns_ >= kTrainUpdateNs) {
    train_told_ns_ = now_ns;
  } else {
    event.activity.clear_kind();
  }
  events->push_back(std::move(event));
}

void EmgDischarges::TellPatterns(const std::vector<dsp::PatternTrain>& trains,
                                 std::vector<EmgEvent>* events) {
  for (const dsp::PatternTrain& train : trains) {
    const bool goes_on = train.phase == dsp::ActivityPhase::kBegan;
    Open* open = train.pattern == dsp::TrainPattern::kA ? &fast_ : &slow_;
    EmgEvent event = NewEvent(v1::EMG_ACTIVITY_KIND_TRAIN);
    v1::EmgActivity& activity = event.activity;
    activity.set_started_monotonic_ns(StartOf(open, train.first_sample, goes_on));
    activity.set_duration_ms(train.duration_ms);
    activity.set_peak_uv(train.peak_uv);
    activity.set_discharge_rate_hz(train.rate_hz);
    activity.set_ongoing(goes_on);
    activity.set_train_pattern(PatternOf(train.pattern));
    activity.set_train_time_ms(patterns_.train_time_ms());
    if (train.interrupted) {
      activity.set_reason(kCutOffText);
    } else if (train.pattern == dsp::TrainPattern::kBSpikes) {
      activity.set_reason("single spikes");
    } else if (train.pattern == dsp::TrainPattern::kBBursts) {
      activity.set_reason("bursts");
    }
    if (IsStimulated(train.first_sample, train.last_sample)) AddReason(kStimulatedText, &event);
    events->push_back(std::move(event));
  }
}

void EmgDischarges::TellSilence(const dsp::SilenceAfterBurst& silence,
                                std::vector<EmgEvent>* events) {
  EmgEvent event = NewEvent(v1::EMG_ACTIVITY_KIND_SILENCE);
  event.activity.set_started_monotonic_ns(TimeOfSample(silence.burst_last_sample));
  event.activity.set_duration_ms(silence.silent_ms);
  event.activity.set_peak_uv(silence.burst_peak_uv);
  event.activity.set_reason(absl::StrFormat(
      "after a burst of %.0f uV; before it %.0f %% of the time active, usually of %.0f uV",
      silence.burst_peak_uv, 100 * silence.active_share, silence.usual_peak_uv));
  events->push_back(std::move(event));
}

// Muscles they are, so no discharge is left out: it is told beside them, when it begins and when it
// is over.
void EmgDischarges::TellAllMuscles(const dsp::ArtefactVerdict& verdict,
                                   std::vector<EmgEvent>* events) {
  const bool now = verdict.kind == dsp::NonMuscle::kAllMuscles;
  const int64_t now_ns = TimeOf(static_cast<double>(next_position_));
  if (now == (all_muscles_since_ns_ != 0)) return;
  if (now) {
    all_muscles_since_ns_ = now_ns;
    all_muscles_because_ = TextOf(verdict);
  }
  EmgEvent event = NewEvent(v1::EMG_ACTIVITY_KIND_ARTEFACT);
  event.activity.set_started_monotonic_ns(all_muscles_since_ns_);
  event.activity.set_duration_ms(static_cast<double>(now_ns - all_muscles_since_ns_) / 1e6);
  event.activity.set_ongoing(now);
  event.activity.set_artefact_class(v1::ARTEFACT_CLASS_SHIVERING);
  event.activity.set_reason(all_muscles_because_);
  events->push_back(std::move(event));
  if (!now) all_muscles_since_ns_ = 0;
}

}  // namespace remora::agent
