// What one muscle's single responses are compared with: its newest trials, and the references that
// are made of them.
//
//   trials (the newest 24) --> median of at least 3 --> BaselineSet, sealed
//
// A reference is never changed. There are up to three: the first, that of before incision, and the
// newest (dsp/assess/limb_judge.h). Which trials make one: those that a person names, or the newest
// good ones that are like for like with the last. Owned by a LimbWatch; thread-compatible.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/motor_pipeline.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "dsp/assess/fixed_criteria.h"
#include "dsp/assess/limb_judge.h"
#include "dsp/assess/motor_baseline.h"

namespace remora::agent {

// The most that noise hides of an absent response, and the least that counts as one, in microvolts.
double HiddenUv(const MuscleAnswer& answer, const v1::MotorPlan& plan);

class MuscleReference {
 public:
  struct Reference {
    RecordKey id;
    v1::BaselineKind kind = v1::BASELINE_KIND_UNSPECIFIED;
    dsp::MotorBaseline baseline;
    std::vector<double> mean_uv;
    dsp::Timebase timebase;
    dsp::RecordingConditions conditions;
    int64_t set_at_ns = 0;
  };
  // A reference that is not on record yet.
  struct Draft {
    dsp::BaselinePlace place = dsp::BaselinePlace::kFirst;
    Reference reference;
    v1::BaselineSet set;
  };

  MuscleReference(const ResolvedMotor& plan, size_t muscle) : plan_(plan), muscle_(muscle) {}

  // A good answer, with its sweep on record.
  void Keep(const MotorTrial& trial, const RecordKey& sweep);
  // The newest trials that can make a reference, oldest first, at most `most`.
  size_t CountUsable() const { return Usable(kMost).size(); }
  // Of the named sweeps; of none: the newest `trials` that are usable. `asked` brings kind, actor,
  // reason and asked_by. FailedPrecondition says what lacks.
  absl::StatusOr<Draft> MakeDraft(const v1::BaselineSet& asked, size_t trials) const;
  // It is on record.
  void Add(Draft draft, const RecordKey& id, int64_t now_ns);
  // From the record, in the middle of a case.
  absl::StatusOr<Draft> FromRecord(const CasePast::Baseline& past) const;

  bool empty() const { return !at(dsp::BaselinePlace::kFirst); }
  const std::optional<Reference>& at(dsp::BaselinePlace place) const {
    return references_[static_cast<size_t>(place)];
  }
  // The one that a person set last; null: there is none.
  const Reference* newest() const;
  // What differs between the newest and this trial.
  std::vector<std::string> DifferencesTo(const MotorTrial& trial) const;

 private:
  static constexpr size_t kMost = 24;

  struct Trial {
    RecordKey sweep;
    bool present = false;
    double amplitude_uv = 0;
    double latency_ms = 0;
    double hidden_uv = 0;
    std::vector<double> uv;
    dsp::Timebase timebase;
    double uv_per_count = 0;
    v1::StimulusSetting setting;
    dsp::RecordingConditions conditions;
  };

  dsp::RecordingConditions ConditionsOf(const v1::StimulusSetting& setting) const;
  std::vector<const Trial*> Usable(size_t most) const;
  absl::StatusOr<std::vector<const Trial*>> Named(const v1::BaselineSet& asked) const;
  dsp::BaselinePlace PlaceFor(v1::BaselineKind kind) const;

  const ResolvedMotor& plan_;
  const size_t muscle_;
  std::deque<Trial> trials_;
  std::array<std::optional<Reference>, dsp::kBaselinePlaces> references_;
  std::optional<dsp::BaselinePlace> newest_;
};

}  // namespace remora::agent
