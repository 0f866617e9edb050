#include "acquisition-agent/surveillance/entry_worker.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "acquisition-agent/pipelines/eeg_pipeline.h"
#include "acquisition-agent/pipelines/mapping_pipeline.h"
#include "acquisition-agent/pipelines/motor_pipeline.h"
#include "acquisition-agent/pipelines/tof_pipeline.h"
#include "acquisition-agent/surveillance/eeg_watch.h"
#include "acquisition-agent/surveillance/mapping_watch.h"
#include "acquisition-agent/surveillance/motor_watch.h"
#include "acquisition-agent/surveillance/tof_watch.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

// A trial is written down, and was awaited.
struct MotorEntry {
  MotorWatch watch;
  v1::Modality modality;
  DueWatch& due;
};

void Tell(MotorEntry& entry, const MotorTrial& trial, int64_t now_ns) {
  entry.watch.OnTrial(trial, now_ns);
  if (std::any_of(trial.answers.begin(), trial.answers.end(),
                  [](const MuscleAnswer& answer) { return !answer.uv.empty(); })) {
    entry.due.OnTrial(entry.modality, now_ns);
  }
}
void Tell(TofWatch& watch, const TofTrain& train, int64_t now_ns) { watch.OnTrain(train, now_ns); }
void Tell(MappingWatch& watch, const MappingRound& round, int64_t now_ns) {
  watch.OnRound(round, now_ns);
}

// Entries with a stimulus of their own, whose pipeline gives one result after the other.
template <typename Pipeline, typename Watch, typename Result>
class StimulatedWorker : public EntryWorker {
 public:
  StimulatedWorker(std::unique_ptr<Pipeline> pipeline, Watch watch)
      : pipeline_(std::move(pipeline)), watch_(std::move(watch)) {}

  std::string Restore(const CasePast& past) override {
    if constexpr (std::is_same_v<Watch, MotorEntry>) return watch_.watch.Restore(past);
    return EntryWorker::Restore(past);
  }
  bool OnBaselineAsked(const v1::BaselineSet& asked, const RecordKey& asked_by,
                       int64_t now_ns) override {
    return Limbs() != nullptr && Limbs()->OnBaselineAsked(asked, asked_by, now_ns);
  }
  void OnAlertResolved(const v1::AlertAction& action) override {
    if (Limbs() != nullptr) Limbs()->OnAlertResolved(action);
  }
  void OnRiskStage(int64_t now_ns) override {
    if (Limbs() != nullptr) Limbs()->OnRiskStage(now_ns);
  }
  void OnStimulus(const Stimulus& stimulus) override {
    pipeline_->OnStimulus(stimulus, stimulus.own[pipeline_->plan().trigger.listener]);
  }
  void OnChunk(const Chunk& chunk, int64_t now_ns) override {
    std::vector<Result> results;
    pipeline_->OnChunk(chunk, &results);
    TellAll(results, now_ns);
  }
  int64_t due_ns() const override {
    if constexpr (kLooks) return pipeline_->due_ns();
    return EntryWorker::due_ns();
  }
  void OnLook(const Chunk& look, int64_t now_ns) override {
    if constexpr (kLooks) {
      std::vector<Result> results;
      pipeline_->OnLook(look, &results);
      TellAll(results, now_ns);
    }
  }
  void OnEnd(int64_t now_ns) override {
    std::vector<Result> results;
    pipeline_->OnEnd(&results);
    TellAll(results, now_ns);
  }
  void RefuseControl(absl::string_view why, int64_t from_ns) override {
    if constexpr (kHasControl) pipeline_->RefuseControl(why, from_ns);
  }
  uint64_t late_total() const override { return pipeline_->late_total(); }
  int rate_group() const override { return pipeline_->rate_group(); }

 private:
  static constexpr bool kHasControl = requires(Pipeline & p) { p.RefuseControl("", 0); };
  static constexpr bool kLooks = requires(Pipeline & p) { p.due_ns(); };

  MotorLimbs* Limbs() {
    if constexpr (std::is_same_v<Watch, MotorEntry>) return watch_.watch.limbs();
    return nullptr;
  }
  void TellAll(const std::vector<Result>& results, int64_t now_ns) {
    for (const Result& result : results) Tell(watch_, result, now_ns);
  }

  std::unique_ptr<Pipeline> pipeline_;
  Watch watch_;
};

using MotorWorker = StimulatedWorker<MotorPipeline, MotorEntry, MotorTrial>;
using TofWorker = StimulatedWorker<TofPipeline, TofWatch, TofTrain>;
using MappingWorker = StimulatedWorker<MappingPipeline, MappingWatch, MappingRound>;

class EegWorker : public EntryWorker {
 public:
  EegWorker(std::unique_ptr<EegPipeline> pipeline, std::shared_ptr<EegPowers> powers,
            RecordSink& sink)
      : pipeline_(std::move(pipeline)),
        powers_(std::move(powers)),
        watch_(pipeline_->plan(), *powers_, sink) {}

  void OnStimulus(const Stimulus& stimulus) override { pipeline_->OnStimulus(stimulus); }
  void OnChunk(const Chunk& chunk, int64_t now_ns) override {
    EegOutput output;
    pipeline_->OnChunk(chunk, &output);
    watch_.OnOutput(&output, now_ns);
  }
  void OnEnd(int64_t now_ns) override {
    EegOutput output;
    pipeline_->OnEnd(&output);
    watch_.OnOutput(&output, now_ns);
    watch_.OnEnd(now_ns);
  }
  uint64_t late_total() const override { return pipeline_->late_total(); }
  int rate_group() const override { return pipeline_->rate_group(); }

 private:
  std::unique_ptr<EegPipeline> pipeline_;
  std::shared_ptr<EegPowers> powers_;  // of all channels of the case
  EegWatch watch_;
};

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<EntryWorker>>> MakeEntryWorkers(
    const CasePlan& plan, const ResolvedPlan& resolved, const SourceInfo& source, DueWatch& due,
    CaseFacts& facts, RecordSink& sink) {
  std::vector<std::unique_ptr<EntryWorker>> workers;
  for (const ResolvedMotor& motor : resolved.motor) {
    ASSIGN_OR_RETURN(auto pipeline, MotorPipeline::Create(motor, source));
    ASSIGN_OR_RETURN(auto limbs, MotorLimbs::Create(plan, motor, facts, sink));
    workers.push_back(std::make_unique<MotorWorker>(
        std::move(pipeline), MotorEntry{MotorWatch(motor, facts.trains, std::move(limbs), sink),
                                        motor.plan.modality(), due}));
  }
  const auto powers = std::make_shared<EegPowers>();
  for (const ResolvedEeg& eeg : resolved.eeg) {
    ASSIGN_OR_RETURN(auto pipeline, EegPipeline::Create(eeg, source, StimulationsOf(resolved)));
    workers.push_back(std::make_unique<EegWorker>(std::move(pipeline), powers, sink));
  }
  for (const ResolvedTrainOfFour& tof : resolved.train_of_four) {
    ASSIGN_OR_RETURN(auto pipeline, TofPipeline::Create(tof, source));
    workers.push_back(
        std::make_unique<TofWorker>(std::move(pipeline), TofWatch(tof, facts.trains, sink)));
  }
  for (const ResolvedMapping& mapping : resolved.mapping) {
    ASSIGN_OR_RETURN(auto pipeline, MappingPipeline::Create(mapping, source));
    workers.push_back(
        std::make_unique<MappingWorker>(std::move(pipeline), MappingWatch(mapping, sink)));
  }
  return workers;
}

}  // namespace remora::agent
