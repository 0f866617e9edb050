#include "acquisition-agent/pipelines/emg_group.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "acquisition-agent/pipelines/testing/one_rate_device.h"
#include "dsp/filter/butterworth.h"
#include "gtest/gtest.h"

namespace remora::agent {
namespace {

constexpr double kRateHz = 5000;
constexpr int64_t kChunk = 500;
constexpr int kMuscles = 4;

SourceInfo Device() { return OneRateDevice(kMuscles, kRateHz); }

// All muscles answer the stimuli of listener 0 for so long.
ResolvedPlan Plan(double answer_ms) {
  ResolvedPlan plan;
  ResolvedMotor motor;
  motor.plan.set_window_to_ms(answer_ms);
  for (int i = 0; i < kMuscles; ++i) {
    ResolvedEmg emg;
    emg.trace_id = "EMG/" + std::to_string(i);
    emg.derivation.sample_rate_hz = kRateHz;
    emg.derivation.plus = {i};
    emg.filter = *dsp::ButterworthBandPass(2, 20, 1500, kRateHz);
    emg.plan.mutable_filter()->set_low_pass_hz(1500);
    emg.plan.set_sent_rate_hz(2500);
    emg.plan.set_envelope_bin_ms(20);
    emg.plan.set_interference_over_uv(5000);
    ResolvedMuscle muscle;
    muscle.derivation = emg.derivation;
    motor.muscles.push_back(muscle);
    plan.emg.push_back(std::move(emg));
  }
  if (answer_ms > 0) plan.motor.push_back(std::move(motor));
  return plan;
}

// Noise of 1 rms, another one on each channel.
double Noise(int channel, int64_t i) {
  uint64_t x = static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(channel + 1);
  double sum = 0;
  for (int k = 0; k < 4; ++k) {
    x ^= x >> 30;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 27;
    x *= 0x94D049BB133111EBu;
    x ^= x >> 31;
    sum += static_cast<double>(x >> 11) / 9007199254740992.0 - 0.5;
  }
  return sum * std::sqrt(3.0);
}

// What each muscle tells in so many seconds, 4 of them quiet at the begin.
std::vector<std::vector<EmgEvent>> Judged(
    double seconds, double answer_ms, double stimuli_hz,
    const std::function<double(int channel, int64_t i, double time_s)>& uv) {
  const SourceInfo info = Device();
  std::unique_ptr<EmgGroup> group = *EmgGroup::Create(Plan(answer_ms), info);
  std::vector<std::vector<EmgEvent>> events(kMuscles);
  const auto take = [&](std::vector<EmgOutput> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      for (EmgEvent& event : outputs[i].events) events[i].push_back(std::move(event));
    }
  };
  double next_s = 2;
  for (int64_t first = 0; static_cast<double>(first) < seconds * kRateHz; first += kChunk) {
    Chunk chunk;
    chunk.sample_rate_hz = kRateHz;
    chunk.first_position = first;
    chunk.samples = kChunk;
    chunk.starts_segment = first == 0;
    chunk.channels.resize(kMuscles);
    chunk.marks.resize(kMuscles);
    chunk.end_ns = chunk.TimeOf(static_cast<double>(first + kChunk));
    for (int channel = 0; channel < kMuscles; ++channel) {
      for (int64_t i = first; i < first + kChunk; ++i) {
        const double t = static_cast<double>(i) / kRateHz;
        chunk.channels[static_cast<size_t>(channel)].push_back(2 * Noise(channel, i) +
                                                               (t < 4 ? 0 : uv(channel, i, t)));
      }
    }
    for (; stimuli_hz > 0 && next_s * 1e9 < static_cast<double>(chunk.end_ns);
         next_s += 1 / stimuli_hz) {
      Stimulus stimulus;
      stimulus.time_ns = static_cast<int64_t>(next_s * 1e9);
      stimulus.own = {true};
      group->OnStimulus(stimulus);
    }
    take(group->OnChunk(chunk));
  }
  take(group->OnEnd());
  return events;
}

bool HasTrain(const std::vector<EmgEvent>& events) {
  return std::any_of(events.begin(), events.end(), [](const EmgEvent& event) {
    return event.train_ongoing || event.train_ended ||
           event.activity.kind() == v1::EMG_ACTIVITY_KIND_TRAIN;
  });
}

int Artefacts(const std::vector<EmgEvent>& events, v1::ArtefactClass artefact_class) {
  return static_cast<int>(std::count_if(events.begin(), events.end(), [&](const EmgEvent& event) {
    return event.activity.artefact_class() == artefact_class;
  }));
}

// A unit of 4 ms, 60 times a second.
double Train(double time_s) {
  const double since_s = std::fmod(time_s, 1 / 60.0);
  return since_s < 0.004 ? 150 * std::sin(500 * std::numbers::pi * since_s) : 0;
}

// Whatever is left of the time between answers; up to nearly nothing.
TEST(EmgGroup, DiathermyAndHumUnderStimuliAreNeverATrain) {
  for (const double stimuli_hz : {0.0, 2.0, 3.0, 3.9, 5.0}) {
    for (const double answer_ms : {40.0, 100.0, 150.0}) {
      for (const bool hum : {false, true}) {
        const auto uv = [&](int channel, int64_t i, double t) {
          if (t > 9) return 0.0;
          if (hum) return 80 * std::sin(100 * std::numbers::pi * t + channel);
          return 300 * Noise(channel + 10, i);
        };
        const auto events = Judged(10, stimuli_hz > 0 ? answer_ms : 0, stimuli_hz, uv);
        for (const auto& muscle : events) {
          EXPECT_FALSE(HasTrain(muscle)) << stimuli_hz << " " << answer_ms << " " << hum;
        }
      }
    }
  }
}

// Its noise is told as its own; the muscle beside it is judged as ever, under stimuli as well.
TEST(EmgGroup, ALooseElectrodeIsNoTrainAndHidesNone) {
  for (const double stimuli_hz : {0.0, 3.0}) {
    const auto uv = [&](int channel, int64_t i, double t) {
      if (channel == 1) return 200 * Noise(11, i);
      return channel == 2 && t > 6 && t < 8 ? Train(t) : 0.0;
    };
    const auto events = Judged(9, stimuli_hz > 0 ? 40 : 0, stimuli_hz, uv);
    EXPECT_FALSE(HasTrain(events[0])) << stimuli_hz;
    EXPECT_FALSE(HasTrain(events[1])) << stimuli_hz;
    EXPECT_TRUE(HasTrain(events[2])) << stimuli_hz;
    EXPECT_FALSE(HasTrain(events[3])) << stimuli_hz;
    EXPECT_GT(Artefacts(events[1], v1::ARTEFACT_CLASS_DIATHERMY), 0);
    for (const size_t other : {0u, 2u, 3u}) {
      EXPECT_EQ(Artefacts(events[other], v1::ARTEFACT_CLASS_DIATHERMY), 0) << stimuli_hz;
    }
  }
}

}  // namespace
}  // namespace remora::agent
