// The limbs of one plan entry of motor evoked responses, each with its watch. Owned by the entry's
// MotorWatch; thread-compatible, on the agent's sequence.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/surveillance/limb_watch.h"

namespace remora::agent {

class MotorLimbs {
 public:
  // Null where the entry is of another modality, or nothing judges it. `facts` and `sink` outlive
  // it. InvalidArgument: limits that dsp refuses.
  static absl::StatusOr<std::unique_ptr<MotorLimbs>> Create(const CasePlan& plan,
                                                            const ResolvedMotor& entry,
                                                            CaseFacts& facts, RecordSink& sink);

  // Each trial: Judge before its records are made, Describe for each muscle's, then Tell.
  void Judge(const MotorTrial& trial);
  void Describe(size_t muscle, const MotorTrial& trial, v1::Measurement* measurement) const;
  void Tell(const MotorTrial& trial, const std::vector<RecordKey>& sweeps,
            const std::vector<RecordKey>& measured, int64_t now_ns);

  // False: none of its muscles or limbs is that trace.
  bool OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by, int64_t now_ns);
  void OnAlertResolved(const v1::AlertAction& action);
  void OnRiskStage(int64_t now_ns);
  std::string Restore(const CasePast& past);

 private:
  explicit MotorLimbs(const ResolvedMotor& entry) : entry_(entry) {}

  const ResolvedMotor entry_;
  std::vector<std::unique_ptr<LimbWatch>> limbs_;
};

}  // namespace remora::agent
