#include "acquisition-agent/sources/simulator/eeg_rhythms.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "absl/strings/match.h"

namespace remora::agent::sim {
namespace {

constexpr double kNodesHz = 250;
constexpr double kAlphaHz = 10, kAlphaWidthHz = 1.5;
constexpr double kDeltaHz = 1.5, kDeltaWidthHz = 0.8;
constexpr double kCycleS = 6;
constexpr double kEdgeS = 0.05;
constexpr uint64_t kRhythmStream = 7000;

double Keep(double width_hz) { return std::exp(-std::numbers::pi * width_hz / kNodesHz); }

std::complex<double> Turn(double hz, double width_hz) {
  return std::polar(Keep(width_hz), 2 * std::numbers::pi * hz / kNodesHz);
}

double Fresh(double width_hz) { return std::sqrt(1 - Keep(width_hz) * Keep(width_hz)); }

bool HasEeg(const Site& site) {
  return site.kind == SiteKind::kScalp || site.kind == SiteKind::kStrip;
}

}  // namespace

double SuppressionGain(double suppression, double time_s) {
  if (suppression <= 0) return 1;
  const double quiet_s = kCycleS * std::min(suppression, 0.95);
  const double phase_s = time_s - kCycleS * std::floor(time_s / kCycleS);
  // From the edges of the quiet part, which begins each cycle.
  const double inside_s = std::min(phase_s, quiet_s - phase_s);
  const double part = std::clamp(inside_s / kEdgeS, 0.0, 1.0);
  return 1 - (1 - kSuppressedPart) * part;
}

double EegRhythms::Resonator::Next(const std::complex<double>& turn, double fresh,
                                   SimRandom* random) {
  const double real = random->Gaussian();
  const double imaginary = random->Gaussian();
  state = state * turn + fresh * std::complex<double>(real, imaginary);
  return state.real();
}

EegRhythms::EegRhythms(const Scenario& scenario, const SimulatedTruth& truth, double sample_rate_hz,
                       uint64_t seed)
    : scenario_(scenario),
      truth_(truth),
      sample_rate_hz_(sample_rate_hz),
      active_(truth.ActsOnEeg()) {
  if (!active_) return;
  for (size_t i = 0; i <= scenario.channels.size(); ++i) {
    Source source{SimRandom(seed, kRhythmStream + i), {}, {}};
    source.alpha.state = {source.random.Gaussian(), source.random.Gaussian()};
    source.delta.state = {source.random.Gaussian(), source.random.Gaussian()};
    sources_.push_back(source);
  }
}

void EegRhythms::MakeNode() {
  static const std::complex<double> alpha_turn = Turn(kAlphaHz, kAlphaWidthHz);
  static const std::complex<double> delta_turn = Turn(kDeltaHz, kDeltaWidthHz);
  static const double alpha_fresh = Fresh(kAlphaWidthHz);
  static const double delta_fresh = Fresh(kDeltaWidthHz);
  const double time_s =
      static_cast<double>(first_node_ + static_cast<int64_t>(nodes_.size())) / kNodesHz;
  Node node;
  std::array<EegState, 3> states;
  for (const std::optional<Side> side :
       {std::optional<Side>(Side::kLeft), std::optional<Side>(Side::kRight),
        std::optional<Side>()}) {
    const size_t k = SideIndex(side);
    states[k] = truth_.Eeg(side, time_s);
    node.gain[k] = states[k].fast * SuppressionGain(states[k].suppression, time_s);
  }
  Source& common = sources_.back();
  const double common_alpha = common.alpha.Next(alpha_turn, alpha_fresh, &common.random);
  const double common_delta = common.delta.Next(delta_turn, delta_fresh, &common.random);
  const double shared = std::sqrt(0.5);
  for (size_t c = 0; c < scenario_.channels.size(); ++c) {
    const Site& site = scenario_.channels[c];
    if (!HasEeg(site)) {
      node.uv.push_back(0);
      continue;
    }
    Source& own = sources_[c];
    const double alpha = own.alpha.Next(alpha_turn, alpha_fresh, &own.random) + common_alpha;
    const double delta = own.delta.Next(delta_turn, delta_fresh, &own.random) + common_delta;
    const EegState& state = states[SideIndex(site.side)];
    const double forehead = absl::StartsWithIgnoreCase(site.label, "F") ? 1 : 0.6;
    node.uv.push_back(shared * SuppressionGain(state.suppression, time_s) *
                      (scenario_.alpha_uv * forehead * state.alpha * alpha +
                       scenario_.delta_uv * state.delta * delta));
  }
  nodes_.push_back(std::move(node));
}

void EegRhythms::Prepare(int64_t first, int count) {
  if (!active_) return;
  const auto node_at = [&](int64_t sample) {
    return static_cast<double>(sample) / sample_rate_hz_ * kNodesHz;
  };
  const auto first_needed = static_cast<int64_t>(std::floor(node_at(first)));
  const auto last_needed = static_cast<int64_t>(std::floor(node_at(first + count - 1))) + 1;
  while (first_node_ + static_cast<int64_t>(nodes_.size()) <= last_needed) MakeNode();
  while (first_node_ < first_needed) {
    nodes_.pop_front();
    ++first_node_;
  }
  places_.resize(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    const double at = node_at(first + i);
    const double whole = std::floor(at);
    const auto k = static_cast<size_t>(static_cast<int64_t>(whole) - first_node_);
    places_[static_cast<size_t>(i)] = {&nodes_[k], &nodes_[k + 1], at - whole};
  }
}

}  // namespace remora::agent::sim
