#include "acquisition-agent/sources/simulator/simulator_source.h"

#include <cmath>
#include <complex>
#include <map>
#include <numbers>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

using ::testing::HasSubstr;

struct Recorded {
  SourceInfo info;
  std::vector<std::vector<double>> samples;  // by channel, gaps left out
  std::vector<StimulusTrigger> triggers;
  std::vector<SourceEvent> events;
  std::vector<Gap> gaps;

  const std::vector<double>& operator[](absl::string_view label) const {
    const absl::StatusOr<int> i = FindChannel(info.channels, label);
    EXPECT_TRUE(i.ok()) << i.status();
    return samples[i.value_or(0)];
  }
};

SimulatorOptions Options(const std::string& text, double seconds) {
  SimulatorOptions options;
  absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  options.scenario = *scenario;
  options.duration_s = seconds;
  return options;
}

Recorded Record(const SimulatorOptions& options) {
  Recorded out;
  absl::StatusOr<std::unique_ptr<SimulatorSource>> source = SimulatorSource::Create(options);
  EXPECT_TRUE(source.ok()) << source.status();
  out.info = (*source)->info();
  out.samples.resize(out.info.channels.size());
  int64_t due_ns = 0;
  int64_t end_ns = 0;
  while (true) {
    absl::StatusOr<Item> item = (*source)->Next();
    EXPECT_TRUE(item.ok());
    if (std::holds_alternative<EndOfSource>(*item)) return out;
    EXPECT_GE(DueTimeNs(*item), due_ns);
    due_ns = DueTimeNs(*item);
    if (auto* block = std::get_if<SampleBlock>(&*item)) {
      EXPECT_EQ(block->start_time_ns, end_ns);
      EXPECT_EQ(block->first_sample_index, static_cast<int64_t>(out.samples[0].size()));
      end_ns = block->end_time_ns;
      for (size_t c = 0; c < out.samples.size(); ++c) {
        out.samples[c].insert(out.samples[c].end(), block->channel(c).begin(),
                              block->channel(c).end());
      }
    } else if (auto* trigger = std::get_if<StimulusTrigger>(&*item)) {
      EXPECT_GE(trigger->time_ns, end_ns);
      out.triggers.push_back(*trigger);
    } else if (auto* event = std::get_if<SourceEvent>(&*item)) {
      out.events.push_back(*event);
    } else if (auto* gap = std::get_if<Gap>(&*item)) {
      EXPECT_EQ(gap->from_ns, end_ns);
      end_ns = gap->to_ns;
      out.gaps.push_back(*gap);
    }
  }
}

Recorded Record(const std::string& text, double seconds) { return Record(Options(text, seconds)); }

constexpr char kSilent[] = "eeg 0 uV\nemg 0 uV\namplifier 0 uV\nartefact 0 uV\nmains 50 Hz 0 uV\n";

// The average of a derivation after the stimuli `label` within [from_s, to_s), at steps of 0.05 ms
// from 0 to 60 ms, with samples interpolated at the exact stimulus times.
constexpr double kStepMs = 0.05;
std::vector<double> Average(const Recorded& r, const std::string& active,
                            const std::string& reference, const std::string& label,
                            double from_s = 0, double to_s = 1e9, int* sweeps = nullptr) {
  const std::vector<double>& a = r[active];
  const std::vector<double>& b = r[reference];
  std::vector<double> sum(1200, 0.0);
  int count = 0;
  for (const StimulusTrigger& trigger : r.triggers) {
    const double time_s = trigger.time_ns * 1e-9;
    if (trigger.label != label || time_s < from_s || time_s >= to_s) continue;
    if ((time_s + 0.07) * r.info.rate_groups[0].sample_rate_hz + 2 > static_cast<double>(a.size()))
      break;
    for (size_t k = 0; k < sum.size(); ++k) {
      const double at = (time_s + k * kStepMs * 1e-3) * r.info.rate_groups[0].sample_rate_hz;
      const size_t i = static_cast<size_t>(at);
      const double part = at - i;
      sum[k] += (1 - part) * (a[i] - b[i]) + part * (a[i + 1] - b[i + 1]);
    }
    ++count;
  }
  for (double& value : sum) value /= std::max(count, 1);
  if (sweeps != nullptr) *sweeps = count;
  return sum;
}

struct Peak {
  double latency_ms = 0;
  double uv = 0;
};

// The extreme in a window, by a parabola fitted to +-0.6 ms round it: less noise than one point,
// and exact for a Gaussian's top.
Peak FindPeak(const std::vector<double>& wave, double from_ms, double to_ms, int sign) {
  size_t best = static_cast<size_t>(from_ms / kStepMs);
  for (size_t k = best; k < to_ms / kStepMs; ++k) {
    if (sign * wave[k] > sign * wave[best]) best = k;
  }
  const int half = static_cast<int>(0.6 / kStepMs);
  double s0 = 0, s2 = 0, s4 = 0, y0 = 0, y1 = 0, y2 = 0;
  for (int i = -half; i <= half; ++i) {
    const double x = i * kStepMs;
    const double y = wave[best + i];
    s0 += 1, s2 += x * x, s4 += x * x * x * x;
    y0 += y, y1 += x * y, y2 += x * x * y;
  }
  const double curve = (s0 * y2 - s2 * y0) / (s0 * s4 - s2 * s2);
  const double slope = y1 / s2;
  const double middle = (y0 - curve * s2) / s0;
  const double x = -slope / (2 * curve);
  return {best * kStepMs + x, middle + slope * x / 2};
}

double Rms(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum / x.size());
}

double AmplitudeAt(const std::vector<double>& x, double rate_hz, double hz) {
  std::complex<double> sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum += x[i] * std::polar(1.0, -2 * std::numbers::pi * hz * i / rate_hz);
  return 2 * std::abs(sum) / x.size();
}

TEST(SimulatorSource, SameSeedSameBytesWhateverTheBlock) {
  SimulatorOptions options = Options(std::string(ShippedScenario("noisy")), 0);
  // All that can happen, early.
  options.scenario.events = ParseScenario(
                                "at 0.3 s for 0.5 s: diathermy\nat 0.7 s for 0.5 s: diathermy 1 "
                                "mV\nat 1 s: emg train TA L 110 Hz for 0.7 s\n"
                                "at 1.1 s: emg burst TA L\nat 1.2 s: emg spike TA L\nat 1.3 s: "
                                "disconnect CP4 for 0.3 s\nat 1.4 s: gap 0.35 s\n"
                                "at 2 s for 0.2 s: mains 20 uV\nat 2.1 s: saturate CP3 for 0.1 "
                                "s\nat 2.2 s: lose triggers for 0.3 s\n"
                                "at 2.5 s: stop stimulation for 0.2 s\nat 0 s for 2 s: sep all "
                                "both amplitude 0.5 ramp 1 s\n",
                                "t")
                                ->events;
  options.duration_s = 3;
  const Recorded first = Record(options);
  for (const int block_ms : {1, 7, 33, 1000}) {
    options.block_ms = block_ms;
    const Recorded again = Record(options);
    EXPECT_EQ(again.samples, first.samples) << block_ms;
    ASSERT_EQ(again.triggers.size(), first.triggers.size());
    for (size_t i = 0; i < first.triggers.size(); ++i)
      EXPECT_EQ(again.triggers[i].time_ns, first.triggers[i].time_ns);
    EXPECT_EQ(again.gaps.size(), first.gaps.size());
  }
  options.seed = 2;
  EXPECT_NE(Record(options).samples, first.samples);
}

TEST(SimulatorSource, EveryComponentHasItsAmplitudeAndLatency) {
  const Recorded r = Record(kSilent, 60);
  struct Wanted {
    const char *active, *reference, *label;
    double from_ms, to_ms, latency_ms, uv;
  };
  for (const Wanted& w : std::vector<Wanted>{{"Erb L", "Fz", "MED L", 7, 12, 9.5, -3},
                                             {"Cv5", "Erb L", "MED R", 11, 14.2, 13.2, -2},
                                             {"CP3", "Fz", "MED R", 17, 22, 19.5, -1.5},
                                             {"CP4", "Fz", "MED L", 17, 22, 19.5, -1.5},
                                             {"CP3", "Fz", "MED R", 22, 28, 24, 2},
                                             {"PF R", "Fz", "TIB R", 6, 11, 8.5, -3},
                                             {"FPz", "Cv5", "TIB R", 29, 33, 31, 0.6},
                                             {"CPz", "FPz", "TIB R", 34, 42, 38, 1.5},
                                             {"CPz", "FPz", "TIB L", 42, 52, 46, -1.2}}) {
    const Peak peak =
        FindPeak(Average(r, w.active, w.reference, w.label), w.from_ms, w.to_ms, w.uv > 0 ? 1 : -1);
    EXPECT_NEAR(peak.latency_ms, w.latency_ms, 0.1) << w.active << " " << w.label;
    EXPECT_NEAR(peak.uv, w.uv, 0.1 * std::abs(w.uv)) << w.active << " " << w.label;
  }
  // Nothing on the side of the stimulus.
  for (const double uv : Average(r, "CP4", "Fz", "MED R")) EXPECT_LT(std::abs(uv), 0.05);
}

TEST(SimulatorSource, AnAverageOf500SweepsRecoversN20AndP25FromNoise) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    // EEG as a 30 Hz high-pass leaves it of 8 uV; all other noise of the default scenario.
    SimulatorOptions options = Options("eeg 3 uV\nstimulate median right at 4.7 Hz\n", 108);
    options.seed = seed;
    const Recorded r = Record(options);
    int sweeps = 0;
    const std::vector<double> wave = Average(r, "CP3", "Fz", "MED R", 0, 1e9, &sweeps);
    EXPECT_GE(sweeps, 500);
    const Peak n20 = FindPeak(wave, 17, 22, -1);
    const Peak p25 = FindPeak(wave, 22, 28, 1);
    EXPECT_NEAR(n20.latency_ms, 19.5, 0.1) << "seed " << seed;
    EXPECT_NEAR(p25.uv - n20.uv, 3.5, 0.05 * 3.5) << "seed " << seed;
  }
}

TEST(SimulatorSource, NoiseHasItsLevels) {
  const Recorded r =
      Record("eeg 8 uV\nemg 3 uV\namplifier 0 uV\nartefact 0 uV\nmains 50 Hz 0 uV\n", 120);
  EXPECT_NEAR(Rms(r["Fz"]), 8, 0.6);
  EXPECT_NEAR(Rms(r["TA L"]), 3, 0.05);
  const Recorded amplifier =
      Record("eeg 0 uV\nemg 0 uV\namplifier 2 uV\nartefact 0 uV\nmains 50 Hz 0 uV\n", 20);
  EXPECT_NEAR(Rms(amplifier["TA L"]), 2, 0.05);
  // Electrodes share EEG: a derivation is no noisier than one of them.
  std::vector<double> derivation = r["CP3"];
  for (size_t i = 0; i < derivation.size(); ++i) derivation[i] -= r["Fz"][i];
  EXPECT_NEAR(Rms(derivation), 8, 0.8);
}

TEST(SimulatorSource, MainsIsALineOfItsLevelAndFrequency) {
  const Recorded r =
      Record("eeg 0 uV\nemg 0 uV\namplifier 0.3 uV\nartefact 0 uV\nmains 60 Hz 10 uV\n", 10);
  for (const char* label : {"CP3", "TA L"}) {
    const double level = AmplitudeAt(r[label], 5000, 60);
    EXPECT_GE(level, 5.9) << label;  // electrodes differ: 0.6 to 1.4 of the level
    EXPECT_LE(level, 14.1) << label;
    EXPECT_NEAR(AmplitudeAt(r[label], 5000, 180) / level, 0.1, 0.02) << label;
    EXPECT_LT(AmplitudeAt(r[label], 5000, 50), 0.05) << label;
  }
}

TEST(SimulatorSource, StimulatorsTakeTurnsAndSayWhatTheyDeliver) {
  const Recorded r =
      Record(std::string(kSilent) +
                 "stimulate median both at 3.7 Hz 22 mA\nstimulate tibial both at 3.7 Hz 40 mA\n",
             20);
  ASSERT_GE(r.triggers.size(), 290u);
  EXPECT_EQ(r.triggers[0].time_ns, 100'000'000);
  const std::vector<std::string> order = {"MED L", "MED R", "TIB L", "TIB R"};
  for (size_t i = 0; i < r.triggers.size(); ++i) {
    EXPECT_EQ(r.triggers[i].label, order[i % 4]);
    EXPECT_EQ(r.triggers[i].code, static_cast<int>(i % 4) + 1);
    EXPECT_EQ(r.triggers[i].delivered_ma, i % 4 < 2 ? 22 : 40);
    EXPECT_NEAR(r.triggers[i].time_ns, 1e8 + i / (4 * 3.7) * 1e9,
                1.0);  // to the nanosecond, nothing accumulates
  }
}

TEST(SimulatorSource, TheArtefactDecaysWithHalfAMillisecond) {
  const Recorded r = Record(
      "eeg 0 uV\nemg 0 uV\namplifier 0 uV\nartefact 100 uV\nmains 50 Hz 0 uV\n"
      "stimulate median left at 2 Hz\n",
      5);
  for (const char* label : {"CP4", "Erb L"}) {
    const std::vector<double>& x = r[label];
    const size_t at = 500;  // the first stimulus, 0.1 s
    EXPECT_EQ(x[at - 1], 0);
    EXPECT_GE(std::abs(x[at]), 59) << label;
    EXPECT_LE(std::abs(x[at]), 141) << label;
    EXPECT_NEAR(x[at + 5] / x[at], std::exp(-1e-3 / 0.5e-3), 0.003) << label;  // 1 ms later
  }
}

TEST(SimulatorSource, AResponseEventChangesWhatItNamesAndNothingElse) {
  const Recorded r =
      Record(std::string(kSilent) +
                 "at 40 s for 30 s: sep median left amplitude 0.35 latency 1.12 ramp 10 s\n",
             120);
  const auto p2p = [&](const char* active, const char* label, double from_s, double to_s) {
    const std::vector<double> wave = Average(r, active, "Fz", label, from_s, to_s);
    return FindPeak(wave, 22, 31, 1).uv - FindPeak(wave, 17, 24, -1).uv;
  };
  EXPECT_NEAR(p2p("CP4", "MED L", 50, 70) / p2p("CP4", "MED L", 0, 40), 0.35, 0.02);
  EXPECT_NEAR(p2p("CP3", "MED R", 50, 70) / p2p("CP3", "MED R", 0, 40), 1, 0.01);
  EXPECT_NEAR(p2p("CP4", "MED L", 80, 120) / p2p("CP4", "MED L", 0, 40), 1, 0.01);
  EXPECT_NEAR(FindPeak(Average(r, "CP4", "Fz", "MED L", 50, 70), 17, 24, -1).latency_ms,
              19.5 * 1.12, 0.1);
  EXPECT_NEAR(FindPeak(Average(r, "Erb L", "Fz", "MED L", 50, 70), 7, 12, -1).uv, -3,
              0.1);  // the control stays
}

TEST(SimulatorSource, EmgActivityIsWhereWhenAndAsLargeAsWritten) {
  const Recorded r =
      Record(std::string(kSilent) +
                 "channels TA L, TA R\nat 1 s: emg train TA L 120 Hz 150 uV for 3 s\n"
                 "at 5 s: emg spike TA R 300 uV\nat 6 s: emg burst TA R 200 uV for 0.5 s\n",
             8);
  const std::vector<double>& left = r["TA L"];
  const std::vector<double>& right = r["TA R"];
  int discharges = 0;
  size_t first = 0, last = 0;
  for (size_t i = 1; i < left.size(); ++i) {
    if (left[i] > 100 && left[i - 1] <= 100) {
      ++discharges;
      last = i;
      if (first == 0) first = i;
    }
  }
  EXPECT_EQ(discharges, 360);
  EXPECT_NEAR(first / 5000.0, 1.003, 0.001);
  EXPECT_NEAR((last - first) / 5000.0, 359 / 120.0, 0.001);
  EXPECT_NEAR(*std::max_element(left.begin(), left.end()), 150, 3);
  EXPECT_NEAR(*std::max_element(right.begin() + 25'000, right.begin() + 25'100), 300, 6);
  const std::vector<double> burst(right.begin() + 30'000, right.begin() + 32'500);
  EXPECT_GT(Rms(burst), 20);
  EXPECT_LE(*std::max_element(burst.begin(), burst.end()), 2 * 200);
  EXPECT_EQ(Rms({right.begin(), right.begin() + 25'000}), 0);
}

TEST(SimulatorSource, DiathermySaturatesAndIsOver) {
  const Recorded r = Record(std::string(kSilent) + "at 2 s for 4 s: diathermy 10 mV\n", 10);
  const std::vector<double>& x = r["CP3"];
  const ChannelInfo& channel = r.info.channels[*FindChannel(r.info.channels, "CP3")];
  const std::vector<double> during(x.begin() + 10'000, x.begin() + 30'000);
  EXPECT_GT(Rms(during), 1500);
  EXPECT_GT(
      std::count_if(during.begin(), during.end(), [&](double v) { return channel.IsClipped(v); }),
      100);
  EXPECT_LT(Rms({x.begin(), x.begin() + 10'000}), 5);
  EXPECT_LT(Rms({x.begin() + 30'000, x.end()}), 5);
}

TEST(SimulatorSource, ElectrodesFailAsWritten) {
  const Recorded r = Record(
      "at 1 s for 1 s: disconnect CP4\nat 1 s for 1 s: disconnect CP3 flat\n"
      "at 1 s for 1 s: saturate TA L\n",
      3);
  const auto during = [&](const char* label) {
    return std::vector<double>(r[label].begin() + 5000, r[label].begin() + 10'000);
  };
  EXPECT_GT(AmplitudeAt(during("CP4"), 5000, 50), 400);
  EXPECT_EQ(Rms(during("CP3")), 0);
  const ChannelInfo& ta = r.info.channels[*FindChannel(r.info.channels, "TA L")];
  for (const double v : during("TA L")) ASSERT_TRUE(ta.IsClipped(v));
  EXPECT_LT(Rms({r["CP4"].begin() + 10'000, r["CP4"].end()}), 40);
}

TEST(SimulatorSource, TriggersGetLostAndStimulationStops) {
  const Recorded lost = Record(
      std::string(kSilent) + "stimulate median right at 5.1 Hz\nat 10 s for 5 s: lose triggers\n",
      20);
  const Recorded stopped =
      Record(std::string(kSilent) +
                 "stimulate median right at 5.1 Hz\nat 10 s for 5 s: stop stimulation\n",
             20);
  const auto between = [](const Recorded& r) {
    return std::count_if(r.triggers.begin(), r.triggers.end(), [](const StimulusTrigger& t) {
      return t.time_ns >= 10'000'000'000 && t.time_ns < 15'000'000'000;
    });
  };
  EXPECT_EQ(between(lost), 0);
  EXPECT_EQ(between(stopped), 0);
  EXPECT_NEAR(lost.triggers.size(), 15 * 5.1, 2);
  const auto energy = [](const Recorded& r) {
    return Rms({r["CP3"].begin() + 55'000, r["CP3"].begin() + 70'000});
  };
  EXPECT_GT(energy(lost), 0.1);  // the patient still answers
  EXPECT_EQ(energy(stopped), 0);
}

TEST(SimulatorSource, AGapLosesSamplesAndTriggersOnly) {
  const std::string setup = "stimulate median right at 5.1 Hz\n";
  const Recorded whole = Record(setup, 6);
  const Recorded gap = Record(
      setup + "at 2 s: gap 1.5 s\nat 0 s: gap 0.1 s\nat 5.9 s: gap 5 s\nat 4 s: note Back again\n",
      6);
  ASSERT_EQ(gap.gaps.size(), 3u);
  EXPECT_EQ(gap.gaps[0].from_ns, 0);
  EXPECT_EQ(gap.gaps[1].from_ns, 2'000'000'000);
  EXPECT_EQ(gap.gaps[1].to_ns, 3'500'000'000);
  EXPECT_EQ(gap.gaps[2].to_ns, 6'000'000'000);
  std::vector<double> wanted(whole["CP3"].begin() + 500, whole["CP3"].begin() + 10'000);
  wanted.insert(wanted.end(), whole["CP3"].begin() + 17'500, whole["CP3"].begin() + 29'500);
  EXPECT_EQ(gap["CP3"], wanted);
  for (const StimulusTrigger& trigger : gap.triggers) {
    EXPECT_FALSE(trigger.time_ns >= 2'000'000'000 && trigger.time_ns < 3'500'000'000);
  }
  ASSERT_EQ(gap.events.size(), 1u);
  EXPECT_EQ(gap.events[0].text, "Back again");
  EXPECT_EQ(gap.events[0].time_ns, 4'000'000'000);
}

TEST(SimulatorSource, TheCordScenarioLosesItsTibialResponsesAndGetsThemBack) {
  absl::StatusOr<Scenario> scenario = ParseScenario(ShippedScenario("cord"), "cord");
  ASSERT_TRUE(scenario.ok());
  SimulatorOptions options;
  options.scenario = *scenario;
  options.duration_s = 220;
  const Recorded r = Record(options);
  const auto p37_n45 = [&](const char* label, double from_s, double to_s) {
    const std::vector<double> wave = Average(r, "CPz", "FPz", label, from_s, to_s);
    return FindPeak(wave, 35, 45, 1).uv - FindPeak(wave, 44, 54, -1).uv;
  };
  for (const char* label : {"TIB L", "TIB R"}) {
    const double baseline_uv = p37_n45(label, 0, 30);
    EXPECT_NEAR(baseline_uv, 2.7, 0.8) << label;
    EXPECT_LT(p37_n45(label, 35, 145) / baseline_uv, 0.45) << label;
    EXPECT_GT(p37_n45(label, 156, 220) / baseline_uv, 0.7) << label;
  }
}

TEST(SimulatorSource, HostileOptionsAreRefused) {
  SimulatorOptions options;
  options.block_ms = 0;
  EXPECT_THAT(std::string(SimulatorSource::Create(options).status().message()),
              HasSubstr("block_ms is 0"));
  options = {};
  options.sample_rate_hz = std::nan("");
  EXPECT_FALSE(SimulatorSource::Create(options).ok());
  options = {};
  options.duration_s = -1;
  EXPECT_FALSE(SimulatorSource::Create(options).ok());
  options = {};
  options.scenario.channels.clear();
  EXPECT_FALSE(SimulatorSource::Create(options).ok());
  options = {};
  options.scenario.stimulators[0].rate_hz = 0;
  EXPECT_FALSE(SimulatorSource::Create(options).ok());
}

}  // namespace
}  // namespace remora::agent::sim
