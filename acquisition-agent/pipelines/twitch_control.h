// The control of a train-of-four, Tc: the first twitch of a muscle that no relaxant acts on, which
// later first twitches are told in percent of.
//
// A train is one when all four twitches are there, the fourth at least nine tenths of the first
// (what counts as unblocked: Fuchs-Buder et al. 2007), nothing in it is doubted, and nothing before
// it speaks of a relaxant: none was told as given, and no train had faded. Everything else has none
// and says why: a percentage of a twitch that was weakened already would hide a block.
//
// Pure; thread-compatible value, owned by a TofPipeline on its sequence.
//
// Invariants: 1. once a relaxant is told no later train becomes the control, and a control behind
// its time is withdrawn; 2. a train with another current than the control's has none, and trains
// with other currents say nothing of fade: a twitch that is not supramaximal varies by itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "dsp/tof/train_of_four.h"
#include "remora/v1/waveform.pb.h"

namespace remora::agent {

// The muscle relaxant in a drug's name as entered ("Rocuronium 10 mg/ml"), by its international
// name; nothing: it is none. What reverses one is none.
std::optional<absl::string_view> RelaxantIn(absl::string_view drug);

class TwitchControl {
 public:
  // No train from `from_ns` on may be the control. `why`: "rocuronium was given". The first one
  // told stays.
  void Refuse(absl::string_view why, int64_t from_ns);
  // Tc of a train with this stimulus, in uV; nothing: there is none.
  std::optional<double> UvOf(const v1::StimulusSetting& setting) const;
  // A train that was read, in the order of time. True: it is the control from now on.
  bool Offer(const dsp::TrainOfFour& train, double first_uv, const v1::StimulusSetting& setting,
             int64_t at_ns);
  // Why a train with this stimulus has no control; "" where it has one.
  std::string WhyNone(const v1::StimulusSetting& setting) const;

 private:
  struct Control {
    double uv = 0;
    double intensity = 0;
    int64_t at_ns = 0;
  };

  std::optional<Control> control_;
  std::string refused_;
  int64_t refused_from_ns_ = 0;
  std::string faded_;  // what the first train that had faded was like
  double faded_intensity_ = 0;
};

}  // namespace remora::agent
