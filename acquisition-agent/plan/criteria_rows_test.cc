// Which rows judge an entry, and a site's rows over those that ship.
#include "acquisition-agent/plan/criteria_rows.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/file_system.h"
#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string SourcePath(const std::string& path) {
  const char* root = std::getenv("REMORA_SOURCE_DIR");
  return (root != nullptr ? std::string(root) + "/" : "") + path;
}

CasePlan Standard(v1::ProcedureKind kind) {
  CasePlan plan;
  plan.plan.set_procedure_kind(kind);
  const auto text = MakePosixFileSystem()->ReadWhole(
      SourcePath("acquisition-agent/plans/standard.criteria"), 1 << 20);
  EXPECT_TRUE(text.ok()) << text.status();
  FieldPlaces places;
  EXPECT_TRUE(ParseWithPlaces(*text, "standard.criteria", &plan.criteria, &places).ok());
  return plan;
}

std::vector<std::string> KeysFor(v1::ProcedureKind kind, v1::Modality modality,
                                 const std::vector<std::string>& named = {}) {
  CriterionKeys keys;
  for (const std::string& key : named) *keys.Add() = key;
  std::vector<std::string> found;
  for (const v1::Criterion& row : RowsFor(Standard(kind), keys, modality)) {
    found.push_back(row.key());
  }
  return found;
}

TEST(CriteriaRows, TheKindOfOperationChoosesThoseOfMuscles) {
  constexpr v1::Modality kMep = v1::MODALITY_MEP_TRANSCRANIAL;
  EXPECT_THAT(KeysFor(v1::PROCEDURE_KIND_SPINAL_DEFORMITY, kMep),
              ElementsAre("MEP.cord", "MEP.adaptive", "MEP.drift"));
  EXPECT_THAT(KeysFor(v1::PROCEDURE_KIND_INTRAMEDULLARY_TUMOUR, kMep),
              ElementsAre("MEP.imsct", "MEP.adaptive", "MEP.drift"));
  EXPECT_THAT(KeysFor(v1::PROCEDURE_KIND_SUPRATENTORIAL, kMep),
              ElementsAre("MEP.brain", "MEP.adaptive", "MEP.drift"));
  EXPECT_THAT(KeysFor(v1::PROCEDURE_KIND_SPINAL_ROOTS, kMep),
              ElementsAre("MEP.root", "MEP.adaptive", "MEP.drift"));
  // A plan that does not say is judged as one of the cord: rather too strictly than not at all.
  EXPECT_THAT(KeysFor(v1::PROCEDURE_KIND_UNSPECIFIED, kMep),
              ElementsAre("MEP.cord", "MEP.adaptive", "MEP.drift"));
}

TEST(CriteriaRows, NamedOnesAloneCountWhereAnEntryNamesThem) {
  EXPECT_THAT(
      KeysFor(v1::PROCEDURE_KIND_SPINAL_DEFORMITY, v1::MODALITY_MEP_TRANSCRANIAL, {"MEP.jssr"}),
      ElementsAre("MEP.jssr"));
  EXPECT_THAT(KeysFor(v1::PROCEDURE_KIND_SPINAL_DEFORMITY, v1::MODALITY_EMG_TRIGGERED), IsEmpty());
}

TEST(CriteriaRows, ASitesRowsReplaceThoseWithTheirKeysAndTheVersionNamesBoth) {
  v1::CriteriaPack base;
  base.set_name("standard");
  base.set_version("2.0");
  base.add_criterion()->set_key("a");
  base.mutable_criterion(0)->set_red_amplitude_fall_percent(50);
  base.add_criterion()->set_key("b");
  v1::CriteriaPack site;
  site.set_name("St Mary");
  site.set_version("7");
  site.add_criterion()->set_key("a");
  site.mutable_criterion(0)->set_red_amplitude_fall_percent(60);
  site.add_criterion()->set_key("c");
  const v1::CriteriaPack both = LayOver(base, site);
  ASSERT_EQ(both.criterion_size(), 3);
  EXPECT_EQ(both.criterion(0).red_amplitude_fall_percent(), 60);
  EXPECT_EQ(both.criterion(1).key(), "b");
  EXPECT_EQ(both.criterion(2).key(), "c");
  EXPECT_EQ(both.version(), "2.0+7");
  EXPECT_EQ(both.overlay(), "St Mary 7");
}

}  // namespace
}  // namespace remora::agent
