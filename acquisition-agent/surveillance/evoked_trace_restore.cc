// EvokedTrace: how it goes on in the middle of a case, from what is on record.
#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/surveillance/evoked_trace.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/record_codec.h"
#include "common/sample_codec.h"
#include "common/status_macros.h"
#include "dsp/motor/cubic_spline.h"

namespace remora::agent {
// The trace on record is thinned by a whole factor, and holds all that the filter let through.
absl::StatusOr<EvokedAverage> EvokedTrace::AverageOf(const v1::BaselineSet& set) const {
  ASSIGN_OR_RETURN(const std::vector<double> thin, UnpackMicrovolts(set.average()));
  const double rate_hz = plan_.derivation.sample_rate_hz;
  const double factor = set.sample_rate_hz() > 0 ? rate_hz / set.sample_rate_hz() : 0;
  if (thin.size() < 3 || factor < 1 || std::fabs(factor - std::round(factor)) > 1e-6) {
    return absl::FailedPreconditionError("it was recorded at another rate");
  }
  const dsp::CubicSpline spline(thin);
  EvokedAverage average;
  average.timebase = {rate_hz, set.first_sample_ms()};
  const auto samples = static_cast<size_t>(std::round(factor)) * (thin.size() - 1) + 1;
  for (size_t i = 0; i < samples; ++i) {
    average.mean_uv.push_back(spline.At(static_cast<double>(i) / std::round(factor)));
  }
  average.delivered_ma = set.stimulus().current_ma();
  average.rate_hz = set.stimulus().rate_hz();
  return average;
}

// The peaks of the reference are those on record; where they are looked for anew, they are the same
// ones or none.
absl::Status EvokedTrace::RestoreBaseline(const CasePast::Baseline& past) {
  const v1::BaselineSet& set = past.set;
  if (!(std::isfinite(set.amplitude_uv()) && set.amplitude_uv() > 0 &&
        std::isfinite(set.latency_ms()) && set.latency_ms() > 0)) {
    return absl::FailedPreconditionError("it has no amplitude and latency");
  }
  ASSIGN_OR_RETURN(const EvokedAverage average, AverageOf(set));
  const auto fits = [&](const dsp::PairMarking& marking) {
    return marking.presence != dsp::Presence::kAbsent &&
           std::fabs(marking.first.latency_ms - set.latency_ms()) <=
               kSameLatencyShare * set.latency_ms();
  };
  dsp::PairMarking marking = Mark(average);
  if (!fits(marking)) marking = MarkWithoutHistory(average);
  if (!fits(marking)) {
    return absl::FailedPreconditionError(
        absl::StrFormat("its %s is not found at %.1f ms", ComponentName(), set.latency_ms()));
  }
  RETURN_IF_ERROR(tracker_.SetBaseline(average.mean_uv, average.timebase, 0, marking));
  Baseline baseline;
  baseline.id = past.key;
  baseline.amplitude_uv = set.amplitude_uv();
  baseline.latency_ms = set.latency_ms();
  baseline.marks = MarkAll(average, marking);
  baseline.mean_uv = average.mean_uv;
  baseline.conditions = ConditionsOf(average);
  baseline.conditions.filter = set.filter().ShortDebugString();
  baseline.conditions.stimulus_site = set.stimulus().site();
  return AddBaseline(std::move(baseline));
}

void EvokedTrace::RestoreAlerts(const CasePast& past) {
  for (const CasePast::Alert& alert : past.alerts) {
    if (alert.last.trace_id() != plan_.trace_id ||
        alert.last.alert_class() != v1::ALERT_CLASS_PHYSIOLOGICAL) {
      continue;
    }
    for (Row& row : rows_) {
      if (row.criterion.key() != alert.last.criterion().key()) continue;
      row.alert.Restore(alert);
      row.judged_by = FromProto(alert.last.evidence().baseline());
      row.level = alert.is_on() ? LevelOf(alert.last.priority()) : dsp::AlertLevel::kNormal;
    }
  }
}

std::string EvokedTrace::RestoreBaselines(const CasePast& past) {
  std::vector<const CasePast::Baseline*> own;
  for (const CasePast::Baseline& baseline : past.baselines) {
    if (baseline.set.trace_id() == plan_.trace_id) own.push_back(&baseline);
  }
  if (own.empty()) return collects_ ? "" : "it has no baseline: set one";
  if (own.size() > 2) own.erase(own.begin() + 1, own.end() - 1);
  std::string why;
  for (const CasePast::Baseline* baseline : own) {
    if (const absl::Status status = RestoreBaseline(*baseline); !status.ok()) {
      why = std::string(status.message());
    }
  }
  if (why.empty()) return "";
  // One of two is better than none.
  if (!baselines_.empty()) {
    return absl::StrCat("one of its two baselines on record does not fit (", why,
                        "), the other one counts: set one");
  }
  collects_ = false;
  return absl::StrCat("the baseline on record does not fit (", why, "): set one");
}

std::string EvokedTrace::Restore(const CasePast& past) {
  // What is collected in the middle of an operation may be what it has done.
  collects_ = past.phase != v1::PHASE_UNSPECIFIED && past.phase < v1::PHASE_EXPOSURE;
  // Whatever becomes of the baselines: what is on record as on is on.
  RestoreAlerts(past);
  std::string todo = RestoreBaselines(past);
  for (Row& row : rows_) {
    if (!row.alert.is_on()) continue;
    // What a response has lately been is not on record.
    row.lost_its_baseline = row.adaptive || std::none_of(baselines_.begin(), baselines_.end(),
                                                         [&](const Baseline& baseline) {
                                                           return baseline.id == row.judged_by;
                                                         });
    for (dsp::FixedCriterion& criterion : row.against) criterion.Hold(row.level);
  }
  if (!todo.empty() && has_open_alert()) {
    absl::StrAppend(&todo, ", once its alert is resolved or dismissed");
  }
  return todo;
}

}  // namespace remora::agent
