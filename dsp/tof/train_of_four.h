// Reads a train of four: how much muscle relaxant is acting in one limb. Pure, thread-safe.
//
// Four supramaximal stimuli at 2 Hz; a relaxant weakens each answer more than the one before.
//
//   count    answers that are there, 0 to 4
//   ratio    fourth over first, when all four are there; 0 with fewer (the fourth is 0)
//   T1/Tc    first over the control that was taken in the same muscle before any relaxant
//
// Block differs between hand, foot and trunk: a train speaks of its own limb alone. What follows
// for EMG and MEP is surveillance's to say.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"

namespace remora::dsp {

struct TrainOfFourOptions {
  // Answers below this, peak to peak, are none.
  double present_uv = 50.0;
  // Nor are those below so many times the noise's rms: its own height in a window of an answer.
  double present_over_noise = 6.0;
  // With a control, nor those below this part of it, where a neighbouring muscle is heard. MEP can
  // still be monitored at a T1 of 5 % (Sloan 2002): a part near that would hide it.
  double present_part_of_control = 0.0;
};

// Bits: why a person should look.
enum TrainDoubt : std::uint32_t {
  kTrainGood = 0,
  kTrainOrder = 1u << 0,     // an answer behind one that is missing, or larger than T1 by a fifth
  kTrainNoise = 1u << 1,     // noise so high that an answer of present_uv would not be seen
  kTrainBadInput = 1u << 2,  // an amplitude is not a number: count and ratio are not to be used
};

struct TrainOfFour {
  std::uint32_t count = 0;
  std::optional<double> ratio;  // nothing: the first answer is not there
  std::optional<double> t1_of_control;
  std::uint32_t doubts = kTrainGood;
};

// Peak to peak amplitudes in the order of the stimuli, and the rms of the noise, in uV.
// `control_uv` is Tc. Errors: kInvalidArgument -> a negative amplitude, noise, control or limit.
absl::StatusOr<TrainOfFour> ReadTrainOfFour(const std::array<double, 4>& amplitudes_uv,
                                            double noise_uv, std::optional<double> control_uv,
                                            const TrainOfFourOptions& options = {});

}  // namespace remora::dsp
