// The scenarios that ship: at the times their remarks name, what they promise is true.
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/testing/recording.h"

namespace remora::agent::sim {
namespace {

constexpr double kMinute = 60;

class Shipped {
 public:
  explicit Shipped(const char* name)
      : scenario_(*ParseScenario(ShippedScenario(name), name)), truth_(scenario_) {}
  const SimulatedTruth* operator->() const { return &truth_; }
  double Mep(const char* muscle, double minute) const {
    return truth_.Mep(*FindSite(muscle), minute * kMinute).amplitude;
  }
  double Sep(Nerve nerve, Side side, Level level, double minute) const {
    return truth_.Sep(nerve, side, level, minute * kMinute).amplitude;
  }
  const Stimulator& Named(const std::string& label) const {
    for (const Stimulator& stimulator : scenario_.stimulators) {
      if (StimulusLabel(stimulator, 0) == label) return stimulator;
    }
    ADD_FAILURE() << label;
    return scenario_.stimulators[0];
  }
  const Scenario& scenario() const { return scenario_; }

 private:
  const Scenario scenario_;
  const SimulatedTruth truth_;
};

constexpr Level kPeri = Level::kPeripheral, kSub = Level::kSubcortical, kCort = Level::kCortical;

TEST(ShippedScenarios, TechnicalFaultsTouchWhatTheyName) {
  const Shipped lead("S01"), box("S02"), swap("S22");
  EXPECT_TRUE(std::isinf(lead->ImpedanceKohm("APB L", 6 * kMinute)));
  EXPECT_EQ(lead.Mep("APB L", 6), 1);
  EXPECT_NEAR(box->Delivered(box.Named("MED L"), 6 * kMinute), 0.05, 1e-12);
  EXPECT_EQ(box->Delivered(box.Named("MED R"), 6 * kMinute), 1);
  EXPECT_EQ(swap.scenario().events.size(), 5u);
}

TEST(ShippedScenarios, SystemicCausesTouchAllSides) {
  const Shipped bolus("S04"), cold("S05"), pressure("S06"), relaxant("S07");
  EXPECT_LT(bolus.Sep(Nerve::kMedian, Side::kLeft, kCort, 7.5), 0.5);
  EXPECT_GT(bolus.Sep(Nerve::kMedian, Side::kLeft, kSub, 7.5), 0.8);
  EXPECT_GT(bolus->Eeg(Side::kLeft, 7.5 * kMinute).suppression, 0.1);
  EXPECT_GT(bolus.Mep("APB R", 24.9), 0.9);
  const ResponseFactors n20 = cold->Sep(Nerve::kMedian, Side::kRight, kCort, 50 * kMinute);
  EXPECT_EQ(n20.amplitude, 1);
  EXPECT_NEAR(19.5 * (n20.latency - 1), 0.75 * 2.1, 0.05);
  EXPECT_NEAR(pressure.Mep("AH L", 14), 0.4, 0.05);
  EXPECT_NEAR(pressure.Mep("APB L", 14), 0.6, 0.05);
  EXPECT_EQ(pressure.Sep(Nerve::kTibial, Side::kLeft, kSub, 14), 1);
  EXPECT_LT(relaxant.Mep("APB L", 8), 0.05);
  EXPECT_LT(relaxant.Mep("AH R", 8), 0.05);
  EXPECT_EQ(relaxant.Sep(Nerve::kMedian, Side::kLeft, kCort, 8), 1);
  EXPECT_GT(relaxant->TrainOfFour(Region::kArm, Side::kLeft, 24 * kMinute).ratio, 0.9);
}

TEST(ShippedScenarios, LesionsAreFocal) {
  const Shipped arm("S08"), cord("S09"), root("S12"), clip("S13");
  EXPECT_NEAR(arm.Sep(Nerve::kMedian, Side::kLeft, kPeri, 15), 0.4, 0.01);
  EXPECT_NEAR(arm.Mep("APB L", 15), 0.4, 0.01);
  EXPECT_EQ(arm.Mep("APB R", 15), 1);
  EXPECT_NEAR(cord.Mep("TA L", 12.1), 0.05, 1e-9);
  EXPECT_EQ(cord.Sep(Nerve::kTibial, Side::kLeft, kCort, 17), 1);
  EXPECT_NEAR(cord.Sep(Nerve::kTibial, Side::kLeft, kCort, 21), 0.25, 1e-9);
  EXPECT_EQ(cord.Mep("APB L", 15), 1);
  EXPECT_EQ(cord.Mep("TA L", 25), 1);
  EXPECT_NEAR(root->Threshold(root.Named("SCREW L4 L"), 10 * kMinute) * 12, 3, 1e-9);
  EXPECT_EQ(root->Threshold(root.Named("SCREW L4 R"), 10 * kMinute), 1);
  EXPECT_NEAR(root.Mep("Quadriceps L", 10), 0.2, 1e-9);
  EXPECT_EQ(root.Mep("AH L", 10), 1);
  EXPECT_NEAR(clip.Mep("APB L", 10), 0.3, 1e-9);
  EXPECT_EQ(clip.Mep("APB R", 10), 1);
  EXPECT_NEAR(clip.Sep(Nerve::kTibial, Side::kLeft, kCort, 10), 0.3, 1e-9);
  EXPECT_LT(clip->Eeg(Side::kRight, 10 * kMinute).alpha, 0.35);
}

TEST(ShippedScenarios, TheCordTumoursDifferInTheirDwave) {
  const Shipped transient("S10"), lasting("S11");
  EXPECT_EQ(transient.Mep("TA L", 12), 0);
  EXPECT_NEAR(transient->Dwave(true, 12 * kMinute).amplitude, 0.65, 1e-9);
  EXPECT_EQ(transient->Dwave(false, 12 * kMinute).amplitude, 1);
  EXPECT_NEAR(lasting->Dwave(true, 24 * kMinute).amplitude, 0.3, 1e-9);
}

TEST(ShippedScenarios, SlowChangesAreSlow) {
  const Shipped fade("S14"), slow("S15"), twice("S23");
  EXPECT_GE(fade.scenario().duration_s, 6 * 3600);
  EXPECT_NEAR(fade.Mep("AH L", 5 * 60), 0.71, 1e-9);
  EXPECT_NEAR(fade.Mep("ADM L", 6 * 60), 0.81, 1e-9);
  for (double minute = 11; minute < 69; ++minute) {
    EXPECT_NEAR(slow.Mep("TA L", minute) - slow.Mep("TA L", minute + 1), 0.01, 1e-6);
  }
  EXPECT_NEAR(twice.Mep("AH L", 20), 0.5625, 1e-9);
  EXPECT_EQ(twice.Mep("AH R", 20), 1);
}

TEST(ShippedScenarios, LarynxAndEars) {
  const Shipped thyroid("S19"), late("S20"), lost("S21");
  EXPECT_NEAR(thyroid->Larynx(Side::kLeft, 7.5 * kMinute).amplitude, 0.42, 1e-9);
  EXPECT_LT(thyroid->Larynx(Side::kLeft, 9 * kMinute).amplitude * 700, 100);
  EXPECT_EQ(thyroid->Larynx(Side::kRight, 9 * kMinute).amplitude, 1);
  EXPECT_EQ(late->Baep(Side::kLeft, false, 12 * kMinute).amplitude, 1);
  EXPECT_NEAR(late->Baep(Side::kLeft, false, 12 * kMinute).delay_ms, 1.2, 1e-9);
  EXPECT_EQ(lost->Baep(Side::kLeft, false, 12 * kMinute).amplitude, 0);
  EXPECT_EQ(lost->Baep(Side::kLeft, true, 12 * kMinute).amplitude, 1);
}

TEST(ShippedScenarios, EachRunsAndTellsItsPhases) {
  for (int i = 1; i <= 25; ++i) {
    const std::string name = (i < 10 ? "S0" : "S") + std::to_string(i);
    const Recording run(std::string(ShippedScenario(name)) + "\nrate 1 kHz\n", 35);
    EXPECT_FALSE(run.triggers.empty()) << name;
    EXPECT_FALSE(run.vitals.empty()) << name;
    EXPECT_FALSE(run.impedances.empty()) << name;
    EXPECT_FALSE(run.drugs.empty()) << name;
  }
}

}  // namespace
}  // namespace remora::agent::sim
