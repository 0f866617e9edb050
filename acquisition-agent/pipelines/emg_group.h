// All muscles of a case: what they say of a chunk together, and then each on its own.
//
// One muscle cannot tell a drill from a train, nor shivering from a nerve in trouble. The muscles
// of one rate group are looked at together (dsp/emg/artefact_class.h), piece by piece; those of
// several rates, or that are not at the same place, each for itself. What only some of them have,
// one loose electrode's hum, is theirs alone: the others go on being judged. Pure,
// thread-compatible, on the agent's sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/continuous_bank.h"
#include "acquisition-agent/pipelines/emg_pipeline.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/emg/artefact_class.h"

namespace remora::agent {

class EmgGroup {
 public:
  // InvalidArgument: what a muscle's plan asks of dsp and it refuses.
  static absl::StatusOr<std::unique_ptr<EmgGroup>> Create(const ResolvedPlan& plan,
                                                          const SourceInfo& source);

  size_t size() const { return muscles_.size(); }  // as many as plan.emg, in its order
  // Before the chunk that holds its time.
  void OnStimulus(const Stimulus& stimulus);
  // One output a muscle.
  std::vector<EmgOutput> OnChunk(const Chunk& chunk);
  std::vector<EmgOutput> OnEnd();
  uint64_t late_total() const;

 private:
  // Muscles of one rate group.
  struct Together {
    int rate_group = 0;
    std::vector<size_t> muscles;
    std::optional<dsp::ArtefactClassifier> classifier;  // nothing: their rate is too low for it
  };

  EmgGroup() = default;
  std::vector<std::vector<Piece>*> Pieces() const;
  std::vector<EmgOutput> Judge();
  std::vector<dsp::ArtefactVerdict> Compare(Together* together);

  std::vector<std::unique_ptr<EmgPipeline>> muscles_;
  std::vector<Together> groups_;
  std::optional<ContinuousBank> bank_;  // of all muscles, once they are there
};

}  // namespace remora::agent
