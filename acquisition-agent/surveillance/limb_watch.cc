#include "acquisition-agent/surveillance/limb_watch.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/surveillance/baseline_records.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "common/status_macros.h"
#include "dsp/assess/expected_fade.h"

namespace remora::agent {
namespace {

constexpr double kHourNs = 3.6e12;

dsp::SingleTrialLimits LimitsOf(const v1::Criterion& row) {
  dsp::SingleTrialLimits limits;
  const auto given = [](double percent) {
    return percent > 0 ? std::optional<double>(percent) : std::nullopt;
  };
  limits.amber_fall_percent = given(row.amber_amplitude_fall_percent());
  limits.red_fall_percent = given(row.red_amplitude_fall_percent());
  limits.loss_is_red = !row.loss_is_amber_only();
  return limits;
}

dsp::LimbRules RulesOf(const LimbRows& rows) {
  dsp::LimbRules rules;
  if (rows.absolute) rules.absolute = LimitsOf(*rows.absolute);
  if (rows.adaptive) {
    rules.adaptive = dsp::DefaultIndexLimits();
    const v1::AdaptiveRule& rule = rows.adaptive->adaptive();
    if (rule.least_fall_percent() > 0)
      rules.adaptive->least_fall_percent = rule.least_fall_percent();
    if (rule.least_recent_count() > 0) {
      rules.adaptive->reference.least_trials = static_cast<int>(rule.least_recent_count());
    }
  }
  if (rows.drift) {
    rules.drift.emplace();
    const double fall = rows.drift->drift().least_fall_percent();
    if (fall > 0) {
      // The return keeps its part of the fall.
      rules.drift->back_under_percent *= fall / rules.drift->least_fall_percent;
      rules.drift->least_fall_percent = fall;
    }
  }
  return rules;
}

std::optional<dsp::FadeRegion> FadeRegionOf(LimbKind kind) {
  if (kind == LimbKind::kArm) return dsp::FadeRegion::kHand;
  if (kind == LimbKind::kLeg) return dsp::FadeRegion::kFoot;
  return std::nullopt;
}

// As its muscles' are told apart where they are stimulated in several ways.
std::string LimbTraceId(const ResolvedMotor& plan, const PlannedLimb& limb) {
  const ResolvedMuscle& muscle = plan.muscles[limb.muscles[0]];
  const size_t plain =
      TraceId(plan.plan.modality(), muscle.plan.side(), muscle.plan.derivation()).size();
  return absl::StrCat(TraceId(plan.plan.modality(), limb.side, limb.name),
                      muscle.trace_id.substr(std::min(plain, muscle.trace_id.size())));
}

}  // namespace

LimbRows LimbRowsOf(const std::vector<v1::Criterion>& rows, const std::string& version) {
  LimbRows of;
  of.version = version;
  for (const v1::Criterion& row : rows) {
    if (row.has_adaptive()) {
      if (!of.adaptive) of.adaptive = row;
    } else if (row.has_drift()) {
      if (!of.drift) of.drift = row;
    } else if (!of.absolute) {
      of.absolute = row;
    }
  }
  return of;
}

LimbWatch::LimbWatch(const ResolvedMotor& plan, PlannedLimb limb, LimbRows rows, CaseFacts& facts,
                     RecordSink& sink)
    : plan_(plan),
      limb_(std::move(limb)),
      trace_id_(LimbTraceId(plan, limb_)),
      rows_(std::move(rows)),
      facts_(facts),
      sink_(sink),
      repeat_(plan.plan.modality(), limb_.side, limb_.name, trace_id_) {
  for (const size_t muscle : limb_.muscles) references_.emplace_back(plan_, muscle);
}

absl::StatusOr<std::unique_ptr<LimbWatch>> LimbWatch::Create(const ResolvedMotor& plan,
                                                             const PlannedLimb& limb,
                                                             const LimbRows& rows, CaseFacts& facts,
                                                             RecordSink& sink) {
  auto watch = std::unique_ptr<LimbWatch>(new LimbWatch(plan, limb, rows, facts, sink));
  ASSIGN_OR_RETURN(watch->judge_,
                   dsp::LimbJudge::Create(RulesOf(rows), limb.muscles.size(), facts.dropouts));
  return watch;
}

bool LimbWatch::Has(const std::string& trace_id) const {
  if (trace_id == trace_id_) return true;
  return std::any_of(limb_.muscles.begin(), limb_.muscles.end(),
                     [&](size_t muscle) { return plan_.muscles[muscle].trace_id == trace_id; });
}

size_t LimbWatch::CountLost(const MotorTrial& trial) const {
  size_t lost = 0;
  for (size_t own = 0; own < limb_.muscles.size(); ++own) {
    const MuscleAnswer& answer = trial.answers[limb_.muscles[own]];
    const MuscleReference::Reference* reference = ReferenceOf(own);
    // What was never there is not lost.
    if (reference == nullptr ||
        reference->baseline.monitorability == dsp::Monitorability::kNotMonitorable) {
      continue;
    }
    lost += answer.is_good() && answer.response.presence == dsp::Presence::kAbsent ? 1 : 0;
  }
  return lost;
}

// That of before incision, or the first: what the index is of.
const MuscleReference::Reference* LimbWatch::ReferenceOf(size_t own) const {
  for (const auto place : {dsp::BaselinePlace::kPreIncision, dsp::BaselinePlace::kFirst}) {
    if (const auto& reference = references_[own].at(place)) return &*reference;
  }
  return nullptr;
}

double LimbWatch::ExpectedPercent(int64_t at_ns) const {
  const std::optional<dsp::FadeRegion> region = FadeRegionOf(limb_.kind);
  if (!region || !facts_.anaesthesia_began_ns) return 100;
  int64_t since_ns = at_ns;
  for (size_t own = 0; own < references_.size(); ++own) {
    if (const auto* reference = ReferenceOf(own)) since_ns = reference->set_at_ns;
  }
  const auto percent_at = [&](int64_t time_ns) {
    const auto lasted_ns = static_cast<double>(time_ns - *facts_.anaesthesia_began_ns);
    return dsp::FadeAt(*region, lasted_ns / kHourNs).percent;
  };
  return 100 * percent_at(at_ns) / percent_at(since_ns);
}

void LimbWatch::Judge(const MotorTrial& trial, size_t lost_elsewhere) {
  const int64_t at_ns = trial.stimulus.time_ns;
  gate_ = facts_.trains->GateFor(limb_.kind, at_ns, facts_.train_due_ns);
  is_held_ = gate_.motor_evoked == dsp::GateState::kNotInterpretable;
  differences_.clear();
  dsp::LimbTrial offered;
  offered.time_ns = at_ns;
  offered.lost_elsewhere = lost_elsewhere;
  offered.expected_percent = ExpectedPercent(at_ns);
  for (size_t own = 0; own < limb_.muscles.size(); ++own) {
    const MuscleAnswer& answer = trial.answers[limb_.muscles[own]];
    dsp::MuscleTrial& muscle = offered.muscles.emplace_back();
    // Under relaxation nothing is learnt, raised or lowered.
    if (!answer.is_good() || is_held_) continue;
    const bool absent = answer.response.presence == dsp::Presence::kAbsent;
    muscle.state = absent ? dsp::MuscleState::kLost : dsp::MuscleState::kPresent;
    muscle.amplitude_uv =
        absent ? HiddenUv(answer, plan_.plan) : FiniteOr0(answer.response.amplitude_uv);
    const std::vector<std::string> differences = references_[own].DifferencesTo(trial);
    if (differences_.empty()) differences_ = differences;
    muscle.like_for_like =
        differences.empty() && gate_.motor_evoked != dsp::GateState::kSameRelaxationOnly;
  }
  judgement_ = judge_->Judge(offered);
}

void LimbWatch::Describe(size_t muscle, const MotorTrial& trial,
                         v1::Measurement* measurement) const {
  const auto found = std::find(limb_.muscles.begin(), limb_.muscles.end(), muscle);
  if (found == limb_.muscles.end()) return;
  const auto own = static_cast<size_t>(found - limb_.muscles.begin());
  const MuscleReference::Reference* newest = references_[own].newest();
  if (newest == nullptr) return;
  const MuscleAnswer& answer = trial.answers[muscle];
  const bool absent = answer.response.presence == dsp::Presence::kAbsent;
  const double amplitude_uv = absent ? 0 : FiniteOr0(answer.response.amplitude_uv);
  *measurement->mutable_baseline() = ToProto(newest->id);
  std::vector<std::string> reasons;
  if (!measurement->reason().empty()) reasons.push_back(measurement->reason());
  if (newest->baseline.amplitude_uv > 0) {
    measurement->set_amplitude_percent_of_baseline(100 * amplitude_uv /
                                                   newest->baseline.amplitude_uv);
  }
  if (!absent && newest->baseline.latency_ms > 0) {
    measurement->set_latency_change_percent(
        FiniteOr0(100 * (measurement->latency_ms() / newest->baseline.latency_ms - 1)));
  }
  const MuscleReference::Reference* first = ReferenceOf(own);
  if (first != nullptr && first != newest && first->baseline.amplitude_uv > 0) {
    *measurement->mutable_first_baseline() = ToProto(first->id);
    measurement->set_first_amplitude_percent(100 * amplitude_uv / first->baseline.amplitude_uv);
  }
  const double expected = ExpectedPercent(trial.stimulus.time_ns);
  if (expected < 100) measurement->set_expected_percent(expected);
  if (!differences_.empty()) {
    measurement->add_quality(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE);
    reasons.push_back(
        absl::StrCat("differs from the baseline: ", absl::StrJoin(differences_, ", ")));
  }
  if (newest->baseline.monitorability != dsp::Monitorability::kMonitorable) {
    reasons.push_back(newest->baseline.monitorability == dsp::Monitorability::kPresenceOnly
                          ? absl::StrCat("presence only: ", newest->baseline.reason)
                          : absl::StrCat("not monitorable: ", newest->baseline.reason));
  }
  if (is_held_) {
    measurement->set_held(absl::StrCat("relaxant, ", gate_.words));
    measurement->set_state(v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
  } else if (!absent) {
    measurement->set_state(v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  }
  const dsp::MuscleJudgement& judged = judgement_.muscles[own];
  for (const dsp::SingleTrialAssessment& one : judged.against_each) {
    // The closest limit counts: it is met first.
    measurement->set_amber_under_uv(std::max(measurement->amber_under_uv(), one.amber_under_uv));
    measurement->set_red_under_uv(std::max(measurement->red_under_uv(), one.red_under_uv));
  }
  if (judged.judged && !absent && !is_held_) {
    if (amplitude_uv <= measurement->red_under_uv()) {
      measurement->set_state(v1::MEASUREMENT_STATE_RED);
    } else if (amplitude_uv <= measurement->amber_under_uv()) {
      measurement->set_state(v1::MEASUREMENT_STATE_AMBER);
    }
  }
  measurement->set_reason(Bounded(absl::StrJoin(reasons, "; "), kMaxReasonBytes));
}

void LimbWatch::Tell(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
                     const std::vector<RecordKey>& measured, int64_t now_ns) {
  RecordKey answered_by;
  for (const size_t muscle : limb_.muscles) {
    if (trial.answers[muscle].is_good()) answered_by = measured[muscle];
  }
  // One that a relaxant makes worthless settles nothing.
  if (answered_by.origin_seq != 0 && !is_held_) repeat_.Answer(answered_by, now_ns, sink_);
  PutIndex(trial, sweeps, now_ns);
  MoveAlert(trial, sweeps, now_ns);
  if (judgement_.asks_for_repeat && !is_held_) {
    repeat_.Ask(judgement_.level == dsp::AlertLevel::kNormal
                    ? "one trial is past its limit: another one settles it"
                    : "the alert is to be confirmed or settled by another trial",
                alert_.is_on() ? alert_.raised_by() : RecordKey(), now_ns, sink_);
  }
  for (size_t own = 0; own < limb_.muscles.size(); ++own) {
    const size_t muscle = limb_.muscles[own];
    if (!is_held_) references_[own].Keep(trial, sweeps[muscle]);
  }
  Collect(now_ns);
}

void LimbWatch::Collect(int64_t now_ns) {
  const uint32_t wanted = plan_.plan.baseline().first_trials_count();
  if (wanted == 0 || !collects_) return;
  for (size_t own = 0; own < references_.size(); ++own) {
    if (!references_[own].empty() || references_[own].CountUsable() < wanted) continue;
    v1::BaselineSet asked;
    asked.set_kind(BaselineKindIn(facts_.phase));
    asked.set_actor("plan");
    asked.set_reason(absl::StrCat("median of the first ", wanted, " trials that can be judged"));
    // Refused while something is suspect: the next trial tries again.
    (void)SetBaseline(own, asked, wanted, now_ns);
  }
}

absl::Status LimbWatch::SetBaseline(size_t own, const v1::BaselineSet& asked, size_t trials,
                                    int64_t now_ns) {
  RETURN_IF_ERROR(judge_->CanSetBaseline());
  ASSIGN_OR_RETURN(MuscleReference::Draft draft, references_[own].MakeDraft(asked, trials));
  if (draft.reference.baseline.monitorability != dsp::Monitorability::kNotMonitorable) {
    RETURN_IF_ERROR(judge_->SetBaseline(own, draft.place, draft.reference.baseline));
  }
  v1::Record record;
  *record.mutable_baseline_set() = draft.set;
  const RecordKey id = sink_.Put(&record, now_ns);
  references_[own].Add(std::move(draft), id, now_ns);
  return absl::OkStatus();
}

void LimbWatch::OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by,
                                int64_t now_ns) {
  v1::BaselineSet set;
  set.set_kind(asked.kind());
  set.set_actor(asked.actor());
  set.set_reason(asked.reason());
  *set.mutable_sweeps() = asked.sweeps();
  *set.mutable_asked_by() = ToProto(asked_by);
  for (size_t own = 0; own < limb_.muscles.size(); ++own) {
    if (asked.trace_id() != trace_id_ && MuscleOf(own).trace_id != asked.trace_id()) continue;
    const absl::Status status = SetBaseline(own, set, dsp::kMinMotorBaselineTrials, now_ns);
    if (status.ok()) continue;
    PutSystemMessage(
        absl::StrCat("Baseline of ", MuscleOf(own).trace_id, " not set: ", status.message()),
        asked_by, now_ns, sink_);
  }
}

void LimbWatch::PutIndex(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
                         int64_t now_ns) {
  if (!judgement_.index || is_held_) return;
  v1::Record record;
  v1::Measurement& index = *record.mutable_measurement();
  index.set_trace_id(trace_id_);
  index.set_modality(plan_.plan.modality());
  index.set_side(limb_.side);
  index.set_component("limb index");
  for (const size_t muscle : limb_.muscles) {
    const bool is_told = trial.answers[muscle].is_good() && sweeps[muscle].origin_seq != 0;
    if (is_told) *index.mutable_sweep() = ToProto(sweeps[muscle]);
  }
  if (!index.has_sweep()) return;
  index.set_amplitude_percent_of_baseline(100 * *judgement_.index);
  index.set_block_index(trial.trial_index);
  index.set_trial_index(trial.trial_index);
  const double expected = ExpectedPercent(trial.stimulus.time_ns);
  if (expected < 100) index.set_expected_percent(expected);
  const dsp::AdaptiveAssessment& adaptive = judgement_.adaptive;
  if (adaptive.comparison) {
    index.set_recent_count(static_cast<uint32_t>(adaptive.comparison->trials));
    index.set_recent_is_frozen(adaptive.frozen);
  }
  index.set_drift_fall_percent(FiniteOr0(judgement_.drift.fall_percent));
  const dsp::AlertLevel level = std::max(adaptive.level, judgement_.drift.level);
  index.set_state(level == dsp::AlertLevel::kRed     ? v1::MEASUREMENT_STATE_RED
                  : level == dsp::AlertLevel::kAmber ? v1::MEASUREMENT_STATE_AMBER
                                                     : v1::MEASUREMENT_STATE_WITHIN_LIMITS);
  index.set_confidence(v1::MARK_CONFIDENCE_CLEAR);
  sink_.Put(&record, now_ns);
}

void LimbWatch::OnAlertResolved(const v1::AlertAction& action) {
  const bool was_open = alert_.is_open();
  alert_.OnResolved(action);
  if (!was_open || alert_.is_open()) return;
  holds_past_ = false;
  judge_->OnResolved();
}

std::string LimbWatch::Restore(const CasePast& past) {
  // What is collected in the middle of an operation may be what it has done.
  collects_ = past.phase != v1::PHASE_UNSPECIFIED && past.phase < v1::PHASE_EXPOSURE;
  std::vector<std::string> without;
  for (size_t own = 0; own < references_.size(); ++own) {
    std::string why = collects_ ? "" : "it has no baseline";
    for (const CasePast::Baseline& one : past.baselines) {
      if (one.set.trace_id() != MuscleOf(own).trace_id) continue;
      absl::StatusOr<MuscleReference::Draft> draft = references_[own].FromRecord(one);
      if (!draft.ok()) {
        why = std::string(draft.status().message());
        continue;
      }
      if (draft->reference.baseline.monitorability != dsp::Monitorability::kNotMonitorable) {
        const absl::Status set = judge_->SetBaseline(own, draft->place, draft->reference.baseline);
        if (!set.ok()) {
          why = std::string(set.message());
          continue;
        }
      }
      references_[own].Add(*std::move(draft), one.key, 0);
      why.clear();
    }
    if (!why.empty())
      without.push_back(absl::StrCat(MuscleOf(own).plan.derivation(), " (", why, ")"));
  }
  for (const CasePast::Alert& one : past.alerts) {
    if (one.last.trace_id() != trace_id_ ||
        one.last.alert_class() != v1::ALERT_CLASS_PHYSIOLOGICAL) {
      continue;
    }
    alert_.Restore(one);
    if (!one.is_on()) continue;
    for (const v1::AlertTrace& trace : one.last.traces()) {
      for (size_t own = 0; own < references_.size(); ++own) {
        if (MuscleOf(own).trace_id != trace.trace_id()) continue;
        judge_->Hold(own, LevelOf(trace.priority()));
      }
    }
    if (one.last.kind() == v1::ALERT_KIND_DRIFT) judge_->HoldDrift(LevelOf(one.last.priority()));
    // What it has lately been is not on record: until it is judged anew, or a person closes it.
    holds_past_ = judge_->level() < LevelOf(one.last.priority());
  }
  if (without.empty()) return "";
  return absl::StrCat(absl::StrJoin(without, ", "), ": set a baseline",
                      has_open_alert() ? ", once the alert is resolved or dismissed" : "");
}

}  // namespace remora::agent
