// Free-running EMG of a drawn case: trains by name, what no nerve made, silence, what makes an
// envelope audible.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"
#include "common/sample_codec.h"

namespace remora::agent {
namespace {

using testing::Each;
using testing::Gt;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr double kTurn = 2 * std::numbers::pi;

double Tone(double hz, double time_s) { return std::sin(kTurn * hz * time_s); }
bool Within(double time_s, double from_s, double to_s) { return time_s >= from_s && time_s < to_s; }

// Many units that are nobody's: sines of frequencies that have no common period, others on each
// channel; about 1 rms.
double Interference(int channel, double time_s) {
  double sum = 0;
  for (int k = 0; k < 14; ++k) {
    const double hz = 63 + 17.3 * k + 1.37 * channel * (k + 1) + 0.61 * k * k;
    sum += Tone(hz, time_s + 0.013 * k * (channel + 1));
  }
  return sum / std::sqrt(7.0);
}

class EmgTest : public DrawnCaseTest {
 protected:
  // Muscles A to F, quiet but for what is drawn.
  void RunMuscles(double seconds, std::function<double(int channel, double time_s)> uv,
                  Drawing drawing = {}, std::string plan = "") {
    for (const char* muscle : {"A", "B", "C", "D", "E", "F"}) {
      absl::StrAppend(&plan, "emg { derivation: \"", muscle, "\" side: SIDE_LEFT ",
                      criteria_text_.empty() ? "" : "criterion: \"EMG.train\" ", "}\n");
      drawing.channels.push_back(muscle);
    }
    drawing.rate_hz = 10000;
    drawing.seconds = seconds;
    drawing.noise_uv = 3;
    drawing.uv = std::move(uv);
    Run(plan, std::move(drawing));
  }

  std::vector<v1::EmgActivity> Activities(const std::string& muscle,
                                          v1::EmgActivityKind kind) const {
    std::vector<v1::EmgActivity> found;
    for (const v1::EmgActivity& one :
         sink_.All(&v1::Record::has_emg_activity, &v1::Record::emg_activity)) {
      if (one.trace_id() == absl::StrCat("EMG_FREE_RUNNING/L/", muscle) && one.kind() == kind) {
        found.push_back(one);
      }
    }
    return found;
  }
  std::vector<v1::EmgActivity> Named(const std::string& muscle) const {
    std::vector<v1::EmgActivity> trains = Activities(muscle, v1::EMG_ACTIVITY_KIND_TRAIN);
    std::erase_if(trains, [](const v1::EmgActivity& train) {
      return train.train_pattern() == v1::TRAIN_PATTERN_UNSPECIFIED;
    });
    return trains;
  }
  std::vector<v1::EmgActivity> Artefacts(const std::string& muscle, v1::ArtefactClass what) const {
    std::vector<v1::EmgActivity> found = Activities(muscle, v1::EMG_ACTIVITY_KIND_ARTEFACT);
    std::erase_if(found, [&](const v1::EmgActivity& one) { return one.artefact_class() != what; });
    return found;
  }
};

TEST_F(EmgTest, ATrainsAreToldByNameWithTheTimeThatTheyAddUpTo) {
  RunMuscles(14, [](int channel, double t) {
    const bool train = Within(t, 5, 5.8) || Within(t, 9, 9.5);
    return channel == 1 && train ? 150 * Tone(110, t) : 0;
  });
  const auto trains = Named("B");
  // Each when it begins and when it is over.
  ASSERT_THAT(trains, SizeIs(4));
  for (const v1::EmgActivity& train : trains) {
    EXPECT_EQ(train.train_pattern(), v1::TRAIN_PATTERN_A);
    EXPECT_NEAR(train.discharge_rate_hz(), 110, 5);
  }
  for (const size_t began : {0u, 2u}) {
    EXPECT_TRUE(trains[began].ongoing());
    EXPECT_FALSE(trains[began + 1].ongoing());
    EXPECT_EQ(trains[began].started_monotonic_ns(), trains[began + 1].started_monotonic_ns());
  }
  EXPECT_NEAR(static_cast<double>(trains[1].started_monotonic_ns()) / 1e9, 5, 0.05);
  EXPECT_NEAR(trains[1].duration_ms(), 800, 80);
  EXPECT_NEAR(trains[1].train_time_ms(), 800, 80);
  EXPECT_NEAR(trains[3].train_time_ms(), 1300, 160);
  // Under a second: no train by its length, and so no alert.
  EXPECT_THAT(Activities("B", v1::EMG_ACTIVITY_KIND_BURST), SizeIs(2));
  EXPECT_THAT(Named("A"), IsEmpty());
}

TEST_F(EmgTest, ADrillOnAllMusclesIsNoTrainOfAny) {
  RunMuscles(12, [](int channel, double t) {
    const double gain = (channel % 2 == 0 ? 1 : -0.7) * 60;
    return Within(t, 5, 8) ? gain * (Tone(137, t) + 0.4 * Tone(274, t)) : 0;
  });
  for (const char* muscle : {"A", "B", "F"}) {
    const auto drill = Artefacts(muscle, v1::ARTEFACT_CLASS_DRILL);
    ASSERT_THAT(drill, Not(IsEmpty())) << muscle;
    EXPECT_THAT(drill.back().reason(), HasSubstr("drill"));
    EXPECT_NEAR(static_cast<double>(drill.front().started_monotonic_ns()) / 1e9, 5, 0.25);
    EXPECT_NEAR(drill.back().duration_ms(), 3000, 500);
    EXPECT_THAT(Activities(muscle, v1::EMG_ACTIVITY_KIND_TRAIN), IsEmpty()) << muscle;
  }
}

// The same waveform in one muscle alone is a nerve.
TEST_F(EmgTest, ATrainOfOneMuscleIsNoDrill) {
  RunMuscles(10, [](int channel, double t) {
    return channel == 2 && Within(t, 5, 7) ? 120 * Tone(137, t) : 0;
  });
  EXPECT_THAT(Named("C"), Not(IsEmpty()));
  EXPECT_THAT(Activities("C", v1::EMG_ACTIVITY_KIND_ARTEFACT), IsEmpty());
}

// A loose needle with hum, or with more than any muscle makes, blinds itself alone.
TEST_F(EmgTest, OneBadElectrodeDoesNotBlindTheOthers) {
  for (const double hum_uv : {400.0, 0.0}) {
    sink_.records.clear();
    plan_ = CasePlan();
    const auto uv = [hum_uv](int channel, double t) {
      if (channel == 0 && t > 3) {
        if (hum_uv > 0) return hum_uv * Tone(50, t);
        return std::fmod(t, 0.08) < 0.004 ? 20000.0 : 0.0;
      }
      return channel == 2 && Within(t, 8, 11) ? 120 * Tone(83, t) : 0;
    };
    Drawing wide;
    wide.uv_per_count = 1;
    RunMuscles(16, uv, wide);
    const auto trains = Activities("C", v1::EMG_ACTIVITY_KIND_TRAIN);
    ASSERT_THAT(trains, Not(IsEmpty())) << hum_uv;
    EXPECT_NEAR(trains.back().duration_ms(), 3000, 300);
    EXPECT_THAT(Activities("C", v1::EMG_ACTIVITY_KIND_ARTEFACT), IsEmpty()) << hum_uv;
    EXPECT_THAT(Activities("A", v1::EMG_ACTIVITY_KIND_ARTEFACT), Not(IsEmpty())) << hum_uv;
    for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
      EXPECT_THAT(alert.summary(), Not(HasSubstr("EMG C cannot be assessed")));
      EXPECT_THAT(alert.summary(), Not(HasSubstr("EMG B cannot be assessed")));
    }
  }
}

TEST_F(EmgTest, ShiveringIsToldBesideTheDischarges) {
  RunMuscles(14, [](int channel, double t) {
    const double level = 0.5 - 0.5 * std::cos(kTurn * 8 * t);
    return Within(t, 5, 10) ? 80 * level * Interference(channel, t) : 0;
  });
  const auto told = Artefacts("D", v1::ARTEFACT_CLASS_SHIVERING);
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_TRUE(told[0].ongoing());
  EXPECT_FALSE(told[1].ongoing());
  EXPECT_EQ(told[0].started_monotonic_ns(), told[1].started_monotonic_ns());
  // Two seconds show that it is all of them.
  EXPECT_NEAR(static_cast<double>(told[0].started_monotonic_ns()) / 1e9, 7, 0.5);
  EXPECT_NEAR(told[1].duration_ms(), 3000, 800);
  // Muscles they are: the train is told, and may alert.
  EXPECT_THAT(Activities("D", v1::EMG_ACTIVITY_KIND_TRAIN), Not(IsEmpty()));
}

// The vagus is stimulated each second and A answers: neither it nor the others are blind.
TEST_F(EmgTest, TrainsAreToldUnderContinuousStimulationInEveryMuscle) {
  Drawing drawing;
  for (int i = 0; i < 22; ++i) {
    StimulusTrigger pulse;
    pulse.time_ns = 2'030'000'000 + i * int64_t{1'000'000'000};
    pulse.label = "VAGUS L";
    drawing.items.push_back(pulse);
  }
  const auto uv = [](int channel, double t) {
    const double answer = t > 2 ? Biphasic(std::fmod(t - 0.03, 1.0), 0.004, 900) : 0;
    const double from_s = channel == 0 ? 15 : 8;
    const bool train = channel < 2 && Within(t, from_s, from_s + 4);
    return (channel == 0 ? answer : 0) + (train ? 90 * Tone(83, t) : 0);
  };
  RunMuscles(24, uv, std::move(drawing), R"(
    motor { modality: MODALITY_RLN_CONTINUOUS side: SIDE_LEFT trigger { label_prefix: "VAGUS L" }
      muscle { derivation: "A" side: SIDE_LEFT } }
  )");
  for (const char* muscle : {"A", "B"}) {
    std::vector<v1::EmgActivity> trains = Activities(muscle, v1::EMG_ACTIVITY_KIND_TRAIN);
    std::erase_if(trains, [](const v1::EmgActivity& train) {
      return train.train_pattern() != v1::TRAIN_PATTERN_UNSPECIFIED;
    });
    ASSERT_THAT(trains, Not(IsEmpty())) << muscle;
    EXPECT_FALSE(trains.back().ongoing());
    EXPECT_NEAR(trains.back().duration_ms(), 4000, 150) << muscle;
    EXPECT_EQ(trains.back().started_monotonic_ns(), trains.front().started_monotonic_ns());
    EXPECT_THAT(Activities(muscle, v1::EMG_ACTIVITY_KIND_ARTEFACT), IsEmpty()) << muscle;
  }
  // Answers are no discharges.
  EXPECT_THAT(Activities("A", v1::EMG_ACTIVITY_KIND_SPIKE), IsEmpty());
  EXPECT_THAT(Activities("A", v1::EMG_ACTIVITY_KIND_BURST), IsEmpty());
  for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
    EXPECT_THAT(alert.summary(), Not(HasSubstr("cannot be assessed")));
  }
}

// Nerves are stimulated three times a second and all muscles answer, taller than any train and at
// even times: what runs between is told, in each of them.
TEST_F(EmgTest, TrainsAreToldUnderTallAnswersOfAllMuscles) {
  Drawing drawing;
  drawing.uv_per_count = 1;
  for (int i = 0; i < 49; ++i) {
    StimulusTrigger pulse;
    pulse.time_ns = 2'000'000'000 + i * int64_t{333'000'000};
    pulse.label = "SCREW";
    drawing.items.push_back(pulse);
  }
  const auto uv = [](int channel, double t) {
    const double answer = t > 2 ? Biphasic(std::fmod(t - 2, 0.333), 0.008, 9000) : 0;
    return answer + (channel == 2 && Within(t, 10, 13) ? 90 * Tone(83, t) : 0);
  };
  std::string plan =
      "motor { modality: MODALITY_EMG_TRIGGERED trigger { label_prefix: \"SCREW\" }\n";
  for (const char* muscle : {"A", "B", "C", "D", "E", "F"}) {
    absl::StrAppend(&plan, "muscle { derivation: \"", muscle, "\" side: SIDE_LEFT }\n");
  }
  RunMuscles(18, uv, std::move(drawing), absl::StrCat(plan, "}\n"));
  for (const char* muscle : {"A", "B", "C", "D", "E", "F"}) {
    EXPECT_THAT(Activities(muscle, v1::EMG_ACTIVITY_KIND_ARTEFACT), IsEmpty()) << muscle;
    for (const v1::EmgActivity& spike : Activities(muscle, v1::EMG_ACTIVITY_KIND_SPIKE)) {
      EXPECT_LT(spike.peak_uv(), 12) << muscle << ": more than the noise";
    }
  }
  const auto trains = Activities("C", v1::EMG_ACTIVITY_KIND_TRAIN);
  ASSERT_THAT(trains, Not(IsEmpty()));
  double longest_ms = 0;
  for (const v1::EmgActivity& train : trains) {
    longest_ms = std::max(longest_ms, train.duration_ms());
  }
  EXPECT_NEAR(longest_ms, 3000, 250);
  EXPECT_THAT(Activities("B", v1::EMG_ACTIVITY_KIND_TRAIN), IsEmpty());
}

// The cortex is stimulated and a muscle fires: as a record and as an alert, both say so.
TEST_F(EmgTest, ATrainWhileTheCortexIsStimulatedIsToldAndMarked) {
  Drawing drawing;
  drawing.items.push_back(SourceEvent{8'000'000'000, 4'000'000'000, "CORTEX G3"});
  criteria_text_ = R"(version: "1" criterion { key: "EMG.train" amber_train_ms: 2000
                                        modality: MODALITY_EMG_FREE_RUNNING source: "test" })";
  const auto uv = [](int channel, double t) {
    return channel == 1 && Within(t, 9, 11.5) ? 90 * Tone(83, t) : 0;
  };
  RunMuscles(16, uv, std::move(drawing), R"(
    eeg { modality: MODALITY_ECOG side: SIDE_LEFT derivation: "F"
          after_discharge_trigger { label_prefix: "CORTEX" } }
  )");
  const auto trains = Activities("B", v1::EMG_ACTIVITY_KIND_TRAIN);
  ASSERT_THAT(trains, Not(IsEmpty()));
  EXPECT_THAT(trains.back().reason(), HasSubstr("while the cortex was stimulated"));
  EXPECT_THAT(Activities("B", v1::EMG_ACTIVITY_KIND_ARTEFACT), IsEmpty());
  int marked = 0;
  for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
    if (alert.kind() != v1::ALERT_KIND_TRAIN) continue;
    EXPECT_THAT(alert.summary(), HasSubstr("while the cortex was stimulated"));
    ++marked;
  }
  EXPECT_GE(marked, 1);
}

TEST_F(EmgTest, SilenceAfterATallBurstIsAQuestion) {
  RunMuscles(18, [](int channel, double t) {
    if (channel != 4) return 0.0;
    // Units of 60 uV at six a second, then a tall burst of 0.3 s, then nothing.
    if (Within(t, 2, 12)) return Biphasic(std::fmod(t, 0.16), 0.02, 90);
    return Within(t, 12, 12.3) ? 500 * Interference(channel, t) : 0.0;
  });
  const auto silences = Activities("E", v1::EMG_ACTIVITY_KIND_SILENCE);
  ASSERT_THAT(silences, SizeIs(1));
  EXPECT_NEAR(static_cast<double>(silences[0].started_monotonic_ns()) / 1e9, 12.3, 0.1);
  EXPECT_GE(silences[0].duration_ms(), 2950);
  EXPECT_GT(silences[0].peak_uv(), 500);
  EXPECT_THAT(silences[0].reason(), HasSubstr("after a burst of"));
}

TEST_F(EmgTest, AnEnvelopeSaysHowItSounds) {
  RunMuscles(6, [](int channel, double t) {
    return channel == 0 ? 40 * Tone(200, t) : Biphasic(std::fmod(t, 0.1), 0.02, 150);
  });
  int looked_at = 0;
  for (const v1::Envelope& envelope : sink_.All(&v1::Record::has_envelope, &v1::Record::envelope)) {
    const auto crossing = UnpackMicrovolts(envelope.crossing_hz());
    const auto centroid = UnpackMicrovolts(envelope.centroid_hz());
    const auto clicks = UnpackMicrovolts(envelope.click_count());
    ASSERT_TRUE(crossing.ok() && centroid.ok() && clicks.ok());
    EXPECT_EQ(crossing->size(), envelope.rms().sample_count());
    EXPECT_EQ(clicks->size(), envelope.rms().sample_count());
    // The filter settles, and the detector learns its floor.
    if (envelope.started_monotonic_ns() < 2'000'000'000 || crossing->size() < 50) continue;
    ++looked_at;
    if (envelope.trace_id() == "EMG_FREE_RUNNING/L/A") {
      // To the bin's own resolution of 50 Hz.
      EXPECT_THAT(*crossing, Each(testing::DoubleNear(200, 51)));
      EXPECT_THAT(*centroid, Each(testing::DoubleNear(200, 60)));
    } else {
      // Ten units a second in 50 bins.
      EXPECT_EQ(std::count_if(clicks->begin(), clicks->end(), [](double n) { return n > 0; }), 10);
    }
  }
  EXPECT_THAT(looked_at, Gt(10));
}

}  // namespace
}  // namespace remora::agent
