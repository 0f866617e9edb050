// One entry of a plan at work: its pipeline, and what writes its results down. The analysis gives
// stimuli and chunks to all of them alike.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/surveillance/case_facts.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "acquisition-agent/surveillance/due_watch.h"

namespace remora::agent {

class EntryWorker {
 public:
  virtual ~EntryWorker() = default;
  // First, in the middle of a case: takes up what the record says. What a person has to know; "" is
  // nothing.
  virtual std::string Restore(const CasePast& /*past*/) { return ""; }
  // Before the chunk that holds its time.
  virtual void OnStimulus(const Stimulus& stimulus) = 0;
  virtual void OnChunk(const Chunk& chunk, int64_t now_ns) = 0;
  // The next time for OnLook: a result's samples are there before their chunk is whole. The largest
  // number: nothing waits.
  virtual int64_t due_ns() const { return std::numeric_limits<int64_t>::max(); }
  // The first samples of the next chunk (ChunkAssembler::LookAt).
  virtual void OnLook(const Chunk& /*look*/, int64_t /*now_ns*/) {}
  // Of its samples.
  virtual int rate_group() const = 0;
  // From `from_ns` on no train-of-four is the control of later ones (TofPipeline::RefuseControl).
  virtual void RefuseControl(absl::string_view /*why*/, int64_t /*from_ns*/) {}
  // A person asks for a baseline. False: none of its traces is meant, or it has no such command.
  virtual bool OnBaselineAsked(const v1::BaselineSet& /*asked*/, const RecordKey& /*asked_by*/,
                               int64_t /*now_ns*/) {
    return false;
  }
  // A person resolved or dismissed an alert.
  virtual void OnAlertResolved(const v1::AlertAction& /*action*/) {}
  // A stage of risk begins: what came before is left out of what responses have lately been.
  virtual void OnRiskStage(int64_t /*now_ns*/) {}
  // The end of the source.
  virtual void OnEnd(int64_t now_ns) = 0;
  // Stimuli that came too late to be blanked, or to be cut out.
  virtual uint64_t late_total() const = 0;
};

// For every entry of single responses, EEG, trains-of-four and maps. `due` is told of each trial of
// single responses that has a sweep. `due`, `facts` and `sink` outlive them.
// InvalidArgument: what the plan asks of dsp and it refuses.
absl::StatusOr<std::vector<std::unique_ptr<EntryWorker>>> MakeEntryWorkers(
    const CasePlan& plan, const ResolvedPlan& resolved, const SourceInfo& source, DueWatch& due,
    CaseFacts& facts, RecordSink& sink);

}  // namespace remora::agent
