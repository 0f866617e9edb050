#include "acquisition-agent/surveillance/evoked_trace.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/waveform_records.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

dsp::Polarity PolarityOf(v1::Polarity polarity) {
  return polarity == v1::POLARITY_NEGATIVE ? dsp::Polarity::kTrough : dsp::Polarity::kPeak;
}

dsp::ComponentPair PairOf(const v1::EvokedPlan& plan, bool near_expected) {
  const auto window = [&](const v1::ComponentPlan& component) {
    dsp::LatencyWindow whole{component.window_from_ms(), component.window_to_ms()};
    if (!near_expected || component.expected_ms() <= 0) return whole;
    const double room = kExpectedShare * component.expected_ms();
    return dsp::LatencyWindow{std::max(whole.start_ms, component.expected_ms() - room),
                              std::min(whole.end_ms, component.expected_ms() + room)};
  };
  dsp::ComponentPair pair;
  pair.first_name = plan.component(0).label();
  pair.second_name = plan.component(1).label();
  pair.first_polarity = PolarityOf(plan.component(0).polarity());
  pair.first_window = window(plan.component(0));
  pair.second_window = window(plan.component(1));
  pair.max_inter_peak_ms = plan.component(1).window_to_ms() - plan.component(0).window_from_ms();
  return pair;
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

absl::Status EvokedTrace::AddRow(const v1::Criterion& criterion) {
  // A limit that the file leaves out lies where no response gets.
  constexpr double kNeverFallPercent = 100;
  constexpr double kNeverRisePercent = 1e6;
  Row row;
  row.criterion = criterion;
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

void EvokedTrace::OnAverage(const EvokedAverage& average, int64_t now_ns) {
  // Of fewer than two sweeps neither noise nor halves are known: nothing that could be shown.
  if (average.accepted < 2) return;
  if (average.provisional) {
    OnProvisional(average, now_ns);
  } else {
    OnFinished(average, now_ns);
  }
}

RecordKey EvokedTrace::PutSweep(const EvokedAverage& average, const dsp::PairMarking& marking,
                                const dsp::Reproducibility& halves, int64_t now_ns) {
  v1::Record record;
  v1::Sweep& sweep = *record.mutable_sweep();
  sweep = MakeSweep(average, plan_);
  sweep.set_odd_even_correlation(halves.correlation);
  const std::string doubts = dsp::DoubtText(marking.doubts);
  if (marking.presence != dsp::Presence::kAbsent) {
    for (const auto& [label, peak] : {std::pair{plan_.plan.component(0).label(), marking.first},
                                      std::pair{plan_.plan.component(1).label(), marking.second}}) {
      v1::PeakMark& mark = *sweep.add_marks();
      mark.set_label(label);
      mark.set_latency_ms(FiniteOr0(peak.latency_ms));
      mark.set_amplitude_uv(FiniteOr0(peak.value_uv));
      mark.set_confidence(ConfidenceOf(marking.presence));
      mark.set_reason(doubts);
    }
  }
  if (marking.presence == dsp::Presence::kUncertain) {
    sweep.add_quality(v1::QUALITY_FLAG_UNCERTAIN_MARK);
  }
  if (!halves.reproducible()) sweep.add_quality(v1::QUALITY_FLAG_NOT_REPRODUCIBLE);
  return sink_.Put(&record, now_ns);
}

void EvokedTrace::OnProvisional(const EvokedAverage& average, int64_t now_ns) {
  PutSweep(average, Mark(average),
           dsp::CompareHalves(average.odd_uv, average.even_uv, average.timebase, GateWindow()),
           now_ns);
}

void EvokedTrace::OnFinished(const EvokedAverage& average, int64_t now_ns) {
  Finished finished;
  finished.average = average;
  finished.marking =
      tracker_.has_baseline()
          ? tracker_.Track(average.mean_uv, average.timebase, average.noise_uv).marking
          : MarkWithoutHistory(average);
  const dsp::ReproducibilityLimits gate =
      rows_.empty() ? dsp::ReproducibilityLimits() : rows_[0].gate;
  const dsp::Reproducibility halves =
      dsp::CompareHalves(average.odd_uv, average.even_uv, average.timebase, GateWindow(), gate);
  finished.reproducible = halves.reproducible();
  finished.sweep = PutSweep(average, finished.marking, halves, now_ns);
  finished_.push_back(finished);
  if (finished_.size() > kMaxRememberedAverages) finished_.pop_front();
  if (baselines_.empty()) CollectBaseline(finished, now_ns);
  Judge(finished, now_ns);
}

bool EvokedTrace::has_open_alert() const {
  return std::any_of(rows_.begin(), rows_.end(),
                     [](const Row& row) { return row.alert.is_open(); });
}

void EvokedTrace::OnAlertResolved(const RecordKey& raised_by) {
  for (Row& row : rows_) row.alert.OnResolved(raised_by);
}

}  // namespace remora::agent
