// Every entry of a plan beside averaged responses and free-running EMG, from samples to records:
// motor responses, EEG, and what is told beside signals.
#include <algorithm>
#include <cmath>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/case_analysis.h"
#include "acquisition-agent/surveillance/testing/drawn_source.h"
#include "acquisition-agent/surveillance/testing/keeping_sink.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

StimulusTrigger Pulse(double time_s, const std::string& label) {
  StimulusTrigger trigger;
  trigger.time_ns = static_cast<int64_t>(time_s * 1e9);
  trigger.label = label;
  return trigger;
}

class ModalitiesTest : public testing::Test {
 protected:
  // One derivation for each channel, by its name.
  void Run(const std::string& plan_text, Drawing drawing) {
    plan_.plan_path = "test.plan";
    plan_.montage_path = "test.montage";
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(plan_text, &plan_.plan));
    for (const std::string& channel : drawing.channels) {
      v1::Derivation& derivation = *plan_.montage.add_derivation();
      derivation.set_name(channel);
      derivation.add_plus(channel);
    }
    FillDefaults(&plan_.plan);
    const absl::Status checked = CheckCasePlan(plan_);
    ASSERT_TRUE(checked.ok()) << checked;
    source_ = std::make_unique<DrawnSource>(std::move(drawing));
    auto analysis = CaseAnalysis::Create(plan_, source_->info(), sink_);
    ASSERT_TRUE(analysis.ok()) << analysis.status();
    analysis_ = *std::move(analysis);
    analysis_->Begin();
    for (bool ended = false; !ended;) {
      const absl::StatusOr<Item> item = source_->Next();
      ASSERT_TRUE(item.ok());
      ended = std::holds_alternative<EndOfSource>(*item);
      analysis_->Take(*item);
    }
  }

  std::vector<v1::Measurement> Measurements(const std::string& trace_id) const {
    std::vector<v1::Measurement> found;
    for (const v1::Measurement& one :
         sink_.All(&v1::Record::has_measurement, &v1::Record::measurement)) {
      if (one.trace_id() == trace_id) found.push_back(one);
    }
    return found;
  }
  std::vector<v1::SpectralEdge> Edges() const {
    return sink_.All(&v1::Record::has_spectral_edge, &v1::Record::spectral_edge);
  }

  CasePlan plan_;
  KeepingSink sink_;
  std::unique_ptr<DrawnSource> source_;
  std::unique_ptr<CaseAnalysis> analysis_;
};

constexpr char kMepPlan[] = R"(
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP C3-C4" }
    stimulus { site: "scalp" electrodes: "C3-C4" voltage_v: 300 }
    muscle { derivation: "APB" side: SIDE_RIGHT level_role: LEVEL_ROLE_ABOVE myotome: "C8-T1" }
    muscle { derivation: "TA" side: SIDE_RIGHT level_role: LEVEL_ROLE_BELOW myotome: "L4-L5" } })";

// Trains of 5 pulses each 2 s from 1 s on, each pulse with its artefact; answers are the test's.
Drawing MepDrawing(int trials, std::function<double(int trial, int channel)> amplitude_uv) {
  Drawing drawing;
  drawing.channels = {"APB", "TA"};
  drawing.seconds = 2.0 * trials + 1;
  for (int i = 0; i < trials; ++i) {
    StimulusTrigger train = Pulse(1 + 2.0 * i, "MEP C3-C4");
    train.pulses = 5;
    train.pulse_interval_ms = 3;
    train.commanded_v = 300;
    drawing.items.push_back(train);
  }
  drawing.uv = [amplitude_uv](int channel, double time_s) {
    const double since_s = std::fmod(time_s + 1, 2.0);
    const int trial = static_cast<int>((time_s - 1) / 2);
    if (time_s < 1) return 0.0;
    double uv = Biphasic(since_s, channel == 0 ? 0.024 : 0.038, amplitude_uv(trial, channel));
    for (int pulse = 0; pulse < 5; ++pulse) {
      const double after_s = since_s - 0.003 * pulse;
      if (after_s >= 0 && after_s < 0.0012) uv += 2000 * std::exp(-after_s / 0.0003);
    }
    return uv;
  };
  return drawing;
}

TEST_F(ModalitiesTest, EachTrainMakesATrialOfAllMusclesMeasuredAlone) {
  Run(kMepPlan, MepDrawing(4, [](int trial, int channel) {
        return channel == 0 ? 800.0 + 100 * trial : 300.0;
      }));
  const auto apb = Measurements("MEP_TRANSCRANIAL/R/APB");
  const auto ta = Measurements("MEP_TRANSCRANIAL/R/TA");
  ASSERT_THAT(apb, SizeIs(4));
  ASSERT_THAT(ta, SizeIs(4));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(apb[i].trial_index(), i);
    EXPECT_EQ(ta[i].trial_index(), i);
    EXPECT_EQ(apb[i].state(), v1::MEASUREMENT_STATE_NO_BASELINE) << apb[i].reason();
    // The filter and the noise take and add a little.
    EXPECT_NEAR(apb[i].amplitude_uv(), 800 + 100 * static_cast<double>(i), 60);
    EXPECT_NEAR(apb[i].latency_ms(), 24, 0.7);
    EXPECT_NEAR(ta[i].latency_ms(), 38, 0.7);
    EXPECT_EQ(ta[i].muscle().presence(), v1::RESPONSE_PRESENCE_PRESENT);
    EXPECT_LT(ta[i].muscle().onset_ms(), ta[i].latency_ms());
    EXPECT_GT(ta[i].muscle().end_ms(), ta[i].latency_ms());
    EXPECT_GT(ta[i].muscle().area_uv_ms(), 100);
  }
  const auto sweeps = sink_.All(&v1::Record::has_sweep, &v1::Record::sweep);
  ASSERT_THAT(sweeps, SizeIs(8));
  EXPECT_EQ(sweeps[0].stimulus().pulse_count(), 5u);
  EXPECT_EQ(sweeps[0].stimulus().voltage_v(), 300);
  EXPECT_EQ(sweeps[0].stimulus().electrodes(), "C3-C4");
  EXPECT_EQ(sweeps[0].accepted_count(), 1u);
}

TEST_F(ModalitiesTest, NoResponseIsSaidOnlyWhereTheSweepIsGood) {
  Drawing drawing = MepDrawing(
      4, [](int trial, int channel) { return channel == 1 && trial >= 2 ? 0.0 : 600.0; });
  // The last trial's TA is at the amplifier's limit when the response would come.
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    if (channel == 1 && time_s > 7.03 && time_s < 7.06) return 5000.0;
    return drawn(channel, time_s);
  };
  Run(kMepPlan, std::move(drawing));
  const auto ta = Measurements("MEP_TRANSCRANIAL/R/TA");
  ASSERT_THAT(ta, SizeIs(4));
  EXPECT_EQ(ta[1].state(), v1::MEASUREMENT_STATE_NO_BASELINE);
  EXPECT_EQ(ta[2].state(), v1::MEASUREMENT_STATE_NO_RESPONSE);
  EXPECT_EQ(ta[2].muscle().presence(), v1::RESPONSE_PRESENCE_ABSENT);
  EXPECT_EQ(ta[3].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
  EXPECT_EQ(ta[3].muscle().presence(), v1::RESPONSE_PRESENCE_NOT_ASSESSABLE);
  EXPECT_THAT(ta[3].quality(), ElementsAre(v1::QUALITY_FLAG_CLIPPED));
}

TEST_F(ModalitiesTest, BlocksOfAnyLengthGiveTheSameTrials) {
  const auto answers = [](int, int) { return 500.0; };
  Run(kMepPlan, MepDrawing(3, answers));
  const auto expected = Measurements("MEP_TRANSCRANIAL/R/APB");
  plan_ = CasePlan();
  sink_ = KeepingSink();
  Drawing drawing = MepDrawing(3, answers);
  drawing.block_ms = 200;
  // The noise is drawn by block and channel: without it, blocks make no difference.
  drawing.noise_uv = 0;
  Run(kMepPlan, drawing);
  const auto long_blocks = Measurements("MEP_TRANSCRANIAL/R/APB");
  plan_ = CasePlan();
  sink_ = KeepingSink();
  drawing.block_ms = 4;
  Run(kMepPlan, drawing);
  const auto short_blocks = Measurements("MEP_TRANSCRANIAL/R/APB");
  ASSERT_EQ(long_blocks.size(), expected.size());
  ASSERT_EQ(long_blocks.size(), short_blocks.size());
  for (size_t i = 0; i < long_blocks.size(); ++i) {
    EXPECT_EQ(long_blocks[i].SerializeAsString(), short_blocks[i].SerializeAsString());
  }
}

// As a recorder tells it that writes down every pulse.
TEST_F(ModalitiesTest, ATrainThatIsToldPulseByPulseIsOneTrial) {
  Drawing drawing = MepDrawing(4, [](int, int channel) { return channel == 0 ? 800.0 : 300.0; });
  std::vector<Item> pulses;
  for (const Item& item : drawing.items) {
    StimulusTrigger pulse = std::get<StimulusTrigger>(item);
    pulse.pulses = 1;
    pulse.pulse_interval_ms = 0;
    for (int i = 0; i < 5; ++i) {
      pulses.push_back(pulse);
      pulse.time_ns += 3'000'000;
    }
  }
  drawing.items = std::move(pulses);
  std::string plan = kMepPlan;
  plan.insert(plan.find("voltage_v"), "pulse_count: 5 pulse_interval_ms: 2.5 ");
  Run(plan, std::move(drawing));
  const auto apb = Measurements("MEP_TRANSCRANIAL/R/APB");
  ASSERT_THAT(apb, SizeIs(4));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(apb[i].trial_index(), i);
    EXPECT_EQ(apb[i].state(), v1::MEASUREMENT_STATE_NO_BASELINE) << apb[i].reason();
    EXPECT_NEAR(apb[i].amplitude_uv(), 800, 60);
    EXPECT_NEAR(apb[i].latency_ms(), 24, 0.7);
  }
  const auto sweeps = sink_.All(&v1::Record::has_sweep, &v1::Record::sweep);
  ASSERT_THAT(sweeps, SizeIs(8));
  // What was delivered, not what was planned.
  EXPECT_EQ(sweeps[0].stimulus().pulse_count(), 5u);
  EXPECT_NEAR(sweeps[0].stimulus().pulse_interval_ms(), 3, 1e-6);
}

// Planned at 2.5 ms and delivered at 4: still one. Repeated at fifty a second: not one for ever.
TEST_F(ModalitiesTest, ATrainEndsAsLongAfterItsFirstPulseAsTrainsAre) {
  Drawing drawing;
  drawing.channels = {"APB", "TA"};
  drawing.seconds = 4;
  for (int i = 0; i < 5; ++i) drawing.items.push_back(Pulse(1 + 0.004 * i, "MEP C3-C4"));
  for (int i = 0; i < 25; ++i) drawing.items.push_back(Pulse(2 + 0.019 * i, "MEP C3-C4"));
  std::string plan = kMepPlan;
  plan.insert(plan.find("voltage_v"), "pulse_count: 5 pulse_interval_ms: 2.5 ");
  Run(plan, std::move(drawing));
  const auto sweeps = sink_.All(&v1::Record::has_sweep, &v1::Record::sweep);
  ASSERT_THAT(sweeps, Not(IsEmpty()));
  EXPECT_EQ(sweeps[0].stimulus().pulse_count(), 5u);
  EXPECT_NEAR(sweeps[0].stimulus().pulse_interval_ms(), 4, 1e-6);
  // Two pulses 19 ms apart are within 20 ms, three are not.
  const auto apb = Measurements("MEP_TRANSCRANIAL/R/APB");
  ASSERT_THAT(apb, SizeIs(1 + 13));
  for (size_t i = 1; i < 13; ++i) {
    EXPECT_EQ(apb[i].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE) << "the next comes in it";
  }
}

TEST_F(ModalitiesTest, MorePulsesThanPlannedAreOfTheSameTrain) {
  Drawing drawing = MepDrawing(3, [](int, int) { return 500.0; });
  drawing.items.clear();
  for (int train = 0; train < 3; ++train) {
    for (int i = 0; i < 8; ++i) {
      drawing.items.push_back(Pulse(1 + 2.0 * train + 0.003 * i, "MEP C3-C4"));
    }
  }
  std::string plan = kMepPlan;
  plan.insert(plan.find("voltage_v"), "pulse_count: 3 pulse_interval_ms: 2.5 ");
  Run(plan, std::move(drawing));
  EXPECT_THAT(Measurements("MEP_TRANSCRANIAL/R/APB"), SizeIs(3));
  const auto sweeps = sink_.All(&v1::Record::has_sweep, &v1::Record::sweep);
  ASSERT_THAT(sweeps, Not(IsEmpty()));
  EXPECT_EQ(sweeps[0].stimulus().pulse_count(), 8u);
}

TEST_F(ModalitiesTest, UnderATrainThatLastsIntoItsWindowAnAnswerIsNeitherThereNorNot) {
  Drawing drawing = MepDrawing(2, [](int, int) { return 500.0; });
  for (Item& item : drawing.items) {
    std::get<StimulusTrigger>(item).pulses = 9;
    std::get<StimulusTrigger>(item).pulse_interval_ms = 9;
  }
  Run(kMepPlan, std::move(drawing));
  const auto apb = Measurements("MEP_TRANSCRANIAL/R/APB");
  ASSERT_THAT(apb, SizeIs(2));
  EXPECT_EQ(apb[0].state(), v1::MEASUREMENT_STATE_NOT_INTERPRETABLE);
  EXPECT_EQ(apb[0].muscle().presence(), v1::RESPONSE_PRESENCE_NOT_ASSESSABLE);
  EXPECT_THAT(apb[0].quality(), ElementsAre(v1::QUALITY_FLAG_STIMULUS_ARTEFACT));
  EXPECT_THAT(apb[0].reason(), HasSubstr("stimuli go on"));
}

TEST_F(ModalitiesTest, SingleStimuliOfAPlanWithoutTrainsStayTrialsOfTheirOwn) {
  Drawing drawing;
  drawing.channels = {"APB", "TA"};
  drawing.seconds = 3;
  // 200 ms apart: farther than any train is long.
  for (int i = 0; i < 5; ++i) drawing.items.push_back(Pulse(1 + 0.2 * i, "MEP C3-C4"));
  std::string plan = kMepPlan;
  plan.insert(plan.find("voltage_v"), "pulse_count: 5 pulse_interval_ms: 3 ");
  Run(plan, std::move(drawing));
  EXPECT_THAT(Measurements("MEP_TRANSCRANIAL/R/APB"), SizeIs(5));
}

constexpr char kEegPlan[] = R"(
  eeg { derivation: "F3" side: SIDE_LEFT mirror_derivation: "F4" }
  eeg { derivation: "F4" side: SIDE_RIGHT mirror_derivation: "F3" })";

TEST_F(ModalitiesTest, EegIsMeasuredByWindowsAndSidesAreCompared) {
  Drawing drawing;
  drawing.channels = {"F3", "F4"};
  drawing.rate_hz = 1024;
  drawing.seconds = 30;
  drawing.noise_uv = 0.5;
  // 10 Hz of 30 and 15 uV: powers of 450 and 112.5 uV^2.
  drawing.uv = [](int channel, double time_s) {
    return (channel == 0 ? 30 : 15) * std::sin(2 * M_PI * 10 * time_s);
  };
  Run(kEegPlan, drawing);
  std::vector<v1::SpectralEdge> left;
  std::vector<v1::SpectralEdge> right;
  for (const v1::SpectralEdge& edge : Edges()) {
    EXPECT_THAT(edge.quality(), IsEmpty());
    (edge.side() == v1::SIDE_LEFT ? left : right).push_back(edge);
  }
  ASSERT_GE(left.size(), 12u);
  ASSERT_EQ(left.size(), right.size());
  EXPECT_NEAR(left[3].alpha_uv2(), 450, 30);
  EXPECT_NEAR(right[3].alpha_uv2(), 112.5, 8);
  EXPECT_NEAR(left[3].median_hz(), 10, 0.5);
  EXPECT_TRUE(right[3].has_asymmetry());
  EXPECT_NEAR(right[3].asymmetry(), (112.5 - 450) / (112.5 + 450), 0.03);
  const auto slices = sink_.All(&v1::Record::has_spectrum_slice, &v1::Record::spectrum_slice);
  EXPECT_EQ(slices.size(), left.size() + right.size());
  const auto blocks = sink_.All(&v1::Record::has_sample_block, &v1::Record::sample_block);
  ASSERT_FALSE(blocks.empty());
  EXPECT_EQ(blocks[0].sample_rate_hz(), 256);
  EXPECT_EQ(blocks[0].modality(), v1::MODALITY_EEG);
}

TEST_F(ModalitiesTest, SuppressionIsOfTheLastMinuteAndArtefactsAreLeftOut) {
  Drawing drawing;
  drawing.channels = {"F3", "F4"};
  drawing.rate_hz = 512;
  drawing.seconds = 130;
  drawing.noise_uv = 0.2;
  // Bursts of 2 s in each 8 s; F4 hits the rail from 60 to 70 s.
  drawing.uv = [](int channel, double time_s) {
    if (channel == 1 && time_s >= 60 && time_s < 70) return 5000.0;
    return std::fmod(time_s, 8.0) < 2 ? 40 * std::sin(2 * M_PI * 3 * time_s) : 0.0;
  };
  Run(kEegPlan, drawing);
  double suppressed = 0;
  int left_out = 0;
  for (const v1::SpectralEdge& edge : Edges()) {
    if (!edge.quality().empty()) {
      ++left_out;
      EXPECT_EQ(edge.side(), v1::SIDE_RIGHT);
      EXPECT_EQ(edge.sef95_hz(), 0);
      continue;
    }
    if (edge.side() == v1::SIDE_LEFT) suppressed = edge.burst_suppression_percent();
  }
  EXPECT_NEAR(suppressed, 75, 6);
  EXPECT_GE(left_out, 9);
  EXPECT_LE(left_out, 12);
}

TEST_F(ModalitiesTest, WhatIsToldBesideSignalsIsOnRecord) {
  Drawing drawing = MepDrawing(2, [](int, int) { return 500.0; });
  VitalSign map;
  map.time_ns = 500'000'000;
  map.value = 72;
  map.source = "monitor";
  VitalSign limb = map;
  limb.kind = VitalSign::Kind::kLimbTemperature;
  limb.value = 31.5;
  limb.site = "left foot";
  VitalSign no_index = map;  // of a monitor without its sensor
  no_index.kind = VitalSign::Kind::kBispectralIndex;
  no_index.value = -1;
  DrugEvent drug;
  drug.time_ns = 600'000'000;
  drug.drug = "rocuronium";
  drug.amount = 50;
  drug.unit = "mg";
  ElectrodeImpedance good{700'000'000, "APB", 2.5};
  ElectrodeImpedance open{700'000'000, "TA", std::numeric_limits<double>::infinity()};
  drawing.items.insert(drawing.items.end(), {map, no_index, limb, drug, good, open});
  drawing.items.push_back(SourceEvent{800'000'000, 0, "POSITION prone, head turned left"});
  drawing.items.push_back(SourceEvent{900'000'000, 0, "PHASE CORRECTION"});
  drawing.items.push_back(SourceEvent{950'000'000, 0, "PHASE unheard of"});
  std::get<StimulusTrigger>(drawing.items[1]).commanded_v = 400;
  std::get<StimulusTrigger>(drawing.items[1]).delivered_v = 250;
  Run(kMepPlan, std::move(drawing));
  const auto vitals = sink_.All(&v1::Record::has_vitals, &v1::Record::vitals);
  ASSERT_THAT(vitals, SizeIs(1));
  ASSERT_THAT(vitals[0].vitals(), SizeIs(2));
  EXPECT_EQ(vitals[0].vitals(0).kind(), v1::VITAL_KIND_MEAN_ARTERIAL_PRESSURE);
  EXPECT_EQ(vitals[0].vitals(1).site(), "left foot");
  EXPECT_EQ(vitals[0].source(), "monitor");
  const auto drugs = sink_.All(&v1::Record::has_drug_given, &v1::Record::drug_given);
  ASSERT_THAT(drugs, SizeIs(1));
  EXPECT_EQ(drugs[0].dose(), "50 mg");
  EXPECT_EQ(drugs[0].change(), v1::DRUG_CHANGE_BOLUS);
  const auto impedances = sink_.All(&v1::Record::has_impedances, &v1::Record::impedances);
  ASSERT_THAT(impedances, SizeIs(1));
  EXPECT_EQ(impedances[0].electrodes(0).kohm(), 2.5);
  EXPECT_TRUE(impedances[0].electrodes(1).open());
  const auto positions = sink_.All(&v1::Record::has_position_change, &v1::Record::position_change);
  ASSERT_THAT(positions, SizeIs(1));
  EXPECT_EQ(positions[0].position(), "prone, head turned left");
  const auto phases = sink_.All(&v1::Record::has_phase_change, &v1::Record::phase_change);
  ASSERT_THAT(phases, SizeIs(1));
  EXPECT_EQ(phases[0].phase(), v1::PHASE_CORRECTION);
  const auto notes = sink_.All(&v1::Record::has_source_note, &v1::Record::source_note);
  ASSERT_THAT(notes, SizeIs(1));
  EXPECT_EQ(notes[0].text(), "PHASE unheard of");
  // The second train was set to 400 V, of which 250 came.
  const auto changes = sink_.All(&v1::Record::has_stimulus_change, &v1::Record::stimulus_change);
  ASSERT_FALSE(changes.empty());
  EXPECT_EQ(changes.back().stimulus().voltage_v(), 400);
  EXPECT_EQ(changes.back().stimulus().delivered_v(), 250);
  EXPECT_TRUE(changes.back().not_as_asked());
  EXPECT_EQ(changes.back().previous().voltage_v(), 300);
}

}  // namespace
}  // namespace remora::agent
