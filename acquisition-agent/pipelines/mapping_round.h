// What a round of a map found: averages of a strip's contacts, and where on it the response turns
// over, or where left and right cross (dsp/mapping). Called by a MappingPipeline on its sequence
// when a round is over; pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dsp/evoked/sweep_average.h"
#include "dsp/mapping/phase_reversal.h"
#include "remora/v1/plan.pb.h"

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
  bool is_noisy = false;  // far over what the others have
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
  bool is_cut = false;           // by a change, a pause or the end
  uint32_t without_contact = 0;  // stimuli since the last result that named none
  // Stimuli since the last result whose place or setting changed before an average came of them.
  uint32_t given_up = 0;
  // Contacts that the result is of, from 1, in their order.
  std::vector<uint32_t> used;
  // Nothing: the averages could not be compared. By place in `used`.
  std::optional<dsp::PhaseReversal> reversal;
  // Of a gradient: nothing where one side is larger throughout, or does not answer.
  std::optional<GradientMidline> midline;
  std::vector<v1::Side> unanswered;  // of a gradient, the legs without a response
  dsp::Timebase timebase;
  double uv_per_count = 0;
};

// Takes those whose average has far more noise than the middle one out of `contacts`, and names
// them. `by_leg`: with their leg. Nothing of fewer than three.
void LeaveOutNoisy(bool by_leg, MappingRound* round);
// Between which contacts the response turns over: `reversal`, of all contacts in their order.
void FindTurn(const v1::MappingPlan& plan, MappingRound* round);
// Where left and right cross: `midline`, `unanswered` and the responses of `contacts`; of the ones
// in `used`.
void FindCrossing(const v1::MappingPlan& plan, MappingRound* round);

}  // namespace remora::agent
