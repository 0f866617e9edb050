#include "tests/bench/theatre/result_times.h"

#include <algorithm>
#include <cmath>

#include "acquisition-agent/plan/limits.h"

namespace remora::agent {
namespace {

// Behind the epoch's last sample, as dsp/evoked/epoch.h interpolates: six points.
constexpr int64_t kSamplesBehind = 3;
// A train-of-four looks a little beyond its twitch for the noise.
constexpr double kTwitchNoiseMs = 20;
// A map tells all of its contacts at once; no plan here has as many sweeps between two of them.
constexpr size_t kSweepsRemembered = 4096;

int64_t LastSample(int64_t stimulus_ns, double to_ms, double rate_hz) {
  const double position = std::floor(static_cast<double>(stimulus_ns) * rate_hz / 1e9);
  const double last = position + std::round(to_ms * rate_hz / 1000) + kSamplesBehind;
  return static_cast<int64_t>(last * 1e9 / rate_hz);
}

bool IsMap(v1::Modality modality) {
  return modality == v1::MODALITY_MAP_MIDLINE ||
         modality == v1::MODALITY_MAP_CORTICAL_PHASE_REVERSAL;
}

// An average that a pause of its stimuli ended, or too many bad sweeps: not its last sample did.
bool IsCut(const v1::Sweep& sweep) {
  return sweep.requested_count() > 1 && sweep.accepted_count() < sweep.requested_count() &&
         !sweep.decided();
}

TimedResult OfBlock(const v1::SampleBlock& block) {
  const double samples = block.samples().sample_count() - 1.0;
  return {block.modality(), false,
          block.started_monotonic_ns() + std::llround(samples * 1e9 / block.sample_rate_hz())};
}

TimedResult OfWindow(const v1::SpectralEdge& window, double sent_rate_hz) {
  TimedResult result{window.modality(), false, std::nullopt};
  if (window.quality().empty()) {
    result.last_sample_ns =
        window.started_monotonic_ns() + std::llround(window.window_ms() * 1e6 - 1e9 / sent_rate_hz);
  }
  return result;
}

}  // namespace

ResultTimes::ResultTimes(const ResolvedPlan& plan) {
  for (const ResolvedEvoked& evoked : plan.evoked) {
    epochs_[evoked.trace_id] = {evoked.plan.epoch_to_ms(), evoked.derivation.sample_rate_hz};
  }
  for (const ResolvedMotor& motor : plan.motor) {
    for (const ResolvedMuscle& muscle : motor.muscles) {
      epochs_[muscle.trace_id] = {motor.plan.epoch_to_ms(), muscle.derivation.sample_rate_hz};
    }
  }
  for (const ResolvedTrainOfFour& tof : plan.train_of_four) {
    epochs_[tof.trace_id] = {std::min(kTwitchEpochMs, tof.plan.window_to_ms() + kTwitchNoiseMs),
                             tof.derivation.sample_rate_hz};
  }
  for (const ResolvedMapping& mapping : plan.mapping) {
    for (size_t i = 0; i < mapping.trace_ids.size(); ++i) {
      epochs_[mapping.trace_ids[i]] = {mapping.plan.epoch_to_ms(),
                                       mapping.derivations[i].sample_rate_hz};
    }
  }
  for (const ResolvedEeg& eeg : plan.eeg) {
    epochs_[eeg.trace_id] = {0, eeg.plan.sent_rate_hz()};
  }
}

void ResultTimes::NoteSweep(const v1::Sweep& sweep, uint64_t seq) {
  const auto epoch = epochs_.find(sweep.trace_id());
  if (sweep.provisional() || IsCut(sweep) || epoch == epochs_.end()) return;
  sweeps_[seq] = {sweep.modality(), LastSample(sweep.last_stimulus_monotonic_ns(),
                                               epoch->second.to_ms, epoch->second.sample_rate_hz)};
  if (sweeps_.size() > kSweepsRemembered) sweeps_.erase(sweeps_.begin());
}

std::optional<TimedResult> ResultTimes::Of(const v1::Record& record, const RecordKey& key) {
  switch (record.body_case()) {
    case v1::Record::kSweep:
      NoteSweep(record.sweep(), key.origin_seq);
      return std::nullopt;
    case v1::Record::kMeasurement:
      return OfMeasurement(record.measurement());
    case v1::Record::kTrainOfFour:
      return OfTrain(record.train_of_four());
    case v1::Record::kMappingResult:
      return OfMap(record.mapping_result());
    case v1::Record::kSpectralEdge: {
      const auto epoch = epochs_.find(record.spectral_edge().trace_id());
      if (epoch == epochs_.end()) return std::nullopt;
      return OfWindow(record.spectral_edge(), epoch->second.sample_rate_hz);
    }
    case v1::Record::kSampleBlock:
      // Of EEG the windows count.
      if (record.sample_block().modality() != v1::MODALITY_EMG_FREE_RUNNING) return std::nullopt;
      return OfBlock(record.sample_block());
    default:
      return std::nullopt;
  }
}

TimedResult ResultTimes::OfMeasurement(const v1::Measurement& measurement) const {
  TimedResult result{measurement.modality(), true, std::nullopt};
  const auto sweep = sweeps_.find(measurement.sweep().origin_seq());
  if (sweep != sweeps_.end()) result.last_sample_ns = sweep->second.last_sample_ns;
  return result;
}

TimedResult ResultTimes::OfTrain(const v1::TrainOfFour& train) const {
  TimedResult result{v1::MODALITY_TRAIN_OF_FOUR, true, std::nullopt};
  // Fewer than four are told when no more comes: that is no delay.
  if (train.sweeps_size() != 4) return result;
  const auto last = sweeps_.find(train.sweeps(3).origin_seq());
  if (last != sweeps_.end()) result.last_sample_ns = last->second.last_sample_ns;
  return result;
}

TimedResult ResultTimes::OfMap(const v1::MappingResult& map) {
  TimedResult result{map.modality(), true, std::nullopt};
  if (!IsMap(map.modality())) return result;
  // All contacts were told just before it; the one that was complete last decides.
  for (const auto& [seq, sweep] : sweeps_) {
    if (sweep.modality != map.modality()) continue;
    result.last_sample_ns =
        std::max(result.last_sample_ns.value_or(sweep.last_sample_ns), sweep.last_sample_ns);
  }
  // The next map rests on its own: one that was cut has none here, and is not timed.
  std::erase_if(sweeps_, [&](const auto& one) { return one.second.modality == map.modality(); });
  return result;
}

}  // namespace remora::agent
