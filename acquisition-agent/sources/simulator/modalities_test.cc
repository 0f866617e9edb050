// Each modality as a source delivers it, against the truth.
#include <array>
#include <cmath>
#include <cstring>
#include <map>

#include "acquisition-agent/sources/simulator/testing/recording.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

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

// The mean of a derivation's sweeps.
std::vector<double> AverageOf(const Recording& run, absl::string_view plus, absl::string_view minus,
                              const std::vector<StimulusTrigger>& stimuli, double to_ms) {
  std::vector<double> sum;
  int count = 0;
  for (const StimulusTrigger& stimulus : stimuli) {
    std::vector<double> one = run.Sweep(plus, stimulus, 0, to_ms);
    const std::vector<double> other = run.Sweep(minus, stimulus, 0, to_ms);
    if (sum.empty()) sum.resize(one.size());
    if (one.size() < sum.size()) break;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += one[i] - other[i];
    ++count;
  }
  for (double& value : sum) value /= std::max(count, 1);
  return sum;
}

double At(const std::vector<double>& wave, const Recording& run, double ms) {
  return wave[static_cast<size_t>(std::llround(ms * 1e-3 * run.rate_hz()))];
}

TEST(SimulatedLarynx, AnswersOnItsSideWithItsLatencyAndLosesIt) {
  const Recording run(std::string(kSilent) +
                          "rate 20 kHz\nchannels VOC L, VOC R\n"
                          "stimulate rln left every 2 s 1 mA from 1 s until 10 s\n"
                          "stimulate rln right every 2 s 1 mA from 2 s until 10 s\n"
                          "stimulate vagus left every 1 s 1 mA from 12 s\n"
                          "at 20 s: larynx left amplitude 0.4 latency 1.12\n",
                      30);
  const auto left = run.Of("RLN L");
  EXPECT_NEAR(run.PeakToPeak("VOC L", left[0], 2, 15), 700, 120);
  EXPECT_LT(run.PeakToPeak("VOC R", left[0], 2, 15), 40);
  EXPECT_NEAR(run.OnsetMs("VOC L", left[0]), 4.2, 0.1);
  EXPECT_NEAR(run.OnsetMs("VOC R", run.Of("RLN R")[0]), 3.1, 0.1);
  const auto vagus = run.Of("VAGUS L");
  ASSERT_GE(vagus.size(), 17u);
  EXPECT_NEAR(run.OnsetMs("VOC L", vagus[0]), 6.8, 0.1);
  EXPECT_NEAR(run.OnsetMs("VOC L", vagus[10]), 6.8 * 1.12, 0.1);
  EXPECT_NEAR(run.PeakToPeak("VOC L", vagus[10], 2, 20), 280, 50);
}

TEST(SimulatedBaep, HasItsWavesUprightBetweenVertexAndEar) {
  const Recording run(std::string(kSilent) +
                          "rate 20 kHz\nchannels Cz, A1, A2\nstimulate baep left at 11.1 Hz\n"
                          "at 60 s: baep left amplitude 0 delay 1 ms\n",
                      120);
  auto clicks = run.Of("BAEP L");
  EXPECT_FALSE(clicks[0].commanded_ma || clicks[0].commanded_v);
  const auto healthy = std::vector(clicks.begin(), clicks.begin() + 600);
  const std::vector<double> wave = AverageOf(run, "Cz", "A1", healthy, 12);
  // 0.1 uV a step and no noise: near enough.
  EXPECT_NEAR(At(wave, run, 2.6), 0.25, 0.06);
  EXPECT_NEAR(At(wave, run, 6.7), 0.45, 0.08);
  EXPECT_NEAR(At(AverageOf(run, "Cz", "A2", healthy, 12), run, 2.6), 0, 0.05);
  const auto lost = std::vector(clicks.end() - 300, clicks.end() - 10);
  const std::vector<double> after = AverageOf(run, "Cz", "A1", lost, 12);
  EXPECT_NEAR(At(after, run, 2.6), 0.25, 0.06);
  for (double ms = 4; ms < 10; ms += 0.1) EXPECT_LT(std::abs(At(after, run, ms)), 0.06);
}

TEST(SimulatedVep, HasItsP100) {
  const Recording run(std::string(kSilent) + "channels O1, Oz, Fz\nstimulate vep left at 1.1 Hz\n",
                      10);
  const std::vector<double> wave = AverageOf(run, "Oz", "Fz", run.Of("VEP L"), 200);
  EXPECT_NEAR(At(wave, run, 105), 5, 0.3);
  EXPECT_NEAR(At(wave, run, 74), -3, 0.4);
}

TEST(SimulatedStrip, TurnsOverAtTheSulcus) {
  const Recording run(std::string(kSilent) +
                          "channels G1, G2, G3, G4, G5, G6, G7, G8, Fz\nsulcus 3/4\n"
                          "stimulate median both at 4.7 Hz\n",
                      5);
  for (int contact = 1; contact <= 8; ++contact) {
    const std::string label = "G" + std::to_string(contact);
    const std::vector<double> wave = AverageOf(run, label, "Fz", run.Of("MED R"), 40);
    const double n20 = At(wave, run, contact <= 3 ? 19.5 : 20.2);
    EXPECT_EQ(n20 < 0, contact <= 3) << contact;
    EXPECT_GT(std::abs(n20), 1) << contact;
    // The other hemisphere's nerve is not seen here.
    EXPECT_EQ(Rms(AverageOf(run, label, "Fz", run.Of("MED L"), 40)), 0);
  }
}

TEST(SimulatedMidline, TurnsOverBetweenTwoContacts) {
  const Recording run(std::string(kSilent) +
                          "channels CP3, CP4, CPz\nmidline 4/5\nstimulate midline at 4.7 Hz 2 mA\n",
                      20);
  for (int contact = 1; contact <= 8; ++contact) {
    const auto stimuli = run.Of("MIDLINE contact " + std::to_string(contact));
    ASSERT_GE(stimuli.size(), 8u);
    EXPECT_EQ(stimuli[0].code, 1);
    const double p = At(AverageOf(run, "CP3", "CP4", stimuli, 60), run, 23);
    EXPECT_EQ(p > 0, contact <= 4) << contact;
    EXPECT_GT(std::abs(p), 0.3) << contact;
  }
}

TEST(SimulatedCortex, TrainsMoveTheMusclesTheyAreOver) {
  const Recording run(std::string(kSilent) +
                          "channels APB R, APB L, TA R\n"
                          "stimulate dcs G5 arm right every 2 s 12 mA from 1 s until 5 s\n"
                          "stimulate subcortical leg right every 2 s 10 mA from 6 s until 7 s\n"
                          "at 10 s: test subcortical leg right from 12 mA to 3 mA step 1 mA "
                          "each 1 s\n",
                      22);
  const auto dcs = run.Of("DCS G5");
  ASSERT_EQ(dcs.size(), 2u);
  EXPECT_EQ(dcs[0].pulses, 5);
  EXPECT_GT(run.PeakToPeak("APB R", dcs[0]), 150);
  EXPECT_EQ(run.PeakToPeak("APB L", dcs[0]), 0);
  EXPECT_EQ(run.PeakToPeak("TA R", dcs[0]), 0);
  const auto deep = run.Of("SUBCORTICAL leg R");
  ASSERT_EQ(deep.size(), 11u);
  for (const StimulusTrigger& train : deep) {
    EXPECT_EQ(run.PeakToPeak("TA R", train) > 5, *train.commanded_ma >= 6) << *train.commanded_ma;
  }
}

TEST(SimulatedSource, SameSeedSameBytesWhateverTheBlockForAllModalities) {
  const std::string text =
      "channels CP3, CP4, Fz, G4, VOC L, DW caudal, APB R, TA L, A1, Cz\nrate 2 kHz\n"
      "eeg 8 uV alpha 4 uV delta 4 uV\nvitals\nimpedance 3 kOhm\n"
      "stimulate median both at 3.1 Hz\nstimulate baep left at 11.1 Hz\n"
      "stimulate mep C3-C4 every 1 s 400 V from 0.5 s\n"
      "stimulate vagus left every 0.7 s 1 mA from 0.3 s\n"
      "at 0.5 s for 1 s: depth 2 ramp 0.2 s\nat 1 s: bolus rocuronium 50 mg\n"
      "at 0.2 s: emg b-train TA L 50 Hz for 1 s\nat 0.4 s: emg c-train TA L 50 Hz\n"
      "at 0.3 s: shivering for 1 s\nat 0.6 s for 0.5 s: drill\nat 0.7 s for 0.7 s: cusa\n"
      "at 1 s: afterdischarge G4 for 1 s\nat 1.1 s for 0.3 s: swap APB R with TA L\n"
      "at 1.5 s: emg silence TA L for 0.5 s\nat 1.7 s: gap 0.2 s\n";
  SimulatorOptions options;
  options.scenario = *ParseScenario(text, "t");
  options.duration_s = 3;
  const auto all = [&](int block_ms) {
    options.block_ms = block_ms;
    auto source = *SimulatorSource::Create(options);
    std::vector<std::vector<double>> samples(options.scenario.channels.size());
    size_t others = 0;
    while (true) {
      const Item item = *source->Next();
      if (std::holds_alternative<EndOfSource>(item)) break;
      const auto* block = std::get_if<SampleBlock>(&item);
      others += block == nullptr;
      for (size_t c = 0; block != nullptr && c < samples.size(); ++c) {
        const auto row = block->channel(static_cast<int>(c));
        samples[c].insert(samples[c].end(), row.begin(), row.end());
      }
    }
    return std::pair(samples, others);
  };
  const auto first = all(20);
  EXPECT_GE(first.second, 50u);
  for (const int block_ms : {1, 7, 333, 1000}) EXPECT_EQ(all(block_ms), first) << block_ms;
}

}  // namespace
}  // namespace remora::agent::sim
