// Writes down the discharges of one muscle and raises the alert for a train.
//
// An alert does not wait for the train's end: it comes when the train has lasted as long as the
// criterion says, and recovers when the train has ended. Thread-compatible, on the agent's
// sequence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "acquisition-agent/pipelines/emg_pipeline.h"
#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/surveillance/alert_slot.h"
#include "dsp/assess/fixed_criteria.h"

namespace remora::agent {

class EmgWatch {
 public:
  // `sink` outlives it.
  EmgWatch(const ResolvedEmg& plan, const std::vector<v1::Criterion>& rows,
           std::string criteria_version, RecordSink& sink);

  void OnOutput(EmgOutput* output, int64_t now_ns);
  void OnAlertResolved(const RecordKey& raised_by);

 private:
  struct Row {
    v1::Criterion criterion;
    AlertSlot alert;
    dsp::AlertLevel level = dsp::AlertLevel::kNormal;
  };

  void Judge(Row* row, const EmgEvent& event, int64_t now_ns);
  v1::Alert Describe(const Row& row, const EmgEvent& event) const;

  const ResolvedEmg plan_;
  const std::string criteria_version_;
  RecordSink& sink_;
  std::vector<Row> rows_;
};

}  // namespace remora::agent
