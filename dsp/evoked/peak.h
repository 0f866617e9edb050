// Marks peaks and troughs of an averaged response.
//
// An evoked component is measured as a pair: a first extreme (N20, P37, wave V) and the opposite
// one that follows (P25, N45, the trough after V). Latency is that of the first, amplitude the
// difference of the two. Positions are refined by a parabola through three samples (error below 1 %
// of a sample step for a smooth peak). Pure, thread-safe.
//
// Polarity is that of the numbers, not of the screen: an N20 recorded CPc-Front is a trough.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dsp/evoked/timebase.h"

namespace remora::dsp {

enum class Polarity : std::uint8_t { kTrough, kPeak };

struct Extremum {
  double latency_ms = 0.0;
  double value_uv = 0.0;
  // Height over the higher (for a peak) of the two saddles that part it from a more extreme point
  // or from the end of the sweep, uV. Small: a ripple on a slope.
  double prominence_uv = 0.0;
};

// Local extremes whose sample lies in `window`, by latency. A flat top counts once, at its middle.
// Extremes are judged on the whole sweep: a slope cut by the window's edge is none.
std::vector<Extremum> FindExtrema(std::span<const double> sweep_uv, const Timebase& timebase,
                                  const LatencyWindow& window, Polarity polarity);

struct ComponentPair {
  std::string first_name;                       // "N20"
  std::string second_name;                      // "P25"
  Polarity first_polarity = Polarity::kTrough;  // the second has the other one
  LatencyWindow first_window;
  LatencyWindow second_window;
  double min_inter_peak_ms = 1.0;
  double max_inter_peak_ms = 20.0;
};

// kInvalidArgument with the reason when windows or intervals cannot hold a pair.
absl::Status ValidateComponentPair(const ComponentPair& pair);

enum class Presence : std::uint8_t {
  kPresent,
  kUncertain,  // a marker is set, and `doubts` says why a person should look
  kAbsent,     // no response above the noise; amplitude is what is there, latency not meaningful
};

// Bits: why a marker is uncertain or absent.
enum MarkDoubt : std::uint32_t {
  kDoubtNone = 0,
  kDoubtBelowNoise = 1u << 0,     // amplitude < 2 x residual noise: no response
  kDoubtNoExtremum = 1u << 1,     // no peak or trough in the window
  kDoubtLowSignal = 1u << 2,      // 2..4 x noise
  kDoubtRival = 1u << 3,          // another extreme is nearly as good
  kDoubtOffPrediction = 1u << 4,  // far from where the whole waveform says it should be
  kDoubtShapeChanged = 1u << 5,   // waveform no longer resembles the baseline
  kDoubtInterval = 1u << 6,       // the two components did not move together
  kDoubtNoiseUnknown = 1u << 7,   // too few sweeps to estimate noise
  kDoubtBadInput = 1u << 8,       // non-finite samples in the sweep: uncertain, amplitude NaN
  kDoubtFarMove = 1u << 9,        // moved farther than conduction slows: perhaps another wave
};
// "rival peak, low signal"; "" for none.
std::string DoubtText(std::uint32_t doubts);

struct PairMarking {
  Presence presence = Presence::kAbsent;
  std::uint32_t doubts = kDoubtNone;
  double confidence = 0.0;  // 0..1; not a probability: orders markings for a person's eye
  Extremum first;
  Extremum second;
  double amplitude_uv = 0.0;  // first to second, >= 0
  double inter_peak_ms = 0.0;
};

struct MarkingLimits {
  double absent_below_noise = 2.0;  // amplitude / residual noise
  double uncertain_below_noise = 4.0;
  // An extreme less prominent than this share of the pair's amplitude is a ripple, never a marker.
  double min_prominence_share = 0.03;
  // A rival first component whose pair amplitude reaches this share of the largest...
  double rival_share = 0.9;
  // ...casts doubt when it also stands out by this share of the amplitude: a notch in one trough is
  // no rival, a second trough is.
  double rival_prominence_share = 0.15;
};

// Sets presence, and adds the doubts about noise, from the marking's amplitude and earlier doubts.
void JudgePresence(double residual_noise_uv, const MarkingLimits& limits, PairMarking& marking);

// Marks without history (the first average, a baseline): the pair of largest amplitude, or the
// earliest first component among those that reach rival_share of it. Noise NaN: kDoubtNoiseUnknown.
PairMarking MarkPair(std::span<const double> sweep_uv, const Timebase& timebase,
                     const ComponentPair& pair, double residual_noise_uv,
                     const MarkingLimits& limits = {});

}  // namespace remora::dsp
