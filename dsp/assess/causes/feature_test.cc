#include "dsp/assess/causes/feature.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace remora::dsp {
namespace {

PicturedTrace Sep(const std::string& name, BodySide side, BodyPart part, SepStage stage) {
  PicturedTrace trace;
  trace.name = name;
  trace.side = side;
  trace.part = part;
  trace.stage = stage;
  trace.is_above_level = part == BodyPart::kArm;
  return trace;
}

PicturedTrace Muscle(const std::string& name, BodySide side, BodyPart part,
                     const std::string& myotome) {
  PicturedTrace trace = Sep(name, side, part, SepStage::kCortical);
  trace.kind = TraceKind::kMep;
  trace.myotome = myotome;
  return trace;
}

// A thoracic operation: arms above, legs below; two muscles of L4-L5 and one of S1 a leg.
CasePicture Whole() {
  CasePicture picture;
  for (const BodySide side : {BodySide::kLeft, BodySide::kRight}) {
    const std::string s = side == BodySide::kLeft ? " L" : " R";
    for (const BodyPart part : {BodyPart::kArm, BodyPart::kLeg}) {
      const std::string p = part == BodyPart::kArm ? "arm" : "leg";
      picture.traces.push_back(Sep(p + " per" + s, side, part, SepStage::kPeripheral));
      picture.traces.push_back(Sep(p + " sub" + s, side, part, SepStage::kSubcortical));
      picture.traces.push_back(Sep(p + " cx1" + s, side, part, SepStage::kCortical));
      picture.traces.push_back(Sep(p + " cx2" + s, side, part, SepStage::kCortical));
    }
    picture.traces.push_back(Muscle("APB" + s, side, BodyPart::kArm, "C8-T1"));
    picture.traces.push_back(Muscle("TA" + s, side, BodyPart::kLeg, "L4-L5"));
    picture.traces.push_back(Muscle("EHL" + s, side, BodyPart::kLeg, "L4-L5"));
    picture.traces.push_back(Muscle("AH" + s, side, BodyPart::kLeg, "S1-S2"));
  }
  return picture;
}

void Change(CasePicture* picture, const std::vector<std::string>& names, TraceChange change,
            double percent = 20) {
  for (PicturedTrace& trace : picture->traces) {
    for (const std::string& name : names) {
      if (trace.name.rfind(name, 0) != 0) continue;
      trace.change = change;
      trace.amplitude_percent = percent;
    }
  }
}

// One feature alone, as a model needs it.
std::string See(const CasePicture& picture, const std::string& key,
                const std::vector<std::string>& values) {
  CauseModel model;
  CauseFeature feature;
  feature.key = key;
  for (const std::string& value : values) feature.values.push_back({value, value});
  model.features.push_back(feature);
  EXPECT_TRUE(ValidateFeatures(model).ok()) << ValidateFeatures(model);
  const SeenFeature seen = SeeFeatures(picture, model)[0];
  return seen.value ? values[*seen.value] : "missing: " + seen.why_missing;
}

const std::vector<std::string> kStages = {"ok", "late", "reduced", "lost", "noisy"};
const std::vector<std::string> kExtents = {
    "none",        "one_muscle", "one_myotome", "one_limb",   "one_body_side",
    "below_level", "below_more", "above_level", "both_sides", "all"};

TEST(Feature, MepExtentFollowsTheMuscles) {
  const struct {
    std::vector<std::string> lost;
    std::string extent;
  } cases[] = {
      {{}, "none"},
      {{"TA L"}, "one_muscle"},
      {{"TA L", "EHL L"}, "one_myotome"},
      {{"AH L"}, "one_myotome"},
      {{"TA L", "EHL L", "AH L"}, "one_limb"},
      {{"APB L"}, "one_limb"},
      {{"APB R", "TA R", "AH R"}, "one_body_side"},
      {{"TA", "EHL", "AH"}, "below_level"},
      {{"TA L", "AH R"}, "below_level"},
      {{"APB", "TA", "EHL", "AH"}, "all"},
  };
  for (const auto& one : cases) {
    CasePicture picture = Whole();
    Change(&picture, one.lost, TraceChange::kLost);
    EXPECT_EQ(See(picture, "mep_extent", kExtents), one.extent) << one.extent;
  }
  CasePicture hands = Whole();
  Change(&hands, {"APB"}, TraceChange::kLost);
  EXPECT_EQ(See(hands, "mep_extent", kExtents), "above_level");
  // A cervical operation without a control above it.
  CasePicture cervical = Whole();
  for (PicturedTrace& trace : cervical.traces) trace.is_above_level = false;
  Change(&cervical, {"APB", "TA", "EHL", "AH"}, TraceChange::kLost);
  EXPECT_EQ(See(cervical, "mep_extent", kExtents), "both_sides");
  // One that fell much less than the worst is chance.
  CasePicture chance = Whole();
  Change(&chance, {"TA L"}, TraceChange::kLost);
  Change(&chance, {"AH R"}, TraceChange::kReduced, 45);
  EXPECT_EQ(See(chance, "mep_extent", kExtents), "one_muscle");
  CasePicture fading = Whole();
  Change(&fading, {"TA", "EHL", "AH"}, TraceChange::kReduced, 30);
  Change(&fading, {"APB"}, TraceChange::kReduced, 70);
  EXPECT_EQ(See(fading, "mep_extent", kExtents), "below_more");
}

TEST(Feature, SepStagesAreThoseOfTheLimbsThatChanged) {
  CasePicture picture = Whole();
  Change(&picture, {"leg cx1 L", "leg cx2 L"}, TraceChange::kReduced);
  EXPECT_EQ(See(picture, "peripheral", kStages), "ok");
  Change(&picture, {"leg per R"}, TraceChange::kNoisy);
  EXPECT_EQ(See(picture, "peripheral", kStages), "ok");
  Change(&picture, {"leg per L"}, TraceChange::kLost);
  EXPECT_EQ(See(picture, "peripheral", kStages), "lost");
  EXPECT_EQ(See(picture, "subcortical", kStages), "ok");
  picture.traces.erase(picture.traces.begin(), picture.traces.begin() + 8);
  EXPECT_EQ(See(picture, "subcortical", kStages).rfind("missing", 0), 0u);
}

TEST(Feature, OneChannelIsOneOfTwoDerivationsOfAStimulus) {
  std::vector<std::string> values = kStages;
  values.push_back("one_channel");
  CasePicture picture = Whole();
  Change(&picture, {"leg cx1 L"}, TraceChange::kLost);
  EXPECT_EQ(See(picture, "cortical", values), "one_channel");
  Change(&picture, {"leg cx2 L"}, TraceChange::kReduced);
  EXPECT_EQ(See(picture, "cortical", values), "lost");
  // Two that fell nearly alike are no electrode.
  CasePicture alike = Whole();
  Change(&alike, {"leg cx1 L"}, TraceChange::kReduced, 58);
  Change(&alike, {"leg cx2 L"}, TraceChange::kUnchanged, 62);
  EXPECT_EQ(See(alike, "cortical", values), "reduced");
}

TEST(Feature, ALossIsNotHiddenByTheNoiseOfAnotherLimb) {
  CasePicture picture = Whole();
  Change(&picture, {"leg cx1", "leg cx2"}, TraceChange::kReduced);
  Change(&picture, {"leg per L"}, TraceChange::kLost);
  Change(&picture, {"leg per R"}, TraceChange::kNoisy);
  EXPECT_EQ(See(picture, "peripheral", kStages), "lost");
}

TEST(Feature, SepExtentCountsLimbsAndSides) {
  const std::vector<std::string> values = {"none", "one_limb", "one_body_side", "both_sides"};
  CasePicture picture = Whole();
  EXPECT_EQ(See(picture, "sep_extent", values), "none");
  Change(&picture, {"leg cx1 L"}, TraceChange::kLate);
  EXPECT_EQ(See(picture, "sep_extent", values), "one_limb");
  Change(&picture, {"arm cx1 L"}, TraceChange::kReduced);
  EXPECT_EQ(See(picture, "sep_extent", values), "one_body_side");
  Change(&picture, {"leg cx1 R"}, TraceChange::kLost);
  EXPECT_EQ(See(picture, "sep_extent", values), "both_sides");
}

TEST(Feature, ControlsAboveTheLevelLeaveOutPeripheralOnes) {
  CasePicture picture = Whole();
  Change(&picture, {"arm per L"}, TraceChange::kLost);
  EXPECT_EQ(See(picture, "above_sep", {"ok", "changed"}), "ok");
  EXPECT_EQ(See(picture, "above_mep", {"ok", "changed"}), "ok");
  Change(&picture, {"APB"}, TraceChange::kReduced);
  EXPECT_EQ(See(picture, "above_mep", {"ok", "changed"}), "changed");
  // Noise says nothing of a control.
  Change(&picture, {"APB"}, TraceChange::kNoisy);
  EXPECT_EQ(See(picture, "above_mep", {"ok", "changed"}).rfind("missing", 0), 0u);
}

TEST(Feature, NoiseCountsTraces) {
  const std::vector<std::string> values = {"none", "some", "all"};
  CasePicture picture = Whole();
  EXPECT_EQ(See(picture, "noise", values), "none");
  Change(&picture, {"TA"}, TraceChange::kNoisy);
  EXPECT_EQ(See(picture, "noise", values), "some");
  for (PicturedTrace& trace : picture.traces) trace.change = TraceChange::kNoisy;
  EXPECT_EQ(See(picture, "noise", values), "all");
}

TEST(Feature, WhatIsNotKnownIsMissingWithWhy) {
  CasePicture picture = Whole();
  picture.pressure_is_low.words = "MAP is 14 min old";
  EXPECT_EQ(See(picture, "pressure_low", {"yes", "no"}), "missing: MAP is 14 min old");
  picture.pressure_is_low.value = false;
  EXPECT_EQ(See(picture, "pressure_low", {"yes", "no"}), "no");
}

TEST(Feature, HostileModelsAreRefused) {
  CauseModel model;
  model.features = {{"odour", "odour", {{"yes", "y"}, {"no", "n"}}, ""}};
  EXPECT_FALSE(ValidateFeatures(model).ok());
  model.features = {{"noise", "noise", {{"none", "n"}, {"all", "a"}}, ""}};
  EXPECT_FALSE(ValidateFeatures(model).ok());
  model.features = {{"deeper", "d", {{"yes", "y"}, {"no", "n"}, {"maybe", "m"}}, ""}};
  EXPECT_FALSE(ValidateFeatures(model).ok());
}

}  // namespace
}  // namespace remora::dsp
