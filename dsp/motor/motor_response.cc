#include "dsp/motor/motor_response.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "dsp/motor/cubic_spline.h"

namespace remora::dsp {
namespace {

constexpr std::size_t kFewestNoiseSamples = 8;
// Samples beside the search window that the spline sees: what is farther off does not bend it.
constexpr std::size_t kSplineMargin = 16;
// Area, onset and phases are taken on points at most so far apart, two to ten a sample.
constexpr double kPointsMs = 0.02;

double StepOf(const Timebase& timebase) {
  return 1.0 / std::clamp(std::ceil(timebase.StepMs() / kPointsMs), 2.0, 10.0);
}

struct Noise {
  double mean_uv = 0.0;
  double rms_uv = std::numeric_limits<double>::quiet_NaN();
};

Noise MeasureNoise(std::span<const double> samples) {
  double sum = 0.0, squares = 0.0;
  std::size_t count = 0;
  for (const double sample : samples) {
    if (!std::isfinite(sample)) continue;
    sum += sample;
    ++count;
  }
  if (count < kFewestNoiseSamples) return {};
  const double mean = sum / static_cast<double>(count);
  for (const double sample : samples) {
    if (std::isfinite(sample)) squares += (sample - mean) * (sample - mean);
  }
  return {mean, std::sqrt(squares / static_cast<double>(count - 1))};
}

absl::Status Validate(std::size_t samples, const Timebase& timebase,
                      const MotorResponseOptions& options) {
  if (!(timebase.sample_rate_hz > 0.0)) {
    return absl::InvalidArgumentError("the sample rate is not positive");
  }
  if (SamplesIn(options.search, timebase, samples).count < 3) {
    return absl::InvalidArgumentError("the search window holds fewer than 3 samples of the sweep");
  }
  if (options.noise.end_ms >= options.search.start_ms &&
      options.noise.start_ms <= options.search.end_ms) {
    return absl::InvalidArgumentError("the noise window overlaps the search window");
  }
  const double limits[] = {options.least_uv, options.present_over_noise_range,
                           options.edge_over_noise, options.edge_part_of_amplitude,
                           options.longest_crossing_ms};
  const bool sensible = std::all_of(std::begin(limits), std::end(limits), [](double limit) {
    return std::isfinite(limit) && limit >= 0.0;
  });
  if (!sensible || !(options.certain_over_noise_range >= options.present_over_noise_range)) {
    return absl::InvalidArgumentError("a limit of the motor response is out of range");
  }
  return absl::OkStatus();
}

// A stretch of the sweep as a curve about the base line; positions in samples of the sweep.
class Curve {
 public:
  Curve(std::span<const double> sweep, SampleRange search, double base_uv)
      : from_(static_cast<double>(search.first)),
        to_(static_cast<double>(search.first + search.count - 1)),
        base_uv_(base_uv),
        offset_(static_cast<double>(FirstOf(sweep, search))),
        spline_(Stretch(sweep, search)) {}

  double from() const { return from_; }
  double to() const { return to_; }
  double At(double position) const { return spline_.At(position - offset_) - base_uv_; }
  CubicSpline::Extreme Largest() const { return OfSweep(spline_.Largest(In(from_), In(to_))); }
  CubicSpline::Extreme Smallest() const { return OfSweep(spline_.Smallest(In(from_), In(to_))); }

 private:
  // Finite samples beside the window, at most the margin.
  static std::size_t FirstOf(std::span<const double> sweep, SampleRange search) {
    std::size_t first = search.first;
    while (first > 0 && search.first - first < kSplineMargin && std::isfinite(sweep[first - 1])) {
      --first;
    }
    return first;
  }
  static std::span<const double> Stretch(std::span<const double> sweep, SampleRange search) {
    const std::size_t first = FirstOf(sweep, search);
    const std::size_t window_end = search.first + search.count;
    std::size_t end = window_end;
    while (end < sweep.size() && end - window_end < kSplineMargin && std::isfinite(sweep[end])) {
      ++end;
    }
    return sweep.subspan(first, end - first);
  }
  double In(double position) const { return position - offset_; }
  CubicSpline::Extreme OfSweep(CubicSpline::Extreme extreme) const {
    return {extreme.position + offset_, extreme.value - base_uv_};
  }

  double from_, to_, base_uv_, offset_;
  CubicSpline spline_;
};

// The farthest position from `start`, going by `step`, that is over the edge with no stretch below
// it longer than `longest_gap` on the way.
double FarthestOver(const Curve& curve, double start, double step, double edge_uv,
                    double longest_gap) {
  double farthest = start;
  for (double at = start; at >= curve.from() && at <= curve.to(); at += step) {
    if (std::abs(curve.At(at)) >= edge_uv) {
      farthest = at;
    } else if (std::abs(at - farthest) > longest_gap) {
      break;
    }
  }
  return farthest;
}

// Area, in uV samples, and stretches on one side that reach the edge.
void MeasureShape(const Curve& curve, double onset, double end, double edge_uv, double step,
                  MotorResponse& response) {
  double area = 0.0;
  int side = 0;
  for (double at = onset; at <= end; at += step) {
    const double value = curve.At(at);
    area += std::abs(value) * step;
    const int over = value >= edge_uv ? 1 : value <= -edge_uv ? -1 : 0;
    if (over == 0 || over == side) continue;
    side = over;
    ++response.phases;
  }
  response.area_uv_ms = area;
}

void JudgePresence(const MotorResponseOptions& options, std::size_t searched,
                   MotorResponse& response) {
  response.presence = Presence::kPresent;
  const double range_uv =
      2.0 * std::sqrt(2.0 * std::log(static_cast<double>(searched))) * response.noise_uv;
  if (std::isnan(range_uv)) {
    response.doubts |= kDoubtNoiseUnknown;
    response.presence = Presence::kUncertain;
  } else if (response.amplitude_uv < options.present_over_noise_range * range_uv) {
    response.doubts |= kDoubtBelowNoise;
    response.presence = Presence::kAbsent;
  } else if (response.amplitude_uv < options.certain_over_noise_range * range_uv) {
    response.doubts |= kDoubtLowSignal;
    response.presence = Presence::kUncertain;
  }
  const bool is_flat = !(response.amplitude_uv > 0.0);
  if (is_flat || response.amplitude_uv < options.least_uv) response.presence = Presence::kAbsent;
}

}  // namespace

absl::StatusOr<MotorResponse> MeasureMotorResponse(std::span<const double> sweep_uv,
                                                   const Timebase& timebase,
                                                   const MotorResponseOptions& options) {
  if (absl::Status valid = Validate(sweep_uv.size(), timebase, options); !valid.ok()) return valid;
  MotorResponse response;
  const SampleRange quiet = SamplesIn(options.noise, timebase, sweep_uv.size());
  const Noise noise = MeasureNoise(sweep_uv.subspan(quiet.first, quiet.count));
  response.noise_uv = noise.rms_uv;
  const SampleRange search = SamplesIn(options.search, timebase, sweep_uv.size());
  const auto searched = sweep_uv.subspan(search.first, search.count);
  if (!std::all_of(searched.begin(), searched.end(), [](double v) { return std::isfinite(v); })) {
    response.doubts = kDoubtBadInput;
    response.amplitude_uv = std::numeric_limits<double>::quiet_NaN();
    return response;
  }
  const Curve curve(sweep_uv, search, noise.mean_uv);
  CubicSpline::Extreme first = curve.Largest();
  CubicSpline::Extreme second = curve.Smallest();
  response.amplitude_uv = first.value - second.value;
  if (second.position < first.position) std::swap(first, second);
  JudgePresence(options, search.count, response);
  if (response.presence == Presence::kAbsent) return response;

  const double noise_edge_uv =
      std::isnan(noise.rms_uv) ? 0.0 : options.edge_over_noise * noise.rms_uv;
  const double edge_uv =
      std::max(noise_edge_uv, options.edge_part_of_amplitude * response.amplitude_uv);
  const double longest_gap = options.longest_crossing_ms / timebase.StepMs();
  const double step = StepOf(timebase);
  // The response is walked from where it is one: the opposite extreme of a single phase is noise,
  // anywhere.
  const bool one_phase = std::min(std::abs(first.value), std::abs(second.value)) < edge_uv;
  if (one_phase && std::abs(first.value) < edge_uv) std::swap(first, second);
  const double last = one_phase ? first.position : second.position;
  response.first = {timebase.LatencyMs(first.position), first.value, 0.0};
  response.second = {timebase.LatencyMs(second.position), second.value, 0.0};
  const double onset = FarthestOver(curve, first.position, -step, edge_uv, longest_gap);
  const double end = FarthestOver(curve, last, step, edge_uv, longest_gap);
  response.onset_ms = timebase.LatencyMs(onset);
  response.end_ms = timebase.LatencyMs(end);
  MeasureShape(curve, onset, end, edge_uv, step, response);
  response.area_uv_ms *= timebase.StepMs();
  return response;
}

}  // namespace remora::dsp
