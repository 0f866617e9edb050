#include "acquisition-agent/pipelines/decided_average.h"

#include <gtest/gtest.h>

namespace remora::agent {
namespace {

constexpr dsp::Timebase kTimebase{20000, 0};

dsp::PairMarking Pair(dsp::Presence presence, double first_ms, double second_ms) {
  dsp::PairMarking marking;
  marking.presence = presence;
  marking.first.latency_ms = first_ms;
  marking.second.latency_ms = second_ms;
  marking.amplitude_uv = 3;
  return marking;
}

TEST(AmplitudeBias, IsOfItsPairAlone) {
  const AmplitudeBias bias{0.2, 19.3, 23.1};
  EXPECT_EQ(bias.Of(Pair(dsp::Presence::kPresent, 19.3, 23.1), kTimebase), 0.2);
  EXPECT_EQ(bias.Of(Pair(dsp::Presence::kPresent, 19.3, 26), kTimebase), 0);
  EXPECT_EQ(bias.Of(Pair(dsp::Presence::kPresent, 18, 23.1), kTimebase), 0);
}

TEST(AmplitudeBias, IsTakenOffNothingThatIsDoubtfulOrAbsent) {
  const AmplitudeBias bias{0.2, 19.3, 23.1};
  EXPECT_EQ(bias.Of(Pair(dsp::Presence::kUncertain, 19.3, 23.1), kTimebase), 0);
  EXPECT_EQ(bias.Of(Pair(dsp::Presence::kAbsent, 19.3, 23.1), kTimebase), 0);
}

TEST(AmplitudeBias, LeavesNothingBelowZero) {
  const AmplitudeBias bias{5, 19.3, 23.1};
  EXPECT_EQ(bias.Of(Pair(dsp::Presence::kPresent, 19.3, 23.1), kTimebase), 3);
}

}  // namespace
}  // namespace remora::agent
