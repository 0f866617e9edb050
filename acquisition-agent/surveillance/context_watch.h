// Writes down what a source tells beside signals: vital signs, drugs, impedances, what the
// stimulators were set to and what they delivered, how the person lies, where the operation is.
//
// Records it makes: Vitals, DrugGiven, Impedances, StimulusChange, PositionChange, PhaseChange.
// Nothing is computed from them. Thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent {

class ContextWatch {
 public:
  // `sink` outlives it.
  ContextWatch(const ResolvedPlan& plan, RecordSink& sink);

  // Vitals of one moment and one source share a record: told with the next item of another kind or
  // time.
  void OnVital(const VitalSign& vital, int64_t now_ns);
  void OnDrug(const DrugEvent& drug, int64_t now_ns);
  void OnImpedance(const ElectrodeImpedance& impedance, int64_t now_ns);
  // A text of the source: "POSITION prone" and "PHASE CORRECTION" are more than notes. The phase
  // that begins, or nothing; `*taken`: it was one of these.
  std::optional<v1::Phase> OnEvent(const SourceEvent& event, bool* taken, int64_t now_ns);
  void OnStimulus(const Stimulus& stimulus, int64_t now_ns);
  // What waits is told.
  void Flush(int64_t now_ns);

 private:
  // One listener's stimulus as it was told last.
  struct Told {
    std::optional<v1::StimulusSetting> setting;
    bool not_as_asked = false;
    int64_t at_ns = 0;
  };
  struct Listener {
    v1::Modality modality = v1::MODALITY_UNSPECIFIED;
    v1::StimulusSetting planned;
    Told told;
  };

  RecordSink& sink_;
  std::vector<Listener> listeners_;  // as the plan numbers them
  std::vector<VitalSign> vitals_;    // that wait, of one time and source
  std::vector<ElectrodeImpedance> impedances_;
};

// As a record has it.
v1::VitalKind KindOf(VitalSign::Kind kind);

}  // namespace remora::agent
