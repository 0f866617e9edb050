// Technical alarm conditions of the theatre's side, LOW priority: an electrode that came off,
// averaged stimuli that do not come, averages without usable sweeps. Each recovers by itself.
// Electrodes are those of all entries, each once, with the traces that it is in.
// Thread-compatible, on the agent's sequence.
//
// A stimulator that gives a train-of-four or a MEP leaves its averaged stimuli out meanwhile, each
// minute perhaps. Nothing is missing then: the wait for an averaged stimulus begins anew at each
// single one of the case, planned or not, for kMaxBusyNs at most.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/pipelines/sep_pipeline.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_past.h"

namespace remora::agent {

// A technical alert with what all of them have in common; for other parts of the agent as well.
v1::Alert TechnicalAlert(const std::string& subject, const std::string& summary);

class TechnicalWatch {
 public:
  // `source` and `sink` outlive it.
  TechnicalWatch(const ResolvedPlan& plan, const SourceInfo& source, RecordSink& sink);

  // First, in the middle of a case: takes up its alerts.
  void Restore(const CasePast& past);
  void OnStimulus(const Stimulus& stimulus);
  void OnChunk(const Chunk& chunk, int64_t now_ns);
  // The pipelines' cadences, after each chunk. The worst trace of a stimulus speaks for all.
  void OnCadence(const SepPipeline& pipeline, int64_t now_ns);
  void OnAverage(const ResolvedEvoked& plan, const EvokedAverage& average, int64_t now_ns);
  void OnAlertResolved(const v1::AlertAction& action);

 private:
  struct Electrode {
    std::string label;
    std::string affects;
    std::deque<bool> bad;  // the last chunks
    int good_in_a_row = 0;
    std::string why;
    AlertSlot alert;
  };

  bool IsMissing(const Cadence& cadence, int64_t now_ns) const;
  void OnElectrode(Electrode* electrode, const ChannelMarks& marks, const Chunk& chunk,
                   int64_t now_ns);

  const SourceInfo& source_;
  RecordSink& sink_;
  std::map<int, Electrode> electrodes_;       // by index of the channel
  std::map<std::string, AlertSlot> stimuli_;  // by name of the stimulus
  std::vector<size_t> averaged_;              // listeners of averaged stimuli
  int64_t last_single_ns_ = std::numeric_limits<int64_t>::min();
  std::map<std::string, AlertSlot> unusable_;  // by trace
};

}  // namespace remora::agent
