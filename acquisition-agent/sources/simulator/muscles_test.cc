#include "acquisition-agent/sources/simulator/muscles.h"

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

TEST(Roots, CountDownTheCordAndKeepTheirNames) {
  EXPECT_EQ(FindRoot("C1"), 1);
  EXPECT_EQ(FindRoot("t1"), 9);
  EXPECT_EQ(FindRoot("T12"), 20);
  EXPECT_EQ(FindRoot("L1"), 21);
  EXPECT_EQ(FindRoot("S5"), kLastRoot);
  EXPECT_EQ(FindRoot("facial"), kFacialRoot);
  for (int root = kFacialRoot; root <= kLastRoot; ++root) EXPECT_EQ(FindRoot(RootName(root)), root);
}

TEST(Roots, HostileNamesAreNone) {
  for (const char* bad : {"", "C", "C0", "C9", "T13", "L6", "S6", "X1", "L-1", "T1x", "T999"}) {
    EXPECT_FALSE(FindRoot(bad)) << bad;
  }
}

TEST(Muscles, HaveTheSitesTableOfResponses) {
  EXPECT_EQ(FindMuscle("APB L")->mep_uv, 800);
  EXPECT_EQ(FindMuscle("APB L")->mep_ms, 22);
  EXPECT_EQ(FindMuscle("ah R")->mep_uv, 300);
  EXPECT_EQ(FindMuscle("AH R")->mep_ms, 40);
  EXPECT_EQ(FindMuscle("CP3"), nullptr);
}

TEST(Muscles, LieWithinTheirRoots) {
  for (const Muscle& muscle : Muscles()) {
    EXPECT_GE(muscle.root, muscle.first_root) << muscle.label;
    EXPECT_LE(muscle.root, muscle.last_root) << muscle.label;
    EXPECT_GT(muscle.mep_ms, muscle.cmap_ms) << muscle.label;
    EXPECT_EQ(muscle.region == Region::kArm, muscle.first_root >= 5 && muscle.last_root <= 9)
        << muscle.label;
    EXPECT_EQ(muscle.region == Region::kLeg, muscle.first_root > 20) << muscle.label;
  }
}

}  // namespace
}  // namespace remora::agent::sim
