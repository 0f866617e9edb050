#include "acquisition-agent/surveillance/case_analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/pipelines/limits.h"
#include "acquisition-agent/pipelines/twitch_control.h"
#include "acquisition-agent/plan/coverage.h"
#include "acquisition-agent/surveillance/limits.h"
#include "acquisition-agent/surveillance/wording.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "common/status_macros.h"

namespace remora::agent {

absl::StatusOr<std::unique_ptr<CaseAnalysis>> CaseAnalysis::Create(const CasePlan& plan,
                                                                   const SourceInfo& source,
                                                                   RecordSink& sink) {
  auto analysis = std::unique_ptr<CaseAnalysis>(new CaseAnalysis(plan, source, sink));
  RETURN_IF_ERROR(analysis->Build());
  return analysis;
}

CaseAnalysis::CaseAnalysis(const CasePlan& plan, const SourceInfo& source, RecordSink& sink)
    : plan_(plan),
      source_(source),
      sink_(plan.causes ? std::make_unique<CaseFollower>(*plan.causes) : nullptr, sink) {}

absl::Status CaseAnalysis::Build() {
  ASSIGN_OR_RETURN(resolved_, ResolvePlan(plan_, source_));
  const auto rows_of = [&](const google::protobuf::RepeatedPtrField<std::string>& keys) {
    std::vector<v1::Criterion> rows;
    for (const std::string& key : keys) {
      if (const v1::Criterion* row = plan_.FindCriterion(key)) rows.push_back(*row);
    }
    return rows;
  };
  std::vector<std::vector<int>> in_use(source_.rate_groups.size());
  for (const ResolvedDerivation* derivation : resolved_.derivations()) {
    std::vector<int>& used = in_use[derivation->rate_group];
    used.insert(used.end(), derivation->plus.begin(), derivation->plus.end());
    used.insert(used.end(), derivation->minus.begin(), derivation->minus.end());
  }
  for (const ResolvedTrigger* trigger : resolved_.triggers()) {
    if (trigger->channel < 0) continue;
    in_use[source_.channels[trigger->channel].rate_group].push_back(trigger->channel);
  }
  for (const ResolvedEvoked& evoked : resolved_.evoked) {
    ASSIGN_OR_RETURN(std::unique_ptr<SepPipeline> pipeline, SepPipeline::Create(evoked, source_));
    evoked_.push_back(std::move(pipeline));
    absl::StatusOr<std::unique_ptr<EvokedTrace>> trace = EvokedTrace::Create(
        evoked, rows_of(evoked.plan.criterion()), plan_.criteria.version(), sink_);
    if (!trace.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(plan_.plan_path, ": ", evoked.trace_id, ": ", trace.status().message()));
    }
    traces_.push_back(*std::move(trace));
  }
  ASSIGN_OR_RETURN(emg_, EmgGroup::Create(resolved_, source_));
  for (const ResolvedEmg& emg : resolved_.emg) {
    emg_watches_.push_back(std::make_unique<EmgWatch>(emg, rows_of(emg.plan.criterion()),
                                                      plan_.criteria.version(), sink_));
  }
  for (size_t group = 0; group < in_use.size(); ++group) {
    assemblers_.push_back(in_use[group].empty() ? nullptr
                                                : std::make_unique<ChunkAssembler>(
                                                      source_, static_cast<int>(group),
                                                      in_use[group], resolved_.mains_hz));
  }
  due_ = std::make_unique<DueWatch>(resolved_, sink_);
  ASSIGN_OR_RETURN(workers_, MakeEntryWorkers(plan_, resolved_, source_, *due_, facts_, sink_));
  relations_ = std::make_unique<RelationWatch>(plan_.plan, sink_);
  context_ = std::make_unique<ContextWatch>(resolved_, sink_);
  stimulus_finder_ = std::make_unique<StimulusFinder>(resolved_, source_);
  technical_ = std::make_unique<TechnicalWatch>(resolved_, source_, sink_);
  return absl::OkStatus();
}

v1::Record CaseAnalysis::PlanRecord() const {
  v1::Record record;
  v1::CasePlanSet& set = *record.mutable_case_plan_set();
  *set.mutable_plan() = plan_.plan;
  *set.mutable_montage() = plan_.montage;
  *set.mutable_criteria() = plan_.criteria;
  set.set_revision(1);
  for (v1::CoverageGap& gap : CoverageGapsOf(plan_)) *set.add_coverage_gaps() = std::move(gap);
  return record;
}

void CaseAnalysis::Begin() {
  v1::Record record = PlanRecord();
  sink_.Put(&record, now_ns_);
  for (const std::string& note : source_.notes) PutNote(note, now_ns_, 0);
}

std::vector<std::string> CaseAnalysis::Restore(const CasePast& past) {
  std::vector<std::string> todo;
  for (const auto& trace : traces_) {
    const std::string words = trace->Restore(past);
    if (!words.empty()) todo.push_back(absl::StrCat(trace->trace_id(), ": ", words));
  }
  for (const auto& watch : emg_watches_) watch->Restore(past);
  technical_->Restore(past);
  facts_.phase = past.phase;
  // Who follows the case has not seen its beginning.
  sink_.OnInput(PlanRecord(), RecordKey(), now_ns_);
  if (past.phase != v1::PHASE_UNSPECIFIED) {
    v1::Record phase;
    phase.mutable_phase_change()->set_phase(past.phase);
    sink_.OnInput(phase, RecordKey(), now_ns_);
  }
  due_->Restore(past, now_ns_);
  NoteSmallestResponses();
  for (const auto& worker : workers_) {
    if (std::string words = worker->Restore(past); !words.empty()) {
      todo.push_back(std::move(words));
    }
    worker->RefuseControl("the agent began in the middle of the case",
                          std::numeric_limits<int64_t>::min());
  }
  return todo;
}

void CaseAnalysis::PutNote(const std::string& text, int64_t at_ns, int64_t duration_ns) {
  if (text.empty()) return;
  v1::Record record;
  v1::SourceNote& note = *record.mutable_source_note();
  size_t end = std::min(text.size(), kMaxTextBytes);
  // Not in the middle of a UTF-8 character.
  while (end > 0 && end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  note.set_text(text.substr(0, end));
  note.set_at_monotonic_ns(at_ns);
  note.set_duration_ms(static_cast<double>(std::max<int64_t>(duration_ns, 0)) / 1e6);
  sink_.Put(&record, now_ns_);
}

void CaseAnalysis::Take(const Item& item) {
  if (std::holds_alternative<EndOfSource>(item)) return TakeEnd();
  now_ns_ = std::max(now_ns_, DueTimeNs(item));
  if (const auto* block = std::get_if<SampleBlock>(&item)) return TakeBlock(*block);
  if (const auto* trigger = std::get_if<StimulusTrigger>(&item)) return TakeStimulus(*trigger);
  if (const auto* event = std::get_if<SourceEvent>(&item)) return TakeEvent(*event);
  if (const auto* gap = std::get_if<Gap>(&item)) return TakeGap(*gap);
  if (const auto* vital = std::get_if<VitalSign>(&item)) return context_->OnVital(*vital, now_ns_);
  if (const auto* drug = std::get_if<DrugEvent>(&item)) {
    NoteRelaxant(drug->drug, drug->time_ns);
    return context_->OnDrug(*drug, now_ns_);
  }
  if (const auto* impedance = std::get_if<ElectrodeImpedance>(&item)) {
    return context_->OnImpedance(*impedance, now_ns_);
  }
}

void CaseAnalysis::EnterPhase(v1::Phase phase, int64_t at_ns) {
  const bool was_at_risk = IsRiskPhase(facts_.phase);
  facts_.phase = phase;
  due_->OnPhase(phase, now_ns_);
  if (phase == v1::PHASE_INDUCTION) facts_.anaesthesia_began_ns = at_ns;
  if (was_at_risk || !IsRiskPhase(phase)) return;
  for (const auto& worker : workers_) worker->OnRiskStage(at_ns);
}

void CaseAnalysis::NoteRelaxant(absl::string_view drug, int64_t given_ns) {
  const std::optional<absl::string_view> relaxant = RelaxantIn(drug);
  if (!relaxant) return;
  const std::string why = absl::StrCat(*relaxant, " was given");
  for (const auto& worker : workers_) worker->RefuseControl(why, given_ns);
}

void CaseAnalysis::TakeStimulus(const StimulusTrigger& trigger) {
  ++stimuli_;
  std::vector<Stimulus> found;
  stimulus_finder_->OnTrigger(trigger, &found);
  Announce(found);
}

void CaseAnalysis::AnnounceEvoked(const Stimulus& stimulus) {
  double for_ms = 0;
  int64_t last_ns = stimulus.last_pulse_ns();
  for (const ResolvedMotor& motor : resolved_.motor) {
    if (stimulus.own[motor.trigger.listener]) for_ms = std::max(for_ms, motor.plan.epoch_to_ms());
  }
  for (const ResolvedTrainOfFour& tof : resolved_.train_of_four) {
    if (stimulus.own[tof.trigger.listener]) for_ms = std::max(for_ms, tof.plan.window_to_ms());
  }
  for (const ResolvedMapping& map : resolved_.mapping) {
    if (stimulus.own[map.trigger.listener]) for_ms = std::max(for_ms, map.plan.epoch_to_ms());
  }
  for (const ResolvedEvoked& evoked : resolved_.evoked) {
    // The cord is listened to, but muscles that are not relaxed answer as well.
    if (evoked.plan.modality() == v1::MODALITY_D_WAVE && stimulus.own[evoked.trigger.listener]) {
      for_ms = std::max({for_ms, evoked.plan.epoch_to_ms(), kBrainPulseAnswerMs});
    }
  }
  for (const ResolvedEeg& eeg : resolved_.eeg) {
    if (!eeg.after_discharge || !stimulus.own[eeg.after_discharge->listener]) continue;
    for_ms = std::max(for_ms, kBrainPulseAnswerMs);
    last_ns = std::max(last_ns, StimulationEndNs(stimulus));
  }
  if (for_ms == 0) return;
  for (const auto& assembler : assemblers_) {
    if (assembler == nullptr) continue;
    assembler->AddEvoked(stimulus.time_ns - kEvokedBeforeNs,
                         last_ns + static_cast<int64_t>(for_ms * 1e6));
  }
}

void CaseAnalysis::Announce(const std::vector<Stimulus>& stimuli) {
  for (const Stimulus& stimulus : stimuli) {
    AnnounceEvoked(stimulus);
    for (const auto& pipeline : evoked_) {
      pipeline->OnStimulus(stimulus, stimulus.own[pipeline->plan().trigger.listener]);
    }
    emg_->OnStimulus(stimulus);
    for (const auto& worker : workers_) worker->OnStimulus(stimulus);
    context_->OnStimulus(stimulus, now_ns_);
    technical_->OnStimulus(stimulus);
  }
}

void CaseAnalysis::TakeEvent(const SourceEvent& event) {
  std::vector<Stimulus> found;
  const bool is_stimulus = stimulus_finder_->OnEvent(event, &found);
  Announce(found);
  // Stimuli are not news: there are thousands.
  if (is_stimulus) return;
  bool taken = false;
  const std::optional<v1::Phase> phase = context_->OnEvent(event, &taken, now_ns_);
  if (phase) EnterPhase(*phase, event.time_ns);
  if (!taken) PutNote(event.text, event.time_ns, event.duration_ns);
}

void CaseAnalysis::TakeGap(const Gap& gap) {
  ++gaps_;
  std::vector<Chunk> chunks;
  for (size_t group = 0; group < assemblers_.size(); ++group) {
    const bool broken = gap.rate_group < 0 || gap.rate_group == static_cast<int>(group);
    if (broken && assemblers_[group] != nullptr) assemblers_[group]->Break(&chunks);
  }
  TakeChunks(&chunks, /*all=*/gap.rate_group < 0);
  v1::Record record;
  v1::DataGap& lost = *record.mutable_data_gap();
  lost.set_cause(v1::DATA_GAP_CAUSE_SOURCE_GAP);
  lost.set_from_monotonic_ns(gap.from_ns);
  lost.set_to_monotonic_ns(std::max(gap.from_ns, gap.to_ns));
  sink_.Put(&record, now_ns_);
  if (gap.kind == Gap::Kind::kTimeJumpedBack) {
    PutNote(absl::StrCat("The recorded time jumped: ", gap.cause), gap.from_ns, 0);
  } else if (!gap.cause.empty()) {
    PutNote(gap.cause, gap.from_ns, gap.to_ns - gap.from_ns);
  }
}

void CaseAnalysis::TakeBlock(const SampleBlock& block) {
  if (block.rate_group < 0 || block.rate_group >= static_cast<int>(assemblers_.size())) return;
  ChunkAssembler* assembler = assemblers_[block.rate_group].get();
  if (assembler == nullptr) return;
  std::vector<Chunk> chunks;
  assembler->Push(block, &chunks);
  TakeChunks(&chunks);
  // Not before the chunks ahead of it, nor where a stimulus in it may not be known yet.
  const Chunk* open = assembler->open();
  if (open == nullptr || !held_.empty()) return;
  const int64_t end_ns = open->TimeOf(static_cast<double>(open->first_position + open->samples));
  if (end_ns <= stimulus_finder_->known_until_ns()) Look(*open, end_ns);
}

void CaseAnalysis::Look(const Chunk& chunk, int64_t end_ns) {
  for (;;) {
    int64_t due_ns = std::numeric_limits<int64_t>::max();
    for (const auto& pipeline : evoked_) {
      if (pipeline->rate_group() == chunk.rate_group) due_ns = std::min(due_ns, pipeline->due_ns());
    }
    for (const auto& worker : workers_) {
      if (worker->rate_group() == chunk.rate_group) due_ns = std::min(due_ns, worker->due_ns());
    }
    if (due_ns > end_ns) return;
    const Chunk look = assemblers_[chunk.rate_group]->LookAt(chunk, chunk.SamplesUntil(due_ns));
    for (size_t i = 0; i < evoked_.size(); ++i) {
      if (evoked_[i]->due_ns() > look.end_ns) continue;
      std::vector<EvokedAverage> averages;
      evoked_[i]->OnLook(look, &averages);
      TellAverages(i, averages);
    }
    for (const auto& worker : workers_) {
      if (worker->due_ns() <= look.end_ns) worker->OnLook(look, now_ns_);
    }
  }
}

void CaseAnalysis::TakeChunks(std::vector<Chunk>* chunks, bool all) {
  for (Chunk& chunk : *chunks) {
    std::vector<Stimulus> found;
    stimulus_finder_->OnChunk(chunk, &found);
    Announce(found);
    held_.push_back(std::move(chunk));
  }
  while (!held_.empty() && (all || held_.front().end_ns <= stimulus_finder_->known_until_ns() ||
                            held_.back().end_ns - held_.front().end_ns > kMaxHeldNs)) {
    assemblers_[held_.front().rate_group]->Judge(&held_.front());
    TakeChunk(held_.front());
    held_.pop_front();
  }
}

void CaseAnalysis::TakeChunk(const Chunk& chunk) {
  context_->Flush(now_ns_);
  technical_->OnChunk(chunk, now_ns_);
  due_->OnTime(now_ns_);
  Look(chunk, chunk.end_ns);
  for (size_t i = 0; i < evoked_.size(); ++i) {
    std::vector<EvokedAverage> averages;
    evoked_[i]->OnChunk(chunk, &averages);
    TellAverages(i, averages);
    technical_->OnCadence(*evoked_[i], chunk.end_ns);
  }
  TellMuscles(emg_->OnChunk(chunk));
  for (const auto& worker : workers_) worker->OnChunk(chunk, now_ns_);
}

void CaseAnalysis::TellAverages(size_t evoked, const std::vector<EvokedAverage>& averages) {
  for (const EvokedAverage& average : averages) {
    technical_->OnAverage(resolved_.evoked[evoked], average, now_ns_);
    if (!average.provisional) due_->OnTrial(resolved_.evoked[evoked].plan.modality(), now_ns_);
    const std::optional<MeasuredAverage> measured = traces_[evoked]->OnAverage(average, now_ns_);
    if (measured) relations_->OnMeasured(*measured, now_ns_);
  }
  if (!averages.empty()) NoteSmallestResponses();
}

void CaseAnalysis::NoteSmallestResponses() {
  for (size_t i = 0; i < evoked_.size(); ++i) {
    evoked_[i]->SetSmallestResponse(traces_[i]->smallest_response_uv());
  }
}

void CaseAnalysis::TellMuscles(std::vector<EmgOutput> outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) emg_watches_[i]->OnOutput(&outputs[i], now_ns_);
}

void CaseAnalysis::TakeEnd() {
  std::vector<Chunk> chunks;
  for (const auto& assembler : assemblers_) {
    if (assembler != nullptr) assembler->Break(&chunks);
  }
  TakeChunks(&chunks, /*all=*/true);
  for (size_t i = 0; i < evoked_.size(); ++i) {
    std::vector<EvokedAverage> averages;
    evoked_[i]->OnEnd(&averages);
    TellAverages(i, averages);
  }
  TellMuscles(emg_->OnEnd());
  for (const auto& worker : workers_) worker->OnEnd(now_ns_);
  context_->OnEnd(now_ns_);
}

AnalysisSummary CaseAnalysis::summary() const {
  AnalysisSummary summary;
  summary.stimuli = stimuli_;
  summary.gaps = gaps_;
  for (const auto& pipeline : evoked_) {
    summary.sweeps_offered += pipeline->offered_total();
    summary.sweeps_accepted += pipeline->accepted_total();
    summary.late_stimuli = std::max(summary.late_stimuli, pipeline->late_total());
  }
  summary.late_stimuli = std::max(summary.late_stimuli, emg_->late_total());
  for (const auto& worker : workers_) {
    summary.late_stimuli = std::max(summary.late_stimuli, worker->late_total());
  }
  return summary;
}

}  // namespace remora::agent
