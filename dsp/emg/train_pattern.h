// Names the trains of free-running EMG: A, B and C (facial nerve, cerebello-pontine angle).
//
//   A   sudden on and off, sinusoidal, symmetric, 60-210 Hz, 100 ms to seconds; 100-200 uV, rarely
//       over 500. Tells of lasting weakness.
//   B   separate discharges in a regular rhythm below 45 Hz, gradual onset:
//       Bs of single spikes, Bb of bursts
//   C   continuous and irregular, discharges overlap
//
// Source: Romstoeck et al. 2000 (J Neurosurg 93:586); train time: Prell et al. 2007 (J Neurosurg
// 106:826): 0.5 s of A-trains is a warning, over 10 s a high risk of lasting paresis. They judged
// by eye and by programs of their own; the numbers by which a stretch is named here are Remora's:
//
//   slots of 20 ms, each seen in the 100 ms around it. A: waveform autocorrelation at one and two
//   periods 0.5 and more, period 4.5 to 17.5 ms, as tall up as down (1 to 2.5), not spiky, at most
//   1000 uV, for 100 ms. B: at least six components, intervals regular (deviation from the median
//   25 % at most, CV 0.35), gaps between them. C: 85 % covered and not periodic, for 500 ms.
//
// Beside BurstTrainDetector, on the same samples (band-passed EMG, uV) and with its noise floor:
// A-trains are often shorter than the second that makes a train there, and a B-train of 3 Hz has
// gaps that end one. One a muscle, on the pipeline's sequence; thread-compatible.
//
// Diathermy is never a train: broad noise (mean frequency over broad_hz, what no motor unit has at
// an electrode) and anything over max_uv is an artefact by itself, with or without a hint. That
// needs a band to 1 kHz or more; from a narrower one only the hint tells. Mains is told by the
// caller's hint: a hum of 60 Hz and its multiples is as regular as any A-train.
//
// Needs discharges of at least 8 times the floor. On simulated muscles of 50-500 uV F1 is over 0.9
// for each kind (train_pattern_test.cc prints the table).
//
// Delay: A is told 160 ms after its begin, B and C 0.6 s after theirs or with the sixth component;
// each end is told 0.2 to 0.6 s late. Positions of A are right to 40 ms.
//
// Memory: 3 s of 4 ms bins and 100 ms of samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "dsp/emg/burst_train.h"
#include "dsp/emg/train_slots.h"

namespace remora::dsp {

struct TrainPatternOptions {
  // Where a period is looked for: one outside A's range is known as such.
  static constexpr double kSlowestHz = 40.0;
  static constexpr double kFastestHz = 400.0;

  double sample_rate_hz = 0.0;        // 1000 to 100000
  double threshold_over_floor = 5.0;  // a peak |x| over this many times the floor is a discharge
  double a_from_hz = 57.0;            // of the field's 60-210, less and more the error of a rate
  double a_to_hz = 220.0;
  double a_strength = 0.5;  // periodicity, see above
  double a_max_uv = 1000.0;
  double a_min_ms = 100.0;
  double b_from_hz = 2.0;
  double b_to_hz = 45.0;
  double c_min_ms = 500.0;
  double c_occupancy = 0.85;
  double broad_hz = 520.0;          // at low rates 0.22 times the sample rate, if that is less
  double max_uv = 5000.0;           // |x| over this is no muscle
  double artefact_tail_ms = 150.0;  // after an artefact the filters settle
};

enum class TrainPattern : std::uint8_t { kNone, kA, kBSpikes, kBBursts, kC };
// "A", "Bs", "Bb", "C"; "none".
const char* TrainPatternName(TrainPattern pattern);

struct PatternTrain {
  TrainPattern pattern = TrainPattern::kNone;
  ActivityPhase phase = ActivityPhase::kBegan;
  std::uint64_t first_sample = 0;  // since construction
  std::uint64_t last_sample = 0;   // so far
  double duration_ms = 0.0;
  double rate_hz = 0.0;     // of cycles (A, mean) or components (B, of the last 2.5 s); 0 for C
  double regularity = 0.0;  // A: periodicity; B: 1 - deviation of the intervals; C: occupancy
  double peak_uv = 0.0;
  double rms_uv = 0.0;
  double onset_ms = 0.0;     // from the first 30 % to 70 % of its rms; A: seldom over 40
  bool interrupted = false;  // an artefact, a pause or a hole cut it off
};

class TrainPatternDetector {
 public:
  // Errors: kInvalidArgument -> an option out of range; the message names it.
  static absl::StatusOr<TrainPatternDetector> Create(const TrainPatternOptions& options);

  // Takes a block with the hints that hold for all of it, and the noise floor (rms, uV) as
  // BurstTrainDetector knows it; 0 while it learns: nothing is judged then. Appends what became
  // known, in the order in which it did. What is passed over (kPassedOver alone) is silent, for up
  // to 60 ms; more is not judged, and interrupts: spikes that holes part have no rhythm of theirs.
  void Push(std::span<const double> samples_uv, std::uint32_t hints, double noise_floor_uv,
            std::vector<PatternTrain>& trains);
  // The end of the stream, or a pause: closes what is open.
  void Flush(std::vector<PatternTrain>& trains);

  // What is going on now; nothing where there is no train.
  std::optional<PatternTrain> Current() const;
  // Sum of all A-trains so far, with the one that goes on.
  double train_time_ms() const;
  // Time that could not be judged: artefact and what follows it, holes, learning.
  double unjudged_ms() const { return MsOf(slots_.unjudged_samples()); }

 private:
  // Of what is open: an A-train, or a stretch of B or C.
  struct Measured {
    std::uint64_t first_sample = 0;
    std::uint64_t last_sample = 0;
    double peak_uv = 0.0;
    double energy = 0.0;
    std::uint64_t samples = 0;
    std::vector<double> levels;  // rms of slots at the begin
    // A: of its slots. B, C: as of the last evaluation.
    double rate_sum = 0.0;
    double regularity_sum = 0.0;
    std::uint32_t rates = 0;
    double rate_hz = 0.0;
    double regularity = 0.0;

    void Add(const TrainSlot& slot);
    double OnsetMs() const;
  };

  explicit TrainPatternDetector(const TrainPatternOptions& options);
  void OnSlot(TrainSlot slot, std::vector<PatternTrain>& trains);
  bool LooksFast(std::size_t index);
  void Judge(std::size_t index, std::vector<PatternTrain>& trains);
  void OnFast(TrainSlot slot, std::vector<PatternTrain>& trains);
  void OnOther(TrainSlot slot, std::vector<PatternTrain>& trains);
  void EndFast(bool interrupted, std::vector<PatternTrain>& trains);
  void Release(std::vector<PatternTrain>& trains);
  void Follow(const TrainSlot& slot, std::vector<PatternTrain>& trains);
  void Evaluate(std::uint64_t now, std::vector<PatternTrain>& trains);
  TrainPattern Classify(double* rate_hz, double* regularity) const;
  void EndSlow(bool interrupted, std::vector<PatternTrain>& trains);
  void Interrupt(std::vector<PatternTrain>& trains);
  PatternTrain Describe(const Measured& measured, TrainPattern pattern, ActivityPhase phase) const;
  double MsOf(std::uint64_t samples) const;

  TrainPatternOptions options_;
  std::size_t fast_needed_;  // slots
  TrainSlots slots_;
  std::deque<TrainSlot> window_;  // the last five slots; judged is the middle one

  // A: slots that may be one are held until it is sure.
  bool in_fast_ = false;
  std::vector<TrainSlot> held_;
  std::size_t fast_slots_ = 0;
  std::size_t slots_since_fast_ = 0;
  Measured fast_;
  double train_time_ms_ = 0.0;  // of those that ended

  // B and C: one stretch of activity.
  bool active_ = false;
  std::deque<float> bins_;
  std::deque<bool> periodic_;  // a slot each
  double floor_uv_ = 0.0;
  std::uint64_t active_since_ = 0;
  std::uint64_t last_active_ = 0;
  std::size_t bins_since_evaluation_ = 0;
  TrainPattern slow_ = TrainPattern::kNone;
  TrainPattern candidate_ = TrainPattern::kNone;
  std::size_t candidate_times_ = 0;
  bool named_before_ = false;  // in this stretch
  Measured slow_measured_;
};

}  // namespace remora::dsp
