// What becomes of the EEG as anaesthesia deepens, or as a hemisphere suffers: spindles of 10 Hz and
// waves of 1.5 Hz beside the noise, and stretches with next to nothing (burst suppression).
//
// Rhythms are noise through a resonator, made 250 times a second and joined by straight lines.
// Suppression comes in cycles of 6 s, of which the part that the truth names is quiet, with edges
// of 50 ms.
//
// Thread-compatible. The result depends on seed and scenario, not on how long the stretches are.
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "acquisition-agent/sources/simulator/random.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/truth.h"

namespace remora::agent::sim {

// What is left of everything in a suppressed stretch.
inline constexpr double kSuppressedPart = 0.05;

class EegRhythms {
 public:
  EegRhythms(const Scenario& scenario, const SimulatedTruth& truth, double sample_rate_hz,
             uint64_t seed);

  // False: the EEG is always what it was at the beginning, and has no rhythms.
  bool active() const { return active_; }

  // Before the next stretch; stretches follow each other.
  void Prepare(int64_t first, int count);

  // Sample i of the stretch at a channel: noise * gain + rhythm.
  double Gain(std::optional<Side> side, int i) const {
    const Place& at = places_[i];
    const size_t k = SideIndex(side);
    return at.node->gain[k] + at.part * (at.next->gain[k] - at.node->gain[k]);
  }
  double RhythmUv(int channel, int i) const {
    const Place& at = places_[i];
    return at.node->uv[channel] + at.part * (at.next->uv[channel] - at.node->uv[channel]);
  }

 private:
  struct Node {
    std::array<double, 3> gain;  // left, right, middle
    std::vector<double> uv;      // by channel
  };
  struct Place {
    const Node* node;
    const Node* next;
    double part;
  };
  // Noise of one frequency, standard deviation 1.
  struct Resonator {
    std::complex<double> state;
    double Next(const std::complex<double>& turn, double fresh, SimRandom* random);
  };
  struct Source {
    SimRandom random;
    Resonator alpha;
    Resonator delta;
  };

  static size_t SideIndex(std::optional<Side> side) {
    return side ? static_cast<size_t>(*side) : size_t{2};
  }
  void MakeNode();

  const Scenario& scenario_;
  const SimulatedTruth& truth_;
  const double sample_rate_hz_;
  const bool active_;
  std::vector<Source> sources_;  // by channel, and one that all share
  std::deque<Node> nodes_;
  int64_t first_node_ = 0;
  std::vector<Place> places_;
};

// How much of the signal there is at a time when `suppression` of the time has none.
double SuppressionGain(double suppression, double time_s);

}  // namespace remora::agent::sim
