// What is loud on all channels at once: a burst of interference, unless muscles answer a stimulus.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr char kMuscles[] = "ABCDEF";
constexpr double kPeriodS = 2.07;

// Behind a stimulus: from 12 to 42 ms, in every muscle.
double Answer(double since_s) {
  return since_s >= 0.012 && since_s < 0.042
             ? 1500 * std::sin(2 * std::numbers::pi * 90 * (since_s - 0.012))
             : 0;
}

class InterferenceTest : public DrawnCaseTest {
 protected:
  // Muscles A to F answer; what `others` are called comes behind them, quiet.
  static Drawing Answering(std::vector<double> stimuli_s, const std::string& label,
                           const std::vector<std::string>& others = {}) {
    Drawing drawing;
    for (const char muscle : absl::string_view(kMuscles)) {
      drawing.channels.emplace_back(1, muscle);
    }
    drawing.channels.insert(drawing.channels.end(), others.begin(), others.end());
    drawing.seconds = stimuli_s.back() + 2;
    for (const double time_s : stimuli_s) {
      StimulusTrigger trigger;
      trigger.time_ns = static_cast<int64_t>(time_s * 1e9);
      trigger.label = label;
      if (!label.empty()) drawing.items.push_back(trigger);
    }
    drawing.uv = [stimuli_s](int channel, double time_s) {
      const auto after = std::upper_bound(stimuli_s.begin(), stimuli_s.end(), time_s);
      if (after == stimuli_s.begin() || channel >= 6) return 0.0;
      return Answer(time_s - *std::prev(after));
    };
    return drawing;
  }
  static std::vector<double> Every(double period_s, int count) {
    std::vector<double> times;
    for (int i = 0; i < count; ++i) times.push_back(2 + period_s * i);
    return times;
  }
  static std::string MotorPlan(const std::string& trigger) {
    std::string plan = absl::StrCat("motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { ",
                                    trigger, " } stimulus { site: \"scalp\" voltage_v: 300 }\n");
    for (const char muscle : absl::string_view(kMuscles)) {
      absl::StrAppend(&plan, "muscle { derivation: \"", std::string(1, muscle),
                      "\" side: SIDE_LEFT }\n");
    }
    return absl::StrCat(plan, "}\n");
  }
  static std::string EmgPlan() {
    std::string plan;
    for (const char muscle : absl::string_view(kMuscles)) {
      absl::StrAppend(&plan, "emg { derivation: \"", std::string(1, muscle),
                      "\" side: SIDE_LEFT }\n");
    }
    return plan;
  }
  void ExpectAllMeasured(size_t trials) const {
    const auto measured = sink_.All(&v1::Record::has_measurement, &v1::Record::measurement);
    EXPECT_THAT(measured, SizeIs(6 * trials));
    for (const v1::Measurement& one : measured) {
      EXPECT_THAT(one.quality(), IsEmpty()) << one.trace_id() << " " << one.trial_index();
      EXPECT_EQ(one.muscle().presence(), v1::RESPONSE_PRESENCE_PRESENT);
    }
  }
};

TEST_F(InterferenceTest, LoudAnswersAreTakenHoweverLongTheBlocksAre) {
  for (const int block_ms : {20, 430, 1300}) {
    sink_.records.clear();
    plan_ = CasePlan();
    Drawing drawing = Answering(Every(kPeriodS, 12), "MEP");
    drawing.block_ms = block_ms;
    Run(MotorPlan(R"(label_prefix: "MEP")"), std::move(drawing));
    SCOPED_TRACE(block_ms);
    ExpectAllMeasured(12);
  }
}

TEST_F(InterferenceTest, LoudAnswersToAStimulusOfATriggerChannelAreTaken) {
  for (const int block_ms : {20, 430}) {
    sink_.records.clear();
    plan_ = CasePlan();
    const std::vector<double> stimuli_s = Every(kPeriodS, 12);
    Drawing drawing = Answering(stimuli_s, "", {"TRIG"});
    drawing.block_ms = block_ms;
    const auto answers = drawing.uv;
    drawing.uv = [answers, stimuli_s](int channel, double time_s) {
      if (channel < 6) return answers(channel, time_s);
      return std::any_of(stimuli_s.begin(), stimuli_s.end(),
                         [&](double at_s) {
                           // Half a sample early, so that the edge is at its time.
                           return time_s > at_s - 1e-4 && time_s < at_s + 0.005;
                         })
                 ? 1000.0
                 : 0.0;
    };
    Run(MotorPlan(R"(channel: "TRIG" channel_threshold: 500)"), std::move(drawing));
    SCOPED_TRACE(block_ms);
    ExpectAllMeasured(12);
  }
}

TEST_F(InterferenceTest, LoudAnswersToTheStimuliOfADWaveDoNotSpoilIt) {
  Drawing drawing = Answering(Every(0.51, 40), "TES", {"cord"});
  Run(absl::StrCat(EmgPlan(), R"(
        evoked { modality: MODALITY_D_WAVE side: SIDE_MIDLINE derivation: "cord"
          trigger { label_prefix: "TES" } stimulus { site: "scalp" rate_hz: 1.96 }
          component { label: "D" polarity: POLARITY_NEGATIVE window_from_ms: 2
                      window_to_ms: 8 expected_ms: 4 }
          component { label: "D'" polarity: POLARITY_POSITIVE window_from_ms: 3
                      window_to_ms: 12 expected_ms: 6 } })"),
      std::move(drawing));
  int finished = 0;
  for (const v1::Sweep& sweep : sink_.All(&v1::Record::has_sweep, &v1::Record::sweep)) {
    if (sweep.provisional()) continue;
    ++finished;
    EXPECT_EQ(sweep.rejected().interference_count(), 0u);
    EXPECT_EQ(sweep.accepted_count(), 8u);
  }
  EXPECT_EQ(finished, 5);
}

TEST_F(InterferenceTest, LoudAnswersToTheStimuliOfAMapDoNotSpoilIt) {
  is_killed_at_end_ = true;  // in the middle of the next round
  Drawing drawing = Answering(Every(0.25, 60), "MED R", {"G1", "G2", "G3", "G4"});
  const auto answers = drawing.uv;
  drawing.uv = [answers](int channel, double time_s) {
    if (channel < 6) return answers(channel, time_s);
    if (time_s < 2) return 0.0;
    return Biphasic(std::fmod(time_s - 2, 0.25), 0.020, channel < 8 ? 30.0 : -30.0);
  };
  Run(absl::StrCat(EmgPlan(), R"(
        mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "frontal" side: SIDE_LEFT
          contact_derivation: "G1" contact_derivation: "G2" contact_derivation: "G3"
          contact_derivation: "G4" trigger { label_prefix: "MED R" } })"),
      std::move(drawing));
  EXPECT_THAT(sink_.All(&v1::Record::has_mapping_result, &v1::Record::mapping_result), SizeIs(1));
}

// Stimulation of the cortex, as long as its annotation says: loud on all, and no interference.
TEST_F(InterferenceTest, StimulationForAfterDischargesIsNoInterference) {
  Drawing drawing;
  drawing.channels = {"G1", "G2", "G3", "G4"};
  drawing.rate_hz = 1024;
  drawing.seconds = 20;
  drawing.noise_uv = 5;
  drawing.uv = [](int, double time_s) {
    return time_s >= 10 && time_s < 13 ? 300 * std::sin(2 * std::numbers::pi * 40 * time_s) : 0.0;
  };
  drawing.items.push_back(SourceEvent{10'000'000'000, 3'000'000'000, "CORTEX G3"});
  std::string plan;
  for (const char* contact : {"G1", "G2", "G3", "G4"}) {
    absl::StrAppend(&plan, "eeg { modality: MODALITY_ECOG side: SIDE_LEFT derivation: \"", contact,
                    "\" after_discharge_trigger { label_prefix: \"CORTEX\" } }\n");
  }
  Run(plan, std::move(drawing));
  int stimulated = 0;
  for (const v1::SampleBlock& block :
       sink_.All(&v1::Record::has_sample_block, &v1::Record::sample_block)) {
    EXPECT_THAT(block.quality(), Not(Contains(v1::QUALITY_FLAG_DIATHERMY)));
    const bool marked = std::count(block.quality().begin(), block.quality().end(),
                                   v1::QUALITY_FLAG_STIMULUS_ARTEFACT) > 0;
    const double at_s = static_cast<double>(block.started_monotonic_ns()) / 1e9;
    stimulated += marked;
    if (marked) {
      EXPECT_TRUE(at_s > 9.8 && at_s < 13.2) << at_s;
    }
  }
  EXPECT_GE(stimulated, 4 * 30);
  // It is no EEG either.
  for (const v1::SpectralEdge& edge :
       sink_.All(&v1::Record::has_spectral_edge, &v1::Record::spectral_edge)) {
    const double from_s = static_cast<double>(edge.started_monotonic_ns()) / 1e9;
    if (!edge.quality().empty()) continue;
    EXPECT_FALSE(from_s > 6 && from_s < 13) << from_s;
  }
}

TEST_F(InterferenceTest, ABurstBesideAnAnswerIsStillABurst) {
  Drawing drawing = Answering(Every(kPeriodS, 6), "MEP");
  const auto answers = drawing.uv;
  drawing.uv = [answers](int channel, double time_s) {
    const bool burst = time_s > 5.5 && time_s < 6.5;
    return answers(channel, time_s) + (burst ? 2000 * std::sin(7919 * time_s) : 0);
  };
  Run(MotorPlan(R"(label_prefix: "MEP")"), std::move(drawing));
  for (const v1::Measurement& one :
       sink_.All(&v1::Record::has_measurement, &v1::Record::measurement)) {
    // The third stimulus came at 6.14 s.
    EXPECT_EQ(one.quality().empty(), one.trial_index() != 2) << one.trial_index();
  }
}

}  // namespace
}  // namespace remora::agent
