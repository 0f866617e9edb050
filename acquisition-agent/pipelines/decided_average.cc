#include "acquisition-agent/pipelines/decided_average.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/limits.h"

namespace remora::agent {
namespace {

// From the first component's window to the end of the second's, and on as far as the rule needs
// samples.
dsp::LatencyWindow RuleWindow(const v1::EvokedPlan& plan, const dsp::Timebase& timebase) {
  dsp::LatencyWindow window{plan.component(0).window_from_ms(), plan.component(1).window_to_ms()};
  const double least_ms = static_cast<double>(2 * dsp::kMaxHotellingFeatures) * timebase.StepMs();
  window.end_ms = std::min(std::max(window.end_ms, window.start_ms + least_ms), plan.epoch_to_ms());
  return window;
}

// Of the end of the second component's window: two peaks are at least so far apart, or 1 ms. Wave V
// and its trough are nearer than N20 and P25.
constexpr double kLeastInterPeakShare = 0.05;

bool IsDecided(const dsp::SequentialLook& look) {
  return look.state == dsp::SequentialState::kPresent ||
         look.state == dsp::SequentialState::kAbsent;
}

}  // namespace

double AmplitudeBias::Of(const dsp::PairMarking& marking, const dsp::Timebase& timebase) const {
  const auto is_at = [&](const dsp::Extremum& peak, double at_ms) {
    return std::fabs(peak.latency_ms - at_ms) <= timebase.StepMs();
  };
  if (marking.presence != dsp::Presence::kPresent || !is_at(marking.first, first_ms) ||
      !is_at(marking.second, second_ms)) {
    return 0;
  }
  return std::min(uv, marking.amplitude_uv);
}

dsp::Polarity PolarityOf(v1::Polarity polarity) {
  return polarity == v1::POLARITY_NEGATIVE ? dsp::Polarity::kTrough : dsp::Polarity::kPeak;
}

dsp::LatencyWindow WindowNear(const v1::ComponentPlan& component, double at_ms) {
  const dsp::LatencyWindow whole{component.window_from_ms(), component.window_to_ms()};
  if (at_ms <= 0) return whole;
  const double room = kExpectedShare * at_ms;
  return {std::max(whole.start_ms, at_ms - room), std::min(whole.end_ms, at_ms + room)};
}

dsp::ComponentPair PairOf(const v1::EvokedPlan& plan, bool near_expected) {
  const auto window = [&](const v1::ComponentPlan& component) {
    return WindowNear(component, near_expected ? component.expected_ms() : 0);
  };
  dsp::ComponentPair pair;
  pair.first_name = plan.component(0).label();
  pair.second_name = plan.component(1).label();
  pair.first_polarity = PolarityOf(plan.component(0).polarity());
  pair.first_window = window(plan.component(0));
  pair.second_window = window(plan.component(1));
  pair.min_inter_peak_ms =
      std::min(pair.min_inter_peak_ms, kLeastInterPeakShare * plan.component(1).window_to_ms());
  pair.max_inter_peak_ms = plan.component(1).window_to_ms() - plan.component(0).window_from_ms();
  return pair;
}

absl::StatusOr<DecidedAverage> DecidedAverage::Create(const v1::EvokedPlan& plan, size_t samples,
                                                      const dsp::Timebase& timebase) {
  const bool ends = plan.has_sequential();
  const v1::SequentialPlan rule = SequentialRule(plan);
  dsp::SequentialOptions options;
  options.pair = PairOf(plan, /*near_expected=*/false);
  options.window = RuleWindow(plan, timebase);
  // What ends an average is looked at often; what only tells of it, as often as a person looks.
  if (ends) options.block_sweeps = kDecisionSweeps;
  options.min_sweeps = ends ? rule.minimum_sweep_count() : kMinSequentialSweeps;
  options.max_sweeps = rule.maximum_sweep_count();
  options.max_amplitude_error = rule.amplitude_error_percent() / 100;
  options.max_latency_error_ms = rule.latency_error_ms();
  options.judge_second_latency = false;
  DecidedAverage average(samples, timebase, options.max_sweeps, ends);
  auto sequential = dsp::SequentialAverage::Create(options, samples, timebase);
  if (sequential.ok()) {
    average.rule_ = *std::move(sequential);
  } else if (ends) {
    return sequential.status();
  }
  return average;
}

dsp::Rejection DecidedAverage::Add(std::span<const double> uv, dsp::Rejection cause) {
  if (!rule_) return plain_.Add(uv, cause);
  const uint32_t before = sweeps().rejected();
  const uint32_t not_finite = sweeps().rejected(dsp::Rejection::kNonFinite);
  if (auto look = rule_->Add(uv, cause)) last_ = std::move(look);
  if (sweeps().rejected() == before) return dsp::Rejection::kNone;
  return sweeps().rejected(dsp::Rejection::kNonFinite) > not_finite ? dsp::Rejection::kNonFinite
                                                                    : cause;
}

void DecidedAverage::Reset() {
  if (rule_) {
    rule_->Reset();
  } else {
    plain_.Reset();
  }
  last_.reset();
}

uint32_t DecidedAverage::next_end() const {
  const uint32_t accepted = sweeps().accepted();
  const uint32_t next = ends_ ? (accepted / kDecisionSweeps + 1) * kDecisionSweeps : most_;
  return std::max(std::min(next, most_), accepted + 1);
}

bool DecidedAverage::decided() const {
  return ends_ && last_ && last_->sweeps == sweeps().accepted() && IsDecided(*last_);
}

AmplitudeBias DecidedAverage::amplitude_bias() const {
  if (!ends_ || !rule_ || sweeps().accepted() < kMinSequentialSweeps) return {};
  const bool is_new = last_ && last_->sweeps == sweeps().accepted();
  const dsp::SequentialLook look = is_new ? *last_ : rule_->Now();
  const double bias_uv = look.marking.amplitude_uv - look.amplitude_uv;
  if (!look.present || !std::isfinite(bias_uv)) return {};
  return {bias_uv, look.marking.first.latency_ms, look.marking.second.latency_ms};
}

uint32_t DecidedAverage::more_needed() const {
  const uint32_t accepted = sweeps().accepted();
  if (!rule_ || accepted < kMinSequentialSweeps || decided()) return 0;
  const dsp::SequentialLook look = last_ && last_->sweeps == accepted ? *last_ : rule_->Now();
  if (!ends_ && IsDecided(look)) return 0;
  // One that is content between two looks ends at the next, if it still is.
  const uint32_t least = ends_ ? kDecisionSweeps - accepted % kDecisionSweeps : 1;
  const double more = std::ceil(look.more.total - accepted);
  return more < kMostSweepsAsked ? std::max(static_cast<uint32_t>(std::max(more, 0.0)), least)
                                 : kMostSweepsAsked;
}

}  // namespace remora::agent
