// EEG of a drawn case behind an artefact.
#include <cmath>
#include <numbers>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "acquisition-agent/surveillance/testing/drawn_case.h"

namespace remora::agent {
namespace {

using EegTest = DrawnCaseTest;

// 0.4 s at the rail; the high-pass of 0.5 Hz carries it on.
TEST_F(EegTest, WindowsBeginWhenTheFilterHasForgottenAnArtefact) {
  Drawing drawing;
  drawing.channels = {"F3"};
  drawing.rate_hz = 1024;
  drawing.seconds = 40;
  drawing.noise_uv = 0.5;
  drawing.uv = [](int, double time_s) {
    return time_s >= 20 && time_s < 20.4 ? 9000.0
                                         : 20 * std::sin(2 * std::numbers::pi * 10 * time_s);
  };
  Run(R"(eeg { derivation: "F3" side: SIDE_LEFT })", std::move(drawing));
  int behind = 0;
  double first_s = 0;
  for (const v1::SpectralEdge& edge :
       sink_.All(&v1::Record::has_spectral_edge, &v1::Record::spectral_edge)) {
    if (!edge.quality().empty()) continue;
    const double from_s = static_cast<double>(edge.started_monotonic_ns()) / 1e9;
    EXPECT_LT(edge.delta_uv2(), 20) << from_s;
    EXPECT_NEAR(edge.alpha_uv2(), 200, 20) << from_s;
    if (from_s < 20) {
      EXPECT_LT(from_s + 4, 20.05);
    } else if (behind++ == 0) {
      first_s = from_s;
    }
  }
  EXPECT_GE(behind, 6);
  // What the filter leaves of it is no EEG until 20.9 s: over 500 uV.
  EXPECT_NEAR(first_s, 22.9, 0.2);
}

}  // namespace
}  // namespace remora::agent
