// Watches the muscles of one limb: keeps their references, judges each trial of all of them
// together, and writes down what that comes to.
//
//   trial --> Judge --> Describe: each muscle's measurement --> Tell: baselines, the limb's index,
//                                                               alert, request for a repeat
//
// Records it makes: BaselineSet, Alert (one condition for the limb: its worst criterion speaks, and
// each muscle that has changed is in it with its trace), Measurement (the limb's index), Request (a
// repeat) and its answer, a system Message when a person's baseline cannot be set.
// Thread-compatible, on the agent's sequence.
//
// Invariants: 1. a re-baseline adds a reference; that of before incision and the first are judged
// for ever; 2. none is set while an alert is on that no person has closed; 3. relaxation removes no
// alert: what cannot be interpreted is said to be held, and is judged anew when it can; 4. levels
// come from dsp/assess/limb_judge.h alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/motor_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/plan/limbs.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_facts.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "acquisition-agent/surveillance/muscle_reference.h"
#include "acquisition-agent/surveillance/repeat_request.h"
#include "dsp/assess/limb_judge.h"
#include "remora/v1/measurement.pb.h"

namespace remora::agent {

// The rows that a limb is judged by; one that is absent judges nothing.
struct LimbRows {
  std::optional<v1::Criterion> absolute;
  std::optional<v1::Criterion> adaptive;
  std::optional<v1::Criterion> drift;
  std::string version;

  bool empty() const { return !absolute && !adaptive && !drift; }
};

LimbRows LimbRowsOf(const std::vector<v1::Criterion>& rows, const std::string& version);

class LimbWatch {
 public:
  // `plan`, `facts` and `sink` outlive it. InvalidArgument: limits that dsp refuses.
  static absl::StatusOr<std::unique_ptr<LimbWatch>> Create(const ResolvedMotor& plan,
                                                           const PlannedLimb& limb,
                                                           const LimbRows& rows, CaseFacts& facts,
                                                           RecordSink& sink);

  // Of this limb, before anything of the trial is written.
  size_t CountLost(const MotorTrial& trial) const;
  void Judge(const MotorTrial& trial, size_t lost_elsewhere);
  // Adds what the trial means to the measurement of one of its muscles (by the entry's number).
  void Describe(size_t muscle, const MotorTrial& trial, v1::Measurement* measurement) const;
  // After that: `sweeps` and `measured` by the entry's muscles.
  void Tell(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
            const std::vector<RecordKey>& measured, int64_t now_ns);

  void OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by, int64_t now_ns);
  void OnAlertResolved(const v1::AlertAction& action);
  void OnRiskStage(int64_t now_ns) { judge_->BeginStage(now_ns); }
  // First, in the middle of a case. What a person has to do; "": nothing.
  std::string Restore(const CasePast& past);

  // Whether a trace is one of its muscles, or its index.
  bool Has(const std::string& trace_id) const;
  bool has_open_alert() const { return alert_.is_open(); }
  const PlannedLimb& limb() const { return limb_; }

 private:
  // Which criterion speaks, and how loud.
  struct Voice {
    v1::AlertKind kind = v1::ALERT_KIND_UNSPECIFIED;
    const v1::Criterion* row = nullptr;
    dsp::AlertLevel level = dsp::AlertLevel::kNormal;
  };

  LimbWatch(const ResolvedMotor& plan, PlannedLimb limb, LimbRows rows, CaseFacts& facts,
            RecordSink& sink);

  const ResolvedMuscle& MuscleOf(size_t own) const { return plan_.muscles[limb_.muscles[own]]; }
  double ExpectedPercent(int64_t at_ns) const;
  void Collect(int64_t now_ns);
  absl::Status SetBaseline(size_t own, const v1::BaselineSet& asked, size_t trials, int64_t now_ns);
  void PutIndex(const MotorTrial& trial, const std::vector<RecordKey>& sweeps, int64_t now_ns);
  // limb_alert.cc
  void MoveAlert(const MotorTrial& trial, const std::vector<RecordKey>& sweeps, int64_t now_ns);
  Voice Speaking() const;
  std::vector<size_t> Changed() const;
  v1::Alert DescribeAlert(const Voice& voice, const MotorTrial& trial,
                          const std::vector<RecordKey>& sweeps, int64_t now_ns) const;
  v1::AlertTrace DescribeMuscle(size_t own, const MotorTrial& trial,
                                const std::vector<RecordKey>& sweeps, size_t most_samples) const;
  std::string Summary(const Voice& voice, const std::vector<size_t>& changed,
                      const MotorTrial& trial) const;
  std::string MuscleWords(size_t own, const MotorTrial& trial) const;
  const MuscleReference::Reference* ReferenceOf(size_t own) const;

  const ResolvedMotor& plan_;
  const PlannedLimb limb_;
  const std::string trace_id_;  // of the limb
  const LimbRows rows_;
  CaseFacts& facts_;
  RecordSink& sink_;
  std::vector<MuscleReference> references_;  // by limb_.muscles
  std::unique_ptr<dsp::LimbJudge> judge_;
  AlertSlot alert_;
  RepeatRequest repeat_;
  bool collects_ = true;
  // Of the last trial.
  dsp::LimbJudgement judgement_;
  dsp::RelaxationGate gate_;
  bool is_held_ = false;
  bool was_held_ = false;  // when the alert was told last
  std::vector<std::string> differences_;
  // Of an alert from before a restart that no criterion holds by itself any more.
  bool holds_past_ = false;
};

}  // namespace remora::agent
