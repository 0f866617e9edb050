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
// a dead one, one that is left out while the others are stimulated anew; they are named.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/pipelines/cadence.h"
#include "acquisition-agent/pipelines/chunk.h"
#include "acquisition-agent/pipelines/stimulus_finder.h"
#include "acquisition-agent/pipelines/strip_contact.h"
#include "acquisition-agent/pipelines/sweep_stream.h"
#include "acquisition-agent/plan/resolved_plan.h"
#include "acquisition-agent/sources/source.h"
#include "dsp/evoked/sweep_average.h"
#include "dsp/mapping/phase_reversal.h"

namespace remora::agent {

struct ContactAverage {
  uint32_t contact = 0;                  // from 1
  size_t trace = 0;                      // of the plan's traces
  v1::Side side = v1::SIDE_UNSPECIFIED;  // of the leg that was stimulated; of other maps the plan's
  std::vector<double> mean_uv;
  std::vector<double> odd_uv;
  std::vector<double> even_uv;
  uint32_t accepted = 0;
  uint32_t offered = 0;
  double noise_uv = 0;     // plus-minus
  double response_uv = 0;  // of a gradient: rms of what its halves have in common, in the window
  int64_t first_stimulus_ns = 0;
  int64_t last_stimulus_ns = 0;
  v1::StimulusSetting setting;  // of the last sweep that was averaged
};

// A contact that a round does without.
struct LeftOutContact {
  uint32_t contact = 0;
  v1::Side side = v1::SIDE_UNSPECIFIED;  // of a gradient, the leg
  // Of most of its sweeps; kNone: nothing was wrong with them, and they were too few.
  dsp::Rejection cause = dsp::Rejection::kNone;
  bool was_not_delivered = false;
  uint32_t accepted = 0;
  uint32_t offered = 0;
};

// Where left and right cross, and how well that is known.
struct GradientMidline {
  double place = 0;       // by place in `used`, from 0, with a fraction
  double confidence = 0;  // least correlation of odd and even halves beside it, 0 to 1
};

// What is known of a strip at the end of a round.
struct MappingRound {
  uint32_t round_index = 0;
  // The usable ones in their order; of a gradient those after stimuli to the left leg first.
  std::vector<ContactAverage> contacts;
  std::vector<LeftOutContact> left_out;
  std::string position;          // of the strip, as the sites say it; empty: they do not
  bool is_cut = false;           // by a change or a pause
  uint32_t without_contact = 0;  // stimuli since the last result that named none
  // Contacts that the result is of, from 1, in their order.
  std::vector<uint32_t> used;
  // Nothing: the averages could not be compared. By place in `used`.
  std::optional<dsp::PhaseReversal> reversal;
  // Of a gradient: nothing where one side is larger throughout, or does not answer.
  std::optional<GradientMidline> midline;
  dsp::Timebase timebase;
  double uv_per_count = 0;
};

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
    uint32_t without_contact = 0;
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
  void CutRound(std::vector<MappingRound>* rounds);
  bool IsOver() const;
  // The least number of sweeps that may end it, 1 or more.
  size_t SweepsToEnd() const;
  size_t Usable() const;
  void Restart();
  MappingRound Finish(bool is_cut);
  void TellUnnamed(std::vector<MappingRound>* rounds);
  ContactAverage Tell(size_t row, uint32_t contact) const;
  void FindTurn(MappingRound* round) const;
  void FindCrossing(MappingRound* round) const;

  const ResolvedMapping plan_;
  const Method method_;
  std::vector<SweepStream> streams_;  // one, or one a contact
  Cadence cadence_;
  Round round_;
  int64_t looked_ns_ = std::numeric_limits<int64_t>::min();
};

}  // namespace remora::agent
