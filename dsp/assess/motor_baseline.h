// The baseline of a muscle's single responses: what its amplitude usually is, and whether a fall of
// it would mean anything.
//
// A muscle's responses differ from trial to trial by half and more, so one of them is no reference.
// The baseline is the median of at least three accepted trials, with its range. Pure.
//
//   median response over 50 uV, CV up to 0.8, present in each trial ... kMonitorable
//   weaker, more variable, at times absent, or varying down to what
//   noise hides ....................................................... kPresenceOnly
//   absent in half of the trials or more .............................. kNotMonitorable
//
// A muscle that is kPresenceOnly raises no alert of amplitude: only of a loss that lasts. One that
// is kNotMonitorable raises none; both are gaps of the coverage, and are said to be.
//
// Sources: 50 uV and CV 0.8 are Remora's own (docs/surveillance.md); that a baseline is made of
// several trials: MacDonald et al., ASNM position statement on motor evoked potentials, 2013.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::dsp {

inline constexpr int kMinMotorBaselineTrials = 3;
inline constexpr double kPresenceOnlyUnderUv = 50.0;
inline constexpr double kPresenceOnlyOverCv = 0.8;

enum class Monitorability : std::uint8_t { kMonitorable, kPresenceOnly, kNotMonitorable };

struct MotorBaselineTrial {
  bool present = true;
  double amplitude_uv = 0;  // > 0 where present
  double latency_ms = 0;    // of a present one; 0: not known
};

struct MotorBaseline {
  Monitorability monitorability = Monitorability::kNotMonitorable;
  // Of the present trials; 0 where there is none.
  double amplitude_uv = 0;  // median
  double lowest_uv = 0;
  double highest_uv = 0;
  double latency_ms = 0;  // median
  double cv = 0;          // standard deviation over mean
  double log_spread = 0;  // standard deviation of the logarithms
  int trials = 0;
  int absent = 0;
  // Why it is not monitorable, or presence only: "median 31 uV, under 50 uV". Empty: it is.
  std::string reason;
};

// How far below its baseline a response must be, in its own spreads, to be beyond chance; and the
// least spread that a muscle is taken to have: a few trials may agree by chance.
inline constexpr double kBeyondChanceSpreads = 3;
inline constexpr double kLeastLogSpread = 0.25;

// `hidden_uv`: what the noise may hide; 0: not known. A muscle that comes down to it by its own
// variation is presence-only: its loss alone says little.
// kInvalidArgument -> fewer than three trials, or an amplitude that is not positive and finite.
absl::StatusOr<MotorBaseline> MakeMotorBaseline(const std::vector<MotorBaselineTrial>& trials,
                                                double hidden_uv = 0);

}  // namespace remora::dsp
