#include "acquisition-agent/surveillance/motor_limbs.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "acquisition-agent/plan/criteria_rows.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

bool IsEvokedFromBrain(v1::Modality modality) {
  return modality == v1::MODALITY_MEP_TRANSCRANIAL || modality == v1::MODALITY_MEP_DIRECT_CORTICAL;
}

}  // namespace

absl::StatusOr<std::unique_ptr<MotorLimbs>> MotorLimbs::Create(const CasePlan& plan,
                                                               const ResolvedMotor& entry,
                                                               CaseFacts& facts, RecordSink& sink) {
  if (!IsEvokedFromBrain(entry.plan.modality())) return std::unique_ptr<MotorLimbs>();
  auto limbs = std::unique_ptr<MotorLimbs>(new MotorLimbs(entry));
  for (const PlannedLimb& limb : LimbsOf(entry.plan)) {
    const CriterionKeys& own = entry.plan.muscle(static_cast<int>(limb.muscles[0])).criterion();
    const LimbRows rows =
        LimbRowsOf(RowsFor(plan, own.empty() ? entry.plan.criterion() : own, entry.plan.modality()),
                   plan.criteria.version());
    if (rows.empty()) continue;
    absl::StatusOr<std::unique_ptr<LimbWatch>> watch =
        LimbWatch::Create(limbs->entry_, limb, rows, facts, sink);
    if (!watch.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan.plan_path, ": ", limb.name, ": ", watch.status().message()));
    }
    limbs->limbs_.push_back(*std::move(watch));
  }
  if (limbs->limbs_.empty()) limbs.reset();
  return limbs;
}

void MotorLimbs::Judge(const MotorTrial& trial) {
  size_t lost = 0;
  for (const auto& limb : limbs_) lost += limb->CountLost(trial);
  for (const auto& limb : limbs_) limb->Judge(trial, lost - limb->CountLost(trial));
}

void MotorLimbs::Describe(size_t muscle, const MotorTrial& trial,
                          v1::Measurement* measurement) const {
  for (const auto& limb : limbs_) limb->Describe(muscle, trial, measurement);
}

void MotorLimbs::Tell(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
                      const std::vector<RecordKey>& measured, int64_t now_ns) {
  for (const auto& limb : limbs_) limb->Tell(trial, sweeps, measured, now_ns);
}

bool MotorLimbs::OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by,
                                 int64_t now_ns) {
  for (const auto& limb : limbs_) {
    if (!limb->Has(asked.trace_id())) continue;
    limb->OnBaselineAsked(asked, asked_by, now_ns);
    return true;
  }
  return false;
}

void MotorLimbs::OnAlertResolved(const v1::AlertAction& action) {
  for (const auto& limb : limbs_) limb->OnAlertResolved(action);
}

void MotorLimbs::OnRiskStage(int64_t now_ns) {
  for (const auto& limb : limbs_) limb->OnRiskStage(now_ns);
}

std::string MotorLimbs::Restore(const CasePast& past) {
  std::vector<std::string> todo;
  for (const auto& limb : limbs_) {
    std::string words = limb->Restore(past);
    if (!words.empty()) todo.push_back(absl::StrCat(limb->limb().name, ": ", words));
  }
  return absl::StrJoin(todo, "; ");
}

}  // namespace remora::agent
