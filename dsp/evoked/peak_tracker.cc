#include "dsp/evoked/peak_tracker.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dsp/evoked/reproducibility.h"

namespace remora::dsp {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Steps of the search: 0.25 % of 20 ms is a sample at 20 kHz; a parabola refines it.
constexpr double kStretchStep = 0.0025;
// 1 %.
constexpr int kCoarseSteps = 4;
// A shift explains a trace by one number less than physiology does; it must be clearly better.
constexpr double kShiftMustWinBy = 0.02;
// Correlation that a move of the whole latency away from where the response was would have to gain:
// 0.02 for a move of 10 %. Bends a true 12 % by less than 0.1 ms, and keeps a trace without
// response from matching at the end of the range.
constexpr double kPriorWeight = 2.0;
// Weights of a candidate's cost. The first component is the sharper one and counts most; a pair
// that is as tall as any makes good a little over one tolerance of distance.
constexpr double kSecondWeight = 0.4;
constexpr double kIntervalWeight = 0.4;
constexpr double kHistoryWeight = 0.25;
constexpr double kAmplitudeWeight = 1.5;

bool AllFinite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

double Square(double value) { return value * value; }

// Linear interpolation; NaN outside.
double ValueAt(std::span<const double> sweep, double sample) {
  if (!(sample >= 0.0) || sample > static_cast<double>(sweep.size() - 1)) return kNaN;
  const auto base = std::min(static_cast<std::size_t>(sample), sweep.size() - 2);
  const double fraction = sample - static_cast<double>(base);
  return sweep[base] + fraction * (sweep[base + 1] - sweep[base]);
}

struct Best {
  double parameter = 0.0;
  double score = -1.0;
};

// Maximum of `score` over [low, high]: the best of each kCoarseSteps steps, the steps around it,
// and a parabola. A response of a tenth of its latency in width does not change between coarse
// steps.
template <typename Score>
Best Search(double low, double high, double step, const Score& score) {
  const int steps = std::max(2, static_cast<int>(std::ceil((high - low) / step)));
  std::vector<std::optional<double>> known(static_cast<std::size_t>(steps) + 1);
  const auto value = [&](int i) {
    std::optional<double>& one = known[static_cast<std::size_t>(i)];
    if (!one) one = score(low + i * step);
    return *one;
  };
  int top = 0;
  const auto offer = [&](int i) {
    if (i >= 0 && i <= steps && value(i) > value(top)) top = i;
  };
  for (int i = 0; i <= steps; i += kCoarseSteps) offer(i);
  offer(steps);
  const int coarse = top;
  for (int i = coarse - kCoarseSteps + 1; i < coarse + kCoarseSteps; ++i) offer(i);
  Best best{low + top * step, value(top)};
  if (top > 0 && top < steps && value(top - 1) > -1.0 && value(top + 1) > -1.0) {
    const double curvature = value(top - 1) - 2.0 * value(top) + value(top + 1);
    if (curvature < 0.0) {
      best.parameter += 0.5 * step * (value(top - 1) - value(top + 1)) / curvature;
    }
  }
  return best;
}

LatencyWindow Widened(const LatencyWindow& window, double around_ms, double by_ms) {
  return {std::min(window.start_ms, around_ms - by_ms), std::max(window.end_ms, around_ms + by_ms)};
}

}  // namespace

absl::StatusOr<PeakTracker> PeakTracker::Create(ComponentPair pair, TrackerOptions options) {
  absl::Status status = ValidateComponentPair(pair);
  if (!status.ok()) return status;
  if (!(options.min_stretch > 0.2 && options.min_stretch <= 1.0 && options.max_stretch >= 1.0 &&
        options.max_stretch < 5.0)) {
    return absl::InvalidArgumentError(absl::StrCat("stretch ", options.min_stretch, " to ",
                                                   options.max_stretch,
                                                   ": must hold 1 and lie in 0.2 to 5"));
  }
  if (!(options.template_before_ms >= 0.0 && options.template_after_ms >= 0.0 &&
        options.prediction_tolerance_ms > 0.0 && options.doubt_distance_ms > 0.0 &&
        options.max_plausible_change > 0.0)) {
    return absl::InvalidArgumentError(
        "tracker: template margins must not be negative, distances and plausible change positive");
  }
  return PeakTracker(std::move(pair), options);
}

PeakTracker::PeakTracker(ComponentPair pair, TrackerOptions options)
    : pair_(std::move(pair)), options_(options) {}

absl::Status PeakTracker::SetBaseline(std::span<const double> sweep_uv, const Timebase& timebase,
                                      double residual_noise_uv,
                                      std::optional<PairMarking> marking) {
  if (sweep_uv.size() < 3 || !(timebase.sample_rate_hz > 0.0) || !AllFinite(sweep_uv)) {
    return absl::InvalidArgumentError("baseline: needs 3 or more samples, all finite");
  }
  const PairMarking mark = marking.has_value() ? *marking
                                               : MarkPair(sweep_uv, timebase, pair_,
                                                          residual_noise_uv, options_.marking);
  if (mark.presence == Presence::kAbsent) {
    return absl::FailedPreconditionError(absl::StrCat(pair_.first_name, "-", pair_.second_name,
                                                      ": no response to take as baseline (",
                                                      DoubtText(mark.doubts), ")"));
  }
  const double end_ms = timebase.LatencyMs(static_cast<double>(sweep_uv.size() - 1));
  if (!(mark.first.latency_ms > 0.0 && mark.first.latency_ms >= timebase.start_ms &&
        mark.first.latency_ms < mark.second.latency_ms && mark.second.latency_ms <= end_ms)) {
    return absl::InvalidArgumentError(
        absl::StrCat("baseline markers ", mark.first.latency_ms, " and ", mark.second.latency_ms,
                     " ms: must be in this order, after the stimulus and inside the sweep"));
  }
  const LatencyWindow span{mark.first.latency_ms - options_.template_before_ms,
                           mark.second.latency_ms + options_.template_after_ms};
  const SampleRange range = SamplesIn(span, timebase, sweep_uv.size());
  baseline_uv_.assign(sweep_uv.begin(), sweep_uv.end());
  template_uv_.assign(sweep_uv.begin() + static_cast<std::ptrdiff_t>(range.first),
                      sweep_uv.begin() + static_cast<std::ptrdiff_t>(range.first + range.count));
  template_start_ms_ = timebase.LatencyMs(static_cast<double>(range.first));
  baseline_timebase_ = timebase;
  baseline_ = mark;
  last_confident_.reset();
  return absl::OkStatus();
}

// Grows with the distance from the baseline's latency or the last confident one, whichever is
// nearer.
double PeakTracker::Implausibility(double relative_latency) const {
  double distance = std::abs(relative_latency - 1.0);
  if (last_confident_.has_value()) {
    const double last = last_confident_->first.latency_ms / baseline_.first.latency_ms;
    distance = std::min(distance, std::abs(relative_latency - last));
  }
  return kPriorWeight * Square(distance);
}

double PeakTracker::ToleranceMs(double latency_ms) const {
  return options_.prediction_tolerance_ms * latency_ms / 20.0;
}

double PeakTracker::CorrelateMoved(std::span<const double> sweep_uv, const Timebase& timebase,
                                   double stretch, double shift_ms) const {
  std::vector<double> moved(template_uv_.size());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const double latency_ms =
        template_start_ms_ + static_cast<double>(i) * baseline_timebase_.StepMs();
    moved[i] = ValueAt(sweep_uv, timebase.Sample(latency_ms * stretch + shift_ms));
    if (std::isnan(moved[i])) return -1.0;  // would leave the sweep
  }
  return Correlation(template_uv_, moved);
}

PeakTracker::Prediction PeakTracker::Predict(std::span<const double> sweep_uv,
                                             const Timebase& timebase) const {
  const double first_ms = baseline_.first.latency_ms;
  const double second_ms = baseline_.second.latency_ms;
  const auto stretched = [&](double factor) {
    return CorrelateMoved(sweep_uv, timebase, factor, 0.0) - Implausibility(factor);
  };
  const auto shifted = [&](double ms) {
    return CorrelateMoved(sweep_uv, timebase, 1.0, ms) - Implausibility(1.0 + ms / first_ms);
  };
  const Best stretch = Search(options_.min_stretch, options_.max_stretch, kStretchStep, stretched);
  const Best shift =
      Search((options_.min_stretch - 1.0) * first_ms, (options_.max_stretch - 1.0) * first_ms,
             kStretchStep * first_ms, shifted);
  if (shift.score > stretch.score + kShiftMustWinBy) {
    return {first_ms + shift.parameter, second_ms + shift.parameter,
            CorrelateMoved(sweep_uv, timebase, 1.0, shift.parameter)};
  }
  return {first_ms * stretch.parameter, second_ms * stretch.parameter,
          CorrelateMoved(sweep_uv, timebase, stretch.parameter, 0.0)};
}

double PeakTracker::Cost(const Candidate& candidate, const Prediction& prediction) const {
  const double tolerance = ToleranceMs(prediction.first_ms);
  const double second_tolerance = ToleranceMs(prediction.second_ms);
  const double interval = candidate.second.latency_ms - candidate.first.latency_ms;
  const double expected_interval = prediction.second_ms - prediction.first_ms;
  double cost = Square((candidate.first.latency_ms - prediction.first_ms) / tolerance) +
                kSecondWeight * Square((candidate.second.latency_ms - prediction.second_ms) /
                                       second_tolerance) +
                kIntervalWeight * Square((interval - expected_interval) / second_tolerance);
  if (last_confident_.has_value()) {
    cost += kHistoryWeight *
            Square((candidate.first.latency_ms - last_confident_->first.latency_ms) / tolerance);
  }
  return cost;
}

std::vector<PeakTracker::Candidate> PeakTracker::Candidates(std::span<const double> sweep_uv,
                                                            const Timebase& timebase,
                                                            const Prediction& prediction) const {
  const Polarity second_polarity =
      pair_.first_polarity == Polarity::kTrough ? Polarity::kPeak : Polarity::kTrough;
  const LatencyWindow first_window =
      Widened(pair_.first_window, prediction.first_ms, 2.0 * ToleranceMs(prediction.first_ms));
  const LatencyWindow second_window =
      Widened(pair_.second_window, prediction.second_ms, 2.0 * ToleranceMs(prediction.second_ms));
  std::vector<Candidate> candidates;
  double largest = 0.0;
  const auto seconds = FindExtrema(sweep_uv, timebase, second_window, second_polarity);
  for (const Extremum& first :
       FindExtrema(sweep_uv, timebase, first_window, pair_.first_polarity)) {
    for (const Extremum& second : seconds) {
      const double interval_ms = second.latency_ms - first.latency_ms;
      if (interval_ms < pair_.min_inter_peak_ms ||
          interval_ms > options_.max_stretch * pair_.max_inter_peak_ms) {
        continue;
      }
      Candidate candidate{first, second, 0.0, 0.0};
      const double sign = pair_.first_polarity == Polarity::kTrough ? 1.0 : -1.0;
      candidate.amplitude_uv = sign * (second.value_uv - first.value_uv);
      if (candidate.amplitude_uv <= 0.0) continue;  // a "peak" below the trough is none
      largest = std::max(largest, candidate.amplitude_uv);
      candidates.push_back(candidate);
    }
  }
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return std::min(candidate.first.prominence_uv, candidate.second.prominence_uv) <
           options_.marking.min_prominence_share * largest;
  });
  for (Candidate& candidate : candidates) {
    candidate.cost =
        Cost(candidate, prediction) + kAmplitudeWeight * (1.0 - candidate.amplitude_uv / largest);
  }
  return candidates;
}

std::uint32_t PeakTracker::Doubts(const Candidate& chosen, const std::vector<Candidate>& candidates,
                                  const Prediction& prediction) const {
  std::uint32_t doubts = kDoubtNone;
  const double tolerance = ToleranceMs(prediction.first_ms);
  if (prediction.correlation < options_.min_shape_correlation) doubts |= kDoubtShapeChanged;
  const double distance = std::abs(chosen.first.latency_ms - prediction.first_ms);
  if (distance > options_.doubt_distance_ms * prediction.first_ms / 20.0) {
    doubts |= kDoubtOffPrediction;
  }
  const double change = chosen.first.latency_ms / baseline_.first.latency_ms - 1.0;
  if (std::abs(change) > options_.max_plausible_change) doubts |= kDoubtFarMove;
  const double interval = chosen.second.latency_ms - chosen.first.latency_ms;
  const double expected_interval = prediction.second_ms - prediction.first_ms;
  if (std::abs(interval - expected_interval) > 2.0 * ToleranceMs(prediction.second_ms)) {
    doubts |= kDoubtInterval;
  }
  // Where the largest deflection of the window is not the one followed, a fixed window would have
  // marked another place: a person should see both.
  const bool taller_elsewhere =
      std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& candidate) {
        return std::abs(candidate.first.latency_ms - chosen.first.latency_ms) > tolerance &&
               candidate.amplitude_uv > chosen.amplitude_uv;
      });
  if (taller_elsewhere) doubts |= kDoubtRival;
  return doubts;
}

TrackedPair PeakTracker::Track(std::span<const double> sweep_uv, const Timebase& timebase,
                               double residual_noise_uv) {
  TrackedPair tracked;
  tracked.predicted_first_ms = tracked.predicted_second_ms = kNaN;
  if (!has_baseline() || sweep_uv.size() < 3 || !AllFinite(sweep_uv)) {
    tracked.marking = MarkPair(sweep_uv, timebase, pair_, residual_noise_uv, options_.marking);
    return tracked;
  }
  Prediction prediction = Predict(sweep_uv, timebase);
  tracked.shape_correlation = prediction.correlation;
  if (prediction.correlation < options_.min_shape_correlation) {
    // The waveform says nothing about time: look where the response was last.
    const PairMarking& last = last_confident_.value_or(baseline_);
    prediction.first_ms = last.first.latency_ms;
    prediction.second_ms = last.second.latency_ms;
  }
  tracked.predicted_first_ms = prediction.first_ms;
  tracked.predicted_second_ms = prediction.second_ms;
  tracked.stretch = prediction.first_ms / baseline_.first.latency_ms;

  PairMarking& marking = tracked.marking;
  const std::vector<Candidate> candidates = Candidates(sweep_uv, timebase, prediction);
  if (candidates.empty()) {
    // Nothing peaks: report what the predicted places hold, so that a loss has a number.
    marking.doubts = kDoubtNoExtremum;
    marking.first.latency_ms = prediction.first_ms;
    marking.second.latency_ms = prediction.second_ms;
    const double first = ValueAt(sweep_uv, timebase.Sample(prediction.first_ms));
    const double second = ValueAt(sweep_uv, timebase.Sample(prediction.second_ms));
    marking.first.value_uv = std::isfinite(first) ? first : 0.0;
    marking.second.value_uv = std::isfinite(second) ? second : 0.0;
    marking.confidence = 0.1;
  } else {
    const auto chosen =
        std::min_element(candidates.begin(), candidates.end(),
                         [](const Candidate& a, const Candidate& b) { return a.cost < b.cost; });
    marking.first = chosen->first;
    marking.second = chosen->second;
    marking.doubts = Doubts(*chosen, candidates, prediction);
    const double distance =
        (chosen->first.latency_ms - prediction.first_ms) / ToleranceMs(prediction.first_ms);
    marking.confidence = std::max(prediction.correlation, 0.0) * std::exp(-0.5 * Square(distance));
    if ((marking.doubts & kDoubtRival) != 0) marking.confidence *= 0.5;
  }
  const double sign = pair_.first_polarity == Polarity::kTrough ? 1.0 : -1.0;
  marking.amplitude_uv = std::max(0.0, sign * (marking.second.value_uv - marking.first.value_uv));
  marking.inter_peak_ms = marking.second.latency_ms - marking.first.latency_ms;
  JudgePresence(residual_noise_uv, options_.marking, marking);
  if (marking.presence == Presence::kPresent) last_confident_ = marking;
  return tracked;
}

}  // namespace remora::dsp
