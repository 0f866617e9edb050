// The parts of CheckCasePlan, and what they share. Private to the plan's checks.
#pragma once

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/plan/case_plan.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace remora::agent {

// Says where in which file.
class Complaint {
 public:
  static Complaint InPlan(const CasePlan& plan, std::string field) {
    return Complaint(plan.plan_path, plan.plan_places, std::move(field));
  }
  static Complaint InMontage(const CasePlan& plan, std::string field) {
    return Complaint(plan.montage_path, plan.montage_places, std::move(field));
  }
  static Complaint InFile(const std::string& path, const FieldPlaces& places, std::string field) {
    return Complaint(path, places, std::move(field));
  }
  template <typename... Args>
  absl::Status Say(const Args&... args) const {
    return absl::InvalidArgumentError(absl::StrCat(places_.At(file_, field_), ": ", args...));
  }
  Complaint At(absl::string_view field) const {
    return Complaint(file_, places_, absl::StrCat(field_, ".", field));
  }

 private:
  Complaint(const std::string& file, const FieldPlaces& places, std::string field)
      : file_(file), places_(places), field_(std::move(field)) {}

  const std::string& file_;
  const FieldPlaces& places_;
  std::string field_;
};

// A pack of criteria by itself, in the file that it was read from.
absl::Status CheckCriteriaPack(const v1::CriteriaPack& pack, const std::string& path,
                               const FieldPlaces& places);

// Which block of a plan a modality belongs to.
bool IsEvokedModality(v1::Modality modality);
bool IsMotorModality(v1::Modality modality);

absl::Status CheckNumber(const Complaint& at, double value, double from, double to,
                         absl::string_view unit);
absl::Status CheckLength(const Complaint& at, const std::string& text, size_t most);
absl::Status CheckFilter(const Complaint& at, const v1::FilterSetting& filter);
// Of what is seen as it comes, or must not be smeared to before its stimulus.
absl::Status CheckCausalFilter(const Complaint& at, const v1::FilterSetting& filter);
absl::Status CheckDerivationName(const Complaint& at, const CasePlan& plan,
                                 const std::string& name);
absl::Status CheckTrigger(const Complaint& at, const v1::TriggerPlan& trigger);
absl::Status CheckStimulusSetting(const Complaint& at, const v1::StimulusSetting& stimulus);
// From before to after the stimulus; the blanked part inside.
absl::Status CheckEpoch(const Complaint& at, double epoch_from_ms, double epoch_to_ms,
                        double blank_from_ms, double blank_to_ms);
// Where a response is looked for: behind what is blanked, within the epoch.
absl::Status CheckWindow(const Complaint& at, double from_ms, double to_ms, double blank_to_ms,
                         double epoch_to_ms);

// Keys that an entry names: each is there, and goes with the modality.
absl::Status CheckCriteriaKeys(const Complaint& at, const CasePlan& plan,
                               const google::protobuf::RepeatedPtrField<std::string>& keys,
                               v1::Modality modality);

// One entry of the plan each.
absl::Status CheckEvoked(const CasePlan& plan, int index);
absl::Status CheckEmg(const CasePlan& plan, int index);
absl::Status CheckMotor(const CasePlan& plan, int index);
absl::Status CheckEeg(const CasePlan& plan, int index);
absl::Status CheckTrainOfFour(const CasePlan& plan, int index);
absl::Status CheckMapping(const CasePlan& plan, int index);
absl::Status CheckRelation(const CasePlan& plan, int index);

}  // namespace remora::agent
