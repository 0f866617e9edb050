// A strip of contacts: over the cortex, where each contact is recorded after stimuli to a nerve; on
// the cord, where each contact is stimulated in turn and the scalp is recorded, or where each is
// recorded after stimuli to the left and to the right leg. Averages by contact, and where the
// response turns over, or where left and right cross (dsp/mapping).
//
//   sweeps (sweep_stream.h) -> average of each contact (strip_contact.h) -> round over -> result
//
// Pure: no clock, no thread, no record. One a plan entry, thread-compatible, on the agent's
// sequence. The delay is the epoch for who looks (OnLook), and the chunk and the filter's
// look-ahead for what is cut by a change or a pause.
//
// Invariants: 1. a round has one average of every contact that is usable, and one result; then all
// begin anew; 2. a sweep that is not good is never averaged; 3. a stimulus whose site names no
// contact, or no side, is counted, told, and belongs to none; 4. a round is of one position of the
// strip (what a stimulus's site says beside the contact), an average of one setting of its
// stimulus; where all contacts are recorded together, a change of either, or a pause, ends the
// round, with what it has or with nothing; 5. a round does not wait for contacts that give nothing:
// a dead one, one that is noise, one that is left out while the others are stimulated anew; they
// are named; 6. no stimulus goes without a word: those that no average came of are counted, and
// told with the next result, or once they would have made an average.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/cadence.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/mapping_round.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/strip_contact.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent {

class MappingPipeline {
 public:
  static absl::StatusOr<std::unique_ptr<MappingPipeline>> Create(const ResolvedMapping& plan,
                                                                 const SourceInfo& source);

  // Before the chunk that holds its time; `own`: it makes a sweep here.
  void OnStimulus(const Stimulus& stimulus, bool own);
  // Appends the rounds that are over. Chunks of other rate groups are passed over.
  void OnChunk(const Chunk& chunk, std::vector<MappingRound>* rounds);
  // As MotorPipeline's: when the last sweep of a round may be there.
  int64_t due_ns() const { return streams_[0].due_ns(SweepsToEnd() - 1, looked_ns_); }
  void OnLook(const Chunk& look, std::vector<MappingRound>* rounds);
  void OnEnd(std::vector<MappingRound>* rounds);

  const ResolvedMapping& plan() const { return plan_; }
  int rate_group() const { return streams_[0].rate_group(); }
  uint64_t late_total() const { return streams_[0].late_total(); }

 private:
  enum class Method { kStimulatedContacts, kRecordedContacts, kGradient };
  // What a site says.
  struct Place {
    bool is_known = true;
    size_t row = 0;        // 1: of a gradient, the right leg
    uint32_t contact = 0;  // from 1; 0: all
    std::string position;
  };
  // As far as it came.
  struct Round {
    std::vector<StripContact> contacts;  // row after row
    bool has_begun = false;
    std::string position;
    int64_t last_ns = 0;  // its last stimulus
    // Stimuli to whole contacts since the last one that another contact gained by.
    uint32_t again = 0;
    uint32_t advanced = 0;  // that contact
    uint32_t index = 0;
    uint32_t stimuli = 0;  // at contacts that are known
    uint32_t without_contact = 0;
    uint32_t given_up = 0;
  };
  // What followed one stimulus, by stream.
  using Sweeps = std::vector<CutSweep>;

  MappingPipeline(const ResolvedMapping& plan, std::vector<SweepStream> streams);
  size_t count() const { return plan_.derivations.size(); }
  v1::Side SideOf(size_t row) const;
  Place PlaceOf(const Stimulus& stimulus) const;
  void TakeAll(std::vector<Sweeps> by_stream, std::vector<MappingRound>* rounds);
  void Take(const Sweeps& sweeps, std::vector<MappingRound>* rounds);
  // Ends the round, or begins a part of it anew, where this stimulus does not go with it.
  void EndBefore(const Stimulus& stimulus, const Place& place, const v1::StimulusSetting& setting,
                 std::vector<MappingRound>* rounds);
  void GiveUp(size_t first, size_t contacts);
  void CutRound(std::vector<MappingRound>* rounds);
  bool IsOver() const;
  // The least number of sweeps that may end it, 1 or more.
  size_t SweepsToEnd() const;
  size_t Usable() const;
  void Restart();
  MappingRound Finish(bool is_cut);
  // A result without a map: of stimuli that are in none.
  void TellWithoutMap(std::vector<MappingRound>* rounds);
  ContactAverage Tell(size_t row, uint32_t contact) const;

  const ResolvedMapping plan_;
  const Method method_;
  std::vector<SweepStream> streams_;  // one, or one a contact
  Cadence cadence_;
  Round round_;
  int64_t looked_ns_ = std::numeric_limits<int64_t>::min();
};

}  // namespace remora::agent
