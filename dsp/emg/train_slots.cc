#include "dsp/emg/train_slots.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "dsp/emg/burst_train.h"

namespace remora::dsp {
namespace {

// The waveform is looked at at this rate or up to twice it: 210 Hz and two harmonics.
constexpr double kReducedRateHz = 2400.0;
// Broad noise: over the floor by this, as rms of a slot, and tall in so many bins.
constexpr double kBroadRms = 3.0;
constexpr std::size_t kBroadBins = 3;
// White noise's mean frequency, as part of the sample rate, is a little over this.
constexpr double kBroadShareOfRate = 0.22;

}  // namespace

double TrainSlot::Rms() const { return samples == 0 ? 0.0 : std::sqrt(energy / samples); }

TrainSlots::TrainSlots(const TrainSlotOptions& options)
    : options_(options),
      factor_(static_cast<std::size_t>(
          std::max(1.0, std::floor(options.sample_rate_hz / kReducedRateHz)))),
      broad_hz_(std::min(options.broad_hz, kBroadShareOfRate * options.sample_rate_hz)),
      hole_max_(
          static_cast<std::uint64_t>(options.longest_hole_ms * options.sample_rate_hz / 1000.0)) {
  const double groups =
      options.sample_rate_hz * kTrainSlotMs / 1000.0 / static_cast<double>(factor_);
  slot_samples_ = factor_ * static_cast<std::size_t>(std::lround(groups));
}

double TrainSlots::reduced_rate_hz() const {
  return options_.sample_rate_hz / static_cast<double>(factor_);
}

std::uint64_t TrainSlots::TailSamples() const {
  return static_cast<std::uint64_t>(options_.artefact_tail_ms * options_.sample_rate_hz / 1000.0);
}

void TrainSlots::Push(std::span<const double> samples_uv, std::uint32_t hints,
                      double noise_floor_uv, std::vector<TrainSlot>& slots) {
  // |x| over max_uv, and what is not finite, is no muscle.
  const auto is_muscle = [&](double sample) { return std::abs(sample) <= options_.max_uv; };
  while (!samples_uv.empty()) {
    const auto end = hints == kNoArtefact
                         ? std::find_if_not(samples_uv.begin(), samples_uv.end(), is_muscle)
                         : samples_uv.begin();
    auto muscle = samples_uv.first(static_cast<std::size_t>(end - samples_uv.begin()));
    samples_uv = samples_uv.subspan(muscle.size());
    if (!muscle.empty()) hole_samples_ = 0;
    while (!muscle.empty()) {
      muscle = muscle.subspan(Take(muscle, noise_floor_uv, slots));
    }
    if (samples_uv.empty()) break;
    samples_uv = samples_uv.subspan(1);
    const bool passed_over = hints == kPassedOver;
    hole_samples_ = passed_over ? hole_samples_ + 1 : 0;
    TakeOther(noise_floor_uv, !passed_over, slots);
  }
}

void TrainSlots::TakeOther(double floor_uv, bool artefact, std::vector<TrainSlot>& slots) {
  if (artefact) artefact_until_ = position_ + 1 + TailSamples();
  if (hole_samples_ == hole_max_ + 1) {
    // Nor was what it had in the slots before this one.
    unjudged_samples_ += hole_max_ - std::min<std::uint64_t>(hole_max_, filling_.samples);
  }
  constexpr std::array<double, 1> kNothing{0.0};
  Take(kNothing, floor_uv, slots);
}

std::size_t TrainSlots::Take(std::span<const double> samples_uv, double floor_uv,
                             std::vector<TrainSlot>& slots) {
  TrainSlot& slot = filling_;
  if (slot.samples == 0) {
    slot.first_sample = position_;
    slot.floor_uv = floor_uv;
    bin_ = reduced_count_ = 0;
    bin_end_ = slot_samples_ / kBinsPerTrainSlot;
    reduced_sum_ = 0.0;
  }
  const bool judged = position_ >= artefact_until_ && hole_samples_ <= hole_max_;
  if (!judged || !(floor_uv > 0.0)) slot.judged = false;
  while (slot.samples == bin_end_) {
    ++bin_;
    bin_end_ = (bin_ + 1) * slot_samples_ / kBinsPerTrainSlot;
  }
  const auto run = samples_uv.first(std::min(samples_uv.size(), bin_end_ - slot.samples));
  // In registers: members would be stored with each sample.
  double previous_uv = previous_uv_;
  double energy = slot.energy;
  double step_energy = slot.step_energy;
  double high_uv = slot.high_uv;
  double low_uv = slot.low_uv;
  double reduced_sum = reduced_sum_;
  std::size_t reduced_count = reduced_count_;
  float peak_uv = slot.bin_peaks[bin_];
  for (const double sample_uv : run) {
    const double step = sample_uv - previous_uv;
    previous_uv = sample_uv;
    energy += sample_uv * sample_uv;
    step_energy += step * step;
    high_uv = std::max(high_uv, sample_uv);
    low_uv = std::min(low_uv, sample_uv);
    peak_uv = std::max(peak_uv, static_cast<float>(std::abs(sample_uv)));
    reduced_sum += sample_uv;
    if (++reduced_count < factor_) continue;
    slot.reduced.push_back(reduced_sum / static_cast<double>(factor_));
    reduced_sum = 0.0;
    reduced_count = 0;
  }
  previous_uv_ = previous_uv;
  slot.energy = energy;
  slot.step_energy = step_energy;
  slot.high_uv = high_uv;
  slot.low_uv = low_uv;
  reduced_sum_ = reduced_sum;
  reduced_count_ = reduced_count;
  slot.bin_peaks[bin_] = peak_uv;
  slot.samples += static_cast<std::uint32_t>(run.size());
  position_ += run.size();
  if (slot.samples == slot_samples_) Finish(slots);
  return run.size();
}

bool TrainSlots::LooksBroad(const TrainSlot& slot) const {
  if (!(slot.Rms() > kBroadRms * slot.floor_uv)) return false;
  const double limit = options_.threshold_over_floor * slot.floor_uv;
  const auto tall = std::count_if(slot.bin_peaks.begin(), slot.bin_peaks.end(),
                                  [&](float peak) { return static_cast<double>(peak) > limit; });
  if (static_cast<std::size_t>(tall) < kBroadBins) return false;
  // Of sampled white noise the mean square frequency is a little lower than this says.
  const double mean_hz = std::sqrt(slot.step_energy / slot.energy) * options_.sample_rate_hz /
                         (2.0 * std::numbers::pi);
  return mean_hz > broad_hz_;
}

void TrainSlots::Finish(std::vector<TrainSlot>& slots) {
  TrainSlot slot = std::exchange(filling_, TrainSlot{});
  if (slot.judged && LooksBroad(slot)) {
    slot.judged = false;
    artefact_until_ = position_ + TailSamples();
  }
  if (!slot.judged) unjudged_samples_ += slot.samples;
  slots.push_back(std::move(slot));
}

void TrainSlots::Restart() {
  filling_ = {};
  hole_samples_ = 0;
}

}  // namespace remora::dsp
