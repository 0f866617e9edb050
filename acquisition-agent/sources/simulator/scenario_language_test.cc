// The words of the scenario language beyond a plain SEP case, and what is said when they are wrong.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/random.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace remora::agent::sim {
namespace {

using ::testing::HasSubstr;
using Kind = ScenarioEvent::Kind;

Scenario Parse(absl::string_view text) {
  absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *std::move(scenario) : Scenario();
}

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text, "t");
  return scenario.ok() ? "no error" : std::string(scenario.status().message());
}

TEST(ScenarioLanguage, ReadsStimulatorsOfEveryKind) {
  const Scenario s = Parse(
      "stimulate ulnar left at 4.7 Hz 20 mA from 10 s until 2 min\n"
      "stimulate mep C1-C2 every 45 s 120 mA threshold 60 mA pulses 7 interval 2 ms width 500 us\n"
      "stimulate dwave every 60 s 600 V sweeps 5\nstimulate tof right foot every 20 s 30 mA\n"
      "stimulate rln left every 4 s 0.8 mA\nstimulate vagus right every 1 s\n"
      "stimulate baep left at 43.9 Hz\nstimulate vep right at 1.9 Hz\n"
      "stimulate dcs G5 arm right every 30 s 12 mA\n"
      "stimulate subcortical face left every 5 s 8 mA\n"
      "stimulate midline at 2.1 Hz 1 mA contacts 6\nscrew T10 left threshold 7 mA\n"
      "nerve L5 right threshold 0.6 mA\n");
  ASSERT_EQ(s.stimulators.size(), 13u);
  const std::vector<std::string> labels = {"ULN L",
                                           "MEP C1-C2",
                                           "DWAVE",
                                           "TOF R foot",
                                           "RLN L",
                                           "VAGUS R",
                                           "BAEP L",
                                           "VEP R",
                                           "DCS G5",
                                           "SUBCORTICAL face L",
                                           "MIDLINE contact 1",
                                           "SCREW T10 L",
                                           "DNS L5 R"};
  for (size_t i = 0; i < labels.size(); ++i) {
    EXPECT_EQ(StimulusLabel(s.stimulators[i], 0), labels[i]);
  }
  EXPECT_EQ(s.stimulators[0].from_s, 10);
  EXPECT_EQ(s.stimulators[0].until_s, 120);
  const Stimulator& mep = s.stimulators[1];
  EXPECT_EQ(mep.volts, 0);
  EXPECT_EQ(mep.current_ma, 120);
  EXPECT_EQ(mep.threshold, 60);
  EXPECT_EQ(mep.pulses, 7);
  EXPECT_EQ(mep.pulse_interval_ms, 2);
  EXPECT_NEAR(mep.pulse_us, 500, 1e-9);
  EXPECT_EQ(mep.every_s, 45);
  EXPECT_EQ(s.stimulators[2].sweeps, 5);
  EXPECT_EQ(s.stimulators[3].sweeps, 4);
  EXPECT_EQ(s.stimulators[10].contacts, 6);
  EXPECT_EQ(StimulusLabel(s.stimulators[10], 6), "MIDLINE contact 1");
}

TEST(ScenarioLanguage, ReadsThePatientAndTheMonitor) {
  const Scenario s = Parse(
      "eeg 5 uV alpha 4 uV delta 3 uV\nvitals map 90 hr 60 bis 40\nimpedance 2.5 kOhm\n"
      "fade from 2 h\nstrip right\nsulcus 3/4\nmidline 5/6\n");
  EXPECT_EQ(s.alpha_uv, 4);
  EXPECT_EQ(s.delta_uv, 3);
  EXPECT_TRUE(s.has_vitals);
  EXPECT_EQ(s.vitals[kMap], 90);
  EXPECT_EQ(s.vitals[kBis], 40);
  EXPECT_EQ(s.vitals[kTemperature], 36.5);
  EXPECT_EQ(s.impedance_kohm, 2.5);
  EXPECT_EQ(s.fade_from_s, 7200);
  EXPECT_EQ(s.strip, Side::kRight);
  EXPECT_EQ(s.sulcus, 3);
  EXPECT_EQ(s.midline, 5);
  EXPECT_FALSE(Parse("fade none\n").fades);
  EXPECT_FALSE(Parse("").has_vitals);
}

TEST(ScenarioLanguage, ReadsEventsOfEveryKind) {
  const Scenario s = Parse(
      "screw L4 left threshold 9 mA\n"
      "at 1 s for 9 s: cord T8 both amplitude 0.1 sep 0.3 after 5 min dwave 0.6 ramp 2 s\n"
      "at 1 s: root L5 left amplitude 0.2\nat 1 s: hemisphere right amplitude 0.3\n"
      "at 1 s: limb left arm amplitude 0.4 latency 1.08\nat 1 s: ischaemia both leg amplitude 0\n"
      "at 1 s: cold right leg 3 C ramp 10 min\nat 1 s: larynx left latency 1.1\n"
      "at 1 s: baep left delay 1.2 ms\nat 1 s: vep both amplitude 0.5\n"
      "at 1 s: dwave caudal amplitude 0.5\nat 1 s: threshold screw L4 left 0.5 ramp 3 s\n"
      "at 1 s: depth 1.5\nat 1 s: vitals map 52 ramp 3 min\nat 1 s: bolus ketamine 20 mg\n"
      "at 1 s: infusion remifentanil 0.2 ug/kg/min\nat 1 s: inspired desflurane 5.5 %\n"
      "at 1 s: deliver tibial both 20%\nat 1 s: impedance MED L 20 kOhm\n"
      "at 1 s: swap TA L with TA R\nat 1 s: test screw L4 left from 2 mA to 10 mA step 1 mA\n"
      "at 1 s: shivering 50 uV\nat 1 s: drill\nat 1 s: cusa\nat 1 s: phase clamp\n"
      "at 1 s: position prone\nat 1 s: mep TA L amplitude 0.2\nat 1 s: mep leg left amplitude 0.2\n"
      "at 1 s: emg b-train TA L 30 Hz\nat 1 s: emg silence TA L\nat 1 s: stop stimulation screw\n");
  ASSERT_EQ(s.events.size(), 30u);
  EXPECT_EQ(s.events[0].kind, Kind::kCord);
  EXPECT_EQ(s.events[0].root, *FindRoot("T8"));
  EXPECT_EQ(s.events[0].sep_delay_s, 300);
  EXPECT_EQ(s.events[0].dwave_amplitude, 0.6);
  EXPECT_EQ(s.events[3].region, Region::kArm);
  EXPECT_EQ(s.events[5].amount, 3);
  EXPECT_EQ(s.events[7].delay_ms, 1.2);
  EXPECT_EQ(s.events[9].channel, "DW caudal");
  EXPECT_EQ(s.events[10].text, "L4 L");
  EXPECT_EQ(s.events[12].vital, kMap);
  EXPECT_EQ(s.events[13].text, "ketamine");
  EXPECT_EQ(s.events[13].unit, "mg");
  EXPECT_EQ(s.events[14].unit, "ug/kg/min");
  EXPECT_EQ(s.events[16].amplitude, 0.2);
  EXPECT_EQ(s.events[16].nerve, Nerve::kTibial);
  EXPECT_EQ(s.events[17].channel, "MED L");
  EXPECT_EQ(s.events[18].other, "TA R");
  EXPECT_EQ(s.events[19].test_count(), 9);
  EXPECT_EQ(s.events[19].for_s, 4.5);
  EXPECT_EQ(s.events[23].text, "PHASE CLAMP");
  EXPECT_EQ(s.events[24].text, "POSITION prone");
  EXPECT_EQ(s.events[25].channel, "TA L");
  EXPECT_EQ(s.events[26].region, Region::kLeg);
  EXPECT_EQ(s.events[29].stimulation, StimulusKind::kScrew);
}

TEST(ScenarioLanguage, HostileStimulatorsGetAClearMessage) {
  EXPECT_THAT(ErrorOf("stimulate mepp C3-C4"), HasSubstr("(did you mean \"mep\"?)"));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C5"), HasSubstr("\"C3-C5\" is not a montage of the scalp"));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C4 400 kV"), HasSubstr("unknown unit \"kV\""));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C4 400 mA"), HasSubstr("at most 300 mA"));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C4 pulses 2.5"), HasSubstr("a whole number"));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C4 pulses 21"), HasSubstr("from 1 to 20"));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C4 pulses 20 interval 50 ms"),
              HasSubstr("the train lasts 950 ms, over 400"));
  EXPECT_THAT(ErrorOf("stimulate tof both hand"), HasSubstr("\"both\" is not one side"));
  EXPECT_THAT(ErrorOf("stimulate tof left hand every 1 s"), HasSubstr("one round lasts 1.5 s"));
  EXPECT_THAT(ErrorOf("stimulate baep left every 1 s"), HasSubstr("write their rate"));
  EXPECT_THAT(ErrorOf("stimulate rln left sweeps 3"), HasSubstr("only a D-wave has sweeps"));
  EXPECT_THAT(ErrorOf("stimulate dcs G9 arm left"), HasSubstr("which contact of the strip?"));
  EXPECT_THAT(ErrorOf("stimulate mep C3-C4\nstimulate mep C3-C4"),
              HasSubstr("t:2: MEP C3-C4 is stimulated twice"));
  EXPECT_THAT(ErrorOf("screw L6 left threshold 9 mA"), HasSubstr("\"L6\" is no root"));
  EXPECT_THAT(ErrorOf("screw facial left threshold 9 mA"), HasSubstr("no root of the spinal cord"));
  EXPECT_THAT(ErrorOf("screw L4 left 9 mA"), HasSubstr("threshold"));
  std::string many;
  for (const char* part : {"C", "T", "L", "S"}) {
    for (int i = 1; i <= 12; ++i) {
      if (!FindRoot(absl::StrCat(part, i))) continue;
      many += absl::StrCat("screw ", part, i, " left threshold 9 mA\nscrew ", part, i,
                           " right threshold 9 mA\n");
      many += absl::StrCat("nerve ", part, i, " left threshold 1 mA\n");
    }
  }
  EXPECT_THAT(ErrorOf(many), HasSubstr("more than 64 stimulators"));
}

TEST(ScenarioLanguage, HostileEventsGetAClearMessage) {
  EXPECT_THAT(ErrorOf("at 1 s: bolus rocronium 30 mg"),
              HasSubstr("(did you mean \"rocuronium\"?)"));
  EXPECT_THAT(ErrorOf("at 1 s: bolus rocuronium 30 ml"), HasSubstr("is given in mg here"));
  EXPECT_THAT(ErrorOf("at 1 s: bolus rocuronium 30"), HasSubstr("has no unit"));
  EXPECT_THAT(ErrorOf("at 1 s: infusion propofol 6 mg"), HasSubstr("unknown unit \"mg\""));
  EXPECT_THAT(ErrorOf("at 1 s: phase CORECTION"), HasSubstr("(did you mean \"CORRECTION\"?)"));
  EXPECT_THAT(ErrorOf("at 1 s: position flying"), HasSubstr("\"flying\" is not a position"));
  EXPECT_THAT(ErrorOf("at 1 s: vitals temperature 60"), HasSubstr("from 20 to 42"));
  EXPECT_THAT(ErrorOf("at 1 s: cord T8 both"), HasSubstr("nothing changes"));
  EXPECT_THAT(ErrorOf("at 1 s: cord T13 both amplitude 0.1"), HasSubstr("\"T13\" is no root"));
  EXPECT_THAT(ErrorOf("at 1 s: test screw L4 left from 1 mA to 9 mA step 1 mA"),
              HasSubstr("there is no SCREW L4 L above this line"));
  EXPECT_THAT(ErrorOf("screw L4 left threshold 5 mA\n"
                      "at 1 s: test screw L4 left from 1 mA to 200 mA step 0.01 mA"),
              HasSubstr("steps, over 500"));
  EXPECT_THAT(ErrorOf("at 1 s: swap TA L with TB R"), HasSubstr("no channel \"TB R\""));
  EXPECT_THAT(ErrorOf("at 1 s: impedance MED X 3 kOhm"), HasSubstr("no channel \"MED X\""));
  EXPECT_THAT(ErrorOf("at 1 s: afterdischarge TA L"), HasSubstr("a contact of the strip"));
  EXPECT_THAT(ErrorOf("at 1 s: deliver median left 120%"), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf("sulcus 8/9"), HasSubstr("\"8/9\" is no place on a strip"));
  EXPECT_THAT(ErrorOf("fade soon"), HasSubstr("how MEP fade is one of: from, none"));
  EXPECT_THAT(ErrorOf("vitals pulse 70"), HasSubstr("\"pulse\" is not a vital sign"));
}

TEST(ScenarioLanguage, HostileMixesOfNewWordsNeverCrash) {
  SimRandom random(12, 0);
  const std::vector<std::string> words = {
      "at",         "3",    "s",         "for",       "every", ":",     "stimulate", "mep",
      "C3-C4",      "left", "hand",      "tof",       "screw", "L4",    "nerve",     "facial",
      "test",       "from", "to",        "step",      "mA",    "V",     "400",       "\n",
      "cord",       "T8",   "both",      "amplitude", "0.1",   "sep",   "after",     "bolus",
      "rocuronium", "mg",   "threshold", "impedance", "kOhm",  "swap",  "with",      "TA",
      "L",          "-1e9", "\xFF",      "vitals",    "map",   "phase", "CLAMP",     "sulcus",
      "4/5",        "dcs",  "G5",        "arm"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 14; ++i)
      text += words[random.NextBits() % words.size()] + (random.NextBits() % 6 ? " " : "");
    (void)ParseScenario(text, "t");
  }
}

}  // namespace
}  // namespace remora::agent::sim
