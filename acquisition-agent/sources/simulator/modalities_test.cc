// Each modality as a source delivers it, against the truth.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "acquisition-agent/sources/simulator/simulator_source.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

constexpr char kSilent[] = "eeg 0 uV\nemg 0 uV\namplifier 0 uV\nartefact 0 uV\nmains 50 Hz 0 uV\n";

class Recording {
 public:
  Recording(const std::string& text, double seconds, uint64_t seed = 1) {
    SimulatorOptions options;
    absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    options.scenario = *scenario;
    options.duration_s = seconds;
    options.seed = seed;
    source_ = *SimulatorSource::Create(options);
    samples_.resize(source_->info().channels.size());
    int64_t due_ns = 0;
    while (true) {
      absl::StatusOr<Item> item = source_->Next();
      EXPECT_TRUE(item.ok());
      if (std::holds_alternative<EndOfSource>(*item)) return;
      EXPECT_GE(DueTimeNs(*item), due_ns);
      due_ns = DueTimeNs(*item);
      if (auto* block = std::get_if<SampleBlock>(&*item)) {
        for (size_t c = 0; c < samples_.size(); ++c) {
          const auto row = block->channel(static_cast<int>(c));
          samples_[c].insert(samples_[c].end(), row.begin(), row.end());
        }
      } else if (auto* trigger = std::get_if<StimulusTrigger>(&*item)) {
        triggers.push_back(*trigger);
      } else if (auto* vital = std::get_if<VitalSign>(&*item)) {
        vitals.push_back(*vital);
      } else if (auto* drug = std::get_if<DrugEvent>(&*item)) {
        drugs.push_back(*drug);
      } else if (auto* impedance = std::get_if<ElectrodeImpedance>(&*item)) {
        impedances.push_back(*impedance);
      } else if (auto* event = std::get_if<SourceEvent>(&*item)) {
        events.push_back(*event);
      }
    }
  }

  const SimulatedTruth& truth() const { return source_->truth(); }
  double rate_hz() const { return source_->info().rate_groups[0].sample_rate_hz; }
  const std::vector<double>& operator[](absl::string_view label) const {
    const absl::StatusOr<int> i = FindChannel(source_->info().channels, label);
    EXPECT_TRUE(i.ok()) << i.status();
    return samples_[static_cast<size_t>(i.value_or(0))];
  }
  std::vector<StimulusTrigger> Of(absl::string_view label) const {
    std::vector<StimulusTrigger> out;
    for (const StimulusTrigger& trigger : triggers) {
      if (trigger.label == label) out.push_back(trigger);
    }
    return out;
  }
  // Samples of a channel from `from_ms` to `to_ms` after a stimulus.
  std::vector<double> Sweep(absl::string_view label, const StimulusTrigger& trigger, double from_ms,
                            double to_ms) const {
    const std::vector<double>& row = (*this)[label];
    const auto at = [&](double ms) {
      const double sample = (static_cast<double>(trigger.time_ns) * 1e-9 + ms * 1e-3) * rate_hz();
      return std::clamp<int64_t>(std::llround(sample), 0, static_cast<int64_t>(row.size()));
    };
    return {row.begin() + at(from_ms), row.begin() + at(to_ms)};
  }
  double PeakToPeak(absl::string_view label, const StimulusTrigger& trigger, double from_ms = 2,
                    double to_ms = 90) const {
    const std::vector<double> sweep = Sweep(label, trigger, from_ms, to_ms);
    const auto [low, high] = std::minmax_element(sweep.begin(), sweep.end());
    return sweep.empty() ? 0 : *high - *low;
  }
  // Where a response has come to 5 % of its height.
  double OnsetMs(absl::string_view label, const StimulusTrigger& trigger) const {
    const double edge = 0.05 * PeakToPeak(label, trigger);
    const std::vector<double> sweep = Sweep(label, trigger, 2, 90);
    for (size_t i = 0; i < sweep.size(); ++i) {
      if (std::abs(sweep[i]) >= edge) return 2 + static_cast<double>(i) * 1e3 / rate_hz();
    }
    return -1;
  }

  std::vector<StimulusTrigger> triggers;
  std::vector<VitalSign> vitals;
  std::vector<DrugEvent> drugs;
  std::vector<ElectrodeImpedance> impedances;
  std::vector<SourceEvent> events;

 private:
  std::unique_ptr<SimulatorSource> source_;
  std::vector<std::vector<double>> samples_;
};

double Mean(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}
double Rms(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum / static_cast<double>(std::max<size_t>(x.size(), 1)));
}

TEST(SimulatedMep, HasItsSizeLatencyAndSpreadByMuscleAndSide) {
  const Recording run(std::string(kSilent) +
                          "rate 10 kHz\nchannels APB L, APB R, AH L, AH R\n"
                          "stimulate mep C3-C4 every 0.5 s 400 V from 1 s\n",
                      201);
  const auto trains = run.Of("MEP C3-C4");
  ASSERT_GE(trains.size(), 399u);
  for (const auto& [label, uv, onset_ms, cv] :
       {std::tuple{"APB R", 800.0, 22.0, 0.3}, std::tuple{"AH R", 300.0, 40.0, 0.4}}) {
    std::vector<double> sizes, squares, onsets;
    for (const StimulusTrigger& train : trains) {
      if (train.time_ns > 200'900'000'000) continue;
      sizes.push_back(run.PeakToPeak(label, train));
      squares.push_back(sizes.back() * sizes.back());
      onsets.push_back(run.OnsetMs(label, train));
    }
    const double mean = Mean(sizes);
    EXPECT_NEAR(mean, uv, 0.06 * uv) << label;
    EXPECT_NEAR(std::sqrt(Mean(squares) - mean * mean) / mean, cv, 0.06) << label;
    EXPECT_NEAR(Mean(onsets), onset_ms, 0.15) << label;
    // The cathode's side gets a little.
    EXPECT_LT(run.PeakToPeak(std::string(label).replace(strlen(label) - 1, 1, "L"), trains[0]),
              0.6 * uv);
  }
}

TEST(SimulatedMep, TheTriggerSaysWhatWasDelivered) {
  const Recording run(
      std::string(kSilent) +
          "stimulate mep C4-C3 every 2 s 450 V pulses 7 interval 3 ms width 50 us from 1 s\n"
          "at 4 s for 3 s: deliver mep 20%\n",
      9);
  const auto trains = run.Of("MEP C4-C3");
  ASSERT_EQ(trains.size(), 4u);
  EXPECT_EQ(trains[0].site, "C4-C3");
  EXPECT_EQ(trains[0].code, 1);
  EXPECT_EQ(trains[0].pulses, 7);
  EXPECT_EQ(trains[0].pulse_interval_ms, 3);
  EXPECT_NEAR(*trains[0].pulse_us, 50, 1e-9);
  EXPECT_EQ(trains[0].commanded_v, 450);
  EXPECT_EQ(trains[0].delivered_v, 450);
  EXPECT_FALSE(trains[0].delivered_ma);
  EXPECT_EQ(trains[2].commanded_v, 450);
  EXPECT_EQ(trains[2].delivered_v, 90);
  EXPECT_GT(run.PeakToPeak("APB L", trains[0]), 100);
  EXPECT_EQ(run.PeakToPeak("APB L", trains[2]), 0);
}

TEST(SimulatedMep, AnswersFromItsThresholdOn) {
  const Recording run(
      std::string(kSilent) +
          "channels APB R\nstimulate mep C3-C4 every 1 h 400 V threshold 250 V from 50 min\n"
          "at 1 s: test mep C3-C4 from 150 V to 350 V step 25 V each 1 s\n",
      12);
  for (const StimulusTrigger& train : run.Of("MEP C3-C4")) {
    EXPECT_EQ(run.PeakToPeak("APB R", train) > 20, *train.commanded_v >= 250) << *train.commanded_v;
  }
  EXPECT_EQ(run.Of("MEP C3-C4").size(), 9u);
}

TEST(SimulatedMep, FollowsTheTruthThroughACordEvent) {
  const Recording run(std::string(kSilent) +
                          "channels TA R, APB R\nstimulate mep C3-C4 every 0.5 s 400 V from 1 s\n"
                          "at 60 s: cord T8 both amplitude 0.1\n",
                      120);
  std::map<bool, std::vector<double>> leg, arm;
  for (const StimulusTrigger& train : run.Of("MEP C3-C4")) {
    const double time_s = static_cast<double>(train.time_ns) * 1e-9;
    if (time_s > 119.8) continue;
    leg[time_s >= 60].push_back(run.PeakToPeak("TA R", train));
    arm[time_s >= 60].push_back(run.PeakToPeak("APB R", train));
  }
  EXPECT_NEAR(Mean(leg[true]) / Mean(leg[false]), run.truth().Mep(*FindSite("TA R"), 90).amplitude,
              0.02);
  EXPECT_NEAR(Mean(arm[true]) / Mean(arm[false]), 1, 0.15);
}

TEST(SimulatedDwave, IsSeenAtBothContactsAndFallsBelowTheLesion) {
  const Recording run(std::string(kSilent) +
                          "rate 20 kHz\nchannels DW rostral, DW caudal, APB R\n"
                          "stimulate dwave every 10 s 500 V sweeps 4 from 1 s\n"
                          "at 25 s: cord T6 both amplitude 0 dwave 0.3\n",
                      40);
  const auto pulses = run.Of("DWAVE");
  ASSERT_EQ(pulses.size(), 16u);
  EXPECT_EQ(pulses[0].pulses, 1);
  EXPECT_NEAR(static_cast<double>(pulses[1].time_ns - pulses[0].time_ns), 1e9, 1);
  EXPECT_NEAR(run.PeakToPeak("DW rostral", pulses[0], 2, 20), 20, 3);
  EXPECT_NEAR(run.PeakToPeak("DW caudal", pulses[0], 2, 20), 14, 2);
  EXPECT_NEAR(run.PeakToPeak("DW rostral", pulses[12], 2, 20), 20, 3);
  EXPECT_NEAR(run.PeakToPeak("DW caudal", pulses[12], 2, 20), 14 * 0.3, 1);
  EXPECT_EQ(run.PeakToPeak("APB R", pulses[0]), 0);  // one pulse moves nothing
  const std::vector<double> sweep = run.Sweep("DW rostral", pulses[0], 0, 20);
  const auto top = std::max_element(sweep.begin(), sweep.end()) - sweep.begin();
  EXPECT_NEAR(static_cast<double>(top) / 20, 4.5, 0.1);
}

TEST(SimulatedTrainOfFour, FadesAsTheRelaxantActs) {
  const Recording run(std::string(kSilent) +
                          "channels ADM L, ADM R, AH L\n"
                          "stimulate tof left hand every 20 s 40 mA from 10 s\n"
                          "stimulate tof left foot every 20 s 40 mA from 14 s\n"
                          "at 25 s: bolus rocuronium 4 mg\n",
                      160);
  const auto stimuli = run.Of("TOF L hand");
  ASSERT_EQ(stimuli.size() % 4, 0u);
  EXPECT_EQ(stimuli[0].rate_hz, 2);
  double least = 1;
  for (size_t i = 0; i + 4 <= stimuli.size(); i += 4) {
    std::array<double, 4> uv{};
    for (size_t k = 0; k < 4; ++k) {
      EXPECT_NEAR(static_cast<double>(stimuli[i + k].time_ns - stimuli[i].time_ns), 0.5e9 * k, 1);
      uv[k] = run.PeakToPeak("ADM L", stimuli[i + k]);
    }
    const Block block = run.truth().TrainOfFour(Region::kArm, Side::kLeft,
                                                static_cast<double>(stimuli[i].time_ns) * 1e-9);
    EXPECT_NEAR(uv[0] / 2500, block.t1, 0.03);
    EXPECT_NEAR(uv[3] / std::max(uv[0], 1.0), block.ratio, 0.04);
    least = std::min(least, block.ratio);
    EXPECT_EQ(run.PeakToPeak("ADM R", stimuli[i]), 0);
    EXPECT_EQ(run.PeakToPeak("AH L", stimuli[i]), 0);
  }
  EXPECT_LT(least, 0.8);
  EXPECT_GT(run.PeakToPeak("AH L", run.Of("TOF L foot")[0]), 2000);
}

TEST(SimulatedScrew, AnswersInItsMyotomeFromItsThresholdOn) {
  const Recording run(std::string(kSilent) +
                          "channels Quadriceps L, TA L, AH L, Quadriceps R\n"
                          "screw L4 left threshold 6 mA\nscrew L4 right threshold 14 mA\n"
                          "at 1 s: test screw L4 left from 2 mA to 12 mA step 1 mA each 0.4 s\n"
                          "at 8 s: test screw L4 right from 20 mA to 10 mA step 1 mA each 0.4 s\n",
                      14);
  const auto left = run.Of("SCREW L4 L");
  ASSERT_EQ(left.size(), 11u);
  for (const StimulusTrigger& pulse : left) {
    EXPECT_EQ(pulse.site, "L4 L");
    EXPECT_EQ(run.PeakToPeak("Quadriceps L", pulse) > 50, *pulse.commanded_ma >= 6);
    EXPECT_EQ(run.PeakToPeak("AH L", pulse), 0);
    EXPECT_EQ(run.PeakToPeak("Quadriceps R", pulse), 0);
  }
  for (const StimulusTrigger& pulse : run.Of("SCREW L4 R")) {
    EXPECT_EQ(run.PeakToPeak("Quadriceps R", pulse) > 50, *pulse.commanded_ma >= 14);
    EXPECT_NE(pulse.code, left[0].code);
  }
  EXPECT_NEAR(run.OnsetMs("Quadriceps L", left.back()), 8, 0.25);
  // SEP go on as without screws.
  EXPECT_FALSE(run.Of("MED L").empty());
}

TEST(SimulatedNerve, TheFacialNerveAnswersInTheFace) {
  const Recording run(std::string(kSilent) +
                          "channels OOc L, OOr L, OOr R, TA L\nnerve facial left threshold 0.1 mA\n"
                          "at 1 s: test nerve facial left from 0.05 mA to 0.3 mA step 0.05 mA\n",
                      5);
  const auto pulses = run.Of("DNS facial L");
  ASSERT_EQ(pulses.size(), 6u);
  for (const StimulusTrigger& pulse : pulses) {
    EXPECT_EQ(run.PeakToPeak("OOr L", pulse) > 30, *pulse.commanded_ma >= 0.1);
    EXPECT_EQ(run.PeakToPeak("OOr R", pulse), 0);
  }
}

TEST(SimulatedMonitor, TellsVitalsDrugsAndImpedances) {
  const Recording run(
      "vitals map 85 temperature 36.2\nimpedance 3 kOhm\nchannels CP3, Fz, TA L\n"
      "stimulate median right at 3.1 Hz\n"
      "at 1 s: infusion propofol 6 mg/kg/h\nat 3 s: bolus rocuronium 30 mg\n"
      "at 4 s: inspired sevoflurane 2 %\nat 5 s: infusion propofol stopped\n"
      "at 6 s for 3 s: disconnect TA L\nat 2 s: phase CORRECTION\nat 2 s: position prone\n"
      "at 10 s: vitals map 52 ramp 5 s\nat 7 s: impedance MED R 20 kOhm\n",
      61);
  std::map<VitalSign::Kind, std::vector<VitalSign>> by_kind;
  for (const VitalSign& vital : run.vitals) {
    EXPECT_EQ(vital.source, "simulator");
    EXPECT_EQ(vital.time_ns % 5'000'000'000, 0);
    by_kind[vital.kind].push_back(vital);
  }
  const auto& map = by_kind[VitalSign::Kind::kMeanArterialPressure];
  ASSERT_EQ(map.size(), 13u);
  EXPECT_NEAR(map[0].value, 85, 4);
  EXPECT_NEAR(map.back().value, 52, 4);
  EXPECT_NEAR(by_kind[VitalSign::Kind::kCoreTemperature][0].value, 36.2, 1e-9);
  EXPECT_EQ(by_kind[VitalSign::Kind::kBispectralIndex].size(), 13u);
  EXPECT_FALSE(by_kind[VitalSign::Kind::kAlveolarConcentration].empty());
  ASSERT_EQ(run.drugs.size(), 4u);
  EXPECT_EQ(run.drugs[0].kind, DrugEvent::Kind::kInfusionRate);
  EXPECT_EQ(run.drugs[0].unit, "mg/kg/h");
  EXPECT_EQ(run.drugs[1].drug, "rocuronium");
  EXPECT_EQ(run.drugs[1].amount, 30);
  EXPECT_EQ(run.drugs[1].time_ns, 3'000'000'000);
  EXPECT_EQ(run.drugs[2].kind, DrugEvent::Kind::kInspired);
  EXPECT_EQ(run.drugs[3].kind, DrugEvent::Kind::kInfusionStopped);
  std::vector<std::string> texts;
  for (const SourceEvent& event : run.events) texts.push_back(event.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"PHASE CORRECTION", "POSITION prone"}));
  ASSERT_EQ(run.impedances.size(), 4u + 3u);
  EXPECT_EQ(run.impedances[3].electrode, "MED R");
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(run.impedances[i].kohm, 3);
  EXPECT_EQ(run.impedances[4].electrode, "TA L");
  EXPECT_TRUE(std::isinf(run.impedances[4].kohm));
  EXPECT_EQ(run.impedances[4].time_ns, 6'000'000'000);
  EXPECT_EQ(run.impedances[5].kohm, 20);
  EXPECT_EQ(run.impedances[6].kohm, 3);
  EXPECT_EQ(run.impedances[6].time_ns, 9'000'000'000);
}

TEST(SimulatedMonitor, IsSilentWhereNobodyAskedForIt) {
  const Recording run(std::string(ShippedScenario("cord")), 20);
  EXPECT_TRUE(run.vitals.empty() && run.drugs.empty() && run.impedances.empty());
}

TEST(SimulatedSep, AFaultyStimulatorSaysLessAndEvokesNothing) {
  const Recording run(std::string(kSilent) +
                          "channels CP3, Fz, Erb R\nstimulate median right at 3.1 Hz 25 mA\n"
                          "at 5 s: deliver median right 10%\n",
                      10);
  const auto stimuli = run.Of("MED R");
  EXPECT_EQ(stimuli.front().delivered_ma, 25);
  EXPECT_EQ(stimuli.back().commanded_ma, 25);
  EXPECT_EQ(stimuli.back().delivered_ma, 2.5);
  EXPECT_GT(run.PeakToPeak("Erb R", stimuli.front(), 2, 50), 2);
  EXPECT_EQ(run.PeakToPeak("Erb R", stimuli[stimuli.size() - 2], 2, 50), 0);
}

TEST(SimulatedEmg, ARelaxedMuscleIsQuiet) {
  const Recording run(
      "emg 20 uV\namplifier 0.2 uV\nmains 50 Hz 0 uV\nchannels TA L\nstimulate tibial left at 0.1 "
      "Hz\n"
      "artefact 0 uV\nat 5 s: bolus rocuronium 50 mg\nat 100 s: emg train TA L 100 Hz 500 uV\n",
      110);
  const std::vector<double>& x = run["TA L"];
  EXPECT_NEAR(Rms({x.begin(), x.begin() + 20'000}), 20, 1);
  EXPECT_LT(Rms({x.end() - 40'000, x.end()}), 3);
}

}  // namespace
}  // namespace remora::agent::sim
