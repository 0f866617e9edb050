#include "dsp/emg/burst_train.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace remora::dsp {
namespace {

// No motor unit discharges faster, nor do several at once so that each is told from the next.
constexpr double kLeastIntervalMs = 1;

constexpr double kFloorBinMs = 10.0;
// Quiet time that must be known before anything is judged.
constexpr double kLearningMs = 1000.0;
// How much of its usual height a train learns from each discharge.
constexpr double kHeightSmoothing = 0.25;
// The floor is sorted anew this often, in bins: ten times a second.
constexpr std::size_t kBinsPerUpdate = 10;

absl::Status Positive(const char* name, double value) {
  if (std::isfinite(value) && value > 0.0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(name, " ", value, ": must be positive"));
}

}  // namespace

std::uint32_t ArtefactHints(std::uint32_t quality_marks) {
  std::uint32_t hints = kNoArtefact;
  if ((quality_marks & kQualityMains) != 0) hints |= kArtefactMains;
  if ((quality_marks & kQualityClipping) != 0) hints |= kArtefactClipping;
  if ((quality_marks & kQualityFlat) != 0) hints |= kArtefactFlat;
  if ((quality_marks & kQualityNonFinite) != 0) hints |= kArtefactNonFinite;
  return hints;
}

const char* ActivityName(ActivityKind kind) {
  switch (kind) {
    case ActivityKind::kSpike:
      return "spike";
    case ActivityKind::kBurst:
      return "burst";
    case ActivityKind::kTrain:
      return "train";
    case ActivityKind::kArtefact:
      return "artefact";
  }
  return "unknown";
}

absl::StatusOr<BurstTrainDetector> BurstTrainDetector::Create(const BurstTrainOptions& options) {
  const struct {
    const char* name;
    double value;
  } positives[] = {
      {"sample_rate_hz", options.sample_rate_hz},
      {"threshold_over_floor", options.threshold_over_floor},
      {"min_threshold_uv", options.min_threshold_uv},
      {"refractory_ms", options.refractory_ms},
      {"bar_of_height", options.bar_of_height},
      {"bar_half_life_ms", options.bar_half_life_ms},
      {"max_gap_ms", options.max_gap_ms},
      {"max_passed_over_ms", options.max_passed_over_ms},
      {"short_hole_ms", options.short_hole_ms},
      {"spike_max_ms", options.spike_max_ms},
      {"train_min_ms", options.train_min_ms},
      {"floor_window_ms", options.floor_window_ms},
      {"rebase_after_ms", options.rebase_after_ms},
  };
  for (const auto& option : positives) {
    absl::Status status = Positive(option.name, option.value);
    if (!status.ok()) return status;
  }
  if (options.sample_rate_hz < 500.0 || options.sample_rate_hz > 1e6) {
    return absl::InvalidArgumentError(
        absl::StrCat("sample_rate_hz ", options.sample_rate_hz, ": EMG needs 500 to 1000000 Hz"));
  }
  if (options.spike_max_ms >= options.train_min_ms) {
    return absl::InvalidArgumentError(absl::StrCat("spike_max_ms ", options.spike_max_ms,
                                                   " must be below train_min_ms ",
                                                   options.train_min_ms));
  }
  if (options.floor_window_ms < kLearningMs || options.floor_window_ms > 600000.0) {
    return absl::InvalidArgumentError(absl::StrCat("floor_window_ms ", options.floor_window_ms,
                                                   ": must be ", kLearningMs, " to 600000"));
  }
  if (!(options.floor_quantile > 0.0 && options.floor_quantile <= 0.5)) {
    return absl::InvalidArgumentError(absl::StrCat("floor_quantile ", options.floor_quantile,
                                                   ": must be above 0 and at most 0.5"));
  }
  return BurstTrainDetector(options);
}

BurstTrainDetector::BurstTrainDetector(const BurstTrainOptions& options) : options_(options) {
  const auto samples_in = [&](double ms) {
    return static_cast<std::uint64_t>(
        std::max(1.0, std::round(ms * options.sample_rate_hz / 1000.0)));
  };
  gap_samples_ = samples_in(options.max_gap_ms);
  passed_over_max_ = samples_in(options.max_passed_over_ms);
  short_hole_samples_ = samples_in(options.short_hole_ms);
  train_samples_ = samples_in(options.train_min_ms);
  refractory_samples_ = samples_in(options.refractory_ms);
  bin_samples_ = static_cast<std::size_t>(samples_in(kFloorBinMs));
  floor_bins_max_ = static_cast<std::size_t>(options.floor_window_ms / kFloorBinMs);
  floor_bins_needed_ = static_cast<std::size_t>(kLearningMs / kFloorBinMs);
}

double BurstTrainDetector::MsOf(std::uint64_t samples) const {
  return static_cast<double>(samples) * 1000.0 / options_.sample_rate_hz;
}

void BurstTrainDetector::Push(std::span<const double> samples_uv, std::uint32_t hints,
                              std::vector<Activity>& activities) {
  for (const double sample : samples_uv) {
    // Squares of larger values would overflow; nothing physical is near.
    const bool finite = std::abs(sample) < 1e30;
    std::uint32_t causes = finite ? hints : hints | kArtefactNonFinite;
    if (causes != kPassedOver) passed_over_in_a_row_ = 0;
    if (causes == kPassedOver && passed_over_in_a_row_ == passed_over_max_) {
      causes = kArtefactStimulus;
    }
    if (causes == kPassedOver) {
      PassOver();
    } else if (causes != kNoArtefact) {
      TakeArtefact(causes & ~kPassedOver, activities);
    } else {
      TakeFinite(sample, activities);
    }
    if (causes == kNoArtefact) bin_sum_of_squares_ += sample * sample;
    if (++bin_count_ == bin_samples_) FinishFloorBin();
    ++position_;
    NoteAssessed();
  }
}

void BurstTrainDetector::NoteAssessed() {
  if (learning() || assessable_samples_ < train_samples_) return;
  assessed_until_ = position_;
  unassessed_hints_ = kNoArtefact;
}

// What is open stays so, and has max_gap_ms behind it to go on; but an artefact ends where it
// would: under stimuli that follow each other faster it would never.
void BurstTrainDetector::PassOver() {
  bin_artefact_ = true;
  if (state_ != State::kArtefact) gap_since_ = position_;
  ++passed_over_in_a_row_;
  ++passed_over_total_;
  silent_since_ = std::min(silent_since_ + 1, position_ + 1);
  // As much as is judged weighs it up.
  if (assessable_samples_ > 0) --assessable_samples_;
  unassessed_hints_ |= kArtefactStimulus;
}

void BurstTrainDetector::TakeArtefact(std::uint32_t hints, std::vector<Activity>& activities) {
  bin_artefact_ = true;
  if (state_ != State::kArtefact) {
    Close(/*interrupted=*/true, activities);
    state_ = State::kArtefact;
    first_discharge_ = position_;
    hints_ = hints;
    last_over_ = position_;
    activities.push_back(Describe(ActivityPhase::kBegan));
  }
  hints_ |= hints;
  unassessed_hints_ |= hints;
  NoteOver();
  silent_since_ = position_ + 1;
  assessable_samples_ = 0;
}

void BurstTrainDetector::NoteOver() {
  last_over_ = gap_since_ = position_;
  judged_last_over_ = Judged();
}

void BurstTrainDetector::TakeFinite(double sample_uv, std::vector<Activity>& activities) {
  assessable_samples_ = std::min(assessable_samples_ + 1, train_samples_);
  if (state_ != State::kQuiet) {
    sum_of_squares_ += sample_uv * sample_uv;
    // Before a hole and behind it a gap may be as long as without one, but not both: a hole that
    // takes one discharge leaves the length of two gaps. An end that holes hide was not seen.
    if (position_ - gap_since_ > gap_samples_ || position_ - last_over_ > 2 * gap_samples_) {
      Close(/*interrupted=*/Judged() - judged_last_over_ <= gap_samples_, activities);
    }
  }
  if (threshold_uv_ <= 0.0 || std::abs(sample_uv) <= threshold_uv_) return;
  silent_since_ = position_ + 1;
  if (state_ == State::kArtefact) return;
  if (state_ != State::kQuiet && !GoesOnBehindHoles()) Close(/*interrupted=*/true, activities);
  OnOverThreshold(sample_uv);
  const bool long_enough = MsOf(last_over_ - first_discharge_) >= options_.train_min_ms;
  if (state_ == State::kActive && long_enough) {
    state_ = State::kTrain;
    activities.push_back(Describe(ActivityPhase::kBegan));
  }
}

// One spike between each two holes may be late answers to the stimuli, or spikes that come when
// they come. What is more in one of two stretches that follow each other repeats itself.
bool BurstTrainDetector::GoesOnBehindHoles() {
  const std::uint64_t silent = Judged() - judged_last_over_;
  const std::uint64_t passed_over = position_ - last_over_ - silent;
  if (passed_over == 0 || (passed_over <= short_hole_samples_ && silent <= gap_samples_)) {
    return true;
  }
  const bool repeats = MsOf(last_over_ - stretch_first_) >= options_.spike_max_ms;
  stretch_first_ = position_;
  return std::exchange(repeated_before_, repeats) || repeats;
}

void BurstTrainDetector::OnOverThreshold(double sample_uv) {
  bin_active_ = true;
  if (state_ == State::kQuiet) {
    state_ = State::kActive;
    first_discharge_ = stretch_first_ = position_;
    judged_first_ = Judged();
    repeated_before_ = false;
    sum_of_squares_ = sample_uv * sample_uv;
  }
  Count(std::abs(sample_uv), sample_uv > 0.0 ? positive_ : negative_);
  NoteOver();
  sum_at_last_over_ = sum_of_squares_;
  peak_uv_ = std::max(peak_uv_, std::abs(sample_uv));
}

void BurstTrainDetector::Count(double height_uv, Excursions& excursions) const {
  if (excursions.count == 0) {
    excursions = {1, position_, position_, Judged(), Judged(), height_uv, height_uv};
    return;
  }
  const std::uint64_t since = position_ - excursions.last;
  if (since <= refractory_samples_) {
    excursions.height_uv = std::max(excursions.height_uv, height_uv);
    excursions.last_over = position_;
    return;
  }
  const double usual_uv =
      excursions.count == 1
          ? excursions.height_uv
          : excursions.usual_height_uv +
                kHeightSmoothing * (excursions.height_uv - excursions.usual_height_uv);
  const double bar_uv =
      options_.bar_of_height * usual_uv * std::exp2(-MsOf(since) / options_.bar_half_life_ms);
  if (height_uv < bar_uv) return;
  const bool begins = position_ - excursions.last_over > 1;
  excursions.last_over = position_;
  if (!begins) return;
  ++excursions.count;
  excursions.last = position_;
  excursions.judged_last = Judged();
  excursions.height_uv = height_uv;
  excursions.usual_height_uv = usual_uv;
}

Activity BurstTrainDetector::Describe(ActivityPhase phase) const {
  Activity activity;
  activity.phase = phase;
  activity.first_sample = first_discharge_;
  activity.last_sample = last_over_;
  activity.duration_ms = MsOf(last_over_ - first_discharge_);
  activity.hints = hints_;
  activity.sustained = activity.duration_ms > options_.rebase_after_ms;
  if (state_ == State::kArtefact) {
    activity.kind = ActivityKind::kArtefact;
    return activity;
  }
  if (activity.duration_ms >= options_.train_min_ms) {
    activity.kind = ActivityKind::kTrain;
  } else if (activity.duration_ms >= options_.spike_max_ms) {
    activity.kind = ActivityKind::kBurst;
  }
  const Excursions& counted = positive_.count >= negative_.count ? positive_ : negative_;
  activity.discharges = counted.count;
  const double judged_ms = MsOf(counted.judged_last - counted.judged_first);
  // Two on either side of a hole have no time between them.
  if (counted.count > 1 && judged_ms >= kLeastIntervalMs * (counted.count - 1)) {
    activity.discharge_rate_hz = 1000.0 * (counted.count - 1) / judged_ms;
  }
  activity.peak_uv = peak_uv_;
  const std::uint64_t judged = judged_last_over_ - judged_first_ + 1;
  activity.rms_uv = std::sqrt(sum_at_last_over_ / static_cast<double>(judged));
  return activity;
}

std::optional<Activity> BurstTrainDetector::CurrentTrain() const {
  if (state_ != State::kTrain) return std::nullopt;
  return Describe(ActivityPhase::kBegan);
}

void BurstTrainDetector::Close(bool interrupted, std::vector<Activity>& activities) {
  if (state_ == State::kQuiet) return;
  activities.push_back(Describe(ActivityPhase::kEnded));
  activities.back().interrupted = interrupted && state_ != State::kArtefact;
  state_ = State::kQuiet;
  positive_ = negative_ = {};
  hints_ = kNoArtefact;
  peak_uv_ = sum_of_squares_ = sum_at_last_over_ = 0.0;
}

void BurstTrainDetector::FinishFloorBin() {
  const bool rebase = state_ != State::kQuiet && state_ != State::kArtefact &&
                      MsOf(last_over_ - first_discharge_) > options_.rebase_after_ms;
  // While learning every clean bin counts: the quantile leaves the active ones out.
  const bool quiet = state_ == State::kQuiet && !bin_active_;
  if (!bin_artefact_ && (quiet || rebase || learning())) {
    const double rms = std::sqrt(bin_sum_of_squares_ / static_cast<double>(bin_count_));
    floor_bins_.push_back(rms);
    sorted_bins_.insert(std::upper_bound(sorted_bins_.begin(), sorted_bins_.end(), rms), rms);
  }
  if (floor_bins_.size() > floor_bins_max_) {
    sorted_bins_.erase(
        std::lower_bound(sorted_bins_.begin(), sorted_bins_.end(), floor_bins_.front()));
    floor_bins_.pop_front();
  }
  bin_count_ = 0;
  bin_sum_of_squares_ = 0.0;
  bin_active_ = bin_artefact_ = false;
  if (learning() || ++bins_since_update_ < kBinsPerUpdate) return;
  bins_since_update_ = 0;
  floor_uv_ = sorted_bins_[static_cast<std::size_t>(options_.floor_quantile *
                                                    static_cast<double>(sorted_bins_.size() - 1))];
  threshold_uv_ = std::max(options_.threshold_over_floor * floor_uv_, options_.min_threshold_uv);
}

void BurstTrainDetector::Flush(std::vector<Activity>& activities) {
  Close(/*interrupted=*/true, activities);
  silent_since_ = position_;
  assessable_samples_ = 0;
}

}  // namespace remora::dsp
