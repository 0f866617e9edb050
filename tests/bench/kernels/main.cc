// Remora's part of tests/bench/dsp: runs one kernel for a while and says what a channel-sample
// costs. Reads lines "TASK SECONDS" and answers each with a line of JSON; ends with its input.
// --sections: prints the band-pass instead, six numbers a section, for who cannot design it.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numbers>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "dsp/emg/burst_train.h"
#include "dsp/emg/train_pattern.h"
#include "dsp/evoked/sweep_average.h"
#include "dsp/filter/butterworth.h"
#include "dsp/filter/sos_bank.h"
#include "dsp/filter/streaming_filter.h"
#include "dsp/spectral/welch.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kChannels = 32;
constexpr double kRateHz = 20000.0;
constexpr std::size_t kFrames = 2000;  // a chunk of the pipelines: 100 ms

// The same two tones a channel as every system of the benchmark filters.
std::vector<double> Signal(std::size_t channels, std::size_t frames, double rate_hz) {
  std::vector<double> planar(channels * frames);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < frames; ++i) {
      const double t = 2.0 * std::numbers::pi * static_cast<double>(i) / rate_hz;
      const double low_hz = 37.0 + static_cast<double>(c);
      const double high_hz = 1200.0 + 7.0 * static_cast<double>(c);
      planar[c * frames + i] = 50.0 * std::sin(low_hz * t) + 20.0 * std::sin(high_hz * t);
    }
  }
  return planar;
}

double Rms(std::span<const double> values) {
  double squares = 0.0;
  for (const double value : values) squares += value * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

// What a task gives: `once` does the work of channel_samples, `check` is a number of its first
// result that the other systems must have, too.
struct Task {
  std::function<void()> once;
  double channel_samples = 0.0;
  double check = 0.0;
};

// Prototype of order 8: eight sections.
Cascade Band() { return *ButterworthBandPass(8, 30.0, 3000.0, kRateHz); }

Task BankTask(bool planar) {
  auto bank = std::make_shared<SosBank>(*SosBank::Create(Band(), kChannels));
  auto input = std::make_shared<std::vector<double>>(Signal(kChannels, kFrames, kRateHz));
  auto output = std::make_shared<std::vector<double>>(input->size());
  if (!planar) {
    const std::vector<double> from = *input;
    for (std::size_t i = 0; i < from.size(); ++i) {
      (*input)[i % kFrames * kChannels + i / kFrames] = from[i];
    }
  }
  Task task;
  task.once = [=] {
    if (planar) {
      bank->ProcessPlanar(*input, *output);
    } else {
      bank->ProcessInterleaved(*input, *output);
    }
  };
  task.channel_samples = kChannels * kFrames;
  task.once();
  task.check = Rms(*output);
  return task;
}

Task OneByOneTask() {
  auto filters = std::make_shared<std::vector<StreamingFilter>>();
  for (std::size_t c = 0; c < kChannels; ++c) filters->emplace_back(Band());
  auto input = std::make_shared<std::vector<double>>(Signal(kChannels, kFrames, kRateHz));
  auto output = std::make_shared<std::vector<double>>(input->size());
  Task task;
  task.once = [=] {
    for (std::size_t c = 0; c < kChannels; ++c) {
      (*filters)[c].Process(std::span(*input).subspan(c * kFrames, kFrames),
                            std::span(*output).subspan(c * kFrames, kFrames));
    }
  };
  task.channel_samples = kChannels * kFrames;
  task.once();
  task.check = Rms(*output);
  return task;
}

// A sweep of 50 ms of each channel into its running average.
Task AverageTask() {
  constexpr std::size_t kSamples = 1000;
  auto sweeps = std::make_shared<std::vector<double>>(Signal(kChannels, kSamples, kRateHz));
  auto averages = std::make_shared<std::vector<SweepAverage>>(
      kChannels, SweepAverage(kSamples, Timebase{kRateHz, 0.0}));
  Task task;
  task.once = [=] {
    for (std::size_t c = 0; c < kChannels; ++c) {
      (*averages)[c].Add(std::span(*sweeps).subspan(c * kSamples, kSamples), Rejection::kNone);
    }
  };
  task.channel_samples = kChannels * kSamples;
  task.once();
  task.check = Rms((*averages)[3].mean_uv());
  return task;
}

// Windows of 4 s of EEG at 512 Hz, segments of 2 s.
Task WelchTask() {
  WelchOptions options;
  options.sample_rate_hz = 512.0;
  options.segment_samples = 1024;
  auto estimator = std::make_shared<WelchEstimator>(*WelchEstimator::Create(options));
  auto window = std::make_shared<std::vector<double>>(Signal(1, 2048, 512.0));
  Task task;
  task.once = [=] { (void)estimator->Estimate(*window); };
  task.channel_samples = 2048.0;
  const Spectrum spectrum = *estimator->Estimate(*window);
  for (const double density : spectrum.density_uv2_per_hz) {
    task.check += density * spectrum.resolution_hz;
  }
  return task;
}

// A second of a quiet muscle at 20 kHz with a burst in it.
std::vector<double> Muscle() {
  std::vector<double> emg = Signal(1, 20000, kRateHz);
  for (std::size_t i = 0; i < emg.size(); ++i) emg[i] *= i > 8000 && i < 12000 ? 4.0 : 0.05;
  return emg;
}

Task DetectionTask() {
  BurstTrainOptions options;
  options.sample_rate_hz = kRateHz;
  auto detector = std::make_shared<BurstTrainDetector>(*BurstTrainDetector::Create(options));
  auto emg = std::make_shared<std::vector<double>>(Muscle());
  auto found = std::make_shared<std::vector<Activity>>();
  Task task;
  task.once = [=] {
    found->clear();
    detector->Push(*emg, kNoArtefact, *found);
  };
  task.channel_samples = static_cast<double>(emg->size());
  return task;
}

Task PatternTask() {
  TrainPatternOptions options;
  options.sample_rate_hz = kRateHz;
  auto detector = std::make_shared<TrainPatternDetector>(*TrainPatternDetector::Create(options));
  auto emg = std::make_shared<std::vector<double>>(Muscle());
  auto found = std::make_shared<std::vector<PatternTrain>>();
  Task task;
  task.once = [=] {
    found->clear();
    detector->Push(*emg, kNoArtefact, 2.0, *found);
  };
  task.channel_samples = static_cast<double>(emg->size());
  return task;
}

// Of this thread: what others do on the machine does not count.
double CpuSeconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Nanoseconds of processor time a channel-sample: the median of ten parts of `seconds`.
double Measure(const Task& task, double seconds) {
  std::vector<double> parts;
  for (int part = 0; part < 10; ++part) {
    const double began = CpuSeconds();
    double took = 0.0;
    double times = 0.0;
    while (took < seconds / 10.0) {
      task.once();
      ++times;
      took = CpuSeconds() - began;
    }
    parts.push_back(1e9 * took / (times * task.channel_samples));
  }
  std::sort(parts.begin(), parts.end());
  return parts[parts.size() / 2];
}

int Serve() {
  const std::map<std::string, std::function<Task()>> tasks{
      {"bandpass", [] { return BankTask(true); }},
      {"bandpass-interleaved", [] { return BankTask(false); }},
      {"bandpass-one-by-one", OneByOneTask},
      {"average", AverageTask},
      {"welch", WelchTask},
      {"detect", DetectionTask},
      {"patterns", PatternTask},
  };
  std::map<std::string, Task> made;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string name;
    double seconds = 0.0;
    words >> name >> seconds;
    const auto task = tasks.find(name);
    if (task == tasks.end() || !(seconds > 0.0)) {
      std::fprintf(stderr, "no task '%s' of %g s\n", name.c_str(), seconds);
      return 2;
    }
    auto it = made.find(name);
    if (it == made.end()) it = made.emplace(name, task->second()).first;
    std::printf("{\"task\": \"%s\", \"ns\": %.4f, \"check\": %.12g, \"vectors\": \"%s\"}\n",
                name.c_str(), Measure(it->second, seconds), it->second.check, SosVectors());
    std::fflush(stdout);
  }
  return 0;
}

int PrintSections() {
  for (const Section& s : Band()) {
    std::printf("%.17g %.17g %.17g 1 %.17g %.17g\n", s.b0, s.b1, s.b2, s.a1, s.a2);
  }
  return 0;
}

}  // namespace
}  // namespace remora::dsp

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "--sections") return remora::dsp::PrintSections();
  return remora::dsp::Serve();
}
