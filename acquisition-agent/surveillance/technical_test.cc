// Stimuli that do not come, beside those that a stimulator leaves out for others, and electrodes
// that come off.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

constexpr char kPlan[] = R"(
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "CP3"
    trigger { label_prefix: "MED R" } stimulus { site: "median nerve" rate_hz: 4 }
    component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 26 }
    component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 20 window_to_ms: 36 } })";

class TechnicalTest : public DrawnCaseTest {
 protected:
  // `at_s` of each label, in any order.
  void RunStimuli(double seconds, const std::vector<double>& averaged_s,
                  const std::vector<double>& single_s) {
    Drawing drawing;
    drawing.channels = {"CP3"};
    drawing.rate_hz = 2000;
    drawing.seconds = seconds;
    drawing.noise_uv = 5;
    const auto add = [&](double at_s, const char* label) {
      StimulusTrigger pulse;
      pulse.time_ns = static_cast<int64_t>(at_s * 1e9);
      pulse.label = label;
      drawing.items.push_back(pulse);
    };
    for (const double at_s : averaged_s) add(at_s, "MED R");
    for (const double at_s : single_s) add(at_s, "TOF L");
    std::stable_sort(drawing.items.begin(), drawing.items.end(),
                     [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
    Run(kPlan, std::move(drawing));
  }
  // Condition and second of every alert on the stimulus.
  std::vector<std::pair<v1::AlertCondition, int>> Alerts() const {
    std::vector<std::pair<v1::AlertCondition, int>> found;
    for (const v1::Record& record : sink_.records) {
      if (!record.has_alert() || record.alert().trace_id() != "stimulus/MED R") continue;
      found.emplace_back(record.alert().condition(),
                         static_cast<int>(record.captured_at().monotonic_ns() / 1'000'000'000));
    }
    return found;
  }
  // 4 a second from 1 s on, without those from `from_s` to `to_s` of each `every_s`.
  static std::vector<double> Averaged(double until_s, double every_s, double from_s, double to_s) {
    std::vector<double> at_s;
    for (double t = 1; t < until_s; t += 0.25) {
      const double in = std::fmod(t, every_s);
      if (in < from_s || in >= to_s) at_s.push_back(t);
    }
    return at_s;
  }
};

TEST_F(TechnicalTest, ATrainOfFourEachMinuteIsNoLossOfTheOthers) {
  // Averaged stimuli pause for 2.5 s, in which four at 2 Hz are given.
  std::vector<double> trains;
  for (double minute = 0; minute < 60; minute += 10) {
    for (int i = 0; i < 4; ++i) trains.push_back(minute + 5.4 + 0.5 * i);
  }
  RunStimuli(60, Averaged(60, 10, 5, 7.5), trains);
  EXPECT_THAT(Alerts(), IsEmpty());
}

TEST_F(TechnicalTest, APauseInWhichNothingElseCameIsTold) {
  RunStimuli(30, Averaged(30, 20, 5, 7.5), {});
  EXPECT_THAT(Alerts(), ElementsAre(std::pair(v1::ALERT_CONDITION_RAISED, 6),
                                    std::pair(v1::ALERT_CONDITION_RECOVERED, 8),
                                    std::pair(v1::ALERT_CONDITION_UPDATED, 26),
                                    std::pair(v1::ALERT_CONDITION_RECOVERED, 28)));
}

TEST_F(TechnicalTest, OthersExcuseAStopForTenSecondsAtMost) {
  std::vector<double> singles;
  for (double t = 5.5; t < 40; t += 1) singles.push_back(t);
  RunStimuli(40, Averaged(5, 100, 50, 60), singles);
  EXPECT_THAT(Alerts(), ElementsAre(std::pair(v1::ALERT_CONDITION_RAISED, 16)));
}

// Four limbs of one coded stream.
std::string CodedPlan(int limbs) {
  std::string plan;
  for (int code = 1; code <= limbs; ++code) {
    absl::StrAppend(&plan, R"(
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "E)",
                    code, R"("
    trigger { code: )",
                    code, R"( } stimulus { site: "median nerve" rate_hz: 4 }
    component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 26 }
    component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 20 window_to_ms: 36 } })");
  }
  return plan;
}

TEST_F(TechnicalTest, OneOfSeveralCodesThatPausesIsOneAlertByItsName) {
  Drawing drawing;
  drawing.rate_hz = 2000;
  drawing.seconds = 30;
  drawing.noise_uv = 5;
  for (int code = 1; code <= 4; ++code) {
    drawing.channels.push_back(absl::StrCat("E", code));
    for (double t = 1 + 0.06 * code; t < 30; t += 0.25) {
      if (code == 3 && t > 10 && t < 20) continue;
      StimulusTrigger pulse;
      pulse.time_ns = static_cast<int64_t>(t * 1e9);
      pulse.code = code;
      drawing.items.push_back(pulse);
    }
  }
  std::stable_sort(drawing.items.begin(), drawing.items.end(),
                   [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
  Run(CodedPlan(4), std::move(drawing));
  const auto alerts = sink_.All(&v1::Record::has_alert, &v1::Record::alert);
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[0].trace_id(), "stimulus/code 3");
  EXPECT_EQ(alerts[0].condition(), v1::ALERT_CONDITION_RAISED);
  EXPECT_THAT(alerts[0].summary(), HasSubstr("No stimuli code 3 for "));
  EXPECT_EQ(alerts[1].trace_id(), "stimulus/code 3");
  EXPECT_EQ(alerts[1].condition(), v1::ALERT_CONDITION_RECOVERED);
}

// An entry of each kind; "BOTH" is in two of them.
constexpr char kEveryEntry[] = R"(
  evoked { modality: MODALITY_SEP_UPPER side: SIDE_RIGHT derivation: "CP3"
    trigger { label_prefix: "MED R" } stimulus { site: "median nerve" }
    component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 26 }
    component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 20 window_to_ms: 36 } }
  emg { derivation: "BOTH" side: SIDE_LEFT }
  motor { modality: MODALITY_MEP_TRANSCRANIAL trigger { label_prefix: "MEP" }
    muscle { derivation: "BOTH" side: SIDE_LEFT } muscle { derivation: "APB" side: SIDE_LEFT } }
  eeg { derivation: "F3" side: SIDE_LEFT }
  train_of_four { derivation: "ADM" side: SIDE_LEFT limb: "left hand"
    trigger { label_prefix: "TOF" } }
  mapping { modality: MODALITY_MAP_CORTICAL_PHASE_REVERSAL strip: "strip"
    contact_derivation: "G1" contact_derivation: "G2" trigger { label_prefix: "MED R" } }
  mapping { modality: MODALITY_MAP_MIDLINE strip: "cord" scalp_derivation: "CZ" contact_count: 3
    trigger { label_prefix: "CORD" } })";

TEST_F(TechnicalTest, AnElectrodeOfAnyEntryThatComesOffIsToldOnceWithWhatItAffects) {
  Drawing drawing;
  drawing.channels = {"CP3", "BOTH", "APB", "F3", "ADM", "G1", "G2", "CZ", "UNUSED"};
  drawing.rate_hz = 5000;
  drawing.seconds = 6;
  drawing.noise_uv = 5;
  // All come off, one as the other.
  drawing.uv = [](int, double time_s) { return time_s > 2 ? 9000.0 : 0.0; };
  Run(kEveryEntry, std::move(drawing));
  std::vector<std::string> told;
  for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
    if (absl::StartsWith(alert.trace_id(), "electrode/")) told.push_back(alert.summary());
  }
  EXPECT_THAT(told,
              UnorderedElementsAre(
                  HasSubstr("Affects SEP_UPPER/R/CP3"),
                  AllOf(HasSubstr("Electrode BOTH is at the amplifier's limit"),
                        HasSubstr("Affects EMG_FREE_RUNNING/L/BOTH, MEP_TRANSCRANIAL/L/BOTH")),
                  HasSubstr("Affects MEP_TRANSCRANIAL/L/APB"), HasSubstr("Affects EEG/L/F3"),
                  HasSubstr("Affects TRAIN_OF_FOUR/L/ADM"),
                  HasSubstr("Affects MAP_CORTICAL_PHASE_REVERSAL/-/G1/1"),
                  HasSubstr("Affects MAP_CORTICAL_PHASE_REVERSAL/-/G2/2"),
                  HasSubstr("Affects MAP_MIDLINE/-/CZ/1, MAP_MIDLINE/-/CZ/2, MAP_MIDLINE/-/CZ/3")));
}

TEST_F(TechnicalTest, OthersDoNotMakeAStopGood) {
  RunStimuli(30, Averaged(5, 100, 50, 60), {8, 8.5, 9, 9.5});
  EXPECT_THAT(Alerts(), ElementsAre(std::pair(v1::ALERT_CONDITION_RAISED, 6)));
}

TEST_F(TechnicalTest, BehindARestartAlertsOfBeforeRecoverAndAreNotRaisedTwice) {
  is_killed_at_end_ = true;
  std::vector<double> until_10_s;
  for (double at_s = 1; at_s < 10; at_s += 0.25) until_10_s.push_back(at_s);
  RunStimuli(20, until_10_s, {});
  ASSERT_THAT(Alerts(), ElementsAre(testing::Pair(v1::ALERT_CONDITION_RAISED, testing::_)));
  Kill();
  const auto before = std::find_if(
      past_->alerts.begin(), past_->alerts.end(),
      [](const CasePast::Alert& alert) { return alert.last.trace_id() == "stimulus/MED R"; });
  ASSERT_NE(before, past_->alerts.end());
  // None at first, and then they come again.
  std::vector<double> from_8_s;
  for (double at_s = 8; at_s < 14; at_s += 0.25) from_8_s.push_back(at_s);
  RunStimuli(15, from_8_s, {});
  ASSERT_THAT(Alerts(), ElementsAre(testing::Pair(v1::ALERT_CONDITION_RECOVERED, testing::_)));
  for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
    if (alert.trace_id() != "stimulus/MED R") continue;
    EXPECT_EQ(alert.raised_by().origin_seq(), before->key.origin_seq);
  }
}

TEST_F(TechnicalTest, BehindARestartAnElectrodeThatIsOnAgainRecovers) {
  is_killed_at_end_ = true;
  const auto run = [this](bool flat) {
    Drawing drawing;
    drawing.channels = {"CP3"};
    drawing.rate_hz = 2000;
    drawing.seconds = 20;
    drawing.noise_uv = flat ? 0 : 5;
    Run("emg { derivation: \"CP3\" side: SIDE_LEFT }", std::move(drawing));
  };
  const auto electrode_alerts = [this] {
    std::vector<v1::Alert> found;
    for (const v1::Alert& alert : sink_.All(&v1::Record::has_alert, &v1::Record::alert)) {
      if (alert.trace_id() == "electrode/CP3") found.push_back(alert);
    }
    return found;
  };
  run(/*flat=*/true);
  ASSERT_THAT(electrode_alerts(), SizeIs(1));
  Kill();
  run(/*flat=*/true);
  EXPECT_THAT(electrode_alerts(), IsEmpty()) << "it is on already";
  run(/*flat=*/false);
  ASSERT_THAT(electrode_alerts(), SizeIs(1));
  EXPECT_EQ(electrode_alerts()[0].condition(), v1::ALERT_CONDITION_RECOVERED);
}

}  // namespace
}  // namespace remora::agent
