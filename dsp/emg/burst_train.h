// Finds spikes, bursts and trains in free-running EMG as it arrives.
//
// One detector a muscle, on the pipeline's sequence; thread-compatible. Input is band-passed EMG in
// uV, causal or not. A discharge is an excursion of |x| over a threshold that stands on a robust
// noise floor; discharges closer than max_gap_ms are one activity; its length names it:
//
//   spike   < 20 ms       one motor unit, or a knock
//   burst   < 1 s         contact, traction
//   train   >= 1 s        repetitive discharge: a nerve in trouble
//   artefact              what the caller hinted, and max_gap_ms after the last hint
//
// Samples that are passed over (kPassedOver) are none of these, and not in the floor: a hole. An
// activity may go on behind holes: it ends when it is silent for max_gap_ms behind the last, or for
// twice that in all, holes and what lies between. Holes of more than short_hole_ms interrupt what
// was no more than a spike in both stretches before them: spikes that holes part are no train. More
// than max_passed_over_ms in a row are an artefact (kArtefactStimulus): what ran before is not
// known to go on.
//
//                     discharge                      1 s long
//      kQuiet ----------------------> kActive ----------------------> kTrain
//        ^  ^                            | gap: spike or burst           | gap: train ended
//        |  +----------------------------+-------------------------------+
//        |    gap after last hint             any of them, hint: interrupted
//        +------------------------- kArtefact <--------------------------+
//
// A train is told when it has lasted 1 s (phase kBegan) and again when it ended (kEnded): an alert
// does not wait for the end. What ran before an artefact began is judged on its own length, and is
// `interrupted`: whether it went on nobody saw. Discharges while the filter settles after the last
// hint belong to the artefact; those after it begin an activity of their own.
//
// Noise floor: a low quantile of the rms of 10 ms bins over the last 30 s, without bins of activity
// or artefact (an activity longer than rebase_after_ms lets its bins in: amplifier noise that rose
// for good is not a train for ever; the event stays open and says `sustained`). Until 1 s of bins
// is known the detector learns and reports nothing.
//
// Field numbers: spike < 20 ms, train >= 1 s, neurotonic discharge 50-200 Hz (Romstoeck et al.
// 2000); the thresholds over the noise floor are Remora's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/filter/signal_quality.h"

namespace remora::dsp {

// Bits: why a block is not to be believed.
enum ArtefactHint : std::uint32_t {
  kNoArtefact = 0,
  kArtefactMains = 1u << 0,
  kArtefactClipping = 1u << 1,
  kArtefactFlat = 1u << 2,
  kArtefactNonFinite = 1u << 3,
  kArtefactDiathermy =
      1u << 5,                  // huge and broad on all channels: only the caller sees all channels
  kArtefactStimulus = 1u << 6,  // a stimulus whose artefact is not blanked
  // No artefact, but no spontaneous activity either: a muscle's answer to a stimulus. Alone, it
  // makes a hole, over which what is open goes on; beside another hint it says nothing.
  kPassedOver = 1u << 7,
};
// From the raw block's marks (AssessBlock).
std::uint32_t ArtefactHints(std::uint32_t quality_marks);

struct BurstTrainOptions {
  double sample_rate_hz = 0.0;
  double threshold_over_floor = 5.0;  // |x| over this many times the floor's rms is a discharge
  double min_threshold_uv = 5.0;      // never below: a silent channel's own noise is no discharge
  // Within it, one discharge: 3 ms counts neurotonic trains up to 300 Hz.
  double refractory_ms = 3.0;
  // After a discharge, the next must reach this part of the usual height; the bar falls by half
  // every bar_half_life_ms. Later phases of one unit are not counted as units of their own.
  double bar_of_height = 0.5;
  double bar_half_life_ms = 50.0;
  // A longer silence ends the activity: 7 Hz and more is repetitive. Interleaved SEP stimuli can
  // reach that: blank their artefact first.
  double max_gap_ms = 150.0;
  // The longest hole that what is open goes on over: a transcranial response, and what it leaves in
  // the filter, take 236 ms.
  double max_passed_over_ms = 250.0;
  // So long a hole parts nothing.
  double short_hole_ms = 60.0;
  double spike_max_ms = 20.0;
  double train_min_ms = 1000.0;
  double floor_window_ms = 30000.0;
  double floor_quantile = 0.25;
  double rebase_after_ms = 60000.0;
};

enum class ActivityKind : std::uint8_t { kSpike, kBurst, kTrain, kArtefact };
enum class ActivityPhase : std::uint8_t { kBegan, kEnded };
const char* ActivityName(ActivityKind kind);

struct Activity {
  ActivityKind kind = ActivityKind::kSpike;
  ActivityPhase phase = ActivityPhase::kEnded;  // kBegan only for kTrain and kArtefact
  std::uint64_t first_sample = 0;               // of the first discharge, since construction
  std::uint64_t last_sample = 0;                // of the last discharge so far
  double duration_ms = 0.0;
  // Excursions of the polarity that has more of them, so that a biphasic unit counts once and a
  // sinusoidal train by its cycles.
  std::uint32_t discharges = 0;
  double discharge_rate_hz = 0.0;  // mean, from first to last, without holes; 0: not known
  double peak_uv = 0.0;            // largest |x|
  double rms_uv = 0.0;             // from first to last discharge, without holes
  std::uint32_t hints = kNoArtefact;
  bool sustained = false;    // longer than rebase_after_ms
  bool interrupted = false;  // an artefact, a pause or a hole cut it off: its end was not seen
};

class BurstTrainDetector {
 public:
  // Errors: kInvalidArgument -> an option out of range; the message names it.
  static absl::StatusOr<BurstTrainDetector> Create(const BurstTrainOptions& options);

  // Takes a block (any length) with the hints that hold for all of it; appends what became known.
  // Non-finite samples are artefact by themselves (kArtefactNonFinite), with or without a hint.
  void Push(std::span<const double> samples_uv, std::uint32_t hints,
            std::vector<Activity>& activities);
  // The end of the stream, or a pause: closes what is open.
  void Flush(std::vector<Activity>& activities);

  bool learning() const { return floor_bins_.size() < floor_bins_needed_; }
  double noise_floor_uv() const { return floor_uv_; }  // rms; 0 while learning
  double threshold_uv() const { return threshold_uv_; }
  bool in_train() const { return state_ == State::kTrain; }
  bool in_artefact() const { return state_ == State::kArtefact; }
  // The train that is going on, as far as it has come; nothing when there is none.
  std::optional<Activity> CurrentTrain() const;
  // For so long neither a discharge nor an artefact has been there, without what was passed over:
  // an interrupted train that has been silent for longer than max_gap_ms has ended.
  double silent_ms() const { return MsOf(position_ - silent_since_); }
  // For so long there has been no clean stretch of train_min_ms: no train could have been told.
  // Holes count against what is judged: with more than half passed over, nothing is assessed.
  double unassessed_ms() const { return MsOf(position_ - assessed_until_); }
  // Hints since then.
  std::uint32_t unassessed_hints() const { return unassessed_hints_; }

 private:
  enum class State : std::uint8_t { kQuiet, kActive, kTrain, kArtefact };
  struct Excursions {
    std::uint32_t count = 0;
    std::uint64_t last = 0;          // position at which the last counted one began
    std::uint64_t last_over = 0;     // over the bar
    std::uint64_t judged_first = 0;  // where counted ones began, by Judged()
    std::uint64_t judged_last = 0;
    double height_uv = 0.0;  // of the last counted one so far
    double usual_height_uv = 0.0;
  };

  explicit BurstTrainDetector(const BurstTrainOptions& options);
  void TakeFinite(double sample_uv, std::vector<Activity>& activities);
  void TakeArtefact(std::uint32_t hints, std::vector<Activity>& activities);
  void PassOver();
  void NoteOver();
  bool GoesOnBehindHoles();
  void OnOverThreshold(double sample_uv);
  void Count(double height_uv, Excursions& excursions) const;
  void Close(bool interrupted, std::vector<Activity>& activities);
  void NoteAssessed();
  Activity Describe(ActivityPhase phase) const;
  void FinishFloorBin();
  double MsOf(std::uint64_t samples) const;
  // Samples so far, without those that were passed over.
  std::uint64_t Judged() const { return position_ - passed_over_total_; }

  BurstTrainOptions options_;
  std::uint64_t passed_over_max_ = 0;
  std::uint64_t short_hole_samples_ = 0;
  std::uint64_t gap_samples_;
  std::uint64_t train_samples_;
  std::uint64_t refractory_samples_;
  std::size_t bin_samples_;
  std::size_t floor_bins_max_;
  std::size_t floor_bins_needed_;

  State state_ = State::kQuiet;
  std::uint64_t position_ = 0;  // of the next sample
  std::uint64_t first_discharge_ = 0;
  std::uint64_t last_over_ = 0;         // last sample over threshold (or of the artefact)
  std::uint64_t gap_since_ = 0;         // as last_over_, or the last sample that was passed over
  std::uint64_t judged_first_ = 0;      // first_discharge_, by Judged()
  std::uint64_t judged_last_over_ = 0;  // last_over_, by Judged()
  std::uint64_t passed_over_in_a_row_ = 0;  // up to the last sample; stops when it is too many
  std::uint64_t passed_over_total_ = 0;
  std::uint64_t stretch_first_ = 0;  // first discharge since the last hole that is not short
  bool repeated_before_ = false;     // the stretch before it was more than a spike
  Excursions positive_;
  Excursions negative_;
  double peak_uv_ = 0.0;
  double sum_of_squares_ = 0.0;  // since the first discharge
  double sum_at_last_over_ = 0.0;
  std::uint32_t hints_ = kNoArtefact;
  std::uint64_t silent_since_ = 0;
  // Clean samples less those passed over, at most train_samples_.
  std::uint64_t assessable_samples_ = 0;
  std::uint64_t assessed_until_ = 0;
  std::uint32_t unassessed_hints_ = kNoArtefact;

  double bin_sum_of_squares_ = 0.0;
  std::size_t bin_count_ = 0;
  bool bin_active_ = false;
  bool bin_artefact_ = false;
  std::deque<double> floor_bins_;    // rms of quiet bins, oldest first
  std::vector<double> sorted_bins_;  // the same, ascending
  std::size_t bins_since_update_ = 0;
  double floor_uv_ = 0.0;
  double threshold_uv_ = 0.0;
};

}  // namespace remora::dsp
