#include "reader-client/cc/app/event_words.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reader-client/cc/app/limits.h"

namespace remora::reader {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void Add(v1::VitalKind kind, double value, v1::Vitals* vitals) {
  v1::Vital* one = vitals->add_vitals();
  one->set_kind(kind);
  one->set_value(value);
}

TEST(EventWords, VitalsHaveTheirUnitsAndWhoToldThem) {
  v1::Vitals vitals;
  vitals.set_source("monitor");
  Add(v1::VITAL_KIND_MEAN_ARTERIAL_PRESSURE, 58, &vitals);
  Add(v1::VITAL_KIND_CORE_TEMPERATURE, 35.94, &vitals);
  Add(v1::VITAL_KIND_LIMB_TEMPERATURE, 31, &vitals);
  vitals.mutable_vitals(2)->set_site("left foot");
  Add(v1::VITAL_KIND_BISPECTRAL_INDEX, 45, &vitals);
  EXPECT_EQ(VitalsWords(vitals),
            "MAP 58 mmHg, core 35.9 C, left foot 31.0 C, BIS of the monitor 45 (monitor)");
  vitals.set_actor("Ines Ruiz");
  EXPECT_THAT(VitalsWords(vitals), HasSubstr(" (monitor, Ines Ruiz)"));
}

TEST(EventWords, EachKindOfVitalSignHasAName) {
  for (int kind = 1; kind <= v1::VitalKind_MAX; ++kind) {
    v1::Vitals vitals;
    Add(static_cast<v1::VitalKind>(kind), 1, &vitals);
    EXPECT_THAT(VitalsWords(vitals), Not(HasSubstr("unknown"))) << kind;
  }
}

TEST(EventWords, HostileVitalsAreNoNumbersAndFillNoLine) {
  v1::Vitals vitals;
  EXPECT_EQ(VitalsWords(vitals), "no vital sign");
  Add(v1::VITAL_KIND_HEART_RATE, kNan, &vitals);
  Add(v1::VITAL_KIND_HAEMOGLOBIN, 1e300, &vitals);
  Add(static_cast<v1::VitalKind>(99), -2, &vitals);
  EXPECT_EQ(VitalsWords(vitals),
            "heart rate no number, haemoglobin 1.00e+300 g/dl, unknown vital sign -2.00");
}

TEST(EventWords, DrugSaysDoseAndWhatWasDone) {
  v1::DrugGiven given;
  given.set_drug("rocuronium");
  given.set_change(v1::DRUG_CHANGE_BOLUS);
  EXPECT_EQ(DrugWords(given), "rocuronium, dose not said, bolus");
  given.set_amount(50);
  given.set_unit("mg");
  EXPECT_EQ(DrugWords(given), "rocuronium 50 mg, bolus");
  given.set_dose("0.6 mg/kg");
  given.set_source("pump 2");
  EXPECT_EQ(DrugWords(given), "rocuronium 0.6 mg/kg, bolus (pump 2)");
  given.set_change(v1::DRUG_CHANGE_INFUSION_RATE);
  EXPECT_THAT(DrugWords(given), HasSubstr(", infusion"));
  given.set_change(v1::DRUG_CHANGE_INSPIRED);
  EXPECT_THAT(DrugWords(given), HasSubstr(", end-tidal"));
  given.set_change(v1::DRUG_CHANGE_INFUSION_STOPPED);
  EXPECT_EQ(DrugWords(given), "rocuronium infusion stopped (pump 2)");
}

TEST(EventWords, HostileDrugWithoutANumberSaysNoDose) {
  v1::DrugGiven given;
  given.set_amount(kNan);
  given.set_unit("mg");
  EXPECT_EQ(DrugWords(given), ", dose not said");
}

TEST(EventWords, ImpedancesNameWhatIsOpenAndTheHighest) {
  v1::Impedances impedances;
  EXPECT_EQ(ImpedancesWords(impedances), "0 electrodes: 0 open");
  const auto add = [&](const std::string& name, double kohm, bool open) {
    v1::ElectrodeImpedance* one = impedances.add_electrodes();
    one->set_electrode(name);
    one->set_kohm(kohm);
    one->set_open(open);
  };
  add("Cz", 3.2, false);
  EXPECT_EQ(ImpedancesWords(impedances), "1 electrode: 0 open, highest 3.2 kOhm (Cz)");
  add("Fz", 0, true);
  add("C3'", kNan, false);
  add("C4'", 12.4, false);
  EXPECT_EQ(ImpedancesWords(impedances), "4 electrodes: 1 open (Fz), highest 12.4 kOhm (C4')");
  for (size_t i = 0; i < kMaxOpenInALine; ++i) add("O", 0, true);
  EXPECT_THAT(ImpedancesWords(impedances), HasSubstr("9 open (Fz, O, O, O, O, O, O, O and more)"));
}

TEST(EventWords, StimulusChangeSaysWhatItIsAndWas) {
  v1::StimulusChange change;
  EXPECT_EQ(StimulusChangeWords(change), "stimulus: not known");
  change.set_modality(v1::MODALITY_MEP_TRANSCRANIAL);
  change.mutable_stimulus()->set_electrodes("C3-C4");
  change.mutable_stimulus()->set_current_ma(120);
  change.mutable_stimulus()->set_pulse_count(5);
  change.mutable_previous()->set_current_ma(100);
  EXPECT_EQ(StimulusChangeWords(change),
            "MEP_TRANSCRANIAL C3-C4: 120.0 mA, 5 pulses; was 100.0 mA");
  change.set_not_as_asked(true);
  change.mutable_stimulus()->set_delivered_ma(40);
  EXPECT_THAT(StimulusChangeWords(change), HasSubstr(", not as asked: delivered 40.0 mA; was"));
}

TEST(EventWords, PositionIsInItsWords) {
  v1::PositionChange change;
  change.set_position("prone, head turned to the left");
  EXPECT_EQ(PositionWords(change), "position: prone, head turned to the left");
  change.set_actor("Ines Ruiz");
  EXPECT_EQ(PositionWords(change), "position: prone, head turned to the left (Ines Ruiz)");
}

}  // namespace
}  // namespace remora::reader
