// Writes down the discharges of one muscle and raises the alert for a train.
//
// An alert does not wait for the train's end: it comes when the train has lasted as long as the
// criterion says, is told anew each time the train has lasted twice as long, and recovers when the
// train was seen to end. A train that an artefact cuts off holds its level until silence shows that
// it has ended; one that goes on after it is the same train, and what was seen of it adds up. A
// muscle that cannot be assessed for long is a technical alert. Thread-compatible, on the agent's
// sequence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/pipelines/emg_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "acquisition-agent/surveillance/case_past.h"
#include "dsp/assess/fixed_criteria.h"

namespace remora::agent {

class EmgWatch {
 public:
  // `sink` outlives it.
  EmgWatch(const ResolvedEmg& plan, const std::vector<v1::Criterion>& rows,
           std::string criteria_version, RecordSink& sink);

  // Before the first output, in the middle of a case: takes up its alerts. The train of one that
  // was on is one that was cut off: silence ends it, and one that is found goes on with it.
  void Restore(const CasePast& past);
  void OnOutput(EmgOutput* output, int64_t now_ns);
  void OnAlertResolved(const v1::AlertAction& action);

 private:
  struct Row {
    v1::Criterion criterion;
    AlertSlot alert;
    dsp::AlertLevel level = dsp::AlertLevel::kNormal;
    double told_ms = 0;
  };

  void OnTrain(const EmgEvent& event, int64_t now_ns);
  void OnState(const EmgState& state, int64_t now_ns);
  void Judge(Row* row, const EmgEvent& event, int64_t now_ns);
  void EndTrain(const EmgEvent& event, int64_t now_ns);
  double LastedMs(const EmgEvent& event) const;
  v1::Alert Describe(const Row& row, const EmgEvent& event, bool ended) const;

  const ResolvedEmg plan_;
  const std::string criteria_version_;
  RecordSink& sink_;
  std::vector<Row> rows_;
  // Of a train that was cut off: its last event, and how long was seen of it.
  std::optional<EmgEvent> cut_off_;
  double seen_ms_ = 0;
  int64_t began_ns_ = 0;
  AlertSlot unassessed_;
};

}  // namespace remora::agent
