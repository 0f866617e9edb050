#include "acquisition-agent/pipelines/mapping_round.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>

#include "absl/status/statusor.h"

namespace remora::agent {
namespace {

// Of a gradient, the strongest response of a side over the noise left in its average, both rms:
// what noise has in common in odd and even halves stays far below.
constexpr double kGradientOverNoise = 2;
// A contact whose average has so many times the noise of the middle one is a loose electrode:
// beside it nothing of the others would stand out.
constexpr double kNoisyContact = 4;

struct Halves {
  double rms_uv = 0;  // of what they have in common
  double correlation = 0;
};

// Within the window, each about its own mean. Noise that differs from one to the other adds
// nothing on average.
Halves CompareHalves(const ContactAverage& contact, const dsp::Timebase& timebase,
                     const dsp::LatencyWindow& window) {
  const dsp::SampleRange range = dsp::SamplesIn(window, timebase, contact.odd_uv.size());
  Halves halves;
  if (range.count < 2) return halves;
  const auto part = [&](const std::vector<double>& uv) {
    std::vector<double> within(uv.begin() + static_cast<ptrdiff_t>(range.first),
                               uv.begin() + static_cast<ptrdiff_t>(range.first + range.count));
    const double mean =
        std::accumulate(within.begin(), within.end(), 0.0) / static_cast<double>(range.count);
    for (double& value : within) value -= mean;
    return within;
  };
  const std::vector<double> odd = part(contact.odd_uv);
  const std::vector<double> even = part(contact.even_uv);
  const auto dot = [](const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  };
  const double shared = dot(odd, even);
  halves.rms_uv = std::sqrt(std::max(0.0, shared / static_cast<double>(range.count)));
  const double both = std::sqrt(dot(odd, odd) * dot(even, even));
  if (both > 0) halves.correlation = std::clamp(shared / both, 0.0, 1.0);
  return halves;
}

bool IsUsed(const MappingRound& round, uint32_t contact) {
  return std::find(round.used.begin(), round.used.end(), contact) != round.used.end();
}

}  // namespace

void LeaveOutNoisy(bool by_leg, MappingRound* round) {
  std::vector<double> noise_uv;
  for (const ContactAverage& contact : round->contacts) {
    if (std::isfinite(contact.noise_uv)) noise_uv.push_back(contact.noise_uv);
  }
  if (noise_uv.size() < 3) return;
  const auto middle = noise_uv.begin() + static_cast<ptrdiff_t>(noise_uv.size() / 2);
  std::nth_element(noise_uv.begin(), middle, noise_uv.end());
  const double most_uv = kNoisyContact * *middle;
  std::erase_if(round->contacts, [&](const ContactAverage& contact) {
    if (!(contact.noise_uv > most_uv)) return false;
    round->left_out.push_back({contact.contact, by_leg ? contact.side : v1::SIDE_UNSPECIFIED,
                               dsp::Rejection::kNone, /*was_not_delivered=*/false,
                               /*is_noisy=*/true, contact.accepted, contact.offered});
    return true;
  });
}

void FindTurn(const v1::MappingPlan& plan, MappingRound* round) {
  std::vector<std::span<const double>> traces;
  double noise_uv = 0;
  for (const ContactAverage& contact : round->contacts) {
    traces.emplace_back(contact.mean_uv);
    if (std::isfinite(contact.noise_uv)) noise_uv = std::max(noise_uv, contact.noise_uv);
  }
  dsp::PhaseReversalOptions options;
  options.window = {plan.window_from_ms(), plan.window_to_ms()};
  options.upper_corner_hz = plan.filter().low_pass_hz();
  absl::StatusOr<dsp::PhaseReversal> reversal =
      dsp::FindPhaseReversal(traces, round->timebase, noise_uv, options);
  if (reversal.ok()) round->reversal = *std::move(reversal);
}

void FindCrossing(const v1::MappingPlan& plan, MappingRound* round) {
  const dsp::LatencyWindow window{plan.window_from_ms(), plan.window_to_ms()};
  for (ContactAverage& contact : round->contacts) {
    contact.response_uv = CompareHalves(contact, round->timebase, window).rms_uv;
  }
  std::vector<double> amplitudes[2];
  std::vector<double> correlations[2];
  for (const size_t row : {size_t{0}, size_t{1}}) {
    const v1::Side leg = row == 0 ? v1::SIDE_LEFT : v1::SIDE_RIGHT;
    bool answers = false;
    for (const ContactAverage& contact : round->contacts) {
      if (contact.side != leg || !IsUsed(*round, contact.contact)) continue;
      const Halves halves = CompareHalves(contact, round->timebase, window);
      amplitudes[row].push_back(halves.rms_uv);
      correlations[row].push_back(halves.correlation);
      answers = answers || halves.rms_uv > kGradientOverNoise * contact.noise_uv;
    }
    if (!answers) round->unanswered.push_back(leg);
  }
  // A side that does not answer has no gradient.
  if (!round->unanswered.empty()) return;
  const absl::StatusOr<std::optional<double>> place =
      dsp::FindMidlineByGradient(amplitudes[0], amplitudes[1]);
  if (!place.ok() || !*place) return;
  const auto before = static_cast<size_t>(std::floor(**place));
  GradientMidline midline{**place, 1};
  for (const size_t at : {before, std::min(before + 1, round->used.size() - 1)}) {
    // Of the leg that is larger there: the other one fades beyond the midline.
    midline.confidence =
        std::min(midline.confidence, std::max(correlations[0][at], correlations[1][at]));
  }
  round->midline = midline;
}

}  // namespace remora::agent
