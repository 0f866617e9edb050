#include "dsp/emg/train_pattern.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dsp/emg/rhythm.h"

namespace remora::dsp {
namespace {

constexpr double kBinMs = 4.0;
constexpr std::size_t kWindowSlots = 5;
// A pause of so many slots ends an A-train.
constexpr std::size_t kFastGapSlots = 3;
// What is passed over for no longer than that hides no end.
constexpr double kLongestHoleMs = kFastGapSlots * kTrainSlotMs;
// Activity is over the floor by this, as rms of a slot; noise of a slot is within 1.4.
constexpr double kActiveRms = 2.0;
// A slot at a train's edge belongs to it with this part of the rms around it.
constexpr double kEdgeShare = 0.35;
constexpr double kLargestCrest = 2.7;      // peak over rms: 1.4 for a sinusoid
constexpr double kLargestAsymmetry = 2.5;  // up over down
// Periods are looked for from 40 to 400 Hz: one outside A's range is known as such.
constexpr double kSlowestHz = TrainPatternOptions::kSlowestHz;
constexpr double kFastestHz = TrainPatternOptions::kFastestHz;
// B and C are judged each 100 ms, from what is known of the last 2.5 s.
constexpr std::size_t kKnownBins = 625;
constexpr std::size_t kBinsPerEvaluation = 25;
constexpr std::size_t kTimesToBegin = 2;
constexpr std::size_t kTimesToEnd = 5;
constexpr double kSlowGapMs = 500.0;
constexpr double kContinuousGapMs = 150.0;
constexpr std::size_t kContinuousMergeBins = 2;
// Bins that part one component; a burst's inner pauses are the reason for the longer ones.
constexpr std::size_t kMergeBins[] = {2, 6, 15};
constexpr std::size_t kLeastComponents = 6;
constexpr double kLargestIntervalCv = 0.35;
constexpr double kLargestIntervalMad = 0.25;
constexpr double kLongestComponentShare = 0.65;  // of the interval
constexpr double kLongestSpikeMs = 20.0;
// Peaks of bins of noise alone seldom reach this.
constexpr double kLowOverFloor = 3.0;
// What is under this part of the tall discharges is a tail of theirs.
constexpr double kBarOfTall = 0.12;
// Slots whose rms makes a train's usual level.
constexpr std::size_t kLevelSlots = 100;

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

TrainPatternDetector::TrainPatternDetector(const TrainPatternOptions& options)
    : options_(options),
      fast_needed_(static_cast<std::size_t>(std::ceil(options.a_min_ms / kTrainSlotMs - 1e-9))),
      slots_({.sample_rate_hz = options.sample_rate_hz,
              .threshold_over_floor = options.threshold_over_floor,
              .broad_hz = options.broad_hz,
              .max_uv = options.max_uv,
              .artefact_tail_ms = options.artefact_tail_ms,
              .longest_hole_ms = kLongestHoleMs}) {}

double TrainPatternDetector::MsOf(std::uint64_t samples) const {
  return static_cast<double>(samples) * 1000.0 / options_.sample_rate_hz;
}

void TrainPatternDetector::Measured::Add(const TrainSlot& slot) {
  last_sample = slot.first_sample + slot.samples - 1;
  peak_uv = std::max(peak_uv, slot.Peak());
  energy += slot.energy;
  samples += slot.samples;
  if (levels.size() < kLevelSlots) levels.push_back(slot.Rms());
  if (slot.rate_hz > 0.0) {
    rate_sum += slot.rate_hz;
    regularity_sum += slot.periodicity;
    ++rates;
  }
}

double TrainPatternDetector::Measured::OnsetMs() const {
  const double usual = MedianOf(levels);
  const auto reached = [&](double share) {
    const auto at = std::find_if(levels.begin(), levels.end(),
                                 [&](double level) { return level >= share * usual; });
    return static_cast<double>(at - levels.begin()) * kTrainSlotMs;
  };
  return reached(0.7) - reached(0.3);
}

void TrainPatternDetector::Push(std::span<const double> samples_uv, std::uint32_t hints,
                                double noise_floor_uv, std::vector<PatternTrain>& trains) {
  std::vector<TrainSlot> slots;
  slots_.Push(samples_uv, hints, noise_floor_uv, slots);
  for (TrainSlot& slot : slots) OnSlot(std::move(slot), trains);
}

void TrainPatternDetector::OnSlot(TrainSlot slot, std::vector<PatternTrain>& trains) {
  if (!slot.judged) {
    Interrupt(trains);
    return;
  }
  window_.push_back(std::move(slot));
  constexpr std::size_t kAfter = kWindowSlots / 2;
  if (window_.size() > kAfter) Judge(window_.size() - 1 - kAfter, trains);
  if (window_.size() == kWindowSlots) window_.pop_front();
}

void TrainPatternDetector::Judge(std::size_t index, std::vector<PatternTrain>& trains) {
  const bool fast = LooksFast(index);
  TrainSlot slot = window_[index];
  slot.reduced.clear();
  if (fast) {
    OnFast(std::move(slot), trains);
  } else {
    OnOther(std::move(slot), trains);
  }
}

bool TrainPatternDetector::LooksFast(std::size_t index) {
  TrainSlot& slot = window_[index];
  if (slot.Rms() < kActiveRms * slot.floor_uv) return false;
  std::vector<double> around;
  double energy = 0.0;
  double high_uv = 0.0;
  double low_uv = 0.0;
  std::size_t samples = 0;
  for (const TrainSlot& other : window_) {
    around.insert(around.end(), other.reduced.begin(), other.reduced.end());
    energy += other.energy;
    samples += other.samples;
    high_uv = std::max(high_uv, other.high_uv);
    low_uv = std::min(low_uv, other.low_uv);
  }
  const Periodicity found =
      FindPeriodicity(around, slots_.reduced_rate_hz(), kSlowestHz, kFastestHz);
  slot.periodicity = found.strength;
  slot.rate_hz = found.rate_hz;
  const double rms = std::sqrt(energy / static_cast<double>(samples));
  const double peak_uv = std::max(high_uv, -low_uv);
  const double shallow_uv = std::min(high_uv, -low_uv);
  const bool even = peak_uv <= kLargestAsymmetry * shallow_uv;
  return found.strength >= options_.a_strength && found.rate_hz >= options_.a_from_hz &&
         found.rate_hz <= options_.a_to_hz && slot.Rms() >= kEdgeShare * rms &&
         slot.Peak() <= kLargestCrest * slot.Rms() && peak_uv <= options_.a_max_uv && even;
}

void TrainPatternDetector::OnFast(TrainSlot slot, std::vector<PatternTrain>& trains) {
  ++fast_slots_;
  slots_since_fast_ = 0;
  held_.push_back(std::move(slot));
  if (!in_fast_ && fast_slots_ < fast_needed_) return;
  const bool begins = !in_fast_;
  if (begins) {
    EndSlow(/*interrupted=*/false, trains);
    in_fast_ = true;
    fast_ = {};
    fast_.first_sample = held_.front().first_sample;
  }
  for (const TrainSlot& held : held_) fast_.Add(held);
  held_.clear();
  if (begins) trains.push_back(Describe(fast_, TrainPattern::kA, ActivityPhase::kBegan));
}

void TrainPatternDetector::OnOther(TrainSlot slot, std::vector<PatternTrain>& trains) {
  if (!in_fast_ && held_.empty()) {
    Follow(slot, trains);
    return;
  }
  held_.push_back(std::move(slot));
  if (++slots_since_fast_ <= kFastGapSlots) return;
  if (in_fast_) EndFast(/*interrupted=*/false, trains);
  Release(trains);
}

void TrainPatternDetector::EndFast(bool interrupted, std::vector<PatternTrain>& trains) {
  if (!in_fast_) return;
  in_fast_ = false;
  PatternTrain train = Describe(fast_, TrainPattern::kA, ActivityPhase::kEnded);
  train.interrupted = interrupted;
  train_time_ms_ += train.duration_ms;
  trains.push_back(train);
}

void TrainPatternDetector::Release(std::vector<PatternTrain>& trains) {
  fast_slots_ = slots_since_fast_ = 0;
  const std::vector<TrainSlot> held = std::exchange(held_, {});
  for (const TrainSlot& slot : held) Follow(slot, trains);
}

void TrainPatternDetector::Follow(const TrainSlot& slot, std::vector<PatternTrain>& trains) {
  const double limit = options_.threshold_over_floor * slot.floor_uv;
  const bool periodic = slot.periodicity >= options_.a_strength;
  for (std::size_t bin = 0; bin < kBinsPerTrainSlot; ++bin) {
    const std::uint64_t begin =
        slot.first_sample + bin * slots_.samples_per_slot() / kBinsPerTrainSlot;
    const std::uint64_t end =
        slot.first_sample + (bin + 1) * slots_.samples_per_slot() / kBinsPerTrainSlot;
    const bool tall = static_cast<double>(slot.bin_peaks[bin]) > limit;
    if (tall && !active_) {
      active_ = true;
      active_since_ = begin;
      slow_measured_ = {};
      slow_measured_.first_sample = begin;
    }
    if (!active_) continue;
    if (tall) last_active_ = end - 1;
    bins_.push_back(slot.bin_peaks[bin]);
    if (bins_.size() > kKnownBins) bins_.pop_front();
    ++bins_since_evaluation_;
    const double gap_ms = slow_ == TrainPattern::kC ? kContinuousGapMs : kSlowGapMs;
    if (MsOf(end - 1 - last_active_) > gap_ms) EndSlow(/*interrupted=*/false, trains);
  }
  if (!active_) return;
  slow_measured_.Add(slot);
  floor_uv_ = slot.floor_uv;
  periodic_.push_back(periodic);
  if (periodic_.size() > kKnownBins / kBinsPerTrainSlot) periodic_.pop_front();
  if (bins_since_evaluation_ < kBinsPerEvaluation) return;
  bins_since_evaluation_ = 0;
  Evaluate(slot.first_sample + slot.samples, trains);
}

TrainPattern TrainPatternDetector::Classify(double* rate_hz, double* regularity) const {
  const std::vector<float> bins(bins_.begin(), bins_.end());
  const double limit = options_.threshold_over_floor * floor_uv_;
  std::vector<double> tall;
  for (const float bin : bins) {
    if (static_cast<double>(bin) > limit) tall.push_back(static_cast<double>(bin));
  }
  if (tall.empty()) return TrainPattern::kNone;
  const auto rank = tall.begin() + static_cast<std::ptrdiff_t>(tall.size() * 9 / 10);
  std::nth_element(tall.begin(), rank, tall.end());
  const double threshold = std::max(limit, kBarOfTall * *rank);

  // From the first to the last that is tall; between them, also what is low but over the noise.
  const auto is_tall = [&](float bin) { return static_cast<double>(bin) > limit; };
  const auto first = std::find_if(bins.begin(), bins.end(), is_tall);
  const auto end = std::find_if(bins.rbegin(), bins.rend(), is_tall).base();
  const std::span<const float> between(first, end);
  const double low = std::max(kLowOverFloor * floor_uv_, kBarOfTall * *rank);
  const double occupancy = Occupancy(between, low, kContinuousMergeBins);
  const bool long_enough = static_cast<double>(between.size()) * kBinMs >= options_.c_min_ms;
  const auto periodic = std::count(periodic_.begin(), periodic_.end(), true);
  if (occupancy >= options_.c_occupancy) {
    const bool irregular = 2 * static_cast<std::size_t>(periodic) < periodic_.size();
    *regularity = occupancy;
    return long_enough && irregular ? TrainPattern::kC : TrainPattern::kNone;
  }
  for (const std::size_t merge_bins : kMergeBins) {
    const Components found = FindComponents(bins, kBinMs, threshold, merge_bins);
    if (found.count < kLeastComponents || found.rate_hz < options_.b_from_hz ||
        found.rate_hz > options_.b_to_hz || found.interval_cv > kLargestIntervalCv ||
        found.interval_mad > kLargestIntervalMad ||
        found.median_ms > kLongestComponentShare * 1000.0 / found.rate_hz) {
      continue;
    }
    *rate_hz = found.rate_hz;
    *regularity = 1.0 - found.interval_mad;
    return found.median_ms <= kLongestSpikeMs ? TrainPattern::kBSpikes : TrainPattern::kBBursts;
  }
  return TrainPattern::kNone;
}

void TrainPatternDetector::Evaluate(std::uint64_t now, std::vector<PatternTrain>& trains) {
  if (MsOf(now - active_since_) < options_.c_min_ms) return;
  double rate_hz = 0.0;
  double regularity = 0.0;
  const TrainPattern seen = Classify(&rate_hz, &regularity);
  const bool both_b = seen >= TrainPattern::kBSpikes && seen <= TrainPattern::kBBursts &&
                      slow_ >= TrainPattern::kBSpikes && slow_ <= TrainPattern::kBBursts;
  if (slow_ != TrainPattern::kNone && (seen == slow_ || both_b)) {
    candidate_times_ = 0;
    slow_measured_.rate_hz = rate_hz;
    slow_measured_.regularity = regularity;
    return;
  }
  candidate_times_ = seen == candidate_ ? candidate_times_ + 1 : 1;
  candidate_ = seen;
  if (seen == TrainPattern::kNone) {
    if (slow_ == TrainPattern::kNone || candidate_times_ < kTimesToEnd) return;
    trains.push_back(Describe(slow_measured_, slow_, ActivityPhase::kEnded));
    slow_ = TrainPattern::kNone;
    return;
  }
  if (candidate_times_ < kTimesToBegin) return;
  if (slow_ != TrainPattern::kNone) {
    trains.push_back(Describe(slow_measured_, slow_, ActivityPhase::kEnded));
  }
  if (named_before_) {
    // What came before had another name, or none: this one's begin is where it was seen first.
    const auto back = static_cast<std::uint64_t>(options_.c_min_ms * options_.sample_rate_hz / 1e3);
    slow_measured_ = {};
    slow_measured_.first_sample = std::max(active_since_, now > back ? now - back : 0);
    slow_measured_.last_sample = now - 1;
  }
  slow_ = seen;
  named_before_ = true;
  slow_measured_.rate_hz = rate_hz;
  slow_measured_.regularity = regularity;
  trains.push_back(Describe(slow_measured_, slow_, ActivityPhase::kBegan));
}

void TrainPatternDetector::EndSlow(bool interrupted, std::vector<PatternTrain>& trains) {
  if (slow_ != TrainPattern::kNone) {
    slow_measured_.last_sample = last_active_;
    trains.push_back(Describe(slow_measured_, slow_, ActivityPhase::kEnded));
    trains.back().interrupted = interrupted;
  }
  active_ = named_before_ = false;
  slow_ = candidate_ = TrainPattern::kNone;
  candidate_times_ = bins_since_evaluation_ = 0;
  bins_.clear();
  periodic_.clear();
}

void TrainPatternDetector::Interrupt(std::vector<PatternTrain>& trains) {
  EndFast(/*interrupted=*/true, trains);
  EndSlow(/*interrupted=*/true, trains);
  window_.clear();
  held_.clear();
  fast_slots_ = slots_since_fast_ = 0;
}

void TrainPatternDetector::Flush(std::vector<PatternTrain>& trains) {
  for (std::size_t i = window_.size() > 2 ? window_.size() - 2 : 0; i < window_.size(); ++i) {
    Judge(i, trains);
  }
  Interrupt(trains);
  slots_.Restart();
}

PatternTrain TrainPatternDetector::Describe(const Measured& measured, TrainPattern pattern,
                                            ActivityPhase phase) const {
  PatternTrain train;
  train.pattern = pattern;
  train.phase = phase;
  train.first_sample = measured.first_sample;
  train.last_sample = std::max(measured.last_sample, measured.first_sample);
  train.duration_ms = MsOf(train.last_sample + 1 - train.first_sample);
  train.peak_uv = measured.peak_uv;
  if (measured.samples > 0) {
    train.rms_uv = std::sqrt(measured.energy / static_cast<double>(measured.samples));
  }
  train.onset_ms = measured.OnsetMs();
  if (pattern == TrainPattern::kA && measured.rates > 0) {
    train.rate_hz = measured.rate_sum / measured.rates;
    train.regularity = measured.regularity_sum / measured.rates;
  } else {
    train.rate_hz = measured.rate_hz;
    train.regularity = measured.regularity;
  }
  return train;
}

std::optional<PatternTrain> TrainPatternDetector::Current() const {
  if (in_fast_) return Describe(fast_, TrainPattern::kA, ActivityPhase::kBegan);
  if (slow_ == TrainPattern::kNone) return std::nullopt;
  return Describe(slow_measured_, slow_, ActivityPhase::kBegan);
}

double TrainPatternDetector::train_time_ms() const {
  if (!in_fast_) return train_time_ms_;
  return train_time_ms_ + MsOf(fast_.last_sample + 1 - fast_.first_sample);
}

}  // namespace remora::dsp
