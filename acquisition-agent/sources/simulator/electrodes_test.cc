#include "acquisition-agent/sources/simulator/electrodes.h"

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

const Component& Find(absl::string_view name) {
  for (const Component& component : Components()) {
    if (component.name == name) return component;
  }
  ADD_FAILURE() << name;
  return Components()[0];
}

double Seen(absl::string_view component, absl::string_view site, Side side) {
  return Projection(Find(component), *FindSite(site), side);
}

TEST(FindSite, KnowsElectrodesNervesAndMusclesBySide) {
  EXPECT_EQ(FindSite("cp3")->label, "CP3");
  EXPECT_EQ(FindSite("CP3")->side, Side::kLeft);
  EXPECT_EQ(FindSite("C4'")->side, Side::kRight);
  EXPECT_FALSE(FindSite("CPz")->side);
  EXPECT_EQ(FindSite("erb l")->label, "Erb L");
  EXPECT_FALSE(FindSite("EPi")->side);
  EXPECT_EQ(FindSite("TA R")->kind, SiteKind::kMuscle);
  EXPECT_EQ(FindSite("TA R")->side, Side::kRight);
  EXPECT_EQ(FindSite("T6")->kind, SiteKind::kScalp);
  EXPECT_EQ(FindSite("T6 L")->kind, SiteKind::kMuscle);
  EXPECT_EQ(FindSite("Cv5")->kind, SiteKind::kNeck);
  EXPECT_EQ(FindSite("voc l")->label, "VOC L");
  EXPECT_EQ(FindSite("dw caudal")->label, "DW caudal");
  EXPECT_EQ(FindSite("DW rostral")->kind, SiteKind::kEpidural);
  EXPECT_EQ(FindSite("g8")->label, "G8");
  EXPECT_EQ(FindSite("G1")->kind, SiteKind::kStrip);
}

TEST(FindSite, HostileLabelsAreUnknown) {
  for (const char* bad :
       {"", " ", " L", "XX", "CP3 L", "TA X", "TA  L", "Cv5 L", "G0", "G9", "G", "DW", "DW middle"})
    EXPECT_FALSE(FindSite(bad)) << bad;
}

TEST(KnownSites, AreAllKnown) {
  for (const std::string& label : KnownSites()) EXPECT_TRUE(FindSite(label)) << label;
}

TEST(Projection, FollowsAnatomy) {
  EXPECT_EQ(Seen("N20", "CP3", Side::kRight), 1);  // the other hemisphere
  EXPECT_EQ(Seen("N20", "CP3", Side::kLeft), 0);
  EXPECT_EQ(Seen("N20", "CPc", Side::kLeft), 1);
  EXPECT_EQ(Seen("N20", "Fz", Side::kRight), 0);
  EXPECT_EQ(Seen("P37", "CPz", Side::kLeft), 1);
  EXPECT_EQ(Seen("P37", "CPz", Side::kRight), 1);
  EXPECT_GT(Seen("P37", "CP3", Side::kLeft),
            Seen("P37", "CP3", Side::kRight));  // to the stimulated side
  EXPECT_EQ(Seen("P31", "FPz", Side::kLeft), 1);
  EXPECT_EQ(Seen("P31", "Cv5", Side::kLeft), 0);
  EXPECT_EQ(Seen("N13", "Cv5", Side::kLeft), 1);
  EXPECT_EQ(Seen("N9", "Erb L", Side::kLeft), 1);
  EXPECT_EQ(Seen("N9", "Erb R", Side::kLeft), 0);
  EXPECT_EQ(Seen("N9", "EPi", Side::kRight), 1);
  EXPECT_EQ(Seen("PF", "PF R", Side::kRight), 1);
  EXPECT_EQ(Seen("PF", "Erb R", Side::kRight), 0);
  EXPECT_EQ(Seen("N20", "TA L", Side::kRight), 0);
}

TEST(Projection, TheUlnarNerveIsOneOfTheArm) {
  for (const Component& component : Components()) {
    if (component.nerve != Nerve::kUlnar) continue;
    const absl::string_view site = component.level == Level::kPeripheral    ? "Erb L"
                                   : component.level == Level::kSubcortical ? "Cv5"
                                                                            : "CP4";
    EXPECT_EQ(Projection(component, *FindSite(site), Side::kLeft), 1) << component.name;
    EXPECT_EQ(Projection(component, *FindSite("PF L"), Side::kLeft), 0) << component.name;
  }
  EXPECT_EQ(StimulusLabel(Nerve::kUlnar, Side::kLeft), "ULN L");
}

}  // namespace
}  // namespace remora::agent::sim
