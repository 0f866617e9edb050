#include "dsp/evoked/peak.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace remora::dsp {
namespace {

bool AllFinite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// Height of sample `peak` over its higher saddle, in a signal whose sign makes it a peak.
double Prominence(std::span<const double> sweep, double sign, std::size_t peak) {
  const double top = sign * sweep[peak];
  double left = top;
  for (std::size_t i = peak; i-- > 0 && sign * sweep[i] <= top;) {
    left = std::min(left, sign * sweep[i]);
  }
  double right = top;
  for (std::size_t i = peak + 1; i < sweep.size() && sign * sweep[i] <= top; ++i) {
    right = std::min(right, sign * sweep[i]);
  }
  return top - std::max(left, right);
}

Extremum Refine(std::span<const double> sweep, const Timebase& timebase, double sign,
                std::size_t first, std::size_t last) {
  Extremum extremum;
  extremum.prominence_uv = Prominence(sweep, sign, first);
  double position = 0.5 * static_cast<double>(first + last);
  double value = sweep[first];
  if (first == last) {
    const double before = sweep[first - 1];
    const double after = sweep[first + 1];
    const double curvature = before - 2.0 * value + after;
    if (curvature != 0.0) {
      const double offset = std::clamp(0.5 * (before - after) / curvature, -0.5, 0.5);
      position += offset;
      value -= 0.25 * (before - after) * offset;
    }
  }
  extremum.latency_ms = timebase.LatencyMs(position);
  extremum.value_uv = value;
  return extremum;
}

struct Candidate {
  Extremum first;
  Extremum second;
  double amplitude_uv;
};

// For every first extreme its best partner; ripples left out. By latency.
std::vector<Candidate> Candidates(std::span<const double> sweep, const Timebase& timebase,
                                  const ComponentPair& pair, const MarkingLimits& limits) {
  const Polarity second_polarity =
      pair.first_polarity == Polarity::kTrough ? Polarity::kPeak : Polarity::kTrough;
  const double sign = pair.first_polarity == Polarity::kTrough ? 1.0 : -1.0;
  const auto firsts = FindExtrema(sweep, timebase, pair.first_window, pair.first_polarity);
  const auto seconds = FindExtrema(sweep, timebase, pair.second_window, second_polarity);
  std::vector<Candidate> candidates;
  double largest = 0.0;
  for (const Extremum& first : firsts) {
    Candidate best{first, {}, 0.0};
    for (const Extremum& second : seconds) {
      const double interval_ms = second.latency_ms - first.latency_ms;
      if (interval_ms < pair.min_inter_peak_ms || interval_ms > pair.max_inter_peak_ms) continue;
      const double amplitude = sign * (second.value_uv - first.value_uv);
      if (amplitude > best.amplitude_uv) best = {first, second, amplitude};
    }
    if (best.amplitude_uv <= 0.0) continue;  // a "peak" below its trough is none
    largest = std::max(largest, best.amplitude_uv);
    candidates.push_back(best);
  }
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return candidate.first.prominence_uv < limits.min_prominence_share * largest;
  });
  return candidates;
}

bool HasRival(const std::vector<Candidate>& candidates, const Candidate& chosen, double largest,
              const MarkingLimits& limits) {
  return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
    return candidate.first.latency_ms != chosen.first.latency_ms &&
           candidate.amplitude_uv >= limits.rival_share * largest &&
           std::min(candidate.first.prominence_uv, chosen.first.prominence_uv) >=
               limits.rival_prominence_share * largest;
  });
}

}  // namespace

std::vector<Extremum> FindExtrema(std::span<const double> sweep_uv, const Timebase& timebase,
                                  const LatencyWindow& window, Polarity polarity) {
  std::vector<Extremum> extrema;
  const double sign = polarity == Polarity::kPeak ? 1.0 : -1.0;
  const SampleRange range = SamplesIn(window, timebase, sweep_uv.size());
  const std::size_t end = range.first + range.count;
  for (std::size_t i = std::max<std::size_t>(range.first, 1); i < end; ++i) {
    if (!(sign * sweep_uv[i] > sign * sweep_uv[i - 1])) continue;
    std::size_t last = i;
    while (last + 1 < sweep_uv.size() && sweep_uv[last + 1] == sweep_uv[i]) ++last;
    if (last + 1 < sweep_uv.size() && sign * sweep_uv[last + 1] < sign * sweep_uv[i]) {
      extrema.push_back(Refine(sweep_uv, timebase, sign, i, last));
    }
    i = last;
  }
  return extrema;
}

absl::Status ValidateComponentPair(const ComponentPair& pair) {
  for (const LatencyWindow& window : {pair.first_window, pair.second_window}) {
    if (!std::isfinite(window.start_ms) || !std::isfinite(window.end_ms) ||
        !(window.start_ms < window.end_ms)) {
      return absl::InvalidArgumentError(
          absl::StrCat(pair.first_name, "-", pair.second_name, ": window ", window.start_ms, " to ",
                       window.end_ms, " ms must end after it starts"));
    }
  }
  if (!(pair.min_inter_peak_ms > 0.0) || !(pair.min_inter_peak_ms < pair.max_inter_peak_ms)) {
    return absl::InvalidArgumentError(absl::StrCat(
        pair.first_name, "-", pair.second_name, ": interval between the peaks ",
        pair.min_inter_peak_ms, " to ", pair.max_inter_peak_ms, " ms must be positive and rise"));
  }
  if (!(pair.first_window.start_ms + pair.min_inter_peak_ms <= pair.second_window.end_ms) ||
      !(pair.first_window.end_ms + pair.max_inter_peak_ms >= pair.second_window.start_ms)) {
    return absl::InvalidArgumentError(absl::StrCat(
        pair.first_name, "-", pair.second_name,
        ": no point of the second window lies within the interval after the first window"));
  }
  return absl::OkStatus();
}

std::string DoubtText(std::uint32_t doubts) {
  static constexpr struct {
    MarkDoubt doubt;
    const char* text;
  } kTexts[] = {
      {kDoubtBelowNoise, "no response above the noise"},
      {kDoubtNoExtremum, "no peak in the window"},
      {kDoubtLowSignal, "little above the noise"},
      {kDoubtRival, "another peak is nearly as good"},
      {kDoubtOffPrediction, "away from where the waveform moved"},
      {kDoubtShapeChanged, "waveform changed"},
      {kDoubtInterval, "components did not move together"},
      {kDoubtNoiseUnknown, "noise not known"},
      {kDoubtBadInput, "sweep has samples that are not finite"},
      {kDoubtFarMove, "moved very far"},
  };
  std::vector<const char*> texts;
  for (const auto& entry : kTexts) {
    if ((doubts & entry.doubt) != 0) texts.push_back(entry.text);
  }
  return absl::StrJoin(texts, ", ");
}

void JudgePresence(double residual_noise_uv, const MarkingLimits& limits, PairMarking& marking) {
  marking.presence = Presence::kPresent;
  if (std::isnan(residual_noise_uv)) {
    marking.doubts |= kDoubtNoiseUnknown;
    marking.confidence *= 0.5;
  } else if (marking.amplitude_uv < limits.absent_below_noise * residual_noise_uv) {
    marking.doubts |= kDoubtBelowNoise;
  } else if (marking.amplitude_uv < limits.uncertain_below_noise * residual_noise_uv) {
    marking.doubts |= kDoubtLowSignal;
    marking.confidence *= marking.amplitude_uv / (limits.uncertain_below_noise * residual_noise_uv);
  }
  if (marking.doubts != kDoubtNone) marking.presence = Presence::kUncertain;
  if ((marking.doubts & kDoubtBelowNoise) != 0) {
    marking.presence = Presence::kAbsent;
    marking.confidence = 0.0;
  }
}

PairMarking MarkPair(std::span<const double> sweep_uv, const Timebase& timebase,
                     const ComponentPair& pair, double residual_noise_uv,
                     const MarkingLimits& limits) {
  PairMarking marking;
  if (!AllFinite(sweep_uv)) {
    // Not a loss: nothing was measured.
    marking.presence = Presence::kUncertain;
    marking.doubts = kDoubtBadInput;
    marking.amplitude_uv = std::numeric_limits<double>::quiet_NaN();
    return marking;
  }
  const std::vector<Candidate> candidates = Candidates(sweep_uv, timebase, pair, limits);
  if (candidates.empty()) {
    marking.doubts = kDoubtNoExtremum;
    return marking;
  }
  double largest = 0.0;
  for (const Candidate& candidate : candidates) largest = std::max(largest, candidate.amplitude_uv);
  const auto chosen = std::find_if(candidates.begin(), candidates.end(), [&](const Candidate& c) {
    return c.amplitude_uv >= limits.rival_share * largest;
  });
  marking.first = chosen->first;
  marking.second = chosen->second;
  marking.amplitude_uv = chosen->amplitude_uv;
  marking.inter_peak_ms = chosen->second.latency_ms - chosen->first.latency_ms;
  marking.confidence = 1.0;
  if (HasRival(candidates, *chosen, largest, limits)) {
    marking.doubts |= kDoubtRival;
    marking.confidence *= 0.5;
  }
  JudgePresence(residual_noise_uv, limits, marking);
  return marking;
}

}  // namespace remora::dsp
