// Makes the samples of all channels of a scenario, stretch after stretch. The result depends on the
// seed and the scenario, not on how long the stretches are.
//
// Thread-compatible. Cost: some 70 ns a sample and channel on one shared core.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "acquisition-agent/sources/simulator/noise.h"
#include "acquisition-agent/sources/simulator/random.h"
#include "acquisition-agent/sources/simulator/schedule.h"

namespace remora::agent::sim {

// The simulated amplifier: 16 bits of 0.1 uV.
inline constexpr double kUvPerCount = 0.1;
inline constexpr int32_t kDigitalMin = -32768;
inline constexpr int32_t kDigitalMax = 32767;

class SampleGenerator {
 public:
  // `scenario` and `schedule` must outlive it.
  SampleGenerator(const Scenario& scenario, const EventSchedule& schedule, double sample_rate_hz,
                  uint64_t seed);

  // A delivered stimulus. Each one with a time before the end of a stretch must be given before
  // that stretch is made.
  void AddStimulus(int stimulator, double time_s);

  // Samples [first, first + count) of all channels, channel after channel, in uV as digitised.
  // Stretches must follow each other; `first` is 0 at the beginning.
  void Generate(int64_t first, int count, std::vector<double>* samples_uv);

 private:
  // One component of the answer to one stimulator at one channel.
  struct Wave {
    int channel;
    Level level;
    double amplitude_uv;
    double latency_s;
    double sigma_s;
  };
  struct Stimulus {
    int stimulator;
    double time_s;
    ResponseFactors factors[3];  // by Level
  };
  struct Channel {
    Site site;
    PinkNoise eeg;
    SimRandom white;
    SimRandom diathermy;
    double artefact_gain;
    double mains_gain;
    double mains_cos;
    double mains_sin;
  };

  double TimeS(int64_t sample) const { return static_cast<double>(sample) / sample_rate_hz_; }
  double* Row(std::vector<double>* samples, int channel) const {
    return samples->data() + int64_t{channel} * count_;
  }
  // Adds wave(seconds since middle_s) to the samples of a row within half_s of the middle.
  template <typename WaveFn>
  void AddWave(double middle_s, double half_s, double* row, const WaveFn& wave) const;

  void AddBackground(std::vector<double>* samples);
  void AddMains(std::vector<double>* samples);
  void AddResponses(std::vector<double>* samples);
  void AddEmg(std::vector<double>* samples);
  void AddDischarges(const Occurrence& occurrence, double* row);
  void AddDiathermy(std::vector<double>* samples);
  void OverrideFaults(std::vector<double>* samples);
  void Digitise(std::vector<double>* samples) const;
  int ChannelIndex(const std::string& label) const;

  const Scenario& scenario_;
  const EventSchedule& schedule_;
  const double sample_rate_hz_;
  const uint64_t seed_;
  std::vector<Channel> channels_;
  std::vector<std::vector<Wave>> waves_;  // by stimulator
  std::optional<PinkNoise> common_eeg_;
  HeartBeat heart_;
  std::deque<Stimulus> recent_;
  // Of the stretch being made.
  int64_t first_ = 0;
  int64_t count_ = 0;
  std::vector<double> common_, mains_cos_, mains_sin_, mains3_, beat_;
};

}  // namespace remora::agent::sim
