// What a stimulus evokes, channel by channel: waveforms whose size and time the truth decides, with
// a trial's own chance where the nervous system has it.
//
// Immutable; what it answers depends on seed, stimulus and truth alone.
#pragma once

#include <cstdint>
#include <vector>

#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/stimulus_clock.h"
#include "acquisition-agent/sources/simulator/truth.h"
#include "acquisition-agent/sources/simulator/wave_shape.h"

namespace remora::agent::sim {

// A shape at a channel, from start_s to start_s + length_s.
struct Wave {
  const WaveShape* shape;
  int channel;
  double start_s;
  double length_s;
  double amplitude_uv;
};

// What every electrode picks up of a pulse, in multiples of the scenario's artefact.
struct PulseArtefact {
  double time_s;
  double scale;
};

// The spread of a muscle's answers from trial to trial: the coefficient of variation of a lognormal
// factor of mean 1.
inline constexpr double kMepVariation = 0.3;
inline constexpr double kFootMepVariation = 0.4;
inline constexpr double kCmapVariation = 0.05;

// The part of the largest response that an intensity evokes: 0 below threshold, 0.15 there, 1 from
// 1.4 times threshold on.
double Recruitment(double intensity, double threshold);

class ResponseMaker {
 public:
  // All must outlive it.
  ResponseMaker(const Scenario& scenario, const SimulatedTruth& truth, uint64_t seed);

  void Answer(const Stimulus& stimulus, std::vector<Wave>* waves,
              std::vector<PulseArtefact>* artefacts) const;

 private:
  struct Trial {
    const Stimulus& stimulus;
    const Stimulator& stimulator;
    double time_s;
    double recruitment;
    std::vector<Wave>* waves;
  };
  // One Gaussian of a SEP at a channel.
  struct SepWave {
    int channel;
    Level level;
    double amplitude_uv;
    double latency_ms;
    double width_ms;
  };

  void AddGaussian(const Trial& trial, int channel, double amplitude_uv, double latency_ms,
                   double width_ms, const ResponseFactors& factors) const;
  void AddShape(const Trial& trial, int channel, const WaveShape& shape, double length_ms,
                double amplitude_uv, double latency_ms, const ResponseFactors& factors) const;
  // Lognormal, mean 1.
  double TrialFactor(const Trial& trial, int channel, double variation) const;

  void AnswerSep(const Trial& trial) const;
  void AnswerStrip(const Trial& trial) const;
  void AnswerMidline(const Trial& trial) const;
  void AnswerMep(const Trial& trial) const;
  void AnswerDwave(const Trial& trial) const;
  void AnswerTrainOfFour(const Trial& trial) const;
  void AnswerRoot(const Trial& trial) const;
  void AnswerLarynx(const Trial& trial) const;
  void AnswerBaep(const Trial& trial) const;
  void AnswerVep(const Trial& trial) const;

  const Scenario& scenario_;
  const SimulatedTruth& truth_;
  const uint64_t seed_;
  std::vector<std::vector<SepWave>> sep_;  // by stimulator
  std::vector<WaveShape> mep_shapes_;      // by channel
};

}  // namespace remora::agent::sim
