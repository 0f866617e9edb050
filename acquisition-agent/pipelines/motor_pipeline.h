// Single responses of muscles: transcranial and direct cortical MEP, triggered EMG, nerves, screws,
// laryngeal EMG, cortical and subcortical mapping. One stimulus, or one train, makes one trial: a
// sweep of every muscle, measured by itself and never averaged. A train that the source tells pulse
// by pulse is one train all the same: what follows its first pulse by less than the plan's train is
// long belongs to it.
//
//   sweeps of all muscles (trial_cutter.h) -> measured (dsp/motor) -> trial
//                                                                 '-> by site -> threshold search
//
// Pure: no clock, no thread, no record. One a plan entry, thread-compatible, on the agent's
// sequence. The delay is the epoch: the filter is causal, and who gives it looks (OnLook) does not
// wait for the chunk.
//
// Invariants: 1. each stimulus of its own, or train of them, makes one trial, in the order of the
// stimuli; 2. a muscle whose sweep is not good is in the trial, with its cause, and is never called
// absent; 3. trials do not depend on how the source cuts its blocks; 4. a threshold rests on what
// the source stated as delivered, or else as asked for, never on what was planned alone.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/trial_cutter.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/motor/motor_response.h"
#include "dsp/motor/threshold_search.h"

namespace remora::agent {

// What one muscle did after one stimulus.
struct MuscleAnswer {
  std::vector<double> uv;  // none: nothing came
  dsp::Rejection cause = dsp::Rejection::kNone;
  // The train lasts so long, or the next comes so soon, that little is left of where the response
  // is looked for: what is there may be an artefact, and what is not may have come before.
  bool is_under_train = false;
  // Not to be used where the answer is not good.
  dsp::MotorResponse response;
  double uv_per_count = 0;

  bool is_good() const { return cause == dsp::Rejection::kNone && !is_under_train; }
};

struct MotorTrial {
  uint32_t trial_index = 0;
  Stimulus stimulus;
  std::string site;
  v1::StimulusSetting setting;  // the plan's, with what the source said of this stimulus
  dsp::Timebase timebase;
  std::vector<MuscleAnswer> answers;  // by muscle of the plan
  // With a threshold in the plan.
  struct Step {
    // In mA or V, as the source stated it; 0: it is no step of the search, and `left_out` says why.
    double intensity = 0;
    std::string left_out;
    bool is_voltage = false;                             // of the search
    bool is_beyond_sites = false;                        // left out since kMaxSites are searched
    dsp::Presence presence = dsp::Presence::kUncertain;  // of any muscle
    int muscle = -1;                                     // that answered most; -1: none
    dsp::Threshold threshold;                            // of this site so far
    uint32_t repeat_index = 1;                           // of searches at this site
  };
  std::optional<Step> step;
};

class MotorPipeline {
 public:
  static absl::StatusOr<std::unique_ptr<MotorPipeline>> Create(const ResolvedMotor& plan,
                                                               const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it makes a trial here.
  void OnStimulus(const Stimulus& stimulus, bool own);
  // Appends the trials that are complete. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<MotorTrial>* trials);
  // When a trial's samples are all there, before their chunk is whole: the next time for OnLook.
  int64_t due_ns() const { return muscles_.DueNs(looked_ns_); }
  // The first samples of the next chunk (ChunkAssembler::LookAt), up to due_ns() or further.
  void OnLook(const Chunk& look, std::vector<MotorTrial>* trials);
  // The end of the source: what was begun, as far as it came.
  void OnEnd(std::vector<MotorTrial>* trials);

  const ResolvedMotor& plan() const { return plan_; }
  int rate_group() const { return muscles_.rate_group(); }
  uint64_t late_total() const { return muscles_.late_total(); }

 private:
  // A search at one site. A pause of the stimuli there begins a new one.
  struct SiteSearch {
    explicit SiteSearch(double step) : search(step) {}
    dsp::ThresholdSearch search;
    bool is_voltage = false;
    int64_t last_ns = 0;
    uint32_t repeat_index = 1;
  };

  // As it has been told so far.
  struct Train {
    int64_t first_ns = 0;
    int64_t last_ns = 0;
    int pulses = 1;
  };

  MotorPipeline(const ResolvedMotor& plan, TrialCutter muscles);
  // A further pulse of the newest train; else it begins one.
  bool JoinsTrain(const Stimulus& stimulus);
  void TellPulses(Stimulus* first);
  void MeasureAll(std::vector<CutTrial> cut, std::vector<MotorTrial>* trials);
  MotorTrial Measure(CutTrial cut);
  // When the next one comes, behind this one; infinite: none is known.
  double NextTrainMs(const Stimulus& stimulus) const;
  MuscleAnswer Answer(size_t muscle, double next_ms, CutSweep sweep) const;
  void NoteStep(MotorTrial* trial);
  // The search at a site, begun anew where it has to be; null: no more sites are searched.
  SiteSearch* SearchAt(const MotorTrial& trial, std::optional<bool> is_voltage);

  const ResolvedMotor plan_;
  TrialCutter muscles_;
  std::map<std::string, SiteSearch> searches_;
  std::deque<Train> trains_;  // the newest, and those whose trials are to come
  uint32_t next_trial_ = 0;
  int64_t looked_ns_ = std::numeric_limits<int64_t>::min();
};

}  // namespace remora::agent
