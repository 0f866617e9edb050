#include "acquisition-agent/pipelines/waveform_records.h"

#include <algorithm>
#include <cmath>

#include "acquisition-agent/pipelines/limits.h"
#include "common/sample_codec.h"

namespace remora::agent {
namespace {

// A trace is sent with at least this many samples a period of the filter's upper corner, as long as
// it then has no more than kMaxSweepSamples.
constexpr double kSamplesPerPeriod = 6;

double Largest(std::span<const double> uv) {
  double largest = 0;
  for (const double value : uv) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  return largest;
}

std::vector<double> EveryNth(std::span<const double> uv, int factor) {
  std::vector<double> thinned;
  thinned.reserve(uv.size() / static_cast<size_t>(factor) + 1);
  for (size_t i = 0; i < uv.size(); i += static_cast<size_t>(factor)) thinned.push_back(uv[i]);
  return thinned;
}

}  // namespace

double StepFor(std::span<const double> uv, double resolution_uv, double averaged,
               double smallest_uv) {
  return std::max({smallest_uv, resolution_uv / std::sqrt(std::max(averaged, 1.0)),
                   Largest(uv) / kLargestCount});
}

namespace {

// One trace, or three of equal length: the mean of `averaged` sweeps and of each half of them.
struct Traces {
  std::span<const double> mean_uv;
  std::span<const double> odd_uv;
  std::span<const double> even_uv;
  double averaged = 1;
};

v1::Sweep Pack(const Traces& traces, const dsp::Timebase& timebase, double resolution_uv,
               double low_pass_hz) {
  const double rate = timebase.sample_rate_hz;
  // The filter has taken away what thinning could fold back.
  int factor = 1;
  if (low_pass_hz > 0) {
    factor = std::max(1, static_cast<int>(rate / (kSamplesPerPeriod * low_pass_hz)));
  }
  while (traces.mean_uv.size() / static_cast<size_t>(factor) > kMaxSweepSamples) ++factor;

  v1::Sweep sweep;
  for (;; ++factor) {
    sweep.Clear();
    sweep.set_sample_rate_hz(rate / factor);
    sweep.set_first_sample_ms(timebase.start_ms);
    const auto pack = [&](std::span<const double> uv, double averaged) {
      const std::vector<double> thinned = EveryNth(uv, factor);
      return PackMicrovolts(thinned, StepFor(thinned, resolution_uv, averaged, kSmallestStepUv));
    };
    *sweep.mutable_average() = pack(traces.mean_uv, traces.averaged);
    if (!traces.odd_uv.empty()) {
      *sweep.mutable_odd_average() = pack(traces.odd_uv, traces.averaged / 2);
      *sweep.mutable_even_average() = pack(traces.even_uv, traces.averaged / 2);
    }
    if (sweep.ByteSizeLong() + 2 * kRecordHeaderRoomBytes <= kMaxSweepBytes) return sweep;
  }
}

}  // namespace

v1::Sweep PackTrace(std::span<const double> uv, const dsp::Timebase& timebase, double resolution_uv,
                    double low_pass_hz) {
  Traces traces;
  traces.mean_uv = uv;
  return Pack(traces, timebase, resolution_uv, low_pass_hz);
}

v1::Sweep MakeSweep(const MotorTrial& trial, size_t muscle, const ResolvedMotor& plan) {
  const MuscleAnswer& answer = trial.answers[muscle];
  const ResolvedMuscle& of = plan.muscles[muscle];
  v1::Sweep sweep =
      PackTrace(answer.uv, trial.timebase, answer.uv_per_count, plan.plan.filter().low_pass_hz());
  sweep.set_trace_id(of.trace_id);
  sweep.set_modality(plan.plan.modality());
  sweep.set_side(of.plan.side());
  sweep.set_level_role(of.plan.level_role());
  sweep.set_derivation(of.plan.derivation());
  sweep.set_requested_count(1);
  sweep.set_accepted_count(answer.is_good() ? 1 : 0);
  sweep.set_site(trial.site);
  sweep.set_trial_index(trial.trial_index);
  sweep.set_block_index(trial.trial_index);
  sweep.set_first_stimulus_monotonic_ns(trial.stimulus.time_ns);
  sweep.set_last_stimulus_monotonic_ns(trial.stimulus.time_ns);
  *sweep.mutable_filter() = plan.plan.filter();
  *sweep.mutable_stimulus() = trial.setting;
  return sweep;
}

v1::Sweep MakeSweep(const EvokedAverage& average, const ResolvedEvoked& plan) {
  Traces traces;
  traces.mean_uv = average.mean_uv;
  traces.averaged = average.accepted;
  if (average.accepted >= 2) {
    traces.odd_uv = average.odd_uv;
    traces.even_uv = average.even_uv;
  }
  v1::Sweep sweep =
      Pack(traces, average.timebase, average.uv_per_count, plan.plan.filter().low_pass_hz());
  sweep.set_modality(plan.plan.modality());
  sweep.set_side(plan.plan.side());
  sweep.set_level_role(plan.plan.level_role());
  sweep.set_trace_id(plan.trace_id);
  sweep.set_derivation(plan.plan.derivation());
  sweep.set_requested_count(average.requested);
  sweep.set_accepted_count(average.accepted);
  sweep.set_more_needed_count(average.more_needed);
  sweep.set_decided(average.decided);
  *sweep.mutable_rejected() = average.rejected;
  if (std::isfinite(average.noise_uv)) sweep.set_noise_uv_rms(average.noise_uv);
  sweep.set_provisional(average.provisional);
  sweep.set_block_index(average.block_index);
  sweep.set_first_stimulus_monotonic_ns(average.first_stimulus_ns);
  sweep.set_last_stimulus_monotonic_ns(average.last_stimulus_ns);
  *sweep.mutable_filter() = plan.plan.filter();
  *sweep.mutable_stimulus() = plan.plan.stimulus();
  if (average.delivered_ma > 0) sweep.mutable_stimulus()->set_current_ma(average.delivered_ma);
  if (average.rate_hz > 0) sweep.mutable_stimulus()->set_rate_hz(average.rate_hz);
  for (const v1::QualityFlag flag : average.quality) sweep.add_quality(flag);
  return sweep;
}

namespace {

// Least and largest of each 2 * factor samples, in their order: no peak is lost.
std::vector<double> Extremes(std::span<const double> uv, size_t factor) {
  std::vector<double> kept;
  for (size_t at = 0; at < uv.size(); at += 2 * factor) {
    const std::span<const double> part = uv.subspan(at, std::min(2 * factor, uv.size() - at));
    const auto [low, high] = std::minmax_element(part.begin(), part.end());
    kept.push_back(low < high ? *low : *high);
    if (part.size() > factor) kept.push_back(low < high ? *high : *low);
  }
  return kept;
}

}  // namespace

v1::PackedSamples ReduceTrace(std::span<const double> uv, double sample_rate_hz, size_t most,
                              double* interval_ms) {
  const size_t factor = std::max<size_t>(1, (uv.size() + most - 1) / most);
  *interval_ms = static_cast<double>(factor) * 1000.0 / sample_rate_hz;
  const std::vector<double> reduced =
      factor == 1 ? std::vector<double>(uv.begin(), uv.end()) : Extremes(uv, factor);
  return PackMicrovolts(reduced, StepFor(reduced, 0, 1, kSmallestStepUv));
}

}  // namespace remora::agent
