#include "dsp/eeg/clamp_watch.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "dsp/eeg/eeg_measures.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kMostWindows = 150;  // five minutes of a window each 2 s

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Not where a suppressed or missing window leaves nothing to compare.
bool Judgeable(double fast_uv2, double delta_uv2) {
  return std::isfinite(fast_uv2) && std::isfinite(delta_uv2) && fast_uv2 > 0.0 && delta_uv2 > 0.0;
}

void Keep(double value, std::vector<double>& values) {
  values.push_back(value);
  if (values.size() > kMostWindows) values.erase(values.begin());
}

}  // namespace

const char* ClampFindingName(ClampFinding finding) {
  switch (finding) {
    case ClampFinding::kNoBaseline:
      return "no baseline";
    case ClampFinding::kUnchanged:
      return "unchanged";
    case ClampFinding::kPending:
      return "changed, not for long";
    case ClampFinding::kLeft:
      return "left side";
    case ClampFinding::kRight:
      return "right side";
    case ClampFinding::kBoth:
      return "both sides";
  }
  return "unknown";
}

absl::StatusOr<ClampWatch> ClampWatch::Create(const ClampOptions& options) {
  if (!(options.loss_percent > 0.0 && options.loss_percent < 100.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("loss_percent ", options.loss_percent, ": must be over 0 and under 100"));
  }
  if (!(options.delta_ratio > 1.0 && options.delta_ratio <= 1000.0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("delta_ratio ", options.delta_ratio, ": must be over 1 and at most 1000"));
  }
  if (!(options.sustain_ms >= 0.0 && options.sustain_ms <= 3.6e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("sustain_ms ", options.sustain_ms, ": must be 0 to 3600000"));
  }
  if (options.baseline_windows == 0 || options.baseline_windows > kMostWindows) {
    return absl::InvalidArgumentError(absl::StrCat("baseline_windows ", options.baseline_windows,
                                                   ": must be 1 to ", kMostWindows));
  }
  return ClampWatch(options);
}

void ClampWatch::AddBaseline(const Spectrum& left, const Spectrum& right) {
  const auto add = [](const Spectrum& spectrum, Side& side) {
    const double fast_uv2 = BandPower(spectrum, kFastAtClamp);
    const double delta_uv2 = BandPower(spectrum, kDelta);
    if (!Judgeable(fast_uv2, delta_uv2)) return;
    Keep(fast_uv2, side.fast_uv2);
    Keep(delta_uv2, side.delta_uv2);
  };
  add(left, left_);
  add(right, right_);
}

bool ClampWatch::has_baseline() const {
  return std::min(left_.fast_uv2.size(), right_.fast_uv2.size()) >= options_.baseline_windows;
}

void ClampWatch::ForgetBaseline() {
  left_ = {};
  right_ = {};
}

ClampSide ClampWatch::WatchSide(const Spectrum& spectrum, double time_ms, Side& side) const {
  ClampSide result;
  const double fast_uv2 = BandPower(spectrum, kFastAtClamp);
  const double delta_uv2 = BandPower(spectrum, kDelta);
  if (side.changed && time_ms - side.last_ms > options_.sustain_ms) side.changed = false;
  if (Judgeable(fast_uv2, delta_uv2)) {
    result.fast_percent = 100.0 * fast_uv2 / Median(side.fast_uv2);
    result.delta_percent = 100.0 * delta_uv2 / Median(side.delta_uv2);
    const bool changed = result.fast_percent <= 100.0 - options_.loss_percent ||
                         result.delta_percent >= 100.0 * options_.delta_ratio;
    if (changed && !side.changed) side.changed_since_ms = time_ms;
    side.changed = changed;
    side.last_ms = time_ms;
  } else {
    result.fast_percent = result.delta_percent = std::nan("");
  }
  result.changed = side.changed;
  result.changed_ms = side.changed ? time_ms - side.changed_since_ms : 0.0;
  return result;
}

ClampState ClampWatch::Watch(const Spectrum& left, const Spectrum& right, double time_ms) {
  ClampState state;
  const auto asymmetry = AsymmetryIndex(left, right, kFastAtClamp);
  if (asymmetry.ok() && std::isfinite(*asymmetry)) state.asymmetry = *asymmetry;
  if (!has_baseline()) return state;
  state.left = WatchSide(left, time_ms, left_);
  state.right = WatchSide(right, time_ms, right_);
  const auto sustained = [&](const ClampSide& side) {
    return side.changed && side.changed_ms >= options_.sustain_ms;
  };
  const bool left_lasts = sustained(state.left);
  const bool right_lasts = sustained(state.right);
  if (left_lasts && right_lasts) {
    state.finding = ClampFinding::kBoth;
  } else if (left_lasts && !state.right.changed) {
    state.finding = ClampFinding::kLeft;
  } else if (right_lasts && !state.left.changed) {
    state.finding = ClampFinding::kRight;
  } else {
    state.finding = state.left.changed || state.right.changed ? ClampFinding::kPending
                                                              : ClampFinding::kUnchanged;
  }
  return state;
}

}  // namespace remora::dsp
