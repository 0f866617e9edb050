// Tells when a muscle that was active goes quiet after a tall burst: its nerve may have been cut.
//
// One a muscle beside BurstTrainDetector, on the same samples and with its noise floor; on the
// pipeline's sequence, thread-compatible. In units of 50 ms, of which one is active when a sample
// is over threshold_over_floor times the floor:
//
//   1. before    of the last 10 s (at least 5 s judged) 20 % and more of the units were active;
//                their median peak is the usual level
//   2. burst     a unit reaches 5 times the usual level, and 200 uV; it ends with the last unit
//                over twice the usual level, within 1 s
//   3. silence   for 3 s no unit is active
//
//   kWatching --burst--> kBurst --over--> kListening --3 s without activity--> told
//       ^                  | 1 s               | active, or 10 s
//       +--over-- kTooLong <                   |
//       +--------------------------------------+
//
// A muscle that was quiet before is not told: quiet after a burst is what it does. Nor is one whose
// activity goes on. What is told is a question for a person (did the nerve still respond?), no
// finding: the surgeon may have stopped touching it. Units with an artefact are neither active nor
// silent; with no 3 s of judged silence within 10 s of the burst nothing is told.
//
// Source: clinical practice (a transected nerve discharges, then is silent); all numbers are
// Remora's own. Delay: 3 s after the burst. Memory: 200 units.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

#include "absl/status/statusor.h"
#include "dsp/emg/burst_train.h"

namespace remora::dsp {

struct SilenceOptions {
  double sample_rate_hz = 0.0;
  double threshold_over_floor = 5.0;
  double before_ms = 10000.0;
  double active_share = 0.2;  // of the units before
  double burst_over_usual = 5.0;
  double burst_min_uv = 200.0;
  double burst_max_ms = 1000.0;
  double silence_ms = 3000.0;
  double give_up_ms = 10000.0;  // after the burst's end
};

struct SilenceAfterBurst {
  std::uint64_t burst_first_sample = 0;  // since construction; to 50 ms
  std::uint64_t burst_last_sample = 0;
  double burst_peak_uv = 0.0;
  double usual_peak_uv = 0.0;  // of active units before the burst
  double active_share = 0.0;   // of the units before it
  double silent_ms = 0.0;
};

class SilenceWatch {
 public:
  // Errors: kInvalidArgument -> an option out of range.
  static absl::StatusOr<SilenceWatch> Create(const SilenceOptions& options);

  // A block with the hints that hold for all of it, and BurstTrainDetector's noise_floor_uv() (0
  // while it learns: not judged). At most one silence comes from a block of up to 3 s.
  std::optional<SilenceAfterBurst> Push(std::span<const double> samples_uv, std::uint32_t hints,
                                        double noise_floor_uv);
  // A pause or a gap: what was before it says nothing of what comes after.
  void Restart();

 private:
  enum class State : std::uint8_t { kWatching, kBurst, kTooLong, kListening };
  enum class Mark : std::uint8_t { kUnknown, kQuiet, kActive };
  struct Unit {
    Mark mark = Mark::kUnknown;
    double peak_uv = 0.0;
  };

  explicit SilenceWatch(const SilenceOptions& options);
  std::optional<SilenceAfterBurst> FinishUnit();
  bool Usual(double* level_uv, double* share) const;
  void Remember(const Unit& unit);

  SilenceOptions options_;
  std::size_t unit_samples_;
  std::size_t units_before_;
  std::size_t burst_units_;
  std::size_t silent_units_needed_;
  std::size_t give_up_units_;

  State state_ = State::kWatching;
  std::uint64_t position_ = 0;
  double peak_uv_ = 0.0;  // of the unit that fills; of no meaning where that is unknown
  double floor_uv_ = 0.0;
  bool unknown_ = false;
  std::size_t filled_ = 0;
  std::deque<Unit> before_;
  SilenceAfterBurst found_;
  std::size_t units_since_ = 0;  // since the burst began, then since it ended
  std::size_t silent_units_ = 0;
};

}  // namespace remora::dsp
