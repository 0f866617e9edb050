// Writes down what a source tells beside signals: vital signs, drugs, impedances, what the
// stimulators were set to and what they delivered, how the person lies, where the operation is.
//
// Records it makes: Vitals, DrugGiven, Impedances, StimulusChange, PositionChange, PhaseChange.
// Nothing is computed from them. Thread-compatible, on the agent's sequence.
//
// A StimulusChange is what is known of a stimulus and was not, or is not as it was: against the
// plan at its first stimulus, then against what was told last. What a source leaves unsaid is no
// change. At most one each 5 s of a stimulus, with the newest setting; one that is not delivered as
// asked for is told at once. Entries with the same stimulus tell it once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
  // With each piece of signal: what waits is told, settings once their time has come.
  void Flush(int64_t now_ns);
  // All that waits is told.
  void OnEnd(int64_t now_ns);

 private:
  struct Setting {
    v1::StimulusSetting stimulus;
    bool not_as_asked = false;
  };
  struct Listener {
    v1::Modality modality = v1::MODALITY_UNSPECIFIED;
    v1::StimulusSetting planned;
    std::string trigger;             // the plan's, to know one that another entry has too
    bool is_told = true;             // else by a listener before it
    std::optional<Setting> told;     // or known without a record; none: before the first stimulus
    std::optional<Setting> waiting;  // that changed too soon after `at_ns`
    std::optional<int64_t> at_ns;    // of the stimulus that was told last
  };

  void FlushSettings(bool all, int64_t now_ns);
  // `previous`: none at the first stimulus.
  void PutSetting(const Listener& listener, const Setting& setting,
                  const std::optional<Setting>& previous, int64_t now_ns);

  RecordSink& sink_;
  std::vector<Listener> listeners_;  // as the plan numbers them
  std::vector<VitalSign> vitals_;    // that wait, of one time and source
  std::vector<ElectrodeImpedance> impedances_;
};

// As a record has it.
v1::VitalKind KindOf(VitalSign::Kind kind);

}  // namespace remora::agent
