// Which records are results of a modality, and when the last sample was taken that each rests on.
//
// Of averages and single responses the measurement, of a train-of-four its count, of a map its
// result, of EEG a window, of EMG the samples that are sent. The last sample of a sweep is the last
// that its interpolation reads: three behind its epoch's end. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "acquisition-agent/plan/resolved_plan.h"
#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

struct TimedResult {
  v1::Modality modality = v1::MODALITY_UNSPECIFIED;
  bool of_sweep = false;  // else of what runs on
  // Nothing: not known, as of a window with an artefact in it, or of an average that a pause ended.
  std::optional<int64_t> last_sample_ns;
};

class ResultTimes {
 public:
  explicit ResultTimes(const ResolvedPlan& plan);
  // Each record, in the order made. Nothing: it is no result.
  std::optional<TimedResult> Of(const v1::Record& record, const RecordKey& key);

 private:
  struct Epoch {
    double to_ms = 0;
    double sample_rate_hz = 0;
  };
  // Of a sweep that was told.
  struct Told {
    v1::Modality modality;
    int64_t last_sample_ns;
  };

  void NoteSweep(const v1::Sweep& sweep, uint64_t seq);
  TimedResult OfMeasurement(const v1::Measurement& measurement) const;
  TimedResult OfTrain(const v1::TrainOfFour& train) const;
  TimedResult OfMap(const v1::MappingResult& result);

  std::map<std::string, Epoch> epochs_;  // by trace
  std::map<uint64_t, Told> sweeps_;      // by number; the newest of them
};

}  // namespace remora::agent
