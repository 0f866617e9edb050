#include "acquisition-agent/surveillance/evoked_trace.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/decided_average.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/component_marks.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

// Averages differ by a share of what they are; that several agree to a tenth is chance.
constexpr double kLeastRecentSpread = 0.1;

dsp::AdaptiveLimits RecentLimitsOf(const v1::AdaptiveRule& rule) {
  dsp::AdaptiveLimits limits;
  limits.reference.scale = dsp::AmplitudeScale::kLogarithmic;
  limits.reference.least_spread = kLeastRecentSpread;
  if (rule.least_fall_percent() > 0) limits.least_fall_percent = rule.least_fall_percent();
  if (rule.spreads_ratio() > 0) {
    limits.suspect_spreads = rule.spreads_ratio();
    limits.red_spreads = rule.spreads_ratio();
  }
  if (rule.least_recent_count() > 0) {
    limits.reference.least_trials = static_cast<int>(rule.least_recent_count());
  }
  if (rule.span_s() > 0) limits.reference.span_ns = static_cast<int64_t>(rule.span_s() * 1e9);
  return limits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<EvokedTrace>> EvokedTrace::Create(
    const ResolvedEvoked& plan, const std::vector<v1::Criterion>& rows,
    const std::string& criteria_version, RecordSink& sink) {
  ASSIGN_OR_RETURN(dsp::PeakTracker tracker,
                   dsp::PeakTracker::Create(PairOf(plan.plan, /*near_expected=*/false)));
  dsp::ComponentPair expected = PairOf(plan.plan, /*near_expected=*/true);
  // Where what is usual cannot hold a pair, the whole windows can.
  if (!dsp::ValidateComponentPair(expected).ok()) expected = tracker.pair();
  auto trace = std::unique_ptr<EvokedTrace>(
      new EvokedTrace(plan, criteria_version, std::move(tracker), std::move(expected), sink));
  for (const v1::Criterion& row : rows) RETURN_IF_ERROR(trace->AddRow(row));
  return trace;
}

EvokedTrace::EvokedTrace(const ResolvedEvoked& plan, const std::string& criteria_version,
                         dsp::PeakTracker tracker, dsp::ComponentPair expected, RecordSink& sink)
    : plan_(plan),
      criteria_version_(criteria_version),
      sink_(sink),
      tracker_(std::move(tracker)),
      expected_(std::move(expected)) {}

double EvokedTrace::smallest_response_uv() const {
  double fall_percent = 0;
  for (const Row& row : rows_) {
    fall_percent = std::max({fall_percent, row.criterion.red_amplitude_fall_percent(),
                             row.criterion.amber_amplitude_fall_percent()});
  }
  if (fall_percent <= 0 || baselines_.empty()) return 0;
  const auto smallest = std::min_element(
      baselines_.begin(), baselines_.end(),
      [](const Baseline& a, const Baseline& b) { return a.amplitude_uv < b.amplitude_uv; });
  return std::max(0.0, smallest->amplitude_uv * (1 - fall_percent / 100));
}

absl::Status EvokedTrace::AddRow(const v1::Criterion& criterion) {
  // A limit that the file leaves out lies where no response gets.
  constexpr double kNeverFallPercent = 100;
  constexpr double kNeverRisePercent = 1e6;
  Row row;
  row.criterion = criterion;
  if (criterion.has_adaptive()) {
    const dsp::AdaptiveLimits limits = RecentLimitsOf(criterion.adaptive());
    RETURN_IF_ERROR(dsp::ValidateLimits(limits));
    row.adaptive.emplace(limits);
    row.has_amplitude = true;
    row.limits.red_latency_rise_percent.reset();
    rows_.push_back(std::move(row));
    return absl::OkStatus();
  }
  row.has_amplitude =
      criterion.red_amplitude_fall_percent() > 0 || criterion.amber_amplitude_fall_percent() > 0;
  row.has_latency =
      criterion.red_latency_rise_percent() > 0 || criterion.amber_latency_rise_percent() > 0;
  const auto given = [](double limit, double otherwise) { return limit > 0 ? limit : otherwise; };
  row.limits.red_amplitude_drop_percent =
      given(criterion.red_amplitude_fall_percent(), kNeverFallPercent);
  if (criterion.amber_amplitude_fall_percent() > 0) {
    row.limits.amber_amplitude_drop_percent = criterion.amber_amplitude_fall_percent();
  }
  row.limits.red_latency_rise_percent.reset();
  if (row.has_latency) {
    row.limits.red_latency_rise_percent =
        given(criterion.red_latency_rise_percent(), kNeverRisePercent);
    if (criterion.amber_latency_rise_percent() > 0) {
      row.limits.amber_latency_rise_percent = criterion.amber_latency_rise_percent();
    }
  }
  RETURN_IF_ERROR(dsp::ValidateLimits(row.limits));
  if (criterion.minimum_odd_even_correlation() > 0) {
    row.gate.min_correlation = criterion.minimum_odd_even_correlation();
  }
  if (criterion.maximum_odd_even_difference_percent() > 0) {
    row.gate.max_amplitude_difference_percent = criterion.maximum_odd_even_difference_percent();
  }
  rows_.push_back(std::move(row));
  return absl::OkStatus();
}

std::string EvokedTrace::ComponentName() const {
  return absl::StrCat(plan_.plan.component(0).label(), "-", plan_.plan.component(1).label());
}

dsp::LatencyWindow EvokedTrace::GateWindow() const {
  return {plan_.plan.component(0).window_from_ms() - kGateMarginMs,
          plan_.plan.component(1).window_to_ms() + kGateMarginMs};
}

dsp::RecordingConditions EvokedTrace::ConditionsOf(const EvokedAverage& average) const {
  dsp::RecordingConditions conditions;
  conditions.derivation = plan_.plan.derivation();
  conditions.filter = plan_.plan.filter().ShortDebugString();
  conditions.stimulus_site = plan_.plan.stimulus().site();
  conditions.sample_rate_hz = average.timebase.sample_rate_hz;
  if (average.delivered_ma > 0) conditions.stimulus_intensity_ma = average.delivered_ma;
  if (average.rate_hz > 0) conditions.stimulus_rate_hz = average.rate_hz;
  return conditions;
}

dsp::PairMarking EvokedTrace::MarkWithoutHistory(const EvokedAverage& average) const {
  const dsp::PairMarking near =
      dsp::MarkPair(average.mean_uv, average.timebase, expected_, average.noise_uv);
  if (near.presence != dsp::Presence::kAbsent) return near;
  return dsp::MarkPair(average.mean_uv, average.timebase, tracker_.pair(), average.noise_uv);
}

std::optional<MeasuredAverage> EvokedTrace::OnAverage(const EvokedAverage& average,
                                                      int64_t now_ns) {
  // Of fewer than two sweeps neither noise nor halves are known: nothing that could be shown.
  if (average.accepted < 2) return std::nullopt;
  if (!average.provisional) return OnFinished(average, now_ns);
  OnProvisional(average, now_ns);
  return std::nullopt;
}

std::vector<v1::PeakMark> EvokedTrace::MarkAll(const EvokedAverage& average,
                                               const dsp::PairMarking& pair) const {
  return MarkComponents(plan_.plan, average, pair,
                        baselines_.empty() ? std::vector<v1::PeakMark>() : baselines_.back().marks);
}

RecordKey EvokedTrace::PutSweep(const EvokedAverage& average, const dsp::PairMarking& marking,
                                const std::vector<v1::PeakMark>& marks,
                                const dsp::Reproducibility& halves, int64_t now_ns) {
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep = MakeSweep(average, plan_);
  sweep.set_odd_even_correlation(halves.correlation);
  for (const v1::PeakMark& mark : marks) {
    if (mark.confidence() != v1::MARK_CONFIDENCE_NO_RESPONSE) *sweep.add_marks() = mark;
  }
  if (marking.presence == dsp::Presence::kUncertain) {
    sweep.add_quality(v1::QUALITY_FLAG_UNCERTAIN_MARK);
  }
  if (!halves.reproducible()) sweep.add_quality(v1::QUALITY_FLAG_NOT_REPRODUCIBLE);
  return sink_.Put(&record, now_ns);
}

void EvokedTrace::OnProvisional(const EvokedAverage& average, int64_t now_ns) {
  const dsp::PairMarking marking = Mark(average);
  PutSweep(average, marking, MarkAll(average, marking),
           dsp::CompareHalves(average.odd_uv, average.even_uv, average.timebase, GateWindow()),
           now_ns);
}

MeasuredAverage EvokedTrace::OnFinished(const EvokedAverage& average, int64_t now_ns) {
  Finished finished;
  finished.average = average;
  finished.marking =
      tracker_.has_baseline()
          ? tracker_.Track(average.mean_uv, average.timebase, average.noise_uv).marking
          : MarkWithoutHistory(average);
  finished.bias_uv = average.amplitude_bias.Of(finished.marking, average.timebase);
  finished.marking.amplitude_uv -= finished.bias_uv;
  const dsp::ReproducibilityLimits gate =
      rows_.empty() ? dsp::ReproducibilityLimits() : rows_[0].gate;
  const dsp::Reproducibility halves =
      dsp::CompareHalves(average.odd_uv, average.even_uv, average.timebase, GateWindow(), gate);
  finished.reproducible = halves.reproducible();
  finished.marks = MarkAll(average, finished.marking);
  finished.sweep = PutSweep(average, finished.marking, finished.marks, halves, now_ns);
  finished_.push_back(finished);
  if (finished_.size() > kMaxRememberedAverages) finished_.pop_front();
  if (baselines_.empty()) CollectBaseline(finished, now_ns);
  return Judge(finished, now_ns);
}

bool EvokedTrace::has_open_alert() const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [](const Row& row) { return row.alert.is_open(); });
}

void EvokedTrace::OnAlertResolved(const v1::AlertAction& action) {
  for (Row& row : rows_) {
    const bool was_open = row.alert.is_open();
    row.alert.OnResolved(action);
    // What is there now is what the adaptive criterion goes on from.
    if (was_open && !row.alert.is_open() && row.adaptive) row.adaptive->Restart();
  }
}

}  // namespace remora::agent
