// The plan that has every kind of entry (plans/everything.plan), on the simulator's theatre with
// everything on: each entry gives records.
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/plan/planned_traces.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/simulator_source.h"
#include "acquisition-agent/surveillance/case_analysis.h"
#include "acquisition-agent/surveillance/testing/keeping_sink.h"
#include "common/file_system.h"

namespace remora::agent {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// All of the scenario comes round each minute.
constexpr double kSeconds = 120;
// A quarter of the scenario's: it is the entries that are looked at.
constexpr double kRateHz = 5000;

absl::StatusOr<CasePlan> LoadPlan() {
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  return LoadCasePlan(*files, absl::StrCat(source != nullptr ? source : ".",
                                           "/acquisition-agent/plans/everything.plan"));
}

// Records of one trace, by kind.
struct Found {
  int finished = 0;
  int measured = 0;
  int with_response = 0;
  int blocks = 0;
  int envelopes = 0;
  int windows = 0;
  int spectra = 0;
  int trains = 0;
};

class Case {
 public:
  void Run(const CasePlan& plan) {
    sim::SimulatorOptions options;
    options.scenario = *sim::ParseScenario(sim::ShippedScenario("everything"), "everything");
    options.sample_rate_hz = kRateHz;
    options.duration_s = kSeconds;
    const auto source = sim::SimulatorSource::Create(std::move(options));
    ASSERT_TRUE(source.ok()) << source.status();
    ASSERT_THAT((*source)->info().channels, SizeIs(64));
    const auto analysis = CaseAnalysis::Create(plan, (*source)->info(), sink_);
    ASSERT_TRUE(analysis.ok()) << analysis.status();
    (*analysis)->Begin();
    for (bool ended = false; !ended;) {
      const absl::StatusOr<Item> item = (*source)->Next();
      ASSERT_TRUE(item.ok());
      ended = std::holds_alternative<EndOfSource>(*item);
      (*analysis)->Take(*item);
    }
    for (const v1::Record& record : sink_.records) Count(record);
  }

  const Found& of(const std::string& trace_id) { return found_[trace_id]; }
  int kind(const std::string& field) const {
    const auto* descriptor = v1::Record::descriptor()->FindFieldByName(field);
    const auto count = kinds_.find(descriptor->number());
    return count == kinds_.end() ? 0 : count->second;
  }
  const KeepingSink& sink() const { return sink_; }

 private:
  void Count(const v1::Record& record) {
    ++kinds_[record.body_case()];
    if (record.has_sweep() && !record.sweep().provisional()) {
      found_[record.sweep().trace_id()].finished += record.sweep().accepted_count() > 0 ? 1 : 0;
    } else if (record.has_measurement()) {
      const v1::Measurement& measurement = record.measurement();
      Found& found = found_[measurement.trace_id()];
      ++found.measured;
      const bool seen = measurement.state() != v1::MEASUREMENT_STATE_NO_RESPONSE &&
                        measurement.state() != v1::MEASUREMENT_STATE_NOT_INTERPRETABLE;
      found.with_response += seen ? 1 : 0;
    } else if (record.has_sample_block()) {
      ++found_[record.sample_block().trace_id()].blocks;
    } else if (record.has_envelope()) {
      ++found_[record.envelope().trace_id()].envelopes;
    } else if (record.has_spectral_edge()) {
      ++found_[record.spectral_edge().trace_id()].windows;
    } else if (record.has_spectrum_slice()) {
      ++found_[record.spectrum_slice().trace_id()].spectra;
    } else if (record.has_train_of_four() && record.train_of_four().twitch_count() == 4) {
      ++found_[record.train_of_four().trace_id()].trains;
    }
  }

  KeepingSink sink_;
  std::map<std::string, Found> found_;
  std::map<int, int> kinds_;  // by number of the body
};

void ExpectTrace(const PlannedTrace& trace, const Found& found) {
  SCOPED_TRACE(absl::StrCat(trace.field, ": ", trace.trace_id));
  switch (trace.block) {
    case PlannedTrace::Block::kEvoked:
      EXPECT_GE(found.finished, 2);
      EXPECT_EQ(found.measured, found.finished);
      EXPECT_GE(found.with_response, 1);
      break;
    case PlannedTrace::Block::kMotor:
      EXPECT_GE(found.finished, 2);
      EXPECT_GE(found.measured, found.finished);
      break;
    case PlannedTrace::Block::kEmg:
      EXPECT_GE(found.blocks, 1000);
      EXPECT_GE(found.envelopes, 100);
      break;
    case PlannedTrace::Block::kEeg:
      EXPECT_GE(found.blocks, 1000);
      EXPECT_GE(found.windows, 40);
      EXPECT_GE(found.spectra, 40);
      break;
    case PlannedTrace::Block::kTrainOfFour:
      EXPECT_EQ(found.trains, 2);
      break;
    case PlannedTrace::Block::kMapping:
      EXPECT_GE(found.finished, 2);
      break;
  }
}

// One muscle at least answers to each kind of stimulus, and each search for a threshold is told.
void ExpectMotor(const CasePlan& plan, Case* done) {
  std::map<int, int> answers;
  for (const PlannedTrace& trace : PlannedTraces(plan.plan)) {
    if (trace.block != PlannedTrace::Block::kMotor) continue;
    answers[trace.entry] += done->of(trace.trace_id).with_response;
  }
  std::set<int> searched;
  std::set<int> read;
  for (const v1::StimulusThreshold& one :
       done->sink().All(&v1::Record::has_stimulus_threshold, &v1::Record::stimulus_threshold)) {
    searched.insert(one.modality());
    if (one.state() == v1::THRESHOLD_STATE_FOUND) read.insert(one.modality());
  }
  for (int i = 0; i < plan.plan.motor_size(); ++i) {
    const v1::MotorPlan& motor = plan.plan.motor(i);
    SCOPED_TRACE(absl::StrCat("motor[", i, "] ", v1::Modality_Name(motor.modality())));
    EXPECT_GE(answers[i], 2);
    EXPECT_TRUE(!motor.has_threshold() || searched.contains(motor.modality()));
  }
  EXPECT_THAT(read,
              testing::IsSupersetOf<int>({v1::MODALITY_PEDICLE_SCREW, v1::MODALITY_EMG_TRIGGERED,
                                          v1::MODALITY_DIRECT_NERVE_STIMULATION}));
}

void ExpectRelationsAndMaps(const CasePlan& plan, const Case& done) {
  std::map<std::string, int> relations;
  for (const v1::Relation& one :
       done.sink().All(&v1::Record::has_relation, &v1::Record::relation)) {
    ++relations[one.relation_id()];
  }
  for (const v1::RelationPlan& relation : plan.plan.relation()) {
    const std::string id = TraceId(relation.modality(), relation.side(), relation.name());
    EXPECT_GE(relations[id], 1) << id;
  }
  std::map<std::string, int> maps;
  for (const v1::MappingResult& one :
       done.sink().All(&v1::Record::has_mapping_result, &v1::Record::mapping_result)) {
    // A round that had just begun when the recording ended.
    if (absl::StrContains(one.reason(), "in no average")) continue;
    ++maps[one.strip()];
    if (one.modality() != v1::MODALITY_MAP_CORTICAL_PHASE_REVERSAL) continue;
    EXPECT_EQ(one.contact_before(), 4u);
  }
  for (const v1::MappingPlan& mapping : plan.plan.mapping()) {
    EXPECT_GE(maps[mapping.strip()], 2) << mapping.strip();
  }
}

TEST(EverythingPlan, HasEveryModalityThatAnEntryCanHave) {
  const absl::StatusOr<CasePlan> plan = LoadPlan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  std::set<std::string> missing;
  const auto& modalities = *v1::Modality_descriptor();
  for (int i = 0; i < modalities.value_count(); ++i) missing.insert(modalities.value(i)->name());
  for (const PlannedTrace& trace : PlannedTraces(plan->plan)) {
    missing.erase(v1::Modality_Name(trace.modality));
  }
  // What a source tells.
  EXPECT_THAT(missing, testing::UnorderedElementsAre("MODALITY_UNSPECIFIED", "MODALITY_VITAL",
                                                     "MODALITY_DRUG"));
}

TEST(EverythingPlan, EachEntryGivesRecordsOnTheSimulator) {
  const absl::StatusOr<CasePlan> plan = LoadPlan();
  ASSERT_TRUE(plan.ok()) << plan.status();
  Case done;
  ASSERT_NO_FATAL_FAILURE(done.Run(*plan));
  const std::vector<PlannedTrace> traces = PlannedTraces(plan->plan);
  EXPECT_THAT(traces, Not(IsEmpty()));
  for (const PlannedTrace& trace : traces) ExpectTrace(trace, done.of(trace.trace_id));
  ExpectMotor(*plan, &done);
  ExpectRelationsAndMaps(*plan, done);
  for (const char* kind :
       {"vitals", "drug_given", "impedances", "position_change", "phase_change", "stimulus_change",
        "baseline_set", "emg_activity", "eeg_activity", "mapping_contact", "source_note"}) {
    EXPECT_GE(done.kind(kind), 1) << kind;
  }
  // The patient is well, but for the trains of one muscle: told beside all that is stimulated.
  int trains = 0;
  for (const v1::Alert& alert : done.sink().All(&v1::Record::has_alert, &v1::Record::alert)) {
    if (alert.alert_class() == v1::ALERT_CLASS_TECHNICAL) continue;
    EXPECT_THAT(alert.summary(), testing::StartsWith("EMG TA L: train ")) << alert.summary();
    trains += alert.condition() == v1::ALERT_CONDITION_RAISED ? 1 : 0;
  }
  EXPECT_EQ(trains, 1);  // the second while the alert of the first is open
}

}  // namespace
}  // namespace remora::agent
