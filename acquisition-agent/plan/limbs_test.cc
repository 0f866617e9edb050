// Which muscles are judged together.
#include "acquisition-agent/plan/limbs.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/protobuf/text_format.h"

namespace remora::agent {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

v1::MotorPlan PlanOf(const std::string& text) {
  v1::MotorPlan plan;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &plan));
  return plan;
}

LimbKind KindOf(const std::string& derivation, const std::string& roots = "") {
  v1::MusclePlan muscle;
  muscle.set_derivation(derivation);
  muscle.set_myotome(roots);
  return LimbKindOf(muscle);
}

TEST(Limbs, RootsTellTheLimb) {
  EXPECT_EQ(KindOf("x", "C8-T1"), LimbKind::kArm);
  EXPECT_EQ(KindOf("x", "T1"), LimbKind::kArm);
  EXPECT_EQ(KindOf("x", "T10"), LimbKind::kTrunk);
  EXPECT_EQ(KindOf("x", "L4-L5"), LimbKind::kLeg);
  EXPECT_EQ(KindOf("x", "S2"), LimbKind::kLeg);
  EXPECT_EQ(KindOf("x", "VII"), LimbKind::kFace);
}

TEST(Limbs, UsualNamesTellItWhereThePlanNamesNoRoots) {
  EXPECT_EQ(KindOf("TA L"), LimbKind::kLeg);
  EXPECT_EQ(KindOf("APB R"), LimbKind::kArm);
  EXPECT_EQ(KindOf("T10 R"), LimbKind::kTrunk);
  EXPECT_EQ(KindOf("OOr L"), LimbKind::kFace);
  EXPECT_EQ(KindOf("Biceps femoris L"), LimbKind::kLeg);
  EXPECT_EQ(KindOf("Biceps L"), LimbKind::kArm);
  // Begins with the name of another one, and is none.
  EXPECT_EQ(KindOf("Tape"), LimbKind::kUnknown);
}

TEST(Limbs, EachMuscleIsInOneLimb) {
  const auto limbs = LimbsOf(PlanOf(R"(
    muscle { derivation: "TA L" side: SIDE_LEFT }
    muscle { derivation: "APB L" side: SIDE_LEFT }
    muscle { derivation: "AH L" side: SIDE_LEFT }
    muscle { derivation: "TA R" side: SIDE_RIGHT }
    muscle { derivation: "Sphincter" side: SIDE_MIDLINE limb: "sphincters" })"));
  ASSERT_THAT(limbs, SizeIs(4));
  EXPECT_EQ(limbs[0].name, "left leg");
  EXPECT_THAT(limbs[0].muscles, ElementsAre(0, 2));
  EXPECT_EQ(limbs[0].side, v1::SIDE_LEFT);
  EXPECT_EQ(limbs[1].name, "left arm");
  EXPECT_EQ(limbs[2].name, "right leg");
  EXPECT_EQ(limbs[3].name, "sphincters");
}

}  // namespace
}  // namespace remora::agent
