// The newest train-of-four of each limb, for those who write down a response that relaxation may
// have taken away. One a case, shared by its watches; thread-compatible, on the agent's sequence.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "acquisition-agent/pipelines/tof_pipeline.h"
#include "acquisition-agent/plan/limbs.h"
#include "dsp/assess/rules/relaxation_gate.h"

namespace remora::agent {

class LatestTrain {
 public:
  // A train without a count is known as such: an older one does not speak for now.
  void Note(const TofTrain& train, const std::string& limb);
  // A train that a person counted.
  void NoteCounted(int twitches, double ratio, const std::string& limb, int64_t at_ns);
  // "last train-of-four left hand 35 s before: 4 of 4, ratio 0.95"; "" when there was none.
  std::string Before(int64_t at_ns) const;
  // What it says at `at_ns` of muscles of a limb of this kind. One that is of another limb gates
  // only when it shows deep relaxation: block differs between hand and foot, and four twitches in
  // one say nothing of the other.
  dsp::RelaxationGate GateFor(LimbKind limb, int64_t at_ns, int64_t due_ns) const;

 private:
  struct Train {
    int64_t at_ns = 0;
    std::string limb;
    std::string said;
    std::optional<int> twitches;  // nothing: not counted
    double ratio = 0;
  };

  std::map<std::string, Train> trains_;  // by limb
  std::string newest_;                   // limb
};

}  // namespace remora::agent
