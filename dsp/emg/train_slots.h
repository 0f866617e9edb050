// Slots of 20 ms of free-running EMG, as TrainPatternDetector looks at them: how loud each is, how
// tall in bins of 4 ms, its waveform at a lower rate, and whether it may be judged.
//
// Not judged: what holds an artefact or the artefact_tail_ms behind one, a slot of broad noise
// (diathermy, told or not) and what follows it, more in a row that is passed over than
// longest_hole_ms, and what came before the noise floor was known.
//
// One a muscle, on the pipeline's sequence; thread-compatible. Memory: one slot.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace remora::dsp {

inline constexpr double kTrainSlotMs = 20.0;
inline constexpr std::size_t kBinsPerTrainSlot = 5;

struct TrainSlotOptions {
  double sample_rate_hz = 0.0;
  double threshold_over_floor = 0.0;  // a peak |x| over this many times the floor is a discharge
  double broad_hz = 0.0;              // a mean frequency over it is no muscle's
  double max_uv = 0.0;                // |x| over this is no muscle
  double artefact_tail_ms = 0.0;      // after an artefact the filters settle
  double longest_hole_ms = 0.0;       // what is passed over for longer may hide an end
};

struct TrainSlot {
  std::uint64_t first_sample = 0;
  std::uint32_t samples = 0;
  double energy = 0.0;       // sum of squares
  double step_energy = 0.0;  // of differences between neighbours
  double high_uv = 0.0;
  double low_uv = 0.0;
  double floor_uv = 0.0;
  std::array<float, kBinsPerTrainSlot> bin_peaks{};
  std::vector<double> reduced;  // samples at the lower rate
  bool judged = true;           // false: artefact, or the floor is not known
  double periodicity = 0.0;     // in the 100 ms around it; the detector's to fill in
  double rate_hz = 0.0;

  double Rms() const;
  double Peak() const { return high_uv > -low_uv ? high_uv : -low_uv; }
};

class TrainSlots {
 public:
  explicit TrainSlots(const TrainSlotOptions& options);

  // Takes a block with the hints that hold for all of it, and the noise floor (rms, uV; 0: not
  // known). Appends the slots that are full.
  void Push(std::span<const double> samples_uv, std::uint32_t hints, double noise_floor_uv,
            std::vector<TrainSlot>& slots);
  // A pause: what is begun is dropped.
  void Restart();

  std::size_t samples_per_slot() const { return slot_samples_; }
  // Of TrainSlot::reduced.
  double reduced_rate_hz() const;
  // So far, and of holes also what lay in slots that were given out.
  std::uint64_t unjudged_samples() const { return unjudged_samples_; }

 private:
  // What is nothing that a muscle did, as a zero.
  void TakeOther(double floor_uv, bool artefact, std::vector<TrainSlot>& slots);
  // As many as fall into one bin of the slot that fills; how many these were.
  std::size_t Take(std::span<const double> samples_uv, double floor_uv,
                   std::vector<TrainSlot>& slots);
  void Finish(std::vector<TrainSlot>& slots);
  bool LooksBroad(const TrainSlot& slot) const;
  std::uint64_t TailSamples() const;

  TrainSlotOptions options_;
  std::size_t factor_;  // samples to one of the lower rate
  std::size_t slot_samples_;
  double broad_hz_;
  std::uint64_t hole_max_;

  std::uint64_t position_ = 0;
  std::uint64_t artefact_until_ = 0;  // positions below it are not judged
  std::uint64_t unjudged_samples_ = 0;
  std::uint64_t hole_samples_ = 0;  // passed over, up to the last sample
  double previous_uv_ = 0.0;
  TrainSlot filling_;
  std::size_t bin_ = 0;
  std::size_t bin_end_ = 0;  // samples of the slot
  double reduced_sum_ = 0.0;
  std::size_t reduced_count_ = 0;
};

}  // namespace remora::dsp
