#include "acquisition-agent/surveillance/case_analysis.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/keeping_sink.h"
#include "acquisition-agent/surveillance/testing/scripted_source.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kTrace[] = "SEP_UPPER/R/CPc-Front";

class CaseAnalysisTest : public testing::Test {
 protected:
  // Runs to the end, or until `until_s` of the source.
  void Run(PatientScript script, CasePlan plan = PatientPlan(), double until_s = 1e9) {
    plan_ = std::move(plan);
    source_ = std::make_unique<ScriptedSource>(std::move(script));
    auto analysis = CaseAnalysis::Create(plan_, source_->info(), sink_);
    ASSERT_TRUE(analysis.ok()) << analysis.status();
    analysis_ = *std::move(analysis);
    analysis_->Begin();
    GoOn(until_s);
  }
  void GoOn(double until_s = 1e9) {
    for (;;) {
      if (static_cast<double>(analysis_->now_ns()) > until_s * 1e9) return;
      const absl::StatusOr<Item> item = source_->Next();
      ASSERT_TRUE(item.ok());
      analysis_->Take(*item);
      if (std::holds_alternative<EndOfSource>(*item)) return;
    }
  }

  std::vector<v1::Sweep> Finished() const {
    std::vector<v1::Sweep> sweeps;
    for (const v1::Record& record : sink_.records) {
      if (record.has_sweep() && !record.sweep().provisional()) sweeps.push_back(record.sweep());
    }
    return sweeps;
  }
  std::vector<v1::Measurement> Measurements() const {
    std::vector<v1::Measurement> all;
    for (const v1::Record& record : sink_.records) {
      if (record.has_measurement()) all.push_back(record.measurement());
    }
    return all;
  }
  // "RAISED HIGH SEP.amp_abs", "RECOVERED LOW electrode/CPc" and so on.
  std::vector<std::string> Alerts() const {
    std::vector<std::string> all;
    for (const v1::Record& record : sink_.records) {
      if (!record.has_alert()) continue;
      const v1::Alert& alert = record.alert();
      all.push_back(absl::StrCat(
          v1::AlertCondition_Name(alert.condition()).substr(16), " ",
          v1::AlertPriority_Name(alert.priority()).substr(15), " ",
          alert.criterion().key().empty() ? alert.trace_id() : alert.criterion().key()));
    }
    return all;
  }
  std::vector<v1::BaselineSet> Baselines() const {
    std::vector<v1::BaselineSet> all;
    for (const v1::Record& record : sink_.records) {
      if (record.has_baseline_set()) all.push_back(record.baseline_set());
    }
    return all;
  }
  std::vector<v1::EmgActivity> Trains() const {
    std::vector<v1::EmgActivity> all;
    for (const v1::Record& record : sink_.records) {
      if (record.has_emg_activity() &&
          record.emg_activity().kind() == v1::EMG_ACTIVITY_KIND_TRAIN) {
        all.push_back(record.emg_activity());
      }
    }
    return all;
  }
  bool AnyFinishedHas(v1::QualityFlag wanted) const {
    for (const v1::Sweep& sweep : Finished()) {
      if (std::find(sweep.quality().begin(), sweep.quality().end(), wanted) !=
          sweep.quality().end()) {
        return true;
      }
    }
    return false;
  }
  // What a person does about the alert that was raised last.
  v1::Record ActionOnLastRaised(v1::AlertActionKind kind) const {
    v1::Record action;
    action.mutable_alert_action()->set_kind(kind);
    for (const v1::Record& record : sink_.records) {
      if (record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_RAISED) {
        *action.mutable_alert_action()->mutable_alert() =
            ToProto(RecordKey{OriginId::FromBytes(record.origin()), 0, record.origin_seq()});
      }
    }
    return action;
  }
  std::string LastMessage() const {
    for (auto record = sink_.records.rbegin(); record != sink_.records.rend(); ++record) {
      if (record->has_message()) return record->message().text();
    }
    return "";
  }
  v1::Record PersonsBaseline() const {
    v1::Record record;
    record.set_origin(std::string(16, 'p'));
    record.set_lane(1);
    record.set_origin_seq(3);
    v1::BaselineSet& set = *record.mutable_baseline_set();
    set.set_trace_id(kTrace);
    set.set_kind(v1::BASELINE_KIND_POST_POSITION);
    set.set_actor("Dr Reader");
    set.set_reason("after positioning");
    return record;
  }

  KeepingSink sink_;
  CasePlan plan_;
  std::unique_ptr<ScriptedSource> source_;
  std::unique_ptr<CaseAnalysis> analysis_;
};

TEST_F(CaseAnalysisTest, AHealthyPatientHasABaselineAndNoAlert) {
  Run(PatientScript());
  EXPECT_THAT(Alerts(), IsEmpty());
  ASSERT_EQ(Baselines().size(), 1u);
  EXPECT_NEAR(Baselines()[0].latency_ms(), 20, 0.3);
  EXPECT_NEAR(Baselines()[0].amplitude_uv(), 6, 0.8);
  EXPECT_EQ(Baselines()[0].sweeps_size(), 2);
  EXPECT_EQ(Baselines()[0].actor(), "plan");
  EXPECT_GE(Finished().size(), 14u);
  for (const v1::Measurement& measured : Measurements()) {
    if (!measured.has_baseline()) continue;
    EXPECT_EQ(measured.state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
    EXPECT_NEAR(measured.amplitude_percent_of_baseline(), 100, 12);
  }
  for (const v1::Sweep& sweep : Finished()) {
    EXPECT_EQ(sweep.accepted_count(), 20u);
    EXPECT_EQ(sweep.quality_size(), 0) << sweep.quality(0);
    EXPECT_EQ(sweep.marks_size(), 2);
  }
}

TEST_F(CaseAnalysisTest, ProvisionalAveragesComeOnceASecond) {
  Run(PatientScript());
  int64_t last_ns = -1;
  int count = 0;
  for (const v1::Record& record : sink_.records) {
    if (!record.has_sweep() || !record.sweep().provisional()) continue;
    const int64_t at_ns = record.captured_at().monotonic_ns();
    if (last_ns >= 0) {
      EXPECT_GE(at_ns - last_ns, 999'000'000);
    }
    last_ns = at_ns;
    ++count;
  }
  EXPECT_GT(count, 20);
}

TEST_F(CaseAnalysisTest, ALossIsRaisedUpdatedAndRecovered) {
  PatientScript script;
  script.amplitude = [](double s) { return s > 20 && s < 40 ? 0.3 : 1.0; };
  Run(std::move(script));
  const std::vector<std::string> alerts = Alerts();
  ASSERT_GE(alerts.size(), 3u);
  EXPECT_EQ(alerts.front(), "RAISED HIGH SEP.amp_abs");
  EXPECT_THAT(alerts, Contains("UPDATED HIGH SEP.amp_abs"));
  EXPECT_EQ(alerts.back(), "RECOVERED INFORMATION SEP.amp_abs");
  v1::Alert raised;
  for (const v1::Record& record : sink_.records) {
    if (record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_RAISED) {
      raised = record.alert();
      break;
    }
  }
  EXPECT_EQ(raised.criterion().version(), "7");
  EXPECT_EQ(raised.criterion().source(), "test");
  EXPECT_EQ(raised.evidence().component(), "N20-P25");
  EXPECT_LT(raised.evidence().amplitude_percent_of_baseline(), 50);
  EXPECT_EQ(raised.evidence().reduced_trace().sample_count(), 141u);
  EXPECT_EQ(raised.evidence().reduced_baseline().sample_count(), 141u);
  EXPECT_EQ(raised.evidence().sweep().lane(), 3u);
  EXPECT_EQ(raised.evidence().baseline().lane(), 1u);
  EXPECT_THAT(raised.summary(), HasSubstr("SEP median nerve right CPc-Front: N20-P25 -"));
}

TEST_F(CaseAnalysisTest, AVanishedResponseIsALoss) {
  PatientScript script;
  script.amplitude = [](double s) { return s > 20 ? 0.0 : 1.0; };
  Run(std::move(script));
  // What noise alone leaves may be marked; it is red, or no response, and never certain.
  EXPECT_THAT(Measurements().back().state(),
              testing::AnyOf(v1::MEASUREMENT_STATE_NO_RESPONSE, v1::MEASUREMENT_STATE_RED));
  EXPECT_NE(Measurements().back().confidence(), v1::MARK_CONFIDENCE_CLEAR);
  EXPECT_THAT(Alerts(), Contains("RAISED HIGH SEP.amp_abs"));
  EXPECT_THAT(Alerts(), Not(Contains("RAISED HIGH SEP.lat_abs")));
}

TEST_F(CaseAnalysisTest, ALateResponseIsFollowedAndRaised) {
  PatientScript script;
  script.latency = [](double s) { return 1 + 0.15 * std::clamp((s - 20) / 20, 0.0, 1.0); };
  Run(std::move(script));
  EXPECT_NEAR(Measurements().back().latency_ms(), 23, 0.5);
  EXPECT_THAT(Alerts(), Contains("RAISED MEDIUM SEP.lat_abs"));
  EXPECT_THAT(Alerts(), Contains("UPDATED HIGH SEP.lat_abs"));
}

TEST_F(CaseAnalysisTest, APersonsBaselineIsCarriedOut) {
  Run(PatientScript(), PatientPlan(""), 30);
  EXPECT_THAT(Baselines(), IsEmpty());
  analysis_->TakeInput(PersonsBaseline());
  ASSERT_EQ(Baselines().size(), 1u);
  EXPECT_EQ(Baselines()[0].actor(), "Dr Reader");
  EXPECT_EQ(Baselines()[0].asked_by().origin_seq(), 3u);
  EXPECT_EQ(Baselines()[0].kind(), v1::BASELINE_KIND_POST_POSITION);
  EXPECT_GT(Baselines()[0].amplitude_uv(), 4);
  EXPECT_EQ(Baselines()[0].average().sample_count(), 141u);
  GoOn();
  EXPECT_TRUE(Measurements().back().has_baseline());
}

TEST_F(CaseAnalysisTest, NoBaselineWhileAnAlertIsOn) {
  PatientScript script;
  script.amplitude = [](double s) { return s > 20 ? 0.3 : 1.0; };
  Run(std::move(script), PatientPlan(), 40);
  ASSERT_THAT(Alerts(), Contains("RAISED HIGH SEP.amp_abs"));
  analysis_->TakeInput(PersonsBaseline());
  EXPECT_EQ(Baselines().size(), 1u);
  EXPECT_THAT(LastMessage(), HasSubstr("an alert is on"));
}

TEST_F(CaseAnalysisTest, ANewBaselineDoesNotHideASlowFall) {
  // To 75 %, a new baseline there, then to 45 % of the first: 60 % of the second.
  PatientScript script;
  script.seconds = 90;
  script.amplitude = [](double s) { return s < 20 ? 1.0 : s < 50 ? 0.75 : 0.42; };
  Run(std::move(script), PatientPlan(), 45);
  ASSERT_THAT(Alerts(), IsEmpty());
  analysis_->TakeInput(PersonsBaseline());
  ASSERT_EQ(Baselines().size(), 2u);
  GoOn();
  EXPECT_THAT(Alerts(), Contains(HasSubstr("HIGH SEP.amp_abs")));
}

TEST_F(CaseAnalysisTest, AResolvedAlertIsRaisedAnewTheNextTime) {
  PatientScript script;
  script.seconds = 100;
  script.amplitude = [](double s) { return (s > 20 && s < 40) || s > 70 ? 0.3 : 1.0; };
  Run(std::move(script), PatientPlan(), 60);
  v1::Record action;
  action.mutable_alert_action()->set_kind(v1::ALERT_ACTION_KIND_RESOLVED);
  for (const v1::Record& record : sink_.records) {
    if (record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_RAISED) {
      *action.mutable_alert_action()->mutable_alert() =
          ToProto(RecordKey{OriginId::FromBytes(record.origin()), 0, record.origin_seq()});
    }
  }
  analysis_->TakeInput(action);
  GoOn();
  const std::vector<std::string> alerts = Alerts();
  EXPECT_EQ(std::count(alerts.begin(), alerts.end(), "RAISED HIGH SEP.amp_abs"), 2);
}

TEST_F(CaseAnalysisTest, HostileClippingIsNotAveraged) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    return channel == 0 && s > 10 && s < 20 && std::fmod(s, 0.4) > 0.02 && std::fmod(s, 0.4) < 0.03
               ? 4000.0
               : uv;
  };
  Run(std::move(script));
  uint32_t clipped = 0;
  bool marked = false;
  for (const v1::Sweep& sweep : Finished()) {
    clipped += sweep.rejected().clipped_count();
    for (const int flag : sweep.quality()) marked = marked || flag == v1::QUALITY_FLAG_CLIPPED;
  }
  EXPECT_EQ(clipped, 25u);
  EXPECT_TRUE(marked);
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(CaseAnalysisTest, ClippingUnderTheStimulusIsBlanked) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    return channel == 0 && std::fmod(s + 1e-9, 0.2) < 0.001 ? 4000.0 : uv;
  };
  Run(std::move(script));
  ASSERT_FALSE(Finished().empty());
  for (const v1::Sweep& sweep : Finished()) EXPECT_EQ(sweep.rejected().clipped_count(), 0u);
}

TEST_F(CaseAnalysisTest, HostileNumbersThatAreNoneAreNotAveraged) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    if (channel == 1 && s > 10.03 && s < 10.04) return std::numeric_limits<double>::quiet_NaN();
    if (channel == 0 && s > 12.03 && s < 12.04) return std::numeric_limits<double>::infinity();
    return uv;
  };
  Run(std::move(script));
  uint32_t not_finite = 0;
  for (const v1::Sweep& sweep : Finished()) {
    not_finite += sweep.rejected().not_finite_count();
    EXPECT_TRUE(std::isfinite(sweep.noise_uv_rms()));
  }
  EXPECT_GE(not_finite, 2u);
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(CaseAnalysisTest, HostileAnElectrodeThatCameOffIsToldAndRecovers) {
  PatientScript script;
  script.seconds = 90;
  script.fault = [](int channel, double s, double uv) {
    return channel == 0 && s > 30 && s < 45 ? 0.0 : uv;
  };
  Run(std::move(script));
  // The electrode, and the average that could not be made of it.
  EXPECT_THAT(Alerts(), testing::UnorderedElementsAre("RAISED LOW electrode/CPc",
                                                      "RECOVERED LOW electrode/CPc",
                                                      absl::StrCat("RAISED LOW ", kTrace),
                                                      absl::StrCat("RECOVERED LOW ", kTrace)));
  uint32_t disconnected = 0;
  for (const v1::Sweep& sweep : Finished()) disconnected += sweep.rejected().disconnected_count();
  EXPECT_GE(disconnected, 30u);
  for (const v1::Measurement& measured : Measurements()) {
    if (measured.has_baseline() && measured.state() != v1::MEASUREMENT_STATE_NOT_INTERPRETABLE) {
      EXPECT_EQ(measured.state(), v1::MEASUREMENT_STATE_WITHIN_LIMITS);
    }
  }
}

TEST_F(CaseAnalysisTest, HostileHumAloneIsADisconnectedElectrode) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    return channel == 1 && s > 30 && s < 40 ? 400 * std::sin(2 * M_PI * 50 * s) + uv : uv;
  };
  Run(std::move(script));
  EXPECT_THAT(Alerts(), Contains("RAISED LOW electrode/Front"));
  EXPECT_THAT(Alerts(), Contains("RECOVERED LOW electrode/Front"));
  EXPECT_THAT(Alerts(), Not(Contains("RAISED HIGH SEP.amp_abs")));
}

TEST_F(CaseAnalysisTest, HostileMissingTriggersAreToldAndRecover) {
  PatientScript script;
  script.told = [](double s) { return s < 20 || s > 26; };
  Run(std::move(script));
  EXPECT_THAT(Alerts(),
              testing::ElementsAre("RAISED LOW stimulus/MED R", "RECOVERED LOW stimulus/MED R"));
  bool marked = false;
  for (const v1::Sweep& sweep : Finished()) {
    for (const int flag : sweep.quality())
      marked = marked || flag == v1::QUALITY_FLAG_MISSING_TRIGGER;
  }
  EXPECT_TRUE(marked);
}

TEST_F(CaseAnalysisTest, HostileAGapIsRecordedAndNotAveraged) {
  PatientScript script;
  script.gap_from_s = 15.31;
  script.gap_to_s = 17.77;
  Run(std::move(script));
  uint32_t gaps = 0;
  for (const v1::Sweep& sweep : Finished()) gaps += sweep.rejected().gap_count();
  EXPECT_GE(gaps, 1u);
  bool recorded = false;
  for (const v1::Record& record : sink_.records) {
    if (!record.has_data_gap()) continue;
    recorded = true;
    EXPECT_EQ(record.data_gap().cause(), v1::DATA_GAP_CAUSE_SOURCE_GAP);
    EXPECT_EQ(record.data_gap().from_monotonic_ns(), 15'310'000'000);
    EXPECT_EQ(record.data_gap().to_monotonic_ns(), 17'770'000'000);
  }
  EXPECT_TRUE(recorded);
  for (const v1::Measurement& measured : Measurements()) {
    EXPECT_NEAR(measured.latency_ms(), 20, 0.4);
  }
}

TEST_F(CaseAnalysisTest, HostileATimeThatJumpsIsNotAveragedOver) {
  PatientScript script;
  script.gap_from_s = 15.03;
  script.gap_to_s = 15.03;
  Run(std::move(script));
  uint32_t gaps = 0;
  for (const v1::Sweep& sweep : Finished()) gaps += sweep.rejected().gap_count();
  EXPECT_GE(gaps, 1u);
  bool noted = false;
  for (const v1::Record& record : sink_.records) {
    noted = noted || (record.has_source_note() &&
                      record.source_note().text().find("jumped") != std::string::npos);
  }
  EXPECT_TRUE(noted);
}

TEST_F(CaseAnalysisTest, HostileDiathermyIsHeldAndNoDischarge) {
  PatientScript script;
  script.fault = [](int, double s, double uv) {
    if (s < 30 || s > 33) return uv;
    return uv + 2000 * std::sin(s * 7919) * std::sin(s * 104729 + std::floor(s * 2000));
  };
  Run(std::move(script));
  for (const v1::Record& record : sink_.records) {
    if (record.has_emg_activity()) {
      EXPECT_NE(record.emg_activity().kind(), v1::EMG_ACTIVITY_KIND_TRAIN);
    }
  }
  uint32_t interference = 0;
  for (const v1::Sweep& sweep : Finished()) interference += sweep.rejected().interference_count();
  EXPECT_GE(interference, 10u);
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(CaseAnalysisTest, ATrainIsToldAndRaisedBeforeItEnds) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    if (channel != 2 || s < 20 || s > 24) return uv;
    const double phase = std::fmod(s, 0.0125) * 1000;
    return phase < 3 ? uv + 150 * std::sin(phase * 2 * M_PI / 3) : uv;
  };
  Run(std::move(script));
  EXPECT_THAT(Alerts(),
              testing::ElementsAre("RAISED MEDIUM EMG.train", "RECOVERED INFORMATION EMG.train"));
  for (const v1::Record& record : sink_.records) {
    if (record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_RAISED) {
      EXPECT_NEAR(static_cast<double>(record.captured_at().monotonic_ns()) / 1e9, 22.2, 0.25);
      EXPECT_GT(record.alert().evidence().reduced_trace().sample_count(), 100u);
    }
  }
}

TEST_F(CaseAnalysisTest, SamplesAndEnvelopesCoverTheWholeTime) {
  PatientScript script;
  script.seconds = 12;
  Run(std::move(script));
  uint64_t next = 0;
  double envelope_ms = 0;
  for (const v1::Record& record : sink_.records) {
    if (record.has_sample_block()) {
      EXPECT_EQ(record.sample_block().first_sample_index(), next);
      next += record.sample_block().samples().sample_count();
    }
    if (record.has_envelope()) {
      envelope_ms += record.envelope().bin_ms() * record.envelope().rms().sample_count();
    }
  }
  EXPECT_EQ(next, 24'000u);
  EXPECT_NEAR(envelope_ms, 12'000, 25);
}

TEST_F(CaseAnalysisTest, DoesNotDependOnHowBlocksAreCut) {
  PatientScript script;
  script.seconds = 20;
  Run(script);
  const std::vector<v1::Measurement> first = Measurements();
  sink_.records.clear();
  script.block_ms = 17;
  Run(script);
  const std::vector<v1::Measurement> second = Measurements();
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_DOUBLE_EQ(first[i].amplitude_uv(), second[i].amplitude_uv());
    EXPECT_DOUBLE_EQ(first[i].latency_ms(), second[i].latency_ms());
  }
}

// 80 units a second, 3 ms each, in the muscle.
double Train(double s, double uv, double amplitude_uv = 150) {
  const double phase = std::fmod(s, 0.0125) * 1000;
  return phase < 3 ? uv + amplitude_uv * std::sin(phase * 2 * M_PI / 3) : uv;
}

TEST_F(CaseAnalysisTest, OneArtefactDoesNotHideATrainThatGoesOn) {
  PatientScript script;
  script.seconds = 40;
  script.fault = [](int channel, double s, double uv) {
    if (channel != 2 || s < 20 || s > 29) return uv;
    if (s > 21.52 && s < 21.53) return 5000.0;  // at the amplifier's limit
    return Train(s, uv);
  };
  Run(std::move(script));
  // Told when 2.5 s were seen of it, and again at 5 s.
  EXPECT_THAT(Alerts(), testing::ElementsAre("RAISED MEDIUM EMG.train", "UPDATED MEDIUM EMG.train",
                                             "RECOVERED INFORMATION EMG.train"));
  for (const v1::Record& record : sink_.records) {
    if (!record.has_alert()) continue;
    const double at_s = static_cast<double>(record.captured_at().monotonic_ns()) / 1e9;
    if (record.alert().condition() == v1::ALERT_CONDITION_RAISED) {
      EXPECT_LT(at_s, 23) << "what was seen before the artefact counts";
    }
    if (record.alert().condition() == v1::ALERT_CONDITION_RECOVERED) {
      EXPECT_NEAR(at_s, 29.2, 0.2);
    }
  }
  bool cut_off = false;
  for (const v1::EmgActivity& train : Trains()) {
    cut_off = cut_off || (!train.ongoing() && absl::StrContains(train.reason(), "not seen"));
  }
  EXPECT_TRUE(cut_off);
}

TEST_F(CaseAnalysisTest, ATrainsAlertHoldsOverAnArtefactAndRecoversInSilence) {
  PatientScript script;
  script.seconds = 40;
  script.fault = [](int channel, double s, double uv) {
    if (channel != 2 || s < 20 || s > 27) return uv;
    if (s >= 23 && std::fmod(s, 0.1) < 0.01) return 5000.0;
    return s < 23 ? Train(s, uv) : uv;
  };
  Run(std::move(script));
  for (const v1::Record& record : sink_.records) {
    if (record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_RECOVERED &&
        record.alert().criterion().key() == "EMG.train") {
      EXPECT_NEAR(static_cast<double>(record.captured_at().monotonic_ns()) / 1e9, 27.4, 0.25);
      EXPECT_THAT(record.alert().summary(), HasSubstr("artefact"));
    }
  }
  EXPECT_THAT(Alerts(), Contains("RECOVERED INFORMATION EMG.train"));
}

TEST_F(CaseAnalysisTest, AMuscleThatCannotBeAssessedIsTold) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    return channel == 2 && s > 20 && s < 40 && std::fmod(s, 0.8) < 0.01 ? 5000.0 : uv;
  };
  Run(std::move(script));
  const std::string trace = "EMG_FREE_RUNNING/R/TA";
  EXPECT_THAT(Alerts(), testing::ElementsAre(absl::StrCat("RAISED LOW ", trace),
                                             absl::StrCat("RECOVERED LOW ", trace)));
  for (const v1::Record& record : sink_.records) {
    if (!record.has_alert() || record.alert().condition() != v1::ALERT_CONDITION_RAISED) continue;
    EXPECT_NEAR(static_cast<double>(record.captured_at().monotonic_ns()) / 1e9, 30, 1.5);
    EXPECT_THAT(record.alert().summary(), HasSubstr("amplifier"));
  }
}

TEST_F(CaseAnalysisTest, ATrainIsToldEachSecondAsItIsNow) {
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    if (channel != 2 || s < 20 || s > 29) return uv;
    return Train(s, uv, s < 22.5 ? 100 : 400);
  };
  Run(std::move(script));
  ASSERT_GE(Trains().size(), 8u);
  EXPECT_NEAR(Trains().front().peak_uv(), 100, 25);
  EXPECT_NEAR(Trains()[5].peak_uv(), 400, 60);
  EXPECT_TRUE(Trains()[5].ongoing());
  double peak_uv = 0;
  for (const v1::Record& record : sink_.records) {
    if (record.has_alert() && record.alert().condition() == v1::ALERT_CONDITION_UPDATED) {
      peak_uv = record.alert().evidence().amplitude_uv();
    }
  }
  EXPECT_NEAR(peak_uv, 400, 60);
}

TEST_F(CaseAnalysisTest, ABaselineIsNotMadeOfAveragesThatDisagree) {
  // The second average's peaks lie 15 % later than the first's and those that follow.
  PatientScript script;
  script.latency = [](double s) { return s > 3.9 && s < 7.9 ? 1.15 : 1.0; };
  Run(std::move(script));
  ASSERT_EQ(Baselines().size(), 1u);
  EXPECT_NEAR(Baselines()[0].latency_ms(), 20, 0.3);
  EXPECT_NEAR(Baselines()[0].amplitude_uv(), 6, 0.8);
}

TEST_F(CaseAnalysisTest, APersonsBaselineOfAveragesThatDisagreeIsRefused) {
  PatientScript script;
  script.latency = [](double s) { return s > 19.9 ? 1.15 : 1.0; };
  Run(std::move(script), PatientPlan(""), 30);
  v1::Record asked = PersonsBaseline();
  std::vector<v1::RecordId> sweeps;
  for (const v1::Measurement& measured : Measurements()) sweeps.push_back(measured.sweep());
  *asked.mutable_baseline_set()->add_sweeps() = sweeps.front();
  *asked.mutable_baseline_set()->add_sweeps() = sweeps.back();
  analysis_->TakeInput(asked);
  EXPECT_THAT(Baselines(), IsEmpty());
  EXPECT_THAT(LastMessage(), HasSubstr("disagree"));
}

CasePlan ChannelPlan() {
  CasePlan plan = PatientPlan();
  v1::TriggerPlan& trigger = *plan.plan.mutable_evoked(0)->mutable_trigger();
  trigger.clear_label_prefix();
  trigger.set_channel("TRIG");
  trigger.set_channel_threshold(0.5);
  return plan;
}

TEST_F(CaseAnalysisTest, StimuliOfATriggerChannelAreBlankedInEveryTrace) {
  // 15 a second, each with an artefact in the muscle: a train, if it were not blanked.
  PatientScript script;
  script.stimulus_hz = 12.5;
  script.muscle_artefact_uv = 800;
  script.telling = Telling::kChannel;
  script.seconds = 30;
  Run(std::move(script), ChannelPlan());
  EXPECT_THAT(Trains(), IsEmpty());
  ASSERT_GE(Finished().size(), 10u);
  for (const v1::Sweep& sweep : Finished()) {
    EXPECT_EQ(sweep.accepted_count(), 20u);
    EXPECT_EQ(sweep.quality_size(), 0);
  }
  EXPECT_NEAR(Measurements().back().latency_ms(), 20, 0.3);
}

TEST_F(CaseAnalysisTest, StimuliOfNotesAreBlankedInEveryTrace) {
  for (const Telling telling : {Telling::kNotes, Telling::kNamelessNotes}) {
    sink_.records.clear();
    PatientScript script;
    script.stimulus_hz = 12.5;
    script.muscle_artefact_uv = 800;
    script.telling = telling;
    script.seconds = 20;
    CasePlan plan = PatientPlan();
    if (telling == Telling::kNamelessNotes) {
      plan.plan.mutable_evoked(0)->mutable_trigger()->set_label_prefix("N1");
    }
    Run(std::move(script), std::move(plan));
    EXPECT_THAT(Trains(), IsEmpty());
    EXPECT_GE(Finished().size(), 8u);
  }
}

TEST_F(CaseAnalysisTest, StimuliToldTooLateAreCountedAndNeverAveragedSilently) {
  PatientScript script;
  script.telling = Telling::kLateNotes;
  script.block_ms = 400;
  Run(std::move(script));
  EXPECT_THAT(Finished(), IsEmpty());
  EXPECT_THAT(Alerts(), Contains(absl::StrCat("RAISED LOW ", kTrace)));
  for (const v1::Record& record : sink_.records) {
    if (!record.has_alert() || record.alert().trace_id() != kTrace) continue;
    const auto& quality = record.alert().evidence().quality();
    EXPECT_THAT(std::vector<int>(quality.begin(), quality.end()),
                Contains(v1::QUALITY_FLAG_STIMULUS_ARTEFACT));
  }
  EXPECT_GT(analysis_->summary().late_stimuli, 100u);
}

TEST_F(CaseAnalysisTest, AChangedCurrentEndsTheAverage) {
  PatientScript script;
  script.delivered_ma = [](double s) { return s < 22 ? 20.0 : 30.0; };
  Run(std::move(script));
  bool cut = false;
  for (const v1::Sweep& sweep : Finished()) {
    EXPECT_TRUE(sweep.stimulus().current_ma() == 20 || sweep.stimulus().current_ma() == 30);
    const bool ends_at_change =
        std::abs(static_cast<double>(sweep.last_stimulus_monotonic_ns()) / 1e9 - 21.8) < 0.01;
    if (ends_at_change) cut = sweep.accepted_count() < 20;
    EXPECT_FALSE(static_cast<double>(sweep.first_stimulus_monotonic_ns()) < 22e9 &&
                 static_cast<double>(sweep.last_stimulus_monotonic_ns()) >= 22e9);
  }
  EXPECT_TRUE(cut);
}

TEST_F(CaseAnalysisTest, APauseOfTheStimuliEndsTheAverage) {
  PatientScript script;
  script.told = [](double s) { return s < 22 || s > 30; };
  Run(std::move(script));
  for (const v1::Sweep& sweep : Finished()) {
    EXPECT_FALSE(static_cast<double>(sweep.first_stimulus_monotonic_ns()) < 22e9 &&
                 static_cast<double>(sweep.last_stimulus_monotonic_ns()) > 30e9);
  }
  EXPECT_TRUE(AnyFinishedHas(v1::QUALITY_FLAG_MISSING_TRIGGER));
}

TEST_F(CaseAnalysisTest, HostileClippingJustBesideASweepIsKeptOutOfIt) {
  // 10 ms behind the epoch of each second stimulus: the filter carries it into the sweep.
  PatientScript script;
  script.fault = [](int channel, double s, double uv) {
    const double since = std::fmod(s + 1e-9, 0.4);
    return channel == 0 && s > 10 && s < 20 && since > 0.07 && since < 0.075 ? 4000.0 : uv;
  };
  Run(std::move(script));
  uint32_t clipped = 0;
  for (const v1::Sweep& sweep : Finished()) clipped += sweep.rejected().clipped_count();
  // All but the last of an average, which is taken before those samples come.
  EXPECT_GE(clipped, 24u);
}

TEST_F(CaseAnalysisTest, HumIsCountedOverTheWholeAverage) {
  // 17 s of an average of 24; it ends 6 s after the hum.
  PatientScript script;
  script.seconds = 60;
  script.stimulus_hz = 2;
  script.fault = [](int channel, double s, double uv) {
    return channel == 0 && s > 24.5 && s < 42 ? uv + 6 * std::sin(2 * M_PI * 50 * s) : uv;
  };
  CasePlan plan = PatientPlan();
  plan.plan.mutable_evoked(0)->set_sweep_count(48);
  Run(std::move(script), std::move(plan));
  const std::vector<v1::Sweep> finished = Finished();
  ASSERT_EQ(finished.size(), 2u);
  EXPECT_EQ(finished[0].quality_size(), 0);
  EXPECT_THAT(finished[1].quality(), Contains(v1::QUALITY_FLAG_MAINS));
}

TEST_F(CaseAnalysisTest, StimuliThatNeverComeAreTold) {
  PatientScript script;
  script.told = [](double s) { return s > 25; };
  Run(std::move(script));
  EXPECT_THAT(Alerts(),
              testing::ElementsAre("RAISED LOW stimulus/MED R", "RECOVERED LOW stimulus/MED R"));
  for (const v1::Record& record : sink_.records) {
    if (!record.has_alert() || record.alert().condition() != v1::ALERT_CONDITION_RAISED) continue;
    EXPECT_THAT(record.alert().summary(), HasSubstr("since the start"));
    EXPECT_NEAR(static_cast<double>(record.captured_at().monotonic_ns()) / 1e9, 10, 0.3);
  }
}

TEST_F(CaseAnalysisTest, ABaselineIsSetOnceAPersonHasClosedTheAlert) {
  PatientScript script;
  script.amplitude = [](double s) { return s > 20 ? 0.4 : 1.0; };
  Run(std::move(script), PatientPlan(), 40);
  ASSERT_THAT(Alerts(), Contains("RAISED HIGH SEP.amp_abs"));
  analysis_->TakeInput(PersonsBaseline());
  EXPECT_EQ(Baselines().size(), 1u);
  analysis_->TakeInput(ActionOnLastRaised(v1::ALERT_ACTION_KIND_DISMISSED));
  v1::Record asked = PersonsBaseline();
  for (const v1::Measurement& measured : Measurements()) {
    if (measured.confidence() != v1::MARK_CONFIDENCE_CLEAR) continue;
    asked.mutable_baseline_set()->clear_sweeps();
    *asked.mutable_baseline_set()->add_sweeps() = measured.sweep();
  }
  analysis_->TakeInput(asked);
  EXPECT_EQ(Baselines().size(), 2u) << LastMessage();
}

}  // namespace
}  // namespace remora::agent
