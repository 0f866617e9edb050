#include "acquisition-agent/plan/case_plan.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "acquisition-agent/plan/plan_records.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kPlan[] = R"(
  montage_file: "m.montage"
  criteria_file: "c.criteria"
  evoked {
    modality: MODALITY_SEP_LOWER side: SIDE_LEFT derivation: "CPz-FPz"
    trigger { label_prefix: "STIM TIB L" }
    component { label: "P37" polarity: POLARITY_POSITIVE
                window_from_ms: 32 window_to_ms: 46 expected_ms: 38 }
    component { label: "N45" polarity: POLARITY_NEGATIVE window_from_ms: 38 window_to_ms: 60 }
    criterion: "SEP.amp_abs"
  }
  emg { derivation: "TA" side: SIDE_LEFT criterion: "EMG.train" }
)";
constexpr char kMontage[] = R"(
  derivation { name: "CPz-FPz" plus: "CPz" minus: "FPz" }
  derivation { name: "TA" plus: "TA L" }
)";
constexpr char kCriteria[] = R"(
  version: "1"
  criterion { key: "SEP.amp_abs" red_amplitude_fall_percent: 50 source: "ACNS" }
  criterion { key: "EMG.train" amber_train_ms: 2000 source: "site" }
)";

class CasePlanTest : public testing::Test {
 protected:
  absl::StatusOr<CasePlan> Load(const std::string& plan, const std::string& montage = kMontage,
                                const std::string& criteria = kCriteria) {
    FakeFileSystem files;
    EXPECT_TRUE(files.CreateDirectory("/plans").ok());
    for (const auto& [name, text] : {std::pair<std::string, std::string>{"p.plan", plan},
                                     {"m.montage", montage},
                                     {"c.criteria", criteria}}) {
      auto file = files.OpenAppend(absl::StrCat("/plans/", name));
      EXPECT_TRUE(file.ok() && (*file)->Append(text).ok());
    }
    return LoadCasePlan(files, "/plans/p.plan");
  }
  // The message for kPlan with `from` replaced by `to`.
  std::string Complaint(absl::string_view from, absl::string_view to) {
    return Said(Load(absl::StrReplaceAll(kPlan, {{from, to}})));
  }
  std::string Said(const absl::StatusOr<CasePlan>& plan) {
    EXPECT_TRUE(absl::IsInvalidArgument(plan.status())) << plan.status();
    return std::string(plan.status().message());
  }
};

TEST_F(CasePlanTest, FillsInWhatThePlanLeavesOut) {
  const absl::StatusOr<CasePlan> plan = Load(kPlan);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->plan.mains_hz(), 50);
  const v1::EvokedPlan& evoked = plan->plan.evoked(0);
  EXPECT_EQ(evoked.epoch_from_ms(), -10);
  EXPECT_EQ(evoked.epoch_to_ms(), 110);
  EXPECT_EQ(evoked.blank_from_ms(), -2);
  EXPECT_EQ(evoked.blank_to_ms(), 3);
  EXPECT_EQ(evoked.sweep_count(), 200u);
  EXPECT_EQ(evoked.reject_over_uv(), 40);
  EXPECT_TRUE(evoked.filter().zero_phase());
  EXPECT_EQ(evoked.filter().order(), 4u);
  EXPECT_EQ(evoked.stimulus().side(), v1::SIDE_LEFT);
  EXPECT_EQ(plan->plan.emg(0).interference_over_uv(), 3000);
  EXPECT_EQ(plan->plan.emg(0).sent_rate_hz(), 2500);
  EXPECT_EQ(TraceId(evoked.modality(), evoked.side(), evoked.derivation()), "SEP_LOWER/L/CPz-FPz");
}

TEST_F(CasePlanTest, ThePlansThatShipAreRight) {
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "REMORA_SOURCE_DIR is not set";
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  for (const char* name : {"everything.plan", "hybrid_sep.plan", "scoliosis.plan"}) {
    const absl::StatusOr<CasePlan> plan =
        LoadCasePlan(*files, absl::StrCat(source, "/acquisition-agent/plans/", name));
    EXPECT_TRUE(plan.ok()) << plan.status();
  }
}

TEST_F(CasePlanTest, TheFuzzersSeedsArePlansAndHaveEntriesOfEveryKind) {
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  if (source == nullptr) GTEST_SKIP() << "REMORA_SOURCE_DIR is not set";
  const google::protobuf::Descriptor& type = *v1::Plan::descriptor();
  std::set<std::string> kinds;
  for (const auto& seed : std::filesystem::directory_iterator(
           absl::StrCat(source, "/acquisition-agent/plan/plan_corpus"))) {
    std::ifstream file(seed.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::string> parts = absl::StrSplit(text, "\n---\n");
    ASSERT_EQ(parts.size(), 3u) << seed.path();
    // As the fuzzer names them.
    FakeFileSystem files;
    ASSERT_TRUE(files.CreateDirectory("/p").ok());
    const char* names[] = {"/p/a.plan", "/p/a.montage", "/p/a.criteria"};
    for (size_t i = 0; i < 3; ++i) {
      auto part = files.OpenAppend(names[i]);
      ASSERT_TRUE(part.ok() && (*part)->Append(parts[i]).ok());
    }
    const absl::StatusOr<CasePlan> plan = LoadCasePlan(files, "/p/a.plan");
    ASSERT_TRUE(plan.ok()) << seed.path() << plan.status();
    for (int f = 0; f < type.field_count(); ++f) {
      const google::protobuf::FieldDescriptor* field = type.field(f);
      if (field->is_repeated() && plan->plan.GetReflection()->FieldSize(plan->plan, field) > 0) {
        kinds.insert(field->name());
      }
    }
  }
  EXPECT_THAT(kinds, testing::ElementsAre("eeg", "emg", "evoked", "mapping", "motor", "relation",
                                          "train_of_four"));
}

TEST_F(CasePlanTest, HostileEachMistakeHasItsMessage) {
  EXPECT_THAT(Complaint("derivation: \"CPz-FPz\"", "derivation: \"CPz-Fpz\""),
              AllOf(HasSubstr("evoked[0].derivation: "), HasSubstr("m.montage"),
                    HasSubstr("Did you mean \"CPz-FPz\"?")));
  EXPECT_THAT(
      Complaint("window_from_ms: 32 window_to_ms: 46", "window_from_ms: 46 window_to_ms: 32"),
      AllOf(HasSubstr("component[0]"), HasSubstr("46 is not below")));
  EXPECT_THAT(Complaint("window_to_ms: 60", "window_to_ms: 160"),
              HasSubstr("beyond the epoch's end, 110 ms"));
  EXPECT_THAT(Complaint("expected_ms: 38", "expected_ms: 12"), HasSubstr("outside its window"));
  EXPECT_THAT(Complaint("POLARITY_NEGATIVE", "POLARITY_POSITIVE"), HasSubstr("must be opposite"));
  EXPECT_THAT(Complaint("component { label: \"N45\" polarity: POLARITY_NEGATIVE window_from_ms: 38 "
                        "window_to_ms: 60 }",
                        ""),
              HasSubstr("there are 1; two are needed"));
  EXPECT_THAT(
      Complaint("\"SEP.amp_abs\"", "\"SEP.amp\""),
      AllOf(HasSubstr("evoked[0].criterion[0]"), HasSubstr("Did you mean \"SEP.amp_abs\"?")));
  EXPECT_THAT(Complaint("criterion: \"SEP.amp_abs\"", "criterion: \"EMG.train\""),
              HasSubstr("not for an evoked response"));
  EXPECT_THAT(Complaint("side: SIDE_LEFT derivation", "derivation"), HasSubstr("evoked[0].side"));
  EXPECT_THAT(Complaint("MODALITY_SEP_LOWER", "MODALITY_EEG"), HasSubstr("evoked[0].modality"));
  EXPECT_THAT(Complaint("trigger { label_prefix: \"STIM TIB L\" }", ""),
              HasSubstr("needs one of label_prefix"));
  EXPECT_THAT(
      Complaint("trigger {", "filter { order: 4 high_pass_hz: 500 low_pass_hz: 30 } trigger {"),
      HasSubstr("high_pass_hz 500 is not below low_pass_hz 30"));
  EXPECT_THAT(Complaint("trigger {", "filter { high_pass_hz: 30 low_pass_hz: 500 } trigger {"),
              HasSubstr("filter.order"));
  EXPECT_THAT(Complaint("trigger {", "reject_over_uv: -3 trigger {"), HasSubstr("reject_over_uv"));
  EXPECT_THAT(Complaint("trigger {", "reject_over_uv: nan trigger {"), HasSubstr("reject_over_uv"));
  EXPECT_THAT(Complaint("emg {", "mains_hz: 55 emg {"), HasSubstr("50 or 60"));
  EXPECT_THAT(Complaint("montage_file: \"m.montage\"", ""), HasSubstr("montage_file: is missing"));
  EXPECT_THAT(Complaint("criteria_file: \"c.criteria\"", ""), HasSubstr("the plan names none"));
  EXPECT_THAT(Complaint("emg {", "emg { derivation: \"TA\" side: SIDE_LEFT } emg {"),
              AllOf(HasSubstr("emg[1]"), HasSubstr("same trace")));
}

TEST_F(CasePlanTest, HostileTwoEvokedPlansOfOneTraceAreRefused) {
  const std::string twice = absl::StrCat(
      kPlan,
      absl::StrReplaceAll(
          kPlan, {{"montage_file: \"m.montage\"", ""},
                  {"criteria_file: \"c.criteria\"", ""},
                  {"emg { derivation: \"TA\" side: SIDE_LEFT criterion: \"EMG.train\" }", ""}}));
  EXPECT_THAT(Said(Load(twice)), AllOf(HasSubstr("evoked[1]"), HasSubstr("SEP_LOWER/L/CPz-FPz")));
}

TEST_F(CasePlanTest, HostileMontageAndCriteriaAreCheckedToo) {
  EXPECT_THAT(Said(Load(kPlan, "derivation { name: \"CPz-FPz\" }")), HasSubstr("plus: is missing"));
  EXPECT_THAT(Said(Load(kPlan, absl::StrCat(kMontage, kMontage))), HasSubstr("is there twice"));
  EXPECT_THAT(Said(Load(kPlan, kMontage,
                        "version: \"1\" criterion { key: \"SEP.amp_abs\" source: \"x\" }")),
              HasSubstr("has no limit"));
  EXPECT_THAT(
      Said(Load(kPlan, kMontage, "version: \"1\" criterion { key: \"a\" red_train_ms: 5 }")),
      HasSubstr("source: is missing"));
  EXPECT_THAT(Said(Load(kPlan, kMontage,
                        "version: \"1\" criterion { key: \"a\" source: \"x\" "
                        "amber_amplitude_fall_percent: 60 red_amplitude_fall_percent: 50 }")),
              HasSubstr("amber 60 is not below red 50"));
}

TEST_F(CasePlanTest, HostileAMistakeOfMeaningNamesLineAndColumn) {
  EXPECT_THAT(Complaint("derivation: \"CPz-FPz\"", "derivation: \"CPz-Fpz\""),
              HasSubstr("/plans/p.plan:5:50: evoked[0].derivation: \"CPz-Fpz\" is not in"));
  EXPECT_THAT(Complaint("expected_ms: 38", "expected_ms: 12"),
              HasSubstr("/plans/p.plan:8:53: evoked[0].component[0].expected_ms: 12"));
  // What is left out stands where that is which it is left out of.
  EXPECT_THAT(Complaint("side: SIDE_LEFT derivation", "derivation"),
              HasSubstr("/plans/p.plan:4:3: evoked[0].side: is missing"));
  EXPECT_THAT(Said(Load(kPlan, "\nderivation { name: \"CPz-FPz\" }")),
              HasSubstr("/plans/m.montage:2:1: derivation[0].plus: is missing"));
  EXPECT_THAT(
      Said(Load(kPlan, kMontage, "version: \"1\"\n criterion { key: \"a\" source: \"x\" }")),
      HasSubstr("/plans/c.criteria:2:2: criterion[0]: a has no limit"));
}

TEST_F(CasePlanTest, HostileWhatTheHubWouldRefuseIsRefusedHere) {
  const std::string stimulus = "trigger { label_prefix: \"STIM TIB L\" } stimulus { ";
  const auto with = [&](const std::string& setting) {
    return Complaint("trigger { label_prefix: \"STIM TIB L\" }", stimulus + setting + " }");
  };
  EXPECT_THAT(with("current_ma: -5"), HasSubstr("evoked[0].stimulus.current_ma: -5"));
  EXPECT_THAT(with("pulse_us: nan"), HasSubstr("evoked[0].stimulus.pulse_us: nan"));
  EXPECT_THAT(with(absl::StrCat("site: \"", std::string(129, 's'), "\"")),
              HasSubstr("evoked[0].stimulus.site: is longer than 128 bytes"));
  EXPECT_THAT(with("side: 77"), AllOf(HasSubstr("/plans/p.plan:4:3: evoked[0]"), HasSubstr("77")));
  EXPECT_THAT(Complaint("expected_ms: 38", "expected_ms: nan"),
              HasSubstr("evoked[0].component[0].expected_ms: nan"));
  EXPECT_THAT(Complaint("label: \"P37\"", absl::StrCat("label: \"", std::string(64, 'P'), "\"")),
              HasSubstr("evoked[0].component[0].label: is longer than 63 bytes"));
  EXPECT_THAT(Complaint("STIM TIB L", std::string(120, 'T')),
              HasSubstr("evoked[0].trigger.label_prefix: is longer than 119 bytes"));
  EXPECT_THAT(Complaint("trigger { label_prefix: \"STIM TIB L\" }",
                        "trigger { channel: \"TRIG\" channel_threshold: inf }"),
              HasSubstr("evoked[0].trigger.channel_threshold: inf"));
  EXPECT_THAT(Complaint("side: SIDE_LEFT criterion", "side: 9 criterion"),
              AllOf(HasSubstr("emg[0]"), HasSubstr("9 is none of Side")));
  EXPECT_THAT(Complaint("emg {", absl::StrCat("procedure: \"", std::string(201, 'p'), "\" emg {")),
              HasSubstr("procedure: is longer than 200 bytes"));
  const auto criteria = [&](const std::string& from, const std::string& to) {
    return Said(Load(kPlan, kMontage, absl::StrReplaceAll(kCriteria, {{from, to}})));
  };
  EXPECT_THAT(criteria("\"ACNS\"", absl::StrCat("\"", std::string(1100, 'a'), "\"")),
              AllOf(HasSubstr("/plans/c.criteria:3:"),
                    HasSubstr("criterion[0].source: is longer than 1000 bytes")));
  EXPECT_THAT(criteria("version: \"1\"", absl::StrCat("version: \"", std::string(129, '1'), "\"")),
              HasSubstr("version: is longer than 128 bytes"));
  const std::string key(129, 'k');
  EXPECT_THAT(Said(Load(absl::StrReplaceAll(kPlan, {{"SEP.amp_abs", key}}), kMontage,
                        absl::StrReplaceAll(kCriteria, {{"SEP.amp_abs", key}}))),
              HasSubstr("criterion[0].key: is longer than 128 bytes"));
  EXPECT_THAT(
      Said(Load(kPlan, absl::StrCat(kMontage, "alias { name: \"", std::string(129, 'n'),
                                    "\" electrode: \"x\" }"))),
      AllOf(HasSubstr("/plans/m.montage:4:"), HasSubstr("alias[0]"), HasSubstr("128 bytes")));
}

TEST_F(CasePlanTest, HostileAPlanOverARecordsSizeIsRefused) {
  std::string montage = kMontage;
  for (int i = 0; i < 500; ++i) {
    absl::StrAppend(&montage, "alias { name: \"", std::string(100, 'n'), i, "\" electrode: \"",
                    std::string(100, 'e'), "\" }\n");
  }
  EXPECT_THAT(Said(Load(kPlan, montage)),
              AllOf(HasSubstr("/plans/p.plan: "), HasSubstr("at most 65536")));
}

TEST_F(CasePlanTest, HostileLimitsWithinTheRecoveryMarginAreRefused) {
  const auto with = [&](const std::string& limits) {
    return Said(
        Load(kPlan, kMontage,
             absl::StrCat("version: \"1\" criterion { key: \"a\" source: \"x\" ", limits, "}")));
  };
  EXPECT_THAT(with("amber_amplitude_fall_percent: 5"),
              AllOf(HasSubstr("amber_amplitude_fall_percent: 5"), HasSubstr("margin")));
  EXPECT_THAT(with("red_amplitude_fall_percent: 4"), HasSubstr("red_amplitude_fall_percent: 4"));
  EXPECT_THAT(with("amber_latency_rise_percent: 1 red_latency_rise_percent: 10"),
              HasSubstr("amber_latency_rise_percent: 1"));
}

TEST_F(CasePlanTest, HostileARowForAnotherModalityIsRefused) {
  const auto with = [&](const std::string& modality) {
    return Load(kPlan, kMontage,
                absl::StrReplaceAll(kCriteria,
                                    {{"key: \"SEP.amp_abs\"",
                                      absl::StrCat("key: \"SEP.amp_abs\" modality: ", modality)}}));
  };
  EXPECT_TRUE(with("MODALITY_SEP_LOWER").ok());
  EXPECT_THAT(Said(with("MODALITY_SEP_UPPER")),
              AllOf(HasSubstr("evoked[0].criterion[0]"),
                    HasSubstr("is for MODALITY_SEP_UPPER, not for MODALITY_SEP_LOWER")));
  EXPECT_THAT(Said(with("MODALITY_EMG_FREE_RUNNING")), HasSubstr("criterion[0].modality"));
}

TEST_F(CasePlanTest, ASequentialRuleIsFilledIn) {
  const auto rule_of = [&](const std::string& more) {
    const absl::StatusOr<CasePlan> plan =
        Load(absl::StrReplaceAll(kPlan, {{"trigger {", absl::StrCat(more, " trigger {")}}));
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? plan->plan.evoked(0).sequential() : v1::SequentialPlan();
  };
  const v1::SequentialPlan usual = rule_of("sequential {} sweep_count: 300");
  EXPECT_EQ(usual.minimum_sweep_count(), 50u);
  EXPECT_EQ(usual.maximum_sweep_count(), 300u);
  EXPECT_EQ(usual.latency_error_ms(), 0.1);
  EXPECT_EQ(usual.amplitude_error_percent(), 10);
  EXPECT_EQ(
      rule_of("sequential { maximum_sweep_count: 80 latency_error_ms: 0.2 }").maximum_sweep_count(),
      80u);
}

TEST_F(CasePlanTest, HostileSequentialRulesThatNothingCanMeetAreRefused) {
  const auto with = [&](const std::string& rule) {
    return Complaint("trigger {", absl::StrCat("sequential { ", rule, " } trigger {"));
  };
  EXPECT_THAT(with("maximum_sweep_count: 10"),
              HasSubstr("evoked[0].sequential.maximum_sweep_count: 10"));
  EXPECT_THAT(with("maximum_sweep_count: 4294967295"), HasSubstr("20 to 10000"));
  EXPECT_THAT(with("minimum_sweep_count: 300 maximum_sweep_count: 250"),
              HasSubstr("evoked[0].sequential.minimum_sweep_count: 300"));
  EXPECT_THAT(with("minimum_sweep_count: 4"), HasSubstr("minimum_sweep_count: 4"));
  EXPECT_THAT(with("latency_error_ms: nan"), HasSubstr("latency_error_ms: nan"));
  EXPECT_THAT(with("amplitude_error_percent: -1"), HasSubstr("amplitude_error_percent: -1"));
}

TEST_F(CasePlanTest, HostileIntervalsAndRelationsOfWhatIsNotThereAreRefused) {
  EXPECT_THAT(
      Complaint("trigger {",
                "interval { name: \"x\" from_component: \"P37\" to_component: \"N50\" } trigger {"),
      HasSubstr("evoked[0].interval[0].to_component: \"N50\" is no component"));
  const auto related = [&](const std::string& relations) {
    return Load(absl::StrCat(kPlan, R"(
      evoked {
        modality: MODALITY_SEP_LOWER side: SIDE_LEFT derivation: "TA"
        trigger { label_prefix: "TIB" }
        component { label: "PF" polarity: POLARITY_POSITIVE window_from_ms: 6 window_to_ms: 12 }
        component { label: "N" polarity: POLARITY_NEGATIVE window_from_ms: 8 window_to_ms: 16 }
      } )",
                             relations));
  };
  const std::string good =
      "relation { name: \"PF-P37\" modality: MODALITY_SEP_LOWER side: SIDE_LEFT "
      "first_derivation: \"TA\" second_derivation: \"CPz-FPz\" }";
  EXPECT_TRUE(related(good).ok()) << related(good).status();
  EXPECT_THAT(Said(related(absl::StrCat(good, good))),
              AllOf(HasSubstr("relation[1].name"), HasSubstr("is there twice")));
  EXPECT_THAT(Said(related(absl::StrReplaceAll(good, {{"SIDE_LEFT", "SIDE_RIGHT"}}))),
              HasSubstr("relation[0].first_derivation"));
  EXPECT_THAT(Said(related(absl::StrReplaceAll(good, {{"CPz-FPz", "TA"}}))),
              HasSubstr("is the same as the first"));
}

// An entry of each kind that kPlan lacks.
constexpr char kOthers[] = R"(
  motor { modality: MODALITY_PEDICLE_SCREW trigger { code: 2 } threshold { step: 1 maximum: 30 }
    muscle { derivation: "TA" side: SIDE_LEFT } }
  eeg { derivation: "CPz-FPz" after_discharge_trigger { label_prefix: "CORTEX" } }
  train_of_four { derivation: "TA" side: SIDE_LEFT limb: "left foot" trigger { code: 3 } }
  mapping { modality: MODALITY_MAP_MIDLINE strip: "cord" scalp_derivation: "CPz-FPz"
    contact_count: 4 trigger { code: 4 } }
  mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "grid" trigger { code: 5 }
    contact_derivation: "CPz-FPz" contact_derivation: "TA" }
  evoked { modality: MODALITY_SEP_LOWER side: SIDE_LEFT derivation: "TA"
    trigger { label_prefix: "TIB" }
    component { label: "PF" polarity: POLARITY_POSITIVE window_from_ms: 6 window_to_ms: 12 }
    component { label: "N" polarity: POLARITY_NEGATIVE window_from_ms: 8 window_to_ms: 16 } }
  relation { name: "PF-P37" modality: MODALITY_SEP_LOWER side: SIDE_LEFT
    first_derivation: "TA" second_derivation: "CPz-FPz" })";

TEST_F(CasePlanTest, RecordsOfEveryEntryAreThoseOfTheContract) {
  const absl::StatusOr<CasePlan> plan = Load(absl::StrCat(kPlan, kOthers));
  ASSERT_TRUE(plan.ok()) << plan.status();
  // What each kind's own records refuse, the plan's record takes.
  const auto refused = [&](const std::function<void(v1::Plan*)>& change) {
    CasePlan changed = *plan;
    change(&changed.plan);
    const absl::Status status = CheckPlanRecords(changed);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  EXPECT_THAT(
      refused([](v1::Plan* all) { all->mutable_relation(0)->set_name(std::string(128, 'n')); }),
      AllOf(HasSubstr("relation[0]"), HasSubstr("Relation.relation_id")));
  EXPECT_THAT(refused([](v1::Plan* all) { all->mutable_eeg(0)->set_sent_rate_hz(1e6); }),
              AllOf(HasSubstr("eeg[0]"), HasSubstr("sample_rate_hz")));
  EXPECT_THAT(refused([](v1::Plan* all) { all->mutable_mapping(0)->clear_strip(); }),
              AllOf(HasSubstr("mapping[0]"), HasSubstr("MappingContact.strip")));
  EXPECT_THAT(refused([](v1::Plan* all) {
                all->mutable_motor(0)->mutable_stimulus()->set_site(std::string(128, 's'));
                all->mutable_motor(0)->add_muscle()->CopyFrom(all->motor(0).muscle(0));
              }),
              AllOf(HasSubstr("motor[0]"), HasSubstr("trace_id")));
}

TEST_F(CasePlanTest, HostileSyntaxNamesLineAndColumn) {
  EXPECT_THAT(Said(Load("montage_file: \"m.montage\"\nevoked { sweep_coun: 3 }")),
              HasSubstr("/plans/p.plan:2:"));
}

TEST_F(CasePlanTest, HostileAMissingFileIsNamed) {
  FakeFileSystem files;
  const absl::StatusOr<CasePlan> plan = LoadCasePlan(files, "/nowhere.plan");
  EXPECT_TRUE(absl::IsNotFound(plan.status()));
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("/nowhere.plan"));
}

TEST_F(CasePlanTest, HostileAMissingMontageIsToldAtThePlaceThatNamesIt) {
  const absl::Status missing = Load("montage_file: \"/elsewhere/a.montage\"").status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()), AllOf(HasSubstr("/plans/p.plan:1:1: montage_file: "),
                                                    HasSubstr("/elsewhere/a.montage")));
}

TEST_F(CasePlanTest, HostileAMontageThatIsTooLargeIsToldAtThePlaceThatNamesIt) {
  const absl::Status large =
      Load("montage_file: \"m.montage\"", std::string(2 * 1024 * 1024, '#')).status();
  EXPECT_TRUE(absl::IsInvalidArgument(large)) << large;
  EXPECT_THAT(std::string(large.message()),
              AllOf(HasSubstr("/plans/p.plan:1:1: montage_file: "), HasSubstr("/plans/m.montage")));
}

TEST_F(CasePlanTest, HostileMissingCriteriaAreToldAtThePlaceThatNamesThem) {
  const absl::Status missing =
      Load("montage_file: \"m.montage\"\ncriteria_file: \"/elsewhere/a.criteria\"").status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_THAT(std::string(missing.message()), AllOf(HasSubstr("/plans/p.plan:2:1: criteria_file: "),
                                                    HasSubstr("/elsewhere/a.criteria")));
}

}  // namespace
}  // namespace remora::agent
