// What the watches of one case share: the phase, relaxation, how long anaesthesia has lasted, what
// muscles of this patient do by themselves. One a case, owned by its analysis; thread-compatible,
// on the agent's sequence.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "acquisition-agent/surveillance/latest_train.h"
#include "dsp/assess/limb_judge.h"
#include "remora/v1/case.pb.h"

namespace remora::agent {

struct CaseFacts {
  std::shared_ptr<LatestTrain> trains = std::make_shared<LatestTrain>();
  // How old a train-of-four may be, and still speak for now.
  int64_t train_due_ns = int64_t{15} * 60 * 1'000'000'000;
  dsp::DropoutMemory dropouts;
  v1::Phase phase = v1::PHASE_UNSPECIFIED;
  std::optional<int64_t> anaesthesia_began_ns;
};

}  // namespace remora::agent
