// Writes down the trials of one stimulus on muscles: a sweep and a measurement of each muscle, and
// the threshold at the place that was stimulated.
//
// Records it makes: Sweep and Measurement (each muscle of each trial that has samples),
// StimulusThreshold (each step of a search), MappingContact (each trial of a map of the cortex, at
// a site with a number). A measurement says whether there is a response and what it is. The
// larynx's is compared with its baseline (laryngeal_comparison.h); the muscles of a limb are judged
// together and may raise an alert (motor_limbs.h). Thread-compatible, on the agent's sequence.
//
// Invariants: 1. a sweep that is not good is written with what is wrong, as NOT_INTERPRETABLE,
// never as NO_RESPONSE; 2. records of one trial share its index; 3. no response is never a
// good threshold: it is a search that goes on below the plan's maximum, and no response at the
// maximum from there on; 4. a stimulus that is no step of a search, such as one whose
// intensity nobody stated, is told with why, and moves no threshold.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "acquisition-agent/pipelines/motor_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/surveillance/laryngeal_comparison.h"
#include "acquisition-agent/surveillance/latest_train.h"
#include "acquisition-agent/surveillance/motor_limbs.h"

namespace remora::agent {

class MotorWatch {
 public:
  // `trains`: the case's, for the larynx; may be null. `limbs`: what judges its responses; null:
  // nothing does. `sink` outlives it.
  MotorWatch(const ResolvedMotor& plan, std::shared_ptr<const LatestTrain> trains,
             std::unique_ptr<MotorLimbs> limbs, RecordSink& sink)
      : plan_(plan), sink_(sink), limbs_(std::move(limbs)) {
    if (!LaryngealComparison::IsFor(plan.plan.modality())) return;
    laryngeal_ = std::make_unique<LaryngealComparison>(plan, std::move(trains), sink);
  }

  // First, in the middle of a case: EntryWorker::Restore. Thresholds that were found are not taken
  // up: the patient's own mean begins anew.
  std::string Restore(const CasePast& past) {
    if (limbs_ != nullptr) return limbs_->Restore(past);
    return laryngeal_ == nullptr ? "" : laryngeal_->Restore(past);
  }
  // Null: nothing judges its responses.
  MotorLimbs* limbs() { return limbs_.get(); }
  void OnTrial(const MotorTrial& trial, int64_t now_ns);

 private:
  // A threshold that was found at a site, for the patient's own mean.
  struct Own {
    std::string site;
    double value = 0;
  };

  // The sweep's record, and the measurement's.
  std::pair<RecordKey, RecordKey> PutAnswer(const MotorTrial& trial, size_t muscle, int64_t now_ns);
  void PutThreshold(const MotorTrial& trial, const std::vector<RecordKey>& sweeps, int64_t now_ns);
  // Of a map of the cortex, which muscles answered at its site, if that has a number.
  void PutSite(const MotorTrial& trial, const std::vector<RecordKey>& sweeps, int64_t now_ns);
  v1::Side SideOfSite(const std::string& site) const;
  void NoteTried(const MotorTrial& trial, const std::vector<RecordKey>& sweeps);
  void NoteOwn(const std::string& site, double value);

  const ResolvedMotor plan_;
  RecordSink& sink_;
  std::unique_ptr<LaryngealComparison> laryngeal_;  // of the larynx's modalities
  std::unique_ptr<MotorLimbs> limbs_;
  std::vector<Own> own_;
  std::vector<v1::ThresholdStep> steps_;  // of the search that is going on
  std::string steps_site_;
  uint32_t steps_repeat_ = 0;
  bool told_beyond_sites_ = false;
  std::string site_said_;  // the last MappingContact
  int64_t site_said_ns_ = 0;
};

}  // namespace remora::agent
