// A whole case, from what a source delivers to records: the pure core of the agent.
//
// The same items and the same commands, in the same order, make the same records: so a case can be
// replayed bit for bit, and a program that was killed goes on where it was. No clock, thread, file
// or socket; thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/pipelines/chunk_assembler.h"
#include "acquisition-agent/pipelines/emg_group.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/pipelines/sep_pipeline.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/case_plan.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "acquisition-agent/surveillance/case_facts.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "acquisition-agent/surveillance/context_watch.h"
#include "acquisition-agent/surveillance/differential_sink.h"
#include "acquisition-agent/surveillance/due_watch.h"
#include "acquisition-agent/surveillance/emg_watch.h"
#include "acquisition-agent/surveillance/entry_worker.h"
#include "acquisition-agent/surveillance/evoked_trace.h"
#include "acquisition-agent/surveillance/relation_watch.h"
#include "acquisition-agent/surveillance/technical_watch.h"

namespace remora::agent {

struct AnalysisSummary {
  uint64_t stimuli = 0;
  uint64_t sweeps_offered = 0;
  uint64_t sweeps_accepted = 0;
  uint64_t gaps = 0;
  // Told after their samples had been used: not blanked.
  uint64_t late_stimuli = 0;
};

class CaseAnalysis {
 public:
  // All three outlive it; `source` is that of the items. InvalidArgument: see ResolvePlan.
  static absl::StatusOr<std::unique_ptr<CaseAnalysis>> Create(const CasePlan& plan,
                                                              const SourceInfo& source,
                                                              RecordSink& sink);

  // What the case runs with: the plan set, and what was unusual in the source. Once, first.
  void Begin();
  // Instead of Begin, where a live source goes on in the middle of its case: behind an item of the
  // time when it does: takes up baselines, alerts and the phase. What a person has to do or know,
  // a sentence a trace.
  std::vector<std::string> Restore(const CasePast& past);
  // The next item of the source, EndOfSource included.
  void Take(const Item& item);
  // A record of somebody else in this case: a baseline that a person asks for, an alert that was
  // resolved, a phase, a muscle relaxant that was given, a train-of-four that was counted,
  // vital signs, a position, a remark on the case. That it was taken is on record (InputTaken).
  // Everything else is ignored.
  void TakeInput(const v1::Record& record);
  // Whether TakeInput would do anything with it.
  static bool IsInput(const v1::Record& record);

  // Device time of the newest item.
  int64_t now_ns() const { return now_ns_; }
  // The last that a person or the source said.
  v1::Phase phase() const { return facts_.phase; }
  AnalysisSummary summary() const;
  const ResolvedPlan& resolved_plan() const { return resolved_; }
  const std::vector<std::unique_ptr<EvokedTrace>>& traces() const { return traces_; }

 private:
  CaseAnalysis(const CasePlan& plan, const SourceInfo& source, RecordSink& sink);
  absl::Status Build();
  void TakeBlock(const SampleBlock& block);
  void TakeStimulus(const StimulusTrigger& trigger);
  void NoteRelaxant(absl::string_view drug, int64_t given_ns);
  void EnterPhase(v1::Phase phase, int64_t at_ns);
  v1::Record PlanRecord() const;
  void NoteTaken(const v1::Record& input);
  void TakeBaselineAsked(const v1::Record& record);
  void TakeEvent(const SourceEvent& event);
  void TakeGap(const Gap& gap);
  void TakeEnd();
  void TakeChunks(std::vector<Chunk>* chunks, bool all = false);
  void TakeChunk(const Chunk& chunk);
  void Announce(const std::vector<Stimulus>& stimuli);
  void AnnounceEvoked(const Stimulus& stimulus);
  // Results whose samples are there by `end_ns`, within the chunk that comes next.
  void Look(const Chunk& chunk, int64_t end_ns);
  void TellAverages(size_t evoked, const std::vector<EvokedAverage>& averages);
  // What the criteria leave of each trace's baseline is what its next average must not miss.
  void NoteSmallestResponses();
  void TellMuscles(std::vector<EmgOutput> outputs);
  void PutNote(const std::string& text, int64_t at_ns, int64_t duration_ns);

  const CasePlan& plan_;
  const SourceInfo& source_;
  DifferentialSink sink_;
  ResolvedPlan resolved_;
  std::vector<std::unique_ptr<ChunkAssembler>>
      assemblers_;  // by rate group; null where none is in use
  std::unique_ptr<StimulusFinder> stimulus_finder_;
  // Chunks that wait until the trigger channels' samples of their time have come.
  std::deque<Chunk> held_;
  std::vector<std::unique_ptr<SepPipeline>> evoked_;
  std::vector<std::unique_ptr<EvokedTrace>> traces_;  // as evoked_
  std::unique_ptr<RelationWatch> relations_;
  std::unique_ptr<EmgGroup> emg_;
  std::vector<std::unique_ptr<EmgWatch>> emg_watches_;
  CaseFacts facts_;  // before all that share them
  std::unique_ptr<DueWatch> due_;
  std::vector<std::unique_ptr<EntryWorker>> workers_;  // of all other modalities
  std::unique_ptr<ContextWatch> context_;
  std::unique_ptr<TechnicalWatch> technical_;
  int64_t now_ns_ = 0;
  uint64_t stimuli_ = 0;
  uint64_t gaps_ = 0;
};

}  // namespace remora::agent
