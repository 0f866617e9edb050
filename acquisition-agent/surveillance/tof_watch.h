// Writes down the trains-of-four of one limb: a sweep after each stimulus, then the reading.
//
// Records it makes: Sweep and TrainOfFour. What a reading means for EMG and MEP is not said here.
// Thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/pipelines/tof_pipeline.h"
#include "acquisition-agent/surveillance/latest_train.h"

namespace remora::agent {

class TofWatch {
 public:
  // `trains`: the case's, which it notes each train in. `sink` outlives it.
  TofWatch(const ResolvedTrainOfFour& plan, std::shared_ptr<LatestTrain> trains, RecordSink& sink)
      : plan_(plan), trains_(std::move(trains)), sink_(sink) {}

  void OnTrain(const TofTrain& train, int64_t now_ns);

 private:
  RecordKey PutSweep(const TofTrain& train, size_t twitch, int64_t now_ns);

  const ResolvedTrainOfFour plan_;
  std::shared_ptr<LatestTrain> trains_;
  RecordSink& sink_;
};

}  // namespace remora::agent
