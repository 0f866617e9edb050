// Maps of a drawn case: what is said of each contact of a strip, and where the response turns over.
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::Each;
using testing::SizeIs;

constexpr double kRateHz = 2000;

class MappingTest : public DrawnCaseTest {
 protected:
  // A stimulus each 0.25 s from 1 s on.
  static StimulusTrigger StimulusOf(int i, const std::string& label) {
    StimulusTrigger pulse;
    pulse.time_ns = 1'000'000'000 + int64_t{250'000'000} * i;
    pulse.label = label;
    return pulse;
  }
  // Rms about its mean of a response of 1 uV within the strip's window, which is what the weights
  // are in: the band-pass (30-500 Hz) lets it through.
  static double UnitRms() {
    std::vector<double> uv;
    double sum = 0;
    for (double ms = 14; ms <= 30; ms += 1000 / kRateHz) {
      uv.push_back(Biphasic(ms / 1000, 0.020, 1));
      sum += uv.back();
    }
    double squares = 0;
    for (const double value : uv) squares += std::pow(value - sum / uv.size(), 2);
    return std::sqrt(squares / static_cast<double>(uv.size()));
  }
  std::vector<v1::MappingContact> Contacts() const {
    return sink_.All(&v1::Record::has_mapping_contact, &v1::Record::mapping_contact);
  }
  std::vector<v1::MappingResult> Results() const {
    return sink_.All(&v1::Record::has_mapping_result, &v1::Record::mapping_result);
  }
  std::vector<v1::Sweep> Sweeps() const {
    return sink_.All(&v1::Record::has_sweep, &v1::Record::sweep);
  }
};

TEST_F(MappingTest, AStripsPhaseReversalIsFoundAndEachContactHasItsAmplitudeAndShape) {
  // The fifth has no response at all, the last a small one.
  const std::vector<double> uv = {10, 20, 40, 30, 0, -30, -40, -6};
  Drawing drawing;
  drawing.rate_hz = kRateHz;
  drawing.seconds = 32;
  drawing.noise_uv = 5;
  for (size_t i = 1; i <= uv.size(); ++i) drawing.channels.push_back(absl::StrCat("G", i));
  for (int i = 0; i < 120; ++i) {
    drawing.items.push_back(StimulusOf(i, "MED R"));
    std::get<StimulusTrigger>(drawing.items.back()).commanded_ma = 15;
  }
  drawing.uv = [uv](int channel, double time_s) {
    if (time_s < 1) return 0.0;
    return Biphasic(std::fmod(time_s - 1, 0.25), 0.020, uv[static_cast<size_t>(channel)]);
  };
  Run(R"(mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "frontal" side: SIDE_LEFT
           contact_derivation: "G1" contact_derivation: "G2" contact_derivation: "G3"
           contact_derivation: "G4" contact_derivation: "G5" contact_derivation: "G6"
           contact_derivation: "G7" contact_derivation: "G8"
           trigger { label_prefix: "MED R" } })",
      drawing);
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_GT(results[0].confidence(), 0.8);
  EXPECT_EQ(results[0].method(), v1::MAPPING_METHOD_PHASE_REVERSAL);
  // On one side or the other of the contact that has none.
  EXPECT_EQ(results[0].contact_after(), results[0].contact_before() + 1);
  EXPECT_GE(results[0].contact_before(), 4u);
  EXPECT_LE(results[0].contact_after(), 6u);
  const auto contacts = Contacts();
  ASSERT_THAT(contacts, SizeIs(16));
  const double upright = std::copysign(1.0, contacts[0].polarity_ratio());
  for (size_t i = 0; i < uv.size(); ++i) {
    const v1::MappingContact& contact = contacts[i];
    EXPECT_EQ(contact.contact_index(), i + 1);
    EXPECT_NEAR(contact.amplitude_uv(), std::fabs(uv[i]) * UnitRms(),
                0.5 + 0.1 * std::fabs(uv[i]) * UnitRms());
    EXPECT_EQ(contact.current_ma(), 15);
    if (uv[i] == 0) {
      EXPECT_LT(std::fabs(contact.polarity_ratio()), 0.6);
      continue;
    }
    // A small response of that shape is as like it as a large one.
    EXPECT_GT(contact.polarity_ratio() * std::copysign(upright, uv[i]), 0.75);
    if (std::fabs(uv[i]) >= 20) {
      EXPECT_GT(std::fabs(contact.polarity_ratio()), 0.97);
    }
  }
}

class MidlineTest : public MappingTest {
 protected:
  // Contacts in turn, each with its own current, which its stimuli say.
  void RunCord(std::vector<double> uv) {
    Drawing drawing;
    drawing.channels = {"Scalp"};
    drawing.rate_hz = kRateHz;
    drawing.seconds = 110;
    drawing.noise_uv = 2;
    const int count = static_cast<int>(uv.size());
    for (int i = 0; i < 420; ++i) {
      StimulusTrigger pulse = StimulusOf(i, "MIDLINE");
      pulse.site = absl::StrCat("contact ", i % count + 1);
      pulse.commanded_ma = 2 + 0.1 * (i % count);
      // Of the first contact it is known what was delivered.
      if (i % count == 0) pulse.delivered_ma = 1.9;
      drawing.items.push_back(pulse);
    }
    drawing.uv = [uv, count](int, double time_s) {
      if (time_s < 1) return 0.0;
      const int i = static_cast<int>((time_s - 1) / 0.25);
      return Biphasic(std::fmod(time_s - 1, 0.25), 0.018, uv[static_cast<size_t>(i % count)]);
    };
    Run(absl::StrCat(R"(mapping { modality: MODALITY_MAP_MIDLINE strip: "cord"
           scalp_derivation: "Scalp" side: SIDE_MIDLINE trigger { label_prefix: "MIDLINE" }
           contact_count: )",
                     count, "}"),
        drawing);
  }
};

TEST_F(MidlineTest, IsFoundFromContactsStimulatedInTurn) {
  RunCord({6, 6, 6, -6, -6, -6, -6, -6});
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 3u);
  EXPECT_EQ(results[0].contact_after(), 4u);
}

TEST_F(MidlineTest, EachContactHasTheSettingItWasStimulatedWith) {
  RunCord({6, 6, 6, -6, -6, -6, -6, -6});
  const auto contacts = Contacts();
  const auto sweeps = Sweeps();
  ASSERT_THAT(contacts, SizeIs(8));
  ASSERT_THAT(sweeps, SizeIs(8));
  EXPECT_EQ(contacts[0].current_ma(), 1.9);
  EXPECT_EQ(sweeps[0].stimulus().delivered_ma(), 1.9);
  EXPECT_EQ(sweeps[0].stimulus().current_ma(), 2);
  for (size_t i = 1; i < 8; ++i) {
    EXPECT_NEAR(contacts[i].current_ma(), 2 + 0.1 * static_cast<double>(i), 1e-9);
    EXPECT_NEAR(sweeps[i].stimulus().current_ma(), 2 + 0.1 * static_cast<double>(i), 1e-9);
    EXPECT_EQ(sweeps[i].stimulus().delivered_ma(), 0);
  }
}

TEST_F(MidlineTest, OneSideOfTheCordAloneIsNowhere) {
  RunCord({6, 7, 8, 7, 6, 5});
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 0u);
  EXPECT_EQ(results[0].mark_confidence(), v1::MARK_CONFIDENCE_NO_RESPONSE);
  for (const v1::MappingContact& contact : Contacts()) EXPECT_GT(contact.polarity_ratio(), 0.9);
}

}  // namespace
}  // namespace remora::agent
