// Finds after-discharges in ECoG: rhythmic spikes or waves that stimulation of the cortex leaves
// behind. A seizure may follow, and what is mapped under one is not valid.
//
// One a contact, on the pipeline's sequence; thread-compatible. Input is band-passed ECoG (1 to 70
// Hz) in uV; the caller tells each stretch of stimulation (50-60 Hz for 1 to 5 s, or a train).
//
//              stimulation begins            ends, settle_ms              spikes for shortest_ms
//   kBackground ------> kStimulating ------> kSettling ------> kWatching -----------> kDischarge
//        ^                    ^                  |                 | watch_ms            | pause
//        |                    +---- again -------+-----------------+----- or again ------+
//        +-------------------------- watch over, or discharge ended ----------------------+
//
// Samples are freed of their mean over 300 ms around them first: an electrode that comes back from
// saturation in seconds leaves nothing. Background: the last 10 s outside stimulation and watching
// (at least 3 s; after less, that of the stimulation before holds), in bins of 100 ms; its level is
// the 95th percentile of their peaks. A spike is an excursion of |x| over over_background times
// that level, and over min_uv, that comes back under half of the threshold within 250 ms. An
// after-discharge is spikes no more than max_gap_ms apart over shortest_ms and more, at least five,
// even (deviation of the intervals under 50 % of their mean), the first within watch_ms of the end
// of settling. What is saturated or not finite ends it as interrupted.
//
// Told when it has lasted shortest_ms (kBegan) and when it is over. Without a background nothing is
// told, and background_known() says so.
//
// Source: after Blume et al. 2004 (Clin Neurophysiol 115:982): rhythmic discharges unlike the
// background that begin after the stimulus; authors differ in the least duration (2 to 5 s); the
// numbers are Remora's own. Accuracy: begin and end to one spike. Delay: shortest_ms and 150 ms,
// and for its end max_gap_ms and 150 ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::dsp {

struct AfterDischargeOptions {
  double sample_rate_hz = 0.0;   // 100 to 50000
  double over_background = 2.0;
  double min_uv = 100.0;
  double saturation_uv = 20000.0;  // |x| at or over this is no brain
  double settle_ms = 300.0;      // after the stimulation: the amplifier comes back
  double watch_ms = 5000.0;      // in which the first spike has to come
  double shortest_ms = 2000.0;
  double max_gap_ms = 1000.0;
};

enum class DischargePhase : std::uint8_t { kBegan, kEnded };

struct AfterDischarge {
  DischargePhase phase = DischargePhase::kBegan;
  std::uint64_t first_sample = 0;  // of the first spike, since construction
  std::uint64_t last_sample = 0;   // of the last spike so far
  double duration_ms = 0.0;
  double after_stimulus_ms = 0.0;  // from the end of the stimulation to the first spike
  std::uint32_t spikes = 0;
  double rate_hz = 0.0;            // of the mean interval
  double peak_uv = 0.0;
  double background_uv = 0.0;      // the level it is held against
  bool interrupted = false;        // stimulated again, a gap, or samples that are no brain
};

class AfterDischargeDetector {
 public:
  // Errors: kInvalidArgument -> an option out of range.
  static absl::StatusOr<AfterDischargeDetector> Create(const AfterDischargeOptions& options);

  // A block; `stimulating` holds for all of it. Appends what became known.
  void Push(std::span<const double> samples_uv, bool stimulating,
            std::vector<AfterDischarge>& discharges);
  // Samples that never came, or the end.
  void Skip(std::uint64_t samples, std::vector<AfterDischarge>& discharges);

  bool background_known() const { return background_uv_ > 0.0 || bins_.size() >= kLeastBins; }
  bool discharging() const { return state_ == State::kDischarge; }
  // The after-discharge that goes on, as far as it came.
  std::optional<AfterDischarge> ongoing() const {
    if (!discharging()) return std::nullopt;
    return Describe(DischargePhase::kBegan);
  }

 private:
  enum class State : std::uint8_t { kBackground, kStimulating, kSettling, kWatching, kDischarge };
  static constexpr std::size_t kLeastBins = 30;

  explicit AfterDischargeDetector(const AfterDischargeOptions& options);
  void Take(double sample_uv, std::vector<AfterDischarge>& discharges);
  // The sample half_ back, freed of the mean around it; nothing while too few are known.
  std::optional<double> Centred(double sample_uv);
  void BeginStimulation(std::vector<AfterDischarge>& discharges);
  void ForgetAround();
  void TakeBackground(double uv);
  void Look(double uv, std::vector<AfterDischarge>& discharges);
  void CountSpike(std::vector<AfterDischarge>& discharges);
  void Over(bool interrupted, std::vector<AfterDischarge>& discharges);
  void ForgetSpikes();
  AfterDischarge Describe(DischargePhase phase) const;
  double MsOf(std::uint64_t samples) const;
  std::uint64_t SamplesOf(double ms) const;

  AfterDischargeOptions options_;
  std::uint64_t widest_;  // samples of a spike
  std::size_t half_;      // samples on each side of the mean
  State state_ = State::kBackground;
  std::uint64_t position_ = 0;
  std::uint64_t at_ = 0;     // of the sample that is looked at
  std::uint64_t since_ = 0;  // at which the state began
  std::deque<double> around_;
  double around_sum_ = 0.0;
  std::uint64_t stimulus_end_ = 0;
  // Background: peaks of bins of 100 ms, the last 10 s.
  std::deque<double> bins_;
  double bin_peak_uv_ = 0.0;
  std::uint64_t bin_filled_ = 0;
  double background_uv_ = 0.0;  // fixed at the stimulation; 0: not known
  double threshold_uv_ = 0.0;
  // An excursion that goes on.
  bool over_ = false;
  std::uint64_t over_since_ = 0;
  std::uint64_t over_top_ = 0;
  double over_peak_uv_ = 0.0;
  // Spikes of one run.
  std::uint32_t spikes_ = 0;
  std::uint64_t first_spike_ = 0;
  std::uint64_t last_spike_ = 0;
  double interval_squares_ = 0.0;
  double peak_uv_ = 0.0;
};

}  // namespace remora::dsp
