// Asymmetry of an EEG channel and its mirror: told on both sides, whichever the plan names first,
// and never waited for without end.
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr char kPlan[] = R"(
  eeg { derivation: "F3" side: SIDE_LEFT mirror_derivation: "F4" }
  eeg { derivation: "F4" side: SIDE_RIGHT mirror_derivation: "F3" })";
// 10 Hz of 30 and 15 uV: powers of 450 and 112.5 uV^2.
constexpr double kAsymmetry = (112.5 - 450) / (112.5 + 450);
constexpr int64_t kSecondNs = 1'000'000'000;

class EegMirrorTest : public DrawnCaseTest {
 protected:
  // The right channel is at its rail from `off_s` to `on_s`.
  static Drawing Sides(double seconds, double off_s, double on_s) {
    Drawing drawing;
    drawing.channels = {"F3", "F4"};
    drawing.rate_hz = 512;
    drawing.seconds = seconds;
    drawing.noise_uv = 0.5;
    drawing.uv = [off_s, on_s](int channel, double time_s) {
      if (channel == 1 && time_s >= off_s && time_s < on_s) return 5000.0;
      return (channel == 0 ? 30 : 15) * std::sin(2 * M_PI * 10 * time_s);
    };
    return drawing;
  }
  // Windows with numbers, in the order they were told, with when.
  struct Told {
    v1::SpectralEdge edge;
    int64_t at_ns = 0;
  };
  std::vector<Told> Windows(v1::Side side) const {
    std::vector<Told> windows;
    for (const v1::Record& record : sink_.records) {
      if (!record.has_spectral_edge() || record.spectral_edge().side() != side) continue;
      if (!record.spectral_edge().quality().empty()) continue;
      windows.push_back({record.spectral_edge(), record.captured_at().monotonic_ns()});
    }
    return windows;
  }
  // `on_s`: behind a rail the high-pass goes on falling, and is in the windows there.
  static size_t WithAsymmetry(const std::vector<Told>& windows, double on_s = -10) {
    size_t count = 0;
    for (const Told& one : windows) {
      if (!one.edge.has_asymmetry()) continue;
      ++count;
      const double since_s = static_cast<double>(one.edge.started_monotonic_ns()) / 1e9 - on_s;
      if (since_s > -1.1 && since_s < 3) continue;
      EXPECT_NEAR(one.edge.asymmetry(), kAsymmetry, 0.03) << since_s + on_s << " s";
    }
    return count;
  }
};

TEST_F(EegMirrorTest, BothSidesHaveTheSameAsymmetryWhicheverComesFirst) {
  Run(kPlan, Sides(60, 100, 100));
  const auto left = Windows(v1::SIDE_LEFT);
  const auto right = Windows(v1::SIDE_RIGHT);
  ASSERT_GE(left.size(), 27u);
  ASSERT_EQ(left.size(), right.size());
  // What ends with the recording may have no mirror any more.
  EXPECT_GE(WithAsymmetry(left) + 1, left.size());
  EXPECT_EQ(WithAsymmetry(right), right.size());
  std::map<int64_t, double> by_start;
  for (const Told& one : left) {
    if (one.edge.has_asymmetry()) {
      by_start[one.edge.started_monotonic_ns()] = one.edge.asymmetry();
    }
  }
  for (const Told& one : right) {
    const auto same = by_start.find(one.edge.started_monotonic_ns());
    if (same == by_start.end()) continue;
    EXPECT_EQ(same->second, one.edge.asymmetry());
  }
  EXPECT_GE(by_start.size(), 26u);
}

TEST_F(EegMirrorTest, AMirrorThatIsOffHoldsNoWindowBack) {
  Run(kPlan, Sides(60, 20, 40));
  const auto left = Windows(v1::SIDE_LEFT);
  ASSERT_GE(left.size(), 27u);
  int64_t last_ns = -1;
  size_t without = 0;
  for (const Told& one : left) {
    // Its end, the look-ahead of what is an artefact, and half a step of 2 s with what it takes.
    EXPECT_LT(one.at_ns - one.edge.started_monotonic_ns(), 6 * kSecondNs);
    EXPECT_GT(one.edge.started_monotonic_ns(), last_ns) << "in their order";
    last_ns = one.edge.started_monotonic_ns();
    without += one.edge.has_asymmetry() ? 0 : 1;
    if (one.edge.started_monotonic_ns() > 21 * kSecondNs &&
        one.edge.started_monotonic_ns() < 35 * kSecondNs) {
      EXPECT_FALSE(one.edge.has_asymmetry()) << one.edge.started_monotonic_ns();
    }
  }
  EXPECT_GE(without, 8u);
  EXPECT_LE(without, 14u);
  WithAsymmetry(left, 40);
  // Its windows begin anew behind that, not in step with the other side's: they are compared.
  EXPECT_TRUE(left[left.size() - 3].edge.has_asymmetry());
  const auto right = Windows(v1::SIDE_RIGHT);
  ASSERT_GE(right.size(), 12u);
  EXPECT_TRUE(right[right.size() - 3].edge.has_asymmetry());
}

TEST_F(EegMirrorTest, AMirrorThatNeverWasThereHoldsNoWindowBack) {
  Run(kPlan, Sides(30, 0, 100));
  EXPECT_THAT(Windows(v1::SIDE_RIGHT), IsEmpty());
  const auto left = Windows(v1::SIDE_LEFT);
  ASSERT_GE(left.size(), 12u);
  EXPECT_EQ(WithAsymmetry(left), 0u);
  for (const Told& one : left) {
    EXPECT_LT(one.at_ns - one.edge.started_monotonic_ns(), 6 * kSecondNs);
  }
}

TEST_F(EegMirrorTest, BehindAGapWindowsAreToldAndComparedAgain) {
  Drawing drawing = Sides(60, 21, 23);
  Gap gap;
  gap.from_ns = 30 * kSecondNs;
  gap.to_ns = gap.from_ns;
  drawing.items.push_back(gap);
  Run(kPlan, drawing);
  const auto left = Windows(v1::SIDE_LEFT);
  ASSERT_GE(left.size(), 22u);
  EXPECT_TRUE(left[left.size() - 3].edge.has_asymmetry());
  for (const Told& one : left) {
    EXPECT_LT(one.at_ns - one.edge.started_monotonic_ns(), 6 * kSecondNs);
  }
  EXPECT_GE(WithAsymmetry(left, 23), 18u);
}

TEST_F(EegMirrorTest, ASideWithoutAMirrorWaitsForNone) {
  Run(R"(eeg { derivation: "F3" side: SIDE_LEFT mirror_derivation: "F4" }
         eeg { derivation: "F4" side: SIDE_RIGHT })",
      Sides(30, 100, 100));
  const auto left = Windows(v1::SIDE_LEFT);
  const auto right = Windows(v1::SIDE_RIGHT);
  ASSERT_GE(left.size(), 12u);
  ASSERT_THAT(right, SizeIs(left.size()));
  EXPECT_EQ(WithAsymmetry(right), 0u);
  EXPECT_GE(WithAsymmetry(left) + 1, left.size());
}

}  // namespace
}  // namespace remora::agent
