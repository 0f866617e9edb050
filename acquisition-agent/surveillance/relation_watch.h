// What two averaged traces say together: central conduction time, the caudal D-wave over the
// rostral one.
//
// Records it makes: Relation, one for each trial in which both traces have a finished average.
// Thread-compatible, on the agent's sequence; CaseAnalysis tells it every finished average.
//
// Traces end their averages each in its own time (sweeps are rejected, or one is decided before the
// other). Two are of one trial when their stimuli share at least half of the shorter one's time.
// Each average stands in one relation of a name at most.
//
// A relation is as certain as the less certain of its two measurements, and says whose doubt it
// is. Where a component is not there, it has no value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/pipelines/record_sink.h"
#include "acquisition-agent/surveillance/evoked_trace.h"
#include "remora/v1/plan.pb.h"

namespace remora::agent {

class RelationWatch {
 public:
  // `sink` outlives it.
  RelationWatch(const v1::Plan& plan, RecordSink& sink);

  void OnMeasured(const MeasuredAverage& measured, int64_t now_ns);

 private:
  struct Side {
    std::string trace_id;
    std::string derivation;
    std::optional<MeasuredAverage> newest;  // that no relation has used
  };
  struct Pair {
    v1::RelationPlan plan;
    Side first;
    Side second;
  };

  void Tell(const Pair& pair, int64_t now_ns);

  RecordSink& sink_;
  std::vector<Pair> pairs_;
};

}  // namespace remora::agent
