// Watches one averaged response: marks its peaks, keeps its baselines, judges each finished average
// by the plan's criteria, and writes down all of it.
//
// Records it makes: Sweep (each average), Measurement (each finished one), BaselineSet, Alert, and
// a system Message when a person's baseline cannot be set. Thread-compatible, on the agent's
// sequence.
//
// Invariants: 1. a re-baseline adds a reference and never replaces the first one: limits hold
// against both, and the alert names the one that is worse; 2. none is set while an alert is open,
// nor from averages whose marks are not clear or disagree; 3. an average that is not reproducible,
// or whose electrodes failed, lowers no alert and raises none unless noise cannot explain the loss
// (dsp/assess);
// 4. the alert can be read alone: it carries numbers, criterion, source and both traces.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/pipelines/sep_pipeline.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "dsp/assess/adaptive_criterion.h"
#include "dsp/assess/fixed_criteria.h"
#include "dsp/evoked/peak_tracker.h"
#include "dsp/evoked/reproducibility.h"
#include "remora/v1/case.pb.h"

namespace remora::agent {

// What a finished average was measured to be, for what is read off two traces.
struct MeasuredAverage {
  RecordKey record;
  v1::Measurement measurement;
  int64_t first_stimulus_ns = 0;
  int64_t last_stimulus_ns = 0;
};

class EvokedTrace {
 public:
  // `rows`: the plan's criteria, in its order. `sink` outlives it. InvalidArgument: components or
  // limits that dsp refuses.
  static absl::StatusOr<std::unique_ptr<EvokedTrace>> Create(const ResolvedEvoked& plan,
                                                             const std::vector<v1::Criterion>& rows,
                                                             const std::string& criteria_version,
                                                             RecordSink& sink);

  // The measurement of a finished one; none of a provisional one.
  std::optional<MeasuredAverage> OnAverage(const EvokedAverage& average, int64_t now_ns);
  // A person's baseline: names finished sweeps, or none for the newest.
  void OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by, int64_t now_ns);
  // Before anything else, in the middle of a case: takes up its alerts, and of its first and its
  // newest baseline those that fit. No baseline is collected from now on, unless the operation has
  // not begun (Phase before exposure). What a person has to do; "": nothing.
  std::string Restore(const CasePast& past);
  // A person resolved or dismissed an alert.
  void OnAlertResolved(const v1::AlertAction& action);

  const std::string& trace_id() const { return plan_.trace_id; }
  // One is on that no person has closed.
  bool has_open_alert() const;
  bool has_baseline() const { return !baselines_.empty(); }
  // Peak to peak: what the deepest fall that a criterion names leaves of the smallest baseline. A
  // response under it is lost by every criterion. 0: there is no baseline, or no such fall.
  double smallest_response_uv() const;

 private:
  struct Baseline {
    RecordKey id;
    double amplitude_uv = 0;
    double latency_ms = 0;
    std::vector<v1::PeakMark> marks;  // as Finished::marks
    std::vector<double> mean_uv;
    dsp::RecordingConditions conditions;
  };
  struct Finished {
    RecordKey sweep;
    EvokedAverage average;
    dsp::PairMarking marking;
    double bias_uv = 0;               // that was taken off its amplitude
    std::vector<v1::PeakMark> marks;  // of every component, in the plan's order
    bool reproducible = false;
  };
  struct Row {
    v1::Criterion criterion;
    dsp::CriterionLimits limits;
    bool has_amplitude = false;
    bool has_latency = false;
    dsp::ReproducibilityLimits gate;
    // One a baseline: the first, and the newest when there is another. Of a row with an adaptive
    // rule they say only what can be judged.
    std::vector<dsp::FixedCriterion> against;
    std::optional<dsp::AdaptiveCriterion> adaptive;
    dsp::AdaptiveAssessment recent;  // of the newest average that could be judged
    dsp::AlertLevel level = dsp::AlertLevel::kNormal;
    AlertSlot alert;
    // Of an alert from before a restart whose own baseline could not be taken up: against another
    // one it may look well. It stays until a person closes it, or a baseline is set.
    bool lost_its_baseline = false;
    RecordKey judged_by;  // that baseline
  };
  struct Judgement {
    dsp::Assessment assessment;
    size_t baseline = 0;
  };

  EvokedTrace(const ResolvedEvoked& plan, const std::string& criteria_version,
              dsp::PeakTracker tracker, dsp::ComponentPair expected, RecordSink& sink);
  absl::Status AddRow(const v1::Criterion& criterion);
  dsp::PairMarking MarkWithoutHistory(const EvokedAverage& average) const;
  RecordKey PutSweep(const EvokedAverage& average, const dsp::PairMarking& marking,
                     const std::vector<v1::PeakMark>& marks, const dsp::Reproducibility& halves,
                     int64_t now_ns);
  void OnProvisional(const EvokedAverage& average, int64_t now_ns);
  MeasuredAverage OnFinished(const EvokedAverage& average, int64_t now_ns);
  void CollectBaseline(const Finished& finished, int64_t now_ns);
  dsp::PairMarking Mark(const EvokedAverage& average) const;
  std::vector<v1::PeakMark> MarkAll(const EvokedAverage& average,
                                    const dsp::PairMarking& pair) const;
  absl::Status CheckAgreement(const std::vector<const Finished*>& from,
                              const dsp::PairMarking& marking) const;
  absl::Status SetBaseline(const std::vector<const Finished*>& from, v1::BaselineSet set,
                           int64_t now_ns);
  absl::Status AddBaseline(Baseline baseline);
  absl::StatusOr<EvokedAverage> AverageOf(const v1::BaselineSet& set) const;
  void RestoreAlerts(const CasePast& past);
  std::string RestoreBaselines(const CasePast& past);
  absl::Status RestoreBaseline(const CasePast::Baseline& past);
  MeasuredAverage Judge(const Finished& finished, int64_t now_ns);
  MeasuredAverage PutMeasurement(const Finished& finished, v1::Record* record, int64_t now_ns);
  v1::Measurement DescribeMeasurement(const Finished& finished) const;
  Judgement JudgeRow(Row* row, const Finished& finished);
  // By what it has lately been; `judgement`: what can be judged.
  void JudgeRecent(Row* row, const Finished& finished, Judgement* judgement);
  bool IsCalledByFixed(dsp::AlertLevel level) const;
  static v1::AlertKind KindOf(const Row& row, const Finished& finished);
  void MoveAlert(Row* row, const Judgement& judgement, const Finished& finished, int64_t now_ns);
  v1::Alert DescribeAlert(const Row& row, const Judgement& judgement,
                          const Finished& finished) const;
  std::string Summary(const Row& row, const Judgement& judgement, const Finished& finished) const;
  dsp::RecordingConditions ConditionsOf(const EvokedAverage& average) const;
  dsp::LatencyWindow GateWindow() const;
  std::string ComponentName() const;
  void Refuse(const v1::BaselineSet& asked, const RecordKey& asked_by, const std::string& why,
              int64_t now_ns);

  const ResolvedEvoked plan_;
  const std::string criteria_version_;
  RecordSink& sink_;
  dsp::PeakTracker tracker_;
  const dsp::ComponentPair expected_;
  std::vector<Row> rows_;
  std::deque<Finished> finished_;
  bool collects_ = true;  // a baseline, where the plan asks for it
  std::vector<Finished> candidates_;
  std::vector<Baseline> baselines_;  // the first, and the newest when there is another
};

}  // namespace remora::agent
