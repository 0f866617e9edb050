// Watches two sides of the brain while a carotid artery is clamped: has one side lost its fast
// activity, or gained slow?
//
// One a pair of derivations (F3-P3 and F4-P4, say), on the pipeline's sequence; thread-compatible.
// Takes a spectrum of each side for each window (4 s, each 2 s: eeg_windows.h, WelchEstimator) and
// holds its power against that side's own baseline: the median of the windows before the clamp.
//
//   changed     fast power (8-15 Hz) down to loss_percent, or delta (0.5-4 Hz) up to delta_ratio
//   one side    changed on it alone for sustain_ms: ischaemia, until shown otherwise
//   both        changed on both for sustain_ms: blood pressure, anaesthetic
//
// A change counts from the first of the windows in a row that have it. One that burst suppression
// or a gap makes unjudgeable (no power) is left out: it neither counts nor ends a change, and
// windows that are missing for longer than sustain_ms end it.
//
// Source: clinical practice in carotid surgery (50 % loss of fast power or doubling of delta,
// unilateral, over 30 s). AsymmetryIndex (eeg_measures.h) of the same spectra is in the result.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dsp/spectral/spectrum.h"

namespace remora::dsp {

struct ClampOptions {
  double loss_percent = 50.0;
  double delta_ratio = 2.0;
  double sustain_ms = 30'000.0;
  std::size_t baseline_windows = 5;  // at least, before there is a baseline; the last 150 count
};

enum class ClampFinding : std::uint8_t { kNoBaseline, kUnchanged, kPending, kLeft, kRight, kBoth };
// "left side", "both sides", ...
const char* ClampFindingName(ClampFinding finding);

struct ClampSide {
  double fast_percent = 100.0;  // of the baseline
  double delta_percent = 100.0;
  bool changed = false;
  double changed_ms = 0.0;      // for so long
};

struct ClampState {
  ClampFinding finding = ClampFinding::kNoBaseline;
  ClampSide left;
  ClampSide right;
  std::optional<double> asymmetry;  // of fast power, -1 to 1: negative when the right has less
};

class ClampWatch {
 public:
  // Errors: kInvalidArgument -> an option out of range.
  static absl::StatusOr<ClampWatch> Create(const ClampOptions& options);

  // Before the clamp: windows that make the baseline, the newest 150 of them. A side without power
  // is left out.
  void AddBaseline(const Spectrum& left, const Spectrum& right);
  bool has_baseline() const;
  // A new baseline from here on; what was changed is forgotten.
  void ForgetBaseline();

  // After: a window that begins `time_ms` after any fixed moment. Times do not decrease.
  ClampState Watch(const Spectrum& left, const Spectrum& right, double time_ms);

 private:
  struct Side {
    std::vector<double> fast_uv2;  // of the baseline's windows
    std::vector<double> delta_uv2;
    double changed_since_ms = 0.0;
    double last_ms = 0.0;          // of the last window that could be judged
    bool changed = false;
  };

  explicit ClampWatch(const ClampOptions& options) : options_(options) {}
  ClampSide WatchSide(const Spectrum& spectrum, double time_ms, Side& side) const;

  ClampOptions options_;
  Side left_;
  Side right_;
};

}  // namespace remora::dsp
