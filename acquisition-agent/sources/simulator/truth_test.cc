#include "acquisition-agent/sources/simulator/truth.h"

#include <cmath>

#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

// A scenario and what is true of it.
class Patient {
 public:
  explicit Patient(const std::string& text) : scenario_(Parse(text)), truth_(scenario_) {}
  const SimulatedTruth* operator->() const { return &truth_; }
  ResponseFactors Mep(const char* muscle, double time_s) const {
    return truth_.Mep(*FindSite(muscle), time_s);
  }
  double Tibial(Level level, double time_s, Side side = Side::kLeft) const {
    return truth_.Sep(Nerve::kTibial, side, level, time_s).amplitude;
  }

 private:
  static Scenario Parse(const std::string& text) {
    absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return scenario.ok() ? *std::move(scenario) : Scenario();
  }
  const Scenario scenario_;
  const SimulatedTruth truth_;
};

TEST(SimulatedTruth, AQuietPatientIsUnchanged) {
  const Patient patient("");
  for (const Level level : {Level::kPeripheral, Level::kSubcortical, Level::kCortical}) {
    const ResponseFactors factors = patient->Sep(Nerve::kMedian, Side::kLeft, level, 100);
    EXPECT_EQ(factors.amplitude, 1);
    EXPECT_EQ(factors.latency, 1);
    EXPECT_EQ(factors.delay_ms, 0);
  }
  EXPECT_EQ(patient.Mep("AH L", 100).amplitude, 1);
  EXPECT_EQ(patient.Mep("AH L", 100).latency, 1);
  EXPECT_EQ(patient->TrainOfFour(Region::kArm, Side::kLeft, 100).ratio, 1);
  EXPECT_EQ(patient->Eeg(Side::kLeft, 100), EegState());
  EXPECT_FALSE(patient->ActsOnEeg());
  EXPECT_FALSE(patient->ActsOnEmg());
  EXPECT_EQ(patient->VitalAt(kMap, 100), 78);
}

TEST(SimulatedTruth, ACordEventTakesMotorResponsesBelowAtOnceAndSepMinutesLater) {
  const Patient patient("at 600 s: cord T8 both amplitude 0.1 sep 0.3 after 8 min dwave 0.65\n");
  EXPECT_EQ(patient.Mep("TA L", 599.9).amplitude, 1);
  EXPECT_NEAR(patient.Mep("TA L", 600).amplitude, 0.1, 1e-12);
  EXPECT_NEAR(patient.Mep("T10 R", 600).amplitude, 0.1, 1e-12);
  EXPECT_EQ(patient.Mep("APB L", 700).amplitude, 1);
  EXPECT_EQ(patient.Mep("T6 L", 700).amplitude, 1);
  EXPECT_EQ(patient.Tibial(Level::kCortical, 600 + 479), 1);
  EXPECT_NEAR(patient.Tibial(Level::kCortical, 600 + 480 + 120), 0.3, 1e-12);
  EXPECT_NEAR(patient.Tibial(Level::kSubcortical, 600 + 480 + 60), 0.65, 1e-12);
  EXPECT_EQ(patient.Tibial(Level::kPeripheral, 2000), 1);
  EXPECT_EQ(patient->Sep(Nerve::kMedian, Side::kLeft, Level::kCortical, 2000).amplitude, 1);
  EXPECT_NEAR(patient->Dwave(true, 601).amplitude, 0.65, 1e-12);
  EXPECT_EQ(patient->Dwave(false, 601).amplitude, 1);
}

TEST(SimulatedTruth, ACordEventOfOneSideOrAboveTheArmsReachesThem) {
  const Patient left("at 10 s: cord T4 left amplitude 0\n");
  EXPECT_EQ(left.Mep("TA L", 20).amplitude, 0);
  EXPECT_EQ(left.Mep("TA R", 20).amplitude, 1);
  EXPECT_EQ(left.Mep("EAS", 20).amplitude, 0.5);
  const Patient neck("at 10 s: cord C4 both amplitude 0.2 sep 0.5 after 0 s\n");
  EXPECT_NEAR(neck.Mep("APB R", 20).amplitude, 0.2, 1e-12);
  EXPECT_NEAR(neck->Sep(Nerve::kMedian, Side::kRight, Level::kSubcortical, 200).amplitude, 0.5,
              1e-12);
}

TEST(SimulatedTruth, AShortCordEventLeavesSepAlone) {
  const Patient patient("at 10 s for 60 s: cord T8 both amplitude 0 sep 0.2 after 8 min\n");
  EXPECT_EQ(patient.Mep("TA L", 50).amplitude, 0);
  EXPECT_EQ(patient.Mep("TA L", 70.1).amplitude, 1);
  for (double t = 0; t < 2000; t += 10) EXPECT_EQ(patient.Tibial(Level::kCortical, t), 1);
}

TEST(SimulatedTruth, ARootConcernsItsMyotomeAlone) {
  const Patient patient("at 10 s: root L5 left amplitude 0.2\n");
  EXPECT_NEAR(patient.Mep("TA L", 20).amplitude, 0.2, 1e-12);
  EXPECT_NEAR(patient.Mep("Hamstrings L", 20).amplitude, 0.6, 1e-12);  // a part comes from it
  EXPECT_EQ(patient.Mep("TA R", 20).amplitude, 1);
  EXPECT_EQ(patient.Mep("AH L", 20).amplitude, 1);
  EXPECT_EQ(patient.Tibial(Level::kCortical, 20), 1);
}

TEST(SimulatedTruth, AHemisphereConcernsTheOtherHalfOfTheBody) {
  const Patient patient("at 10 s: hemisphere left amplitude 0.3\n");
  EXPECT_NEAR(patient.Mep("APB R", 20).amplitude, 0.3, 1e-12);
  EXPECT_EQ(patient.Mep("APB L", 20).amplitude, 1);
  EXPECT_NEAR(patient.Tibial(Level::kCortical, 20, Side::kRight), 0.3, 1e-12);
  EXPECT_EQ(patient.Tibial(Level::kSubcortical, 20, Side::kRight), 1);
  EXPECT_EQ(patient.Tibial(Level::kCortical, 20, Side::kLeft), 1);
  EXPECT_NEAR(patient->Eeg(Side::kLeft, 20).fast, 0.3, 1e-12);
  EXPECT_GT(patient->Eeg(Side::kLeft, 20).delta, 2);
  EXPECT_EQ(patient->Eeg(Side::kRight, 20).fast, 1);
}

TEST(SimulatedTruth, PositioningTakesALimbWithItsPeripheralResponse) {
  const Patient patient("at 10 s: limb left arm amplitude 0.4 latency 1.08 ramp 100 s\n");
  const auto arm = [&](Level level, double time_s) {
    return patient->Sep(Nerve::kUlnar, Side::kLeft, level, time_s);
  };
  EXPECT_NEAR(arm(Level::kPeripheral, 60).amplitude, 0.7, 1e-12);
  EXPECT_NEAR(arm(Level::kPeripheral, 200).amplitude, 0.4, 1e-12);
  EXPECT_NEAR(arm(Level::kCortical, 200).latency, 1.08, 1e-12);
  EXPECT_NEAR(patient.Mep("APB L", 200).amplitude, 0.4, 1e-12);
  EXPECT_EQ(patient.Mep("TA L", 200).amplitude, 1);
  EXPECT_EQ(patient->TrainOfFour(Region::kArm, Side::kLeft, 200).t1, 1);  // stretched above
  EXPECT_EQ(patient->Sep(Nerve::kUlnar, Side::kRight, Level::kCortical, 200).amplitude, 1);
}

TEST(SimulatedTruth, AnIschaemicLimbLosesItsTwitchesToo) {
  const Patient patient("at 10 s: ischaemia right leg amplitude 0.2 ramp 10 s\n");
  EXPECT_NEAR(patient->TrainOfFour(Region::kLeg, Side::kRight, 30).t1, 0.2, 1e-12);
  EXPECT_NEAR(patient->Cmap(*FindSite("TA R"), 30).amplitude, 0.2, 1e-12);
  EXPECT_NEAR(patient.Tibial(Level::kPeripheral, 30, Side::kRight), 0.2, 1e-12);
  EXPECT_EQ(patient->TrainOfFour(Region::kLeg, Side::kLeft, 30).t1, 1);
}

TEST(SimulatedTruth, OneMacHalvesCorticalResponsesAndBringsThemLater) {
  const Patient patient(
      "at 0 s: inspired sevoflurane 2 %\nat 3600 s: infusion sevoflurane stopped\n");
  EXPECT_NEAR(patient->Mac(3600), 1, 1e-6);
  const ResponseFactors cortical =
      patient->Sep(Nerve::kMedian, Side::kLeft, Level::kCortical, 3600);
  EXPECT_NEAR(cortical.amplitude, 0.5, 1e-6);
  EXPECT_NEAR(cortical.delay_ms, 1.5, 1e-6);
  EXPECT_NEAR(patient.Tibial(Level::kSubcortical, 3600), 0.9, 1e-6);
  EXPECT_EQ(patient.Tibial(Level::kPeripheral, 3600), 1);
  EXPECT_LT(patient.Mep("TA L", 3600).amplitude, 0.45);
  EXPECT_LT(patient->VitalAt(kBis, 3600), 25);
  EXPECT_LT(patient->Depth(3600 + 900), 0.01);
}

TEST(SimulatedTruth, APropofolBolusIsOneMacAtItsPeakAndPasses) {
  const Patient patient("at 100 s: bolus propofol 100 mg\n");
  double highest = 0;
  for (double t = 0; t < 2000; ++t) highest = std::max(highest, patient->Depth(t));
  EXPECT_NEAR(highest, 1, 0.001);
  EXPECT_EQ(patient->Depth(100), 0);
  EXPECT_LT(patient->Depth(100 + 1800), 0.01);
}

TEST(SimulatedTruth, DeepAnaesthesiaSuppressesTheEeg) {
  const Patient patient("at 10 s: depth 1.7\n");
  EXPECT_NEAR(patient->Eeg(std::nullopt, 20).suppression, 0.5, 1e-12);
  EXPECT_LT(patient->Eeg(std::nullopt, 20).alpha, 0.5);
  EXPECT_GT(patient->Eeg(std::nullopt, 20).delta, 1.5);
  EXPECT_TRUE(patient->ActsOnEeg());
}

TEST(SimulatedTruth, CoolingDelaysAndTakesNothing) {
  const Patient patient("at 0 s: vitals temperature 34.5 ramp 10 s\n");
  const ResponseFactors n20 = patient->Sep(Nerve::kMedian, Side::kLeft, Level::kCortical, 20);
  EXPECT_EQ(n20.amplitude, 1);
  EXPECT_NEAR(19.5 * (n20.latency - 1), 2 * 0.75, 0.01);  // the N20 comes 0.75 ms later a degree
  EXPECT_NEAR(patient.Mep("APB L", 20).latency, 1.05, 1e-9);
  EXPECT_EQ(patient.Mep("APB L", 20).amplitude, 1);
}

TEST(SimulatedTruth, LowPressureTakesLegsBeforeArms) {
  const Patient patient("at 60 s for 600 s: vitals map 52 ramp 3 min\n");
  EXPECT_NEAR(patient->VitalAt(kMap, 60 + 90), 65, 1e-9);
  EXPECT_NEAR(patient->VitalAt(kMap, 300), 52, 1e-9);
  EXPECT_LT(patient.Mep("AH L", 300).amplitude, 0.5);
  EXPECT_GT(patient.Mep("APB L", 300).amplitude, 0.5);
  EXPECT_LT(patient.Mep("APB L", 300).amplitude, 0.7);
  EXPECT_EQ(patient.Tibial(Level::kPeripheral, 300), 1);
  EXPECT_NEAR(patient->VitalAt(kMap, 60 + 600 + 180), 78, 1e-9);
}

TEST(SimulatedTruth, ARelaxantActsOnMusclesAlone) {
  const Patient patient("at 60 s: bolus rocuronium 30 mg\n");
  EXPECT_LT(patient->TrainOfFour(Region::kArm, Side::kLeft, 240).t1, 0.05);
  EXPECT_LT(patient.Mep("APB L", 240).amplitude, 0.05);
  EXPECT_LT(patient->Emg(*FindSite("TA L"), 240), 0.05);
  EXPECT_LT(patient->Cmap(*FindSite("TA L"), 240).amplitude, 0.05);
  EXPECT_EQ(patient.Tibial(Level::kCortical, 240), 1);
  EXPECT_EQ(patient->Dwave(true, 240).amplitude, 1);
  EXPECT_TRUE(patient->ActsOnEmg());
}

TEST(SimulatedTruth, MotorResponsesFadeAsPublished) {
  EXPECT_NEAR(FadeOfFoot(4), 0.92, 1e-12);
  EXPECT_NEAR(FadeOfFoot(5), 0.71, 1e-12);
  EXPECT_NEAR(FadeOfFoot(6), 0.63, 1e-12);
  EXPECT_NEAR(FadeOfHand(4), 1.01, 1e-12);
  EXPECT_NEAR(FadeOfHand(5), 0.86, 1e-12);
  EXPECT_NEAR(FadeOfHand(6), 0.81, 1e-12);
  const Patient patient("fade from 2 h\n");
  EXPECT_NEAR(patient.Mep("AH R", 3 * 3600).amplitude, 0.71, 1e-12);
  EXPECT_NEAR(patient.Mep("ADM R", 4 * 3600).amplitude, 0.81, 1e-12);
  EXPECT_EQ(patient.Mep("OOr R", 4 * 3600).amplitude, 1);
  EXPECT_EQ(Patient("fade none\n").Mep("AH R", 6 * 3600).amplitude, 1);
}

TEST(SimulatedTruth, StimulatorsAndThresholdsFail) {
  const Patient patient(
      "screw L4 left threshold 12 mA\nat 10 s for 10 s: deliver median left 10%\n"
      "at 10 s: threshold screw 0.5\nat 30 s: threshold mep 1.5 ramp 10 s\n");
  Stimulator median;
  EXPECT_NEAR(patient->Delivered(median, 15), 0.1, 1e-12);
  EXPECT_EQ(patient->Delivered(median, 25), 1);
  median.side = Side::kRight;
  EXPECT_EQ(patient->Delivered(median, 15), 1);
  Stimulator screw, mep;
  screw.kind = StimulusKind::kScrew;
  mep.kind = StimulusKind::kMep;
  EXPECT_EQ(patient->Threshold(screw, 15), 0.5);
  EXPECT_EQ(patient->Threshold(mep, 35), 1.25);
  EXPECT_EQ(patient->Delivered(mep, 15), 1);
}

TEST(SimulatedTruth, ImpedancesFollowTheElectrode) {
  const Patient patient(
      "impedance 3 kOhm\nat 10 s for 10 s: impedance CP4 25 kOhm\n"
      "at 30 s for 10 s: disconnect CP4\n");
  EXPECT_EQ(patient->ImpedanceKohm("CP4", 5), 3);
  EXPECT_EQ(patient->ImpedanceKohm("CP4", 15), 25);
  EXPECT_TRUE(std::isinf(patient->ImpedanceKohm("CP4", 35)));
  EXPECT_EQ(patient->ImpedanceKohm("CP4", 45), 3);
  EXPECT_EQ(patient->ImpedanceKohm("CP3", 15), 3);
}

TEST(SimulatedTruth, ColdLimbsComeLater) {
  const Patient patient("at 10 s: cold left arm 4 C ramp 10 s\n");
  EXPECT_EQ(patient->LimbCooling(Region::kArm, Side::kLeft, 30), 4);
  EXPECT_NEAR(patient->Sep(Nerve::kMedian, Side::kLeft, Level::kPeripheral, 30).delay_ms, 1, 1e-12);
  EXPECT_EQ(patient->Sep(Nerve::kMedian, Side::kRight, Level::kPeripheral, 30).delay_ms, 0);
}

TEST(SimulatedTruth, EarsAndLarynxHaveTheirSides) {
  const Patient patient(
      "at 10 s: baep left amplitude 0.4 delay 1.2 ms\nat 10 s: larynx right amplitude 0.3 latency "
      "1.1\n"
      "at 10 s: vep left amplitude 0.5\nat 20 s: baep left everywhere amplitude 0\n");
  EXPECT_EQ(patient->Baep(Side::kLeft, true, 15).amplitude, 1);
  EXPECT_EQ(patient->Baep(Side::kLeft, false, 15).amplitude, 0.4);
  EXPECT_EQ(patient->Baep(Side::kLeft, false, 15).delay_ms, 1.2);
  EXPECT_EQ(patient->Baep(Side::kRight, false, 15).amplitude, 1);
  EXPECT_EQ(patient->Baep(Side::kLeft, true, 25).amplitude, 0);
  EXPECT_EQ(patient->Larynx(Side::kRight, 15).latency, 1.1);
  EXPECT_EQ(patient->Larynx(Side::kLeft, 15).amplitude, 1);
  EXPECT_EQ(patient->Vep(Side::kLeft, 15).amplitude, 0.5);
}

}  // namespace
}  // namespace remora::agent::sim
