// Maps of a drawn case: what is said of each contact of a strip, and where the response turns over.
#include <cmath>
#include <functional>
#include <numbers>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr double kRateHz = 2000;

class MappingTest : public DrawnCaseTest {
 protected:
  // What the end of a recording tells of a round that had begun is told of where that is tested.
  MappingTest() { is_killed_at_end_ = true; }

  // A stimulus each 0.25 s from 1 s on.
  static StimulusTrigger StimulusOf(int i, const std::string& label) {
    StimulusTrigger pulse;
    pulse.time_ns = 1'000'000'000 + int64_t{250'000'000} * i;
    pulse.label = label;
    return pulse;
  }
  // Rms about its mean of a response of 1 uV within the strip's window, which is what the weights
  // are in: the band-pass (30-500 Hz) lets it through.
  static double UnitRms(double from_ms = 14, double to_ms = 30) {
    std::vector<double> uv;
    double sum = 0;
    for (double ms = from_ms; ms <= to_ms; ms += 1000 / kRateHz) {
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

class StripTest : public MappingTest {
 protected:
  // A response of so many uV after each stimulus at each of eight contacts.
  static Drawing Strip(int stimuli, std::function<double(int stimulus, int channel)> uv) {
    Drawing drawing;
    drawing.rate_hz = kRateHz;
    drawing.seconds = 0.25 * stimuli + 3;
    drawing.noise_uv = 5;
    for (int i = 1; i <= 8; ++i) drawing.channels.push_back(absl::StrCat("G", i));
    for (int i = 0; i < stimuli; ++i) {
      drawing.items.push_back(StimulusOf(i, "MED R"));
      Of(&drawing, i).commanded_ma = 15;
    }
    drawing.uv = [uv, stimuli](int channel, double time_s) {
      const int stimulus = static_cast<int>((time_s - 1) / 0.25);
      if (time_s < 1 || stimulus >= stimuli) return 0.0;
      return Biphasic(std::fmod(time_s - 1, 0.25), 0.020, uv(stimulus, channel));
    };
    return drawing;
  }
  static StimulusTrigger& Of(Drawing* drawing, int stimulus) {
    return std::get<StimulusTrigger>(drawing->items[static_cast<size_t>(stimulus)]);
  }
  // Upright up to this contact, turned over behind it.
  static double Turned(int channel, int after) { return channel < after ? 30 : -30; }
};

constexpr char kStripPlan[] = R"(
  mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "frontal" side: SIDE_LEFT
    contact_derivation: "G1" contact_derivation: "G2" contact_derivation: "G3"
    contact_derivation: "G4" contact_derivation: "G5" contact_derivation: "G6"
    contact_derivation: "G7" contact_derivation: "G8" trigger { label_prefix: "MED R" } })";

TEST_F(StripTest, ADeadContactIsNamedAndTheTurnAcrossItSaysSo) {
  Drawing drawing = Strip(60, [](int, int channel) { return Turned(channel, 4); });
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    return channel == 3 ? 50'000.0 : drawn(channel, time_s);  // at the amplifier's limit
  };
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 3u);
  EXPECT_EQ(results[0].contact_after(), 5u);
  EXPECT_GT(results[0].confidence(), 0.8);
  EXPECT_THAT(results[0].reason(), HasSubstr("somewhere between these two"));
  EXPECT_THAT(results[0].reason(), HasSubstr("contact 4 left out"));
  const auto contacts = Contacts();
  ASSERT_THAT(contacts, SizeIs(7));
  for (const v1::MappingContact& contact : contacts) {
    EXPECT_NE(contact.contact_index(), 4u);
    EXPECT_GT(std::fabs(contact.polarity_ratio()), 0.95) << contact.contact_index();
  }
}

TEST_F(StripTest, ADeadContactBesideTheTurnIsNamedAndTheTurnIsWhereItIs) {
  Drawing drawing = Strip(60, [](int, int channel) { return Turned(channel, 4); });
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    return channel == 7 ? 50'000.0 : drawn(channel, time_s);
  };
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 4u);
  EXPECT_EQ(results[0].contact_after(), 5u);
  EXPECT_THAT(results[0].reason(), HasSubstr("contact 8 left out"));
  EXPECT_THAT(results[0].reason(), Not(HasSubstr("somewhere")));
}

TEST_F(StripTest, ARoundIsOfOnePositionOfTheStrip) {
  Drawing drawing =
      Strip(92, [](int stimulus, int channel) { return Turned(channel, stimulus < 40 ? 2 : 6); });
  for (int i = 0; i < 92; ++i) Of(&drawing, i).label = i < 40 ? "MED R pos 1" : "MED R pos 2";
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].contact_before(), 2u);
  EXPECT_THAT(results[0].reason(), HasSubstr("at pos 1"));
  EXPECT_THAT(results[0].reason(), HasSubstr("ended early"));
  EXPECT_EQ(results[1].contact_before(), 6u);
  EXPECT_EQ(results[1].reason(), "at pos 2");
  for (const v1::Sweep& sweep : Sweeps()) {
    EXPECT_EQ(sweep.accepted_count(), sweep.block_index() == 0 ? 40u : 50u);
    EXPECT_EQ(sweep.quality_size(), sweep.block_index() == 0 ? 1 : 0);
  }
}

TEST_F(StripTest, AnAverageIsOfOneSettingAndWhatIsTooLittleOfOneIsNone) {
  // Six at 10 mA, 30 at 12 mA, the rest at 15 mA, each with its own turn.
  Drawing drawing = Strip(90, [](int stimulus, int channel) {
    return Turned(channel, stimulus < 6 ? 2 : stimulus < 36 ? 4 : 6);
  });
  for (int i = 0; i < 36; ++i) Of(&drawing, i).commanded_ma = i < 6 ? 10 : 12;
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].contact_before(), 4u);
  EXPECT_EQ(results[1].contact_before(), 6u);
  for (const v1::Sweep& sweep : Sweeps()) {
    const bool first = sweep.block_index() == 0;
    EXPECT_EQ(sweep.accepted_count(), first ? 30u : 50u);
    EXPECT_EQ(sweep.stimulus().current_ma(), first ? 12 : 15);
  }
}

TEST_F(StripTest, APauseEndsARound) {
  is_killed_at_end_ = false;
  Drawing drawing =
      Strip(80, [](int stimulus, int channel) { return Turned(channel, stimulus < 20 ? 2 : 6); });
  // 5 s in which a strip may be moved.
  drawing.items.erase(drawing.items.begin() + 20, drawing.items.begin() + 40);
  drawing.seconds += 1;
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].contact_before(), 2u) << "before the pause";
  for (const v1::Record& record : sink_.records) {
    if (!record.has_mapping_result()) continue;
    EXPECT_LT(record.captured_at().monotonic_ns(), 8'500'000'000) << "2 s behind its last stimulus";
    break;
  }
  EXPECT_THAT(results[0].reason(), HasSubstr("ended early"));
  EXPECT_EQ(results[1].contact_before(), 6u) << "40 behind it are not 50: they end with the source";
  EXPECT_THAT(results[1].reason(), HasSubstr("ended early"));
}

TEST_F(StripTest, AContactThatIsNothingButNoiseIsNamedAndHidesNoTurn) {
  Drawing drawing = Strip(60, [](int, int channel) { return Turned(channel, 4); });
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    const double hum = 150 * std::sin(2 * std::numbers::pi * 61.7 * time_s);
    return drawn(channel, time_s) + (channel == 6 ? hum : 0);
  };
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 4u) << results[0].reason();
  EXPECT_EQ(results[0].contact_after(), 5u);
  EXPECT_EQ(results[0].reason(), "contact 7 left out (far more noise than the others)");
  EXPECT_THAT(Contacts(), SizeIs(7));
}

// Whoever numbers the stimuli in the name of their site.
TEST_F(StripTest, StimuliOfWhichNoAverageComesAreTold) {
  is_killed_at_end_ = false;
  Drawing drawing = Strip(60, [](int, int channel) { return Turned(channel, 4); });
  for (int i = 0; i < 60; ++i) Of(&drawing, i).label = absl::StrCat("MED R ", i);
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2)) << "as many as a map takes, and the rest at the end";
  EXPECT_THAT(results[0].reason(), HasSubstr("50 stimuli are in no average"));
  EXPECT_THAT(results[1].reason(), HasSubstr("10 stimuli are in no average"));
  EXPECT_EQ(results[0].mark_confidence(), v1::MARK_CONFIDENCE_UNCERTAIN);
  EXPECT_THAT(Contacts(), SizeIs(0));
}

TEST_F(StripTest, WithoutTwoContactsThereIsNoMapButAResultThatSaysWhy) {
  Drawing drawing = Strip(60, [](int, int) { return 0.0; });
  drawing.uv = [](int channel, double) { return channel == 0 ? 0.0 : 50'000.0; };
  Run(kStripPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 0u);
  EXPECT_EQ(results[0].mark_confidence(), v1::MARK_CONFIDENCE_UNCERTAIN);
  EXPECT_THAT(results[0].reason(), HasSubstr("fewer than two contacts"));
  EXPECT_THAT(results[0].reason(), HasSubstr("contacts 2, 3, 4, 5, 6, 7, 8 left out"));
}

// Left and right leg in turn; each is largest over its own column.
class GradientTest : public StripTest {
 protected:
  static constexpr char kPlan[] = R"(
    mapping { modality: MODALITY_MAP_MIDLINE strip: "grid" side: SIDE_MIDLINE
      contact_derivation: "G1" contact_derivation: "G2" contact_derivation: "G3"
      contact_derivation: "G4" contact_derivation: "G5" contact_derivation: "G6"
      contact_derivation: "G7" contact_derivation: "G8" trigger { label_prefix: "TIB" } })";
  static Drawing Legs(int stimuli, double right_uv = 30) {
    Drawing drawing = Strip(stimuli, [right_uv](int stimulus, int channel) {
      const bool left = stimulus % 2 == 0;
      const double away = channel - (left ? 2.0 : 5.0);
      return (left ? 30 : right_uv) * std::exp(-away * away / 8);
    });
    for (int i = 0; i < stimuli; ++i) Of(&drawing, i).label = i % 2 == 0 ? "TIB L" : "TIB R";
    return drawing;
  }
};

TEST_F(GradientTest, TheMidlineIsWhereLeftAndRightCross) {
  Run(kPlan, Legs(110));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].method(), v1::MAPPING_METHOD_GRADIENT);
  EXPECT_EQ(results[0].contact_before(), 4u);
  EXPECT_EQ(results[0].contact_after(), 5u);
  EXPECT_EQ(results[0].mark_confidence(), v1::MARK_CONFIDENCE_CLEAR);
  EXPECT_GT(results[0].confidence(), 0.8);
  EXPECT_EQ(results[0].reason(), "");
  const auto contacts = Contacts();
  ASSERT_THAT(contacts, SizeIs(16));
  std::set<std::string> traces;
  for (const v1::Sweep& sweep : Sweeps()) traces.insert(sweep.trace_id());
  EXPECT_THAT(traces, SizeIs(16));
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(contacts[i].side(), i < 8 ? v1::SIDE_LEFT : v1::SIDE_RIGHT);
    EXPECT_EQ(contacts[i].contact_index(), i % 8 + 1);
    const double away = static_cast<double>(i % 8) - (i < 8 ? 2.0 : 5.0);
    const double uv = 30 * std::exp(-away * away / 8) * UnitRms(8, 40);
    EXPECT_NEAR(contacts[i].amplitude_uv(), uv, 0.5 + 0.1 * uv);
  }
}

TEST_F(GradientTest, WhereOneLegDoesNotAnswerThereIsNoMidline) {
  Run(kPlan, Legs(110, /*right_uv=*/0));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 0u);
  EXPECT_EQ(results[0].mark_confidence(), v1::MARK_CONFIDENCE_NO_RESPONSE);
  EXPECT_EQ(results[0].reason(), "no response after stimuli to the right leg");
}

TEST_F(GradientTest, ADeadContactAtTheCrossingIsNamed) {
  Drawing drawing = Legs(110);
  const auto drawn = drawing.uv;
  drawing.uv = [drawn](int channel, double time_s) {
    return channel == 3 ? 50'000.0 : drawn(channel, time_s);
  };
  Run(kPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 3u);
  EXPECT_EQ(results[0].contact_after(), 5u);
  EXPECT_THAT(results[0].reason(), HasSubstr("contacts 4 L, 4 R left out"));
}

TEST_F(GradientTest, StimuliThatNameNoLegAreToldAndAreInNone) {
  is_killed_at_end_ = false;
  Drawing drawing = Legs(60);
  for (int i = 0; i < 60; ++i) Of(&drawing, i).label = "TIB";
  Run(kPlan, std::move(drawing));
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2)) << "as many as a map takes, and the rest at the end";
  EXPECT_THAT(results[0].reason(), HasSubstr("50 stimuli named no contact or side"));
  EXPECT_THAT(results[1].reason(), HasSubstr("10 stimuli named no contact or side"));
  EXPECT_THAT(Contacts(), SizeIs(0));
}

class MidlineTest : public MappingTest {
 protected:
  // Contacts in turn, each with its own current, which its stimuli say.
  void RunCord(
      std::vector<double> uv,
      const std::function<void(int, StimulusTrigger*)>& change = [](int, StimulusTrigger*) {}) {
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
      change(i, &pulse);
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

TEST_F(MidlineTest, AContactThatIsNeverStimulatedIsNamedOnceTheOthersAreStimulatedAgain) {
  RunCord({6, 6, 6, -6, -6, -6}, [](int, StimulusTrigger* pulse) {
    if (pulse->site == "contact 5") pulse->site = "contact 6";
  });
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 3u);
  EXPECT_EQ(results[0].contact_after(), 4u);
  EXPECT_EQ(results[0].reason(), "contact 5 left out (not stimulated)");
  EXPECT_THAT(Contacts(), SizeIs(5));
}

TEST_F(MidlineTest, AContactThatNothingWasDeliveredToIsNamed) {
  RunCord({6, 6, 6, -6, -6, -6}, [](int, StimulusTrigger* pulse) {
    if (pulse->site == "contact 2") pulse->delivered_ma = 0;
  });
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 3u);
  EXPECT_EQ(results[0].reason(), "contact 2 left out (nothing was delivered)");
}

TEST_F(MidlineTest, AContactsAverageIsOfOneCurrent) {
  // Raised at the third contact after its first 20 stimuli.
  RunCord({6, 6, 6, -6, -6, -6}, [](int i, StimulusTrigger* pulse) {
    if (pulse->site == "contact 3") pulse->commanded_ma = i < 120 ? 1 : 3;
  });
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].contact_before(), 3u);
  const auto sweeps = Sweeps();
  ASSERT_THAT(sweeps, SizeIs(6));
  EXPECT_EQ(sweeps[2].accepted_count(), 50u);
  EXPECT_EQ(sweeps[2].stimulus().current_ma(), 3);
  EXPECT_GE(sweeps[2].first_stimulus_monotonic_ns(), 31'000'000'000) << "none of 1 mA is in it";
}

TEST_F(MidlineTest, ARoundIsOfOneLevelOfTheCord) {
  RunCord({6, 6, 6, -6, -6, -6}, [](int i, StimulusTrigger* pulse) {
    pulse->site = absl::StrCat(i < 60 ? "T9 " : "T10 ", pulse->site);
  });
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2)) << "ten of each contact are no map";
  EXPECT_EQ(results[0].contact_before(), 0u);
  EXPECT_THAT(results[0].reason(), HasSubstr("60 stimuli are in no average"));
  EXPECT_EQ(results[1].contact_before(), 3u);
  EXPECT_EQ(results[1].reason(), "at T10");
  for (const v1::Sweep& sweep : Sweeps()) {
    EXPECT_GE(sweep.first_stimulus_monotonic_ns(), 16'000'000'000);
  }
}

TEST_F(MidlineTest, ALevelOfTheSpineIsNoContact) {
  RunCord({6, 6, 6, -6, -6, -6}, [](int i, StimulusTrigger* pulse) {
    if (i < 54) pulse->site = "T4";
  });
  const auto results = Results();
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_THAT(results[0].reason(), HasSubstr("50 stimuli named no contact"));
  EXPECT_EQ(results[1].contact_before(), 3u);
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
