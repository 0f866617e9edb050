// What is true of a scenario's patient at a time: how large and how late each response is, how deep
// the block, what the monitor would show. The simulator makes its signals from nothing else, and a
// test asks here what a measurement should have found. Pure: the same answer for the same time.
//
// Immutable, thread-safe; `scenario` must outlive it. A call costs a walk over the events.
//
// What acts on what:
//
//   cause                  peripheral  subcortical  cortical       MEP            else
//   sep, mep, ... event    as written
//   cord at a level        -           after delay  after delay    at once        D-wave, caudal
//   root                   -           -            -              its muscles
//   hemisphere             -           -            other side     other side     EEG, same side
//   limb (positioning)     its nerves  its nerves   its nerves     its muscles
//   ischaemia of a limb    its nerves  its nerves   its nerves     its muscles    CMAP, TOF
//   cold limb              later       later        later          later
//   depth L (1 = 1 MAC)    -           x 0.9^L      x 0.5^L,       x 0.4^L,       EEG, BIS, VEP,
//                                                   + 1.5 L ms     threshold up   CMAP not
//   cooling, a degree      x 1.015     x 1.022      x 1.038        x 1.025        BAEP x 1.034
//   MAP under 65           -           -            down to x 0.5  legs first     EEG
//   relaxant               -           -            -              x T1           CMAP, EMG, TOF
//   hours of anaesthesia   -           -            -              fade table     (Ugawa 2018)
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/simulator/relaxant.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/schedule.h"

namespace remora::agent::sim {

// Gains of the parts of an EEG, 1 in light anaesthesia.
struct EegState {
  double fast = 1;
  double alpha = 1;
  double delta = 1;
  double suppression = 0;  // part of the time in which there is next to nothing, 0 to 0.95

  bool operator==(const EegState&) const = default;
};

class SimulatedTruth {
 public:
  explicit SimulatedTruth(const Scenario& scenario);

  ResponseFactors Sep(Nerve nerve, Side side, Level level, double time_s) const;
  // `muscle`: a muscle's channel; others are unchanged.
  ResponseFactors Mep(const Site& muscle, double time_s) const;
  // A muscle's answer to its nerve or root, and to a larynx's nerve.
  ResponseFactors Cmap(const Site& muscle, double time_s) const;
  ResponseFactors Larynx(Side side, double time_s) const;
  // Wave I comes from outside the skull, III to V from the brainstem.
  ResponseFactors Baep(Side side, bool first_wave, double time_s) const;
  ResponseFactors Vep(Side side, double time_s) const;
  ResponseFactors Dwave(bool caudal, double time_s) const;

  // The four twitches of a hand (kArm) or foot (kLeg).
  Block TrainOfFour(Region region, Side side, double time_s) const;
  // Gain of a muscle's free activity.
  double Emg(const Site& muscle, double time_s) const;
  // Factor on what a response to this stimulator needs.
  double Threshold(const Stimulator& stimulator, double time_s) const;
  // The part of the commanded intensity that arrives.
  double Delivered(const Stimulator& stimulator, double time_s) const;

  double Depth(double time_s) const;  // in multiples of 1 MAC
  EegState Eeg(std::optional<Side> side, double time_s) const;
  double VitalAt(Vital vital, double time_s) const;
  // Of volatile agents, in MAC.
  double Mac(double time_s) const;
  // Degrees that a limb is colder than usual.
  double LimbCooling(Region region, Side side, double time_s) const;
  // Of a channel's electrode or a stimulator's, by its label: kOhm, infinity when it is off.
  double ImpedanceKohm(absl::string_view electrode, double time_s) const;

  // Whether anything ever acts on muscles' activity, or on EEG.
  bool ActsOnEmg() const;
  bool ActsOnEeg() const;

 private:
  void ApplyCord(const ScenarioEvent& event, int root, double time_s, ResponseFactors* out) const;
  double Cooling(double time_s) const;
  double Fade(const Site& muscle, double time_s) const;
  double PressureFactor(double time_s, double from_mmhg, double to_mmhg, double least) const;

  struct Inspired {
    double at_s;
    double mac;
  };

  const Scenario& scenario_;
  std::vector<Inspired> inspired_;  // by time
};

// The part of the MEP of 2 h of anaesthesia that is left after `hours` (Ugawa et al. 2018, 142
// deformity operations): hand and foot.
double FadeOfHand(double hours);
double FadeOfFoot(double hours);

// The root by which a nerve's volley enters the cord.
int EntryRoot(Nerve nerve);

}  // namespace remora::agent::sim
