#include "dsp/filter/stimulus_blanking.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "dsp/testing/test_signals.h"

namespace remora::dsp {
namespace {

// Equal, where NaN equals NaN.
void ExpectSame(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (std::isnan(expected[i])) {
      EXPECT_TRUE(std::isnan(actual[i])) << i;
    } else {
      EXPECT_EQ(actual[i], expected[i]) << i;
    }
  }
}

// A whole recording at once, in place.
absl::Status Blank(const std::vector<double>& trigger_samples, double sample_rate_hz,
                   const BlankingWindow& window, std::vector<double>& samples) {
  auto blanking = StimulusBlanking::Create(sample_rate_hz, window);
  if (!blanking.ok()) return blanking.status();
  for (const double trigger : trigger_samples) {
    const absl::Status status = blanking->AddTrigger(trigger);
    if (!status.ok()) return status;
  }
  std::vector<double> output;
  blanking->Push(samples, output);
  blanking->Flush(output);
  samples = output;
  return absl::OkStatus();
}

TEST(StimulusBlanking, JoinsTheEdgesByALine) {
  std::vector<double> samples = Ramp(100);
  for (std::size_t i = 43; i < 62; ++i) samples[i] = 1e6;  // artefact between the kept edges
  ASSERT_TRUE(Blank({50.0}, 4000.0, {2.0, 3.0}, samples).ok());
  for (std::size_t i = 0; i < 100; ++i) EXPECT_NEAR(samples[i], static_cast<double>(i), 1e-9);
}

TEST(StimulusBlanking, TouchesNothingOutsideTheWindow) {
  const std::vector<double> original = TestNoise(1).Gaussian(1000, 5.0);
  std::vector<double> samples = original;
  ASSERT_TRUE(Blank({500.0}, 4000.0, {}, samples).ok());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (i <= 492 || i >= 512) {
      EXPECT_EQ(samples[i], original[i]) << i;
    } else {
      EXPECT_NE(samples[i], original[i]) << i;
    }
  }
}

TEST(StimulusBlanking, OverlappingWindowsAreOne) {
  std::vector<double> samples = Ramp(100);
  for (std::size_t i = 43; i < 72; ++i) samples[i] = -1e6;
  ASSERT_TRUE(Blank({50.0, 60.0}, 4000.0, {2.0, 3.0}, samples).ok());
  for (std::size_t i = 0; i < 100; ++i) EXPECT_NEAR(samples[i], static_cast<double>(i), 1e-9);
}

TEST(StimulusBlanking, WindowOverTheEdgeHoldsTheOtherEdge) {
  std::vector<double> samples = Ramp(30);
  ASSERT_TRUE(Blank({1.0, 28.0}, 1000.0, {2.0, 3.0}, samples).ok());
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(samples[i], 4.0) << i;
  for (std::size_t i = 27; i < 30; ++i) EXPECT_EQ(samples[i], 26.0) << i;
}

TEST(StimulusBlanking, FractionalTriggerWidensToWholeSamples) {
  std::vector<double> samples(30, 0.0);
  samples[8] = samples[13] = 7.0;  // inside floor(10.4 - 2) .. ceil(10.4 + 3) = 8 .. 14
  ASSERT_TRUE(Blank({10.4}, 1000.0, {2.0, 3.0}, samples).ok());
  EXPECT_EQ(samples[8], 7.0);
  EXPECT_NEAR(samples[13], 7.0 / 6.0, 1e-12);
}

TEST(StimulusBlanking, HostileArgumentsAreRefused) {
  std::vector<double> samples = Ramp(30);
  const std::vector<double> unordered{20.0, 10.0};
  EXPECT_FALSE(Blank(unordered, 1000.0, {}, samples).ok());
  EXPECT_FALSE(Blank({kNaN}, 1000.0, {}, samples).ok());
  EXPECT_FALSE(Blank({1e300}, 1000.0, {}, samples).ok());
  EXPECT_FALSE(Blank({}, 0.0, {}, samples).ok());
  EXPECT_FALSE(Blank({}, 1000.0, {-1.0, 3.0}, samples).ok());
  EXPECT_FALSE(Blank({}, 1000.0, {2.0, kNaN}, samples).ok());
  EXPECT_FALSE(Blank({}, 1000.0, {2.0, 1e9}, samples).ok());
  EXPECT_EQ(samples, Ramp(30));
}

TEST(StimulusBlanking, HostileEdgeThatIsNotFiniteIsNotUsed) {
  std::vector<double> samples(30, 2.0);
  samples[8] = kNaN;  // the left edge
  ASSERT_TRUE(Blank({10.0}, 1000.0, {2.0, 3.0}, samples).ok());
  for (std::size_t i = 9; i < 30; ++i) EXPECT_EQ(samples[i], 2.0) << i;
}

TEST(StimulusBlanking, StreamedEqualsWholeFileInAnyBlocks) {
  const std::vector<double> original = TestNoise(2).Gaussian(3000, 5.0);
  const std::vector<double> triggers{1.0, 300.3, 700.0, 706.5, 715.0, 1500.75, 2995.0};
  std::vector<double> expected = original;
  ASSERT_TRUE(Blank(triggers, 4000.0, {2.0, 3.0}, expected).ok());
  for (const double delay_ms : {0.0, 10.0}) {
    for (const std::size_t block : {1, 13, 500, 3000}) {
      auto blanking = StimulusBlanking::Create(4000.0, {2.0, 3.0}, delay_ms);
      ASSERT_TRUE(blanking.ok());
      const double late = delay_ms * 4.0;
      std::vector<double> output;
      std::size_t next = 0;
      for (std::size_t at = 0; at < original.size(); at += block) {
        const std::size_t end = std::min(at + block, original.size());
        // As late as the contract allows: before the Push that goes past trigger + delay.
        for (; next < triggers.size() && triggers[next] + late < static_cast<double>(end); ++next) {
          ASSERT_TRUE(blanking->AddTrigger(triggers[next]).ok()) << triggers[next];
        }
        blanking->Push(std::span(original).subspan(at, end - at), output);
        ASSERT_EQ(output.size() + blanking->pending_samples(), end);
      }
      for (; next < triggers.size(); ++next) {
        ASSERT_TRUE(blanking->AddTrigger(triggers[next]).ok());
      }
      blanking->Flush(output);
      ExpectSame(output, expected);
    }
  }
}

TEST(StimulusBlanking, HostileLateTriggerIsToldAndBlanksWhatIsLeft) {
  auto blanking = StimulusBlanking::Create(1000.0, {2.0, 3.0});
  ASSERT_TRUE(blanking.ok());
  std::vector<double> output;
  blanking->Push(std::vector<double>(20, 1.0), output);
  const std::size_t given = output.size();
  EXPECT_EQ(given, 20u - blanking->delay_samples());
  EXPECT_EQ(blanking->AddTrigger(17.0).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(blanking->AddTrigger(kNaN).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(blanking->AddTrigger(3.0).code(), absl::StatusCode::kInvalidArgument);
  std::vector<double> artefact(10, 1.0);
  artefact[0] = 0.0;  // position 20, the window's kept end
  blanking->Push(artefact, output);
  blanking->Flush(output);
  ASSERT_EQ(output.size(), 30u);
  for (std::size_t i = given; i < 20; ++i) {
    EXPECT_LT(output[i], 1.0) << i;
    EXPECT_LT(output[i], output[i - 1]) << i;
  }
}

TEST(StimulusBlanking, HostileFloodOfTriggersIsBounded) {
  auto blanking = StimulusBlanking::Create(1000.0, {0.0, 0.5});
  ASSERT_TRUE(blanking.ok());
  absl::Status status;
  std::size_t taken = 0;
  for (double at = 10.0; status.ok() && taken < 10 * kMaxPendingBlankings; at += 10.0) {
    status = blanking->AddTrigger(at);
    if (status.ok()) ++taken;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(taken, kMaxPendingBlankings);
}

TEST(StimulusBlanking, RestartBeginsAtZero) {
  auto blanking = StimulusBlanking::Create(1000.0, {2.0, 3.0});
  ASSERT_TRUE(blanking.ok());
  std::vector<double> output;
  ASSERT_TRUE(blanking->AddTrigger(500.0).ok());
  blanking->Push(Ramp(100), output);
  blanking->Restart();
  output.clear();
  EXPECT_TRUE(blanking->AddTrigger(10.0).ok());
  blanking->Push(Ramp(20), output);
  blanking->Flush(output);
  ExpectSame(output, Ramp(20));
}

}  // namespace
}  // namespace remora::dsp
