// Modalities that share an entry of the plan with another one, each from samples to records: what
// is evoked by its own rate and window, what a muscle answers from its threshold on, four limbs of
// one coded stream.
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class EachModalityTest : public DrawnCaseTest {
 protected:
  std::vector<v1::Measurement> Measured(const std::string& trace_id) const {
    std::vector<v1::Measurement> found;
    for (const v1::Measurement& one :
         sink_.All(&v1::Record::has_measurement, &v1::Record::measurement)) {
      if (one.trace_id() == trace_id) found.push_back(one);
    }
    return found;
  }
  std::vector<v1::StimulusThreshold> Thresholds() const {
    return sink_.All(&v1::Record::has_stimulus_threshold, &v1::Record::stimulus_threshold);
  }

  // Stimuli each second from 1 s on, of 1, 2, 3 ... `step`, answered from the sixth on.
  void RunSearch(const std::string& modality, double latency_s, double step, bool is_voltage) {
    Drawing drawing;
    drawing.channels = {"TA"};
    drawing.seconds = 12;
    for (int i = 1; i <= 10; ++i) {
      StimulusTrigger pulse;
      pulse.time_ns = int64_t{1'000'000'000} * i;
      pulse.label = "PROBE S1";
      (is_voltage ? pulse.commanded_v : pulse.delivered_ma) = step * i;
      drawing.items.push_back(pulse);
    }
    drawing.uv = [latency_s](int, double time_s) {
      const int i = static_cast<int>(time_s);
      return i >= 6 && i <= 10 ? Biphasic(time_s - i, latency_s, 300) : 0.0;
    };
    Run(absl::StrCat("motor { modality: MODALITY_", modality,
                     R"( trigger { label_prefix: "PROBE" } threshold { step: )", step, " maximum: ",
                     20 * step, R"( } muscle { derivation: "TA" side: SIDE_LEFT } })"),
        std::move(drawing));
  }

  // One evoked entry; a stimulus each `period_s` from 0.5 s on, answered by `answer`.
  void RunEvoked(const std::string& entry, double rate_hz, double period_s, int stimuli,
                 std::function<double(double since_s)> answer) {
    Drawing drawing;
    drawing.channels = {"E"};
    drawing.rate_hz = rate_hz;
    drawing.noise_uv = 0.2;
    drawing.seconds = 1 + period_s * stimuli;
    for (int i = 0; i < stimuli; ++i) {
      StimulusTrigger pulse;
      pulse.time_ns = static_cast<int64_t>((0.5 + i * period_s) * 1e9);
      pulse.label = "STIM";
      drawing.items.push_back(pulse);
    }
    drawing.uv = [period_s, answer = std::move(answer)](int, double time_s) {
      return time_s < 0.5 ? 0.0 : answer(std::fmod(time_s - 0.5, period_s));
    };
    Run(absl::StrCat(
            R"(evoked { derivation: "E" side: SIDE_LEFT trigger { label_prefix: "STIM" } )", entry,
            "}"),
        std::move(drawing));
  }
};

struct Searched {
  const char* modality;
  double latency_s;
};

class SearchedModalityTest : public EachModalityTest,
                             public testing::WithParamInterface<Searched> {};

TEST_P(SearchedModalityTest, IsMeasuredAndItsThresholdFound) {
  const auto [modality, latency_s] = GetParam();
  RunSearch(modality, latency_s, 1, /*is_voltage=*/false);
  const std::string trace = absl::StrCat(modality, "/L/TA");
  const auto measured = Measured(trace);
  ASSERT_THAT(measured, SizeIs(10));
  EXPECT_EQ(measured[4].state(), v1::MEASUREMENT_STATE_NO_RESPONSE);
  EXPECT_EQ(measured[5].muscle().presence(), v1::RESPONSE_PRESENCE_PRESENT);
  EXPECT_NEAR(measured[5].latency_ms(), 1000 * latency_s, 0.7);
  EXPECT_EQ(v1::Modality_Name(measured[5].modality()), absl::StrCat("MODALITY_", modality));
  ASSERT_THAT(Thresholds(), SizeIs(10));
  const v1::StimulusThreshold found = Thresholds().back();
  EXPECT_EQ(found.state(), v1::THRESHOLD_STATE_FOUND);
  EXPECT_EQ(found.threshold_ma(), 6);
  EXPECT_EQ(found.level(), "S1");
  EXPECT_EQ(found.trace_id(), trace);
  EXPECT_EQ(found.modality(), measured[5].modality());
}

INSTANTIATE_TEST_SUITE_P(Muscles, SearchedModalityTest,
                         testing::Values(Searched{"MEP_DIRECT_CORTICAL", 0.024},
                                         Searched{"MAP_SUBCORTICAL", 0.024},
                                         Searched{"MAP_CORTICAL_STIMULATION", 0.024},
                                         Searched{"EMG_TRIGGERED", 0.012},
                                         Searched{"DIRECT_NERVE_STIMULATION", 0.012}),
                         [](const auto& of) { return std::string(of.param.modality); });

// Three sites, of which the second moves the hand; the third's samples are at the limit.
TEST_F(EachModalityTest, AMapOfTheCortexSaysWhichMusclesAnsweredAtEachSite) {
  Drawing drawing;
  drawing.channels = {"APB", "FDI", "Orbicularis"};
  drawing.seconds = 5;
  for (int i = 1; i <= 4; ++i) {
    StimulusTrigger train;
    train.time_ns = int64_t{1'000'000'000} * i;
    train.label = i == 4 ? "DCS tumour edge" : absl::StrCat("DCS grid ", i + 10);
    train.pulses = 5;
    train.pulse_interval_ms = 4;
    train.commanded_ma = 8 + i;
    drawing.items.push_back(train);
  }
  drawing.uv = [](int channel, double time_s) {
    if (time_s > 2.9 && time_s < 3.5) return 1e6;
    if (time_s < 2 || time_s > 2.9 || channel == 2) return 0.0;
    return Biphasic(time_s - 2, 0.026, channel == 0 ? 200 : 400);
  };
  Run(R"(motor { modality: MODALITY_MAP_CORTICAL_STIMULATION trigger { label_prefix: "DCS" }
        stimulus { pulse_count: 5 side: SIDE_LEFT }
        muscle { derivation: "APB" side: SIDE_RIGHT } muscle { derivation: "FDI" side: SIDE_RIGHT }
        muscle { derivation: "Orbicularis" side: SIDE_RIGHT } })",
      std::move(drawing));
  const auto sites = sink_.All(&v1::Record::has_mapping_contact, &v1::Record::mapping_contact);
  ASSERT_THAT(sites, SizeIs(3)) << "one without a number is told by its measurements alone";
  EXPECT_EQ(sites[0].strip(), "grid");
  EXPECT_EQ(sites[0].contact_index(), 11u);
  EXPECT_EQ(sites[0].response(), "none");
  EXPECT_EQ(sites[0].current_ma(), 9);
  EXPECT_EQ(sites[0].side(), v1::SIDE_LEFT);
  EXPECT_EQ(sites[1].contact_index(), 12u);
  EXPECT_EQ(sites[1].response(), "APB, FDI");
  EXPECT_EQ(sites[1].actor(), "");
  EXPECT_GT(sites[1].sweep().origin_seq(), 0u);
  EXPECT_EQ(sites[2].response(), "not assessable");
  EXPECT_THAT(Measured("MAP_CORTICAL_STIMULATION/R/APB"), SizeIs(4));
}

TEST_F(EachModalityTest, AMapOfTheCortexNamesNoSideOfItsOwnAndNoAnswerToWhatWasNotDelivered) {
  Drawing drawing;
  drawing.seconds = 4;
  std::string muscles;
  for (int i = 0; i < 24; ++i) {
    drawing.channels.push_back(absl::StrCat("muscle number ", i));
    absl::StrAppend(&muscles, "muscle { derivation: \"", drawing.channels.back(),
                    "\" side: SIDE_RIGHT } ");
  }
  for (int i = 1; i <= 2; ++i) {
    StimulusTrigger train;
    train.time_ns = int64_t{1'000'000'000} * i;
    train.label = absl::StrCat("DCS ", i);
    train.commanded_ma = 8;
    train.delivered_ma = i == 1 ? 0 : 8;
    drawing.items.push_back(train);
  }
  drawing.uv = [](int, double time_s) {
    return time_s < 2 ? 0.0 : Biphasic(time_s - 2, 0.026, 200);
  };
  Run(absl::StrCat("motor { modality: MODALITY_MAP_CORTICAL_STIMULATION trigger { label_prefix: ",
                   "\"DCS\" } ", muscles, "}"),
      std::move(drawing));
  const auto sites = sink_.All(&v1::Record::has_mapping_contact, &v1::Record::mapping_contact);
  ASSERT_THAT(sites, SizeIs(2));
  EXPECT_EQ(sites[0].response(), "nothing was delivered");
  EXPECT_EQ(sites[0].current_ma(), 0);
  EXPECT_EQ(sites[0].strip(), "site");
  EXPECT_EQ(sites[0].side(), v1::SIDE_UNSPECIFIED) << "the muscles' is the other one";
  EXPECT_THAT(sites[1].response(), testing::StartsWith("muscle number 0, muscle number 1, "));
  EXPECT_THAT(sites[1].response(), testing::EndsWith(" more"));
}

TEST_F(EachModalityTest, TheThresholdOfAStimulatorThatHoldsTheVoltageIsAVoltage) {
  RunSearch("MEP_TRANSCRANIAL", 0.024, 50, /*is_voltage=*/true);
  ASSERT_THAT(Thresholds(), SizeIs(10));
  EXPECT_EQ(Thresholds().back().state(), v1::THRESHOLD_STATE_FOUND);
  EXPECT_EQ(Thresholds().back().threshold_v(), 300);
  EXPECT_EQ(Thresholds().back().threshold_ma(), 0);
  EXPECT_EQ(Thresholds().back().largest_without_response(), 250);
}

TEST_F(EachModalityTest, ADermatomesResponseIsAveraged) {
  RunEvoked(R"(modality: MODALITY_SEP_DERMATOMAL stimulus { rate_hz: 3.1 } sweep_count: 40
      component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 28 }
      component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 20 window_to_ms: 36 })",
            5000, 1 / 3.1, 45, [](double since_s) { return -Biphasic(since_s, 0.022, 6); });
  const auto measured = Measured("SEP_DERMATOMAL/L/E");
  ASSERT_THAT(measured, Not(IsEmpty()));
  EXPECT_NEAR(measured[0].latency_ms(), 22, 0.6) << measured[0].reason();
  EXPECT_NEAR(measured[0].amplitude_uv(), 6, 1);
}

TEST_F(EachModalityTest, AFlashsP100IsMarkedBehindItsN75) {
  RunEvoked(R"(modality: MODALITY_VEP stimulus { rate_hz: 1.9 } sweep_count: 20
      component { label: "N75" polarity: POLARITY_NEGATIVE window_from_ms: 60 window_to_ms: 90 }
      component { label: "P100" polarity: POLARITY_POSITIVE
        window_from_ms: 85 window_to_ms: 130 })",
            2000, 1 / 1.9, 22, [](double since_s) {
              const auto bell = [since_s](double at_s, double width_s) {
                return std::exp(-std::pow((since_s - at_s) / width_s, 2));
              };
              return -5 * bell(0.075, 0.008) + 9 * bell(0.100, 0.010);
            });
  const auto measured = Measured("VEP/L/E");
  ASSERT_THAT(measured, Not(IsEmpty()));
  EXPECT_EQ(measured[0].component(), "N75-P100");
  EXPECT_NEAR(measured[0].latency_ms(), 75, 1.5) << measured[0].reason();
  EXPECT_NEAR(measured[0].interpeak_ms(), 25, 2);
  EXPECT_NEAR(measured[0].amplitude_uv(), 14, 2);
}

// 43.9 a second: a stimulus each 22.8 ms, whose epoch of 17 ms ends before the next.
TEST_F(EachModalityTest, TheFastBaepIsAveragedWithAllItsSweeps) {
  RunEvoked(R"(modality: MODALITY_BAEP stimulus { rate_hz: 43.9 } sweep_count: 400
      component { label: "V" polarity: POLARITY_POSITIVE window_from_ms: 4.5 window_to_ms: 8 }
      component { label: "V'" polarity: POLARITY_NEGATIVE window_from_ms: 5 window_to_ms: 10 })",
            10000, 1 / 43.9, 420, [](double since_s) {
              // A wave of 1 ms, as tall as half a microvolt.
              const double at = (since_s - 0.0057) / 0.0004;
              const double trough = (since_s - 0.0068) / 0.0005;
              return 0.5 * std::exp(-at * at) - 0.3 * std::exp(-trough * trough);
            });
  const auto measured = Measured("BAEP/L/E");
  ASSERT_THAT(measured, Not(IsEmpty()));
  EXPECT_NEAR(measured[0].latency_ms(), 5.7, 0.1) << measured[0].reason();
  for (const v1::Sweep& sweep : sink_.All(&v1::Record::has_sweep, &v1::Record::sweep)) {
    if (sweep.provisional()) continue;
    EXPECT_EQ(sweep.accepted_count(), 400u);
    EXPECT_EQ(sweep.rejected().gap_count(), 0u);
    break;
  }
}

TEST_F(EachModalityTest, TheCochleasResponseIsAveraged) {
  RunEvoked(R"(modality: MODALITY_ECOCHG stimulus { rate_hz: 11.1 } sweep_count: 100
      component { label: "AP" polarity: POLARITY_NEGATIVE window_from_ms: 1 window_to_ms: 3 }
      component { label: "P" polarity: POLARITY_POSITIVE window_from_ms: 1.8 window_to_ms: 5 })",
            20000, 1 / 11.1, 105, [](double since_s) {
              const double at = (since_s - 0.0018) / 0.0003;
              const double back = (since_s - 0.0029) / 0.0004;
              return -3 * std::exp(-at * at) + 2 * std::exp(-back * back);
            });
  const auto measured = Measured("ECOCHG/L/E");
  ASSERT_THAT(measured, Not(IsEmpty()));
  EXPECT_NEAR(measured[0].latency_ms(), 1.8, 0.1) << measured[0].reason();
}

// The stream's code says which limb; each has a response of its own size.
TEST_F(EachModalityTest, FourLimbsOfOneCodedStreamAreAveragedApart) {
  struct Limb {
    const char* modality;
    const char* side;
    double latency_s;
    const char* components;
  };
  constexpr char kArm[] = R"(
      component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 26 }
      component { label: "P25" polarity: POLARITY_POSITIVE window_from_ms: 20 window_to_ms: 36 })";
  constexpr char kLeg[] = R"(
      component { label: "P37" polarity: POLARITY_NEGATIVE window_from_ms: 32 window_to_ms: 46 }
      component { label: "N45" polarity: POLARITY_POSITIVE window_from_ms: 36 window_to_ms: 56 })";
  const std::vector<Limb> limbs = {{"SEP_UPPER", "RIGHT", 0.020, kArm},
                                   {"SEP_LOWER", "RIGHT", 0.038, kLeg},
                                   {"SEP_UPPER", "LEFT", 0.021, kArm},
                                   {"SEP_LOWER", "LEFT", 0.039, kLeg}};
  std::string plan;
  for (size_t i = 0; i < limbs.size(); ++i) {
    absl::StrAppend(&plan, "evoked { modality: MODALITY_", limbs[i].modality, " side: SIDE_",
                    limbs[i].side, R"( derivation: "CPz" trigger { code: )", i + 1,
                    " } stimulus { rate_hz: 1.5625 } sweep_count: 30 ", limbs[i].components, "}");
  }
  constexpr double kApartS = 0.16;
  Drawing drawing;
  drawing.channels = {"CPz"};
  drawing.noise_uv = 0.3;
  constexpr int kStimuli = 4 * 32;
  drawing.seconds = kStimuli * kApartS + 1;
  for (int i = 0; i < kStimuli; ++i) {
    StimulusTrigger pulse;
    pulse.time_ns = static_cast<int64_t>((0.5 + i * kApartS) * 1e9);
    pulse.code = i % 4 + 1;
    drawing.items.push_back(pulse);
  }
  drawing.uv = [limbs](int, double time_s) {
    if (time_s < 0.5) return 0.0;
    const auto i = static_cast<size_t>((time_s - 0.5) / kApartS);
    const double since_s = time_s - 0.5 - static_cast<double>(i) * kApartS;
    return -Biphasic(since_s, limbs[i % 4].latency_s, 3.0 * static_cast<double>(i % 4 + 1));
  };
  Run(plan, std::move(drawing));
  const char* const traces[] = {"SEP_UPPER/R/CPz", "SEP_LOWER/R/CPz", "SEP_UPPER/L/CPz",
                                "SEP_LOWER/L/CPz"};
  for (size_t i = 0; i < 4; ++i) {
    const auto measured = Measured(traces[i]);
    ASSERT_THAT(measured, Not(IsEmpty())) << traces[i];
    EXPECT_NEAR(measured[0].latency_ms(), 1000 * limbs[i].latency_s, 0.4) << traces[i];
    EXPECT_NEAR(measured[0].amplitude_uv(), 3.0 * static_cast<double>(i + 1),
                0.15 * 3 * static_cast<double>(i + 1))
        << traces[i];
  }
}

// Of averaged traces too: the numbers stand, and are not like for like.
TEST_F(EachModalityTest, AnAverageAtAnotherCurrentIsNotLikeForLikeWithItsBaseline) {
  Drawing drawing;
  drawing.channels = {"E"};
  drawing.noise_uv = 0.3;
  drawing.seconds = 32;
  for (int i = 0; i < 120; ++i) {
    StimulusTrigger pulse;
    pulse.time_ns = static_cast<int64_t>((0.5 + i * 0.25) * 1e9);
    pulse.label = "STIM";
    pulse.delivered_ma = i < 60 ? 15 : 25;
    drawing.items.push_back(pulse);
  }
  drawing.uv = [](int, double time_s) {
    return time_s < 0.5 ? 0.0 : -Biphasic(std::fmod(time_s - 0.5, 0.25), 0.020, 6);
  };
  Run(R"(evoked { modality: MODALITY_SEP_UPPER side: SIDE_LEFT derivation: "E"
      trigger { label_prefix: "STIM" } stimulus { rate_hz: 4 } sweep_count: 25
      baseline { first_averages_count: 1 }
      component { label: "N20" polarity: POLARITY_NEGATIVE window_from_ms: 16 window_to_ms: 26 }
      component { label: "P25" polarity: POLARITY_POSITIVE
        window_from_ms: 20 window_to_ms: 36 } })",
      std::move(drawing));
  const auto measured = Measured("SEP_UPPER/L/E");
  ASSERT_GE(measured.size(), 4u);
  EXPECT_THAT(measured[1].quality(), Not(Contains(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE)));
  EXPECT_THAT(measured.back().quality(), Contains(v1::QUALITY_FLAG_NOT_LIKE_FOR_LIKE))
      << measured.back().reason();
}

}  // namespace
}  // namespace remora::agent
