#include "acquisition-agent/sources/simulator/truth.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "absl/strings/match.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

constexpr double kNormalTemperature = 36.5;
constexpr double kSepChangeS = 120;  // how long the cord's SEP take to go
constexpr double kLateSep = 1.08;    // and how much later they come

ResponseFactors Part(const ScenarioEvent& event, double weight) {
  return {1 + (event.amplitude - 1) * weight, 1 + (event.latency - 1) * weight,
          event.delay_ms * weight};
}

// 1 for the side named, and where no side is; half for a muscle of the midline.
double SideShare(const std::optional<Side>& of_event, const std::optional<Side>& of_site) {
  if (!of_event) return 1;
  if (!of_site) return 0.5;
  return *of_event == *of_site ? 1 : 0;
}

Side Other(Side side) { return side == Side::kLeft ? Side::kRight : Side::kLeft; }

Region RegionOf(Nerve nerve) { return nerve == Nerve::kTibial ? Region::kLeg : Region::kArm; }

template <size_t n>
double Interpolate(const std::array<std::array<double, 2>, n>& points, double x) {
  if (x <= points[0][0]) return points[0][1];
  for (size_t i = 1; i < n; ++i) {
    if (x > points[i][0]) continue;
    const double part = (x - points[i - 1][0]) / (points[i][0] - points[i - 1][0]);
    return points[i - 1][1] + part * (points[i][1] - points[i - 1][1]);
  }
  return points[n - 1][1];
}

struct Agent {
  absl::string_view name;
  double mac_percent;
};
constexpr std::array<Agent, 3> kVolatile = {
    {{"sevoflurane", 2.0}, {"desflurane", 6.6}, {"isoflurane", 1.2}}};
constexpr double kWashInS = 180;
constexpr double kPropofolRiseS = 30;
constexpr double kPropofolFallS = 240;

}  // namespace

double FadeOfHand(double hours) {
  constexpr std::array<std::array<double, 2>, 5> kTable = {
      {{2, 1.0}, {4, 1.01}, {5, 0.86}, {6, 0.81}, {9, 0.72}}};
  return Interpolate(kTable, hours);
}

double FadeOfFoot(double hours) {
  constexpr std::array<std::array<double, 2>, 5> kTable = {
      {{2, 1.0}, {4, 0.92}, {5, 0.71}, {6, 0.63}, {9, 0.5}}};
  return Interpolate(kTable, hours);
}

int EntryRoot(Nerve nerve) {
  switch (nerve) {
    case Nerve::kMedian:
      return 7;  // C7
    case Nerve::kUlnar:
      return 8;  // C8
    case Nerve::kTibial:
      return 26;  // S1
  }
  return 0;
}

SimulatedTruth::SimulatedTruth(const Scenario& scenario) : scenario_(scenario) {
  for (const ScenarioEvent& event : scenario.events) {
    const bool stops = event.drug == ScenarioEvent::Drug::kStopped;
    if (event.kind != Kind::kDrug || (!stops && event.drug != ScenarioEvent::Drug::kInspired))
      continue;
    for (const Agent& agent : kVolatile) {
      if (agent.name != event.text) continue;
      inspired_.push_back({event.at_s, stops ? 0 : event.amount / agent.mac_percent});
    }
  }
  std::stable_sort(inspired_.begin(), inspired_.end(),
                   [](const Inspired& a, const Inspired& b) { return a.at_s < b.at_s; });
}

double SimulatedTruth::Mac(double time_s) const {
  // Each setting draws what there is towards itself.
  double mac = 0;
  for (size_t i = 0; i < inspired_.size() && inspired_[i].at_s < time_s; ++i) {
    const bool last = i + 1 == inspired_.size();
    const double until_s = last ? time_s : std::min(time_s, inspired_[i + 1].at_s);
    mac = inspired_[i].mac +
          (mac - inspired_[i].mac) * std::exp(-(until_s - inspired_[i].at_s) / kWashInS);
  }
  return mac;
}

double SimulatedTruth::Depth(double time_s) const {
  double depth = Mac(time_s);
  // Peaks at 1 for 100 mg.
  static const double peak = [] {
    const double at_s =
        std::log(kPropofolFallS / kPropofolRiseS) / (1 / kPropofolRiseS - 1 / kPropofolFallS);
    return std::exp(-at_s / kPropofolFallS) - std::exp(-at_s / kPropofolRiseS);
  }();
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind == Kind::kDepth) depth += event.amount * EventWeight(event, time_s);
    if (event.kind != Kind::kDrug || event.drug != ScenarioEvent::Drug::kBolus ||
        event.text != "propofol" || time_s <= event.at_s)
      continue;
    double since_s = time_s - event.at_s;
    if (event.every_s > 0) since_s = std::fmod(since_s, event.every_s);
    depth += event.amount / 100 *
             (std::exp(-since_s / kPropofolFallS) - std::exp(-since_s / kPropofolRiseS)) / peak;
  }
  return std::max(depth, 0.0);
}

double SimulatedTruth::VitalAt(Vital vital, double time_s) const {
  double value = scenario_.vitals[vital];
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kVital || event.vital != vital) continue;
    value += (event.amount - value) * EventWeight(event, time_s);
  }
  if (vital == kBis) value = std::clamp(value - 22 * Depth(time_s), 0.0, 100.0);
  return value;
}

double SimulatedTruth::Cooling(double time_s) const {
  return kNormalTemperature - VitalAt(kTemperature, time_s);
}

double SimulatedTruth::PressureFactor(double time_s, double from_mmhg, double to_mmhg,
                                      double least) const {
  const double part = (from_mmhg - VitalAt(kMap, time_s)) / (from_mmhg - to_mmhg);
  return 1 - (1 - least) * std::clamp(part, 0.0, 1.0);
}

double SimulatedTruth::LimbCooling(Region region, Side side, double time_s) const {
  double degrees = 0;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kColdLimb || event.region.value_or(region) != region) continue;
    if (event.side.value_or(side) != side) continue;
    degrees += event.amount * EventWeight(event, time_s);
  }
  return degrees;
}

// SEP below the level follow the motor responses after minutes.
void SimulatedTruth::ApplyCord(const ScenarioEvent& event, int root, double time_s,
                               ResponseFactors* out) const {
  if (root <= event.root) return;
  ScenarioEvent later = event;
  later.at_s += event.sep_delay_s;
  later.for_s -= event.sep_delay_s;
  later.ramp_s = std::max(event.ramp_s, kSepChangeS);
  if (later.for_s <= 0) return;
  const double weight = EventWeight(later, time_s);
  out->amplitude *= 1 + (event.sep_amplitude - 1) * weight;
  if (event.sep_amplitude < 1) out->latency *= 1 + (kLateSep - 1) * weight;
}

ResponseFactors SimulatedTruth::Sep(Nerve nerve, Side side, Level level, double time_s) const {
  ResponseFactors out;
  const Region region = RegionOf(nerve);
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.side.value_or(side) != side && event.kind != Kind::kHemisphere) continue;
    switch (event.kind) {
      case Kind::kResponse:
        if (event.nerve.value_or(nerve) == nerve && event.levels[static_cast<int>(level)]) {
          out.Apply(Part(event, EventWeight(event, time_s)));
        }
        break;
      case Kind::kLimb:
      case Kind::kIschaemia:
        if (event.region == region) out.Apply(Part(event, EventWeight(event, time_s)));
        break;
      case Kind::kCord:
        if (level != Level::kPeripheral) ApplyCord(event, EntryRoot(nerve), time_s, &out);
        break;
      case Kind::kHemisphere:
        if (level == Level::kCortical && event.side.value_or(Other(side)) == Other(side)) {
          out.Apply(Part(event, EventWeight(event, time_s)));
        }
        break;
      default:
        break;
    }
  }
  const double depth = Depth(time_s);
  const double cooling = Cooling(time_s);
  switch (level) {
    case Level::kPeripheral:
      out.latency *= 1 + 0.015 * cooling;
      break;
    case Level::kSubcortical:
      out.amplitude *= std::pow(0.9, depth);
      out.latency *= 1 + 0.022 * cooling;
      break;
    case Level::kCortical:
      out.amplitude *= std::pow(0.5, depth) * PressureFactor(time_s, 60, 45, 0.5);
      out.latency *= 1 + 0.0385 * cooling;
      out.delay_ms += 1.5 * depth;
      break;
  }
  out.delay_ms += (region == Region::kLeg ? 0.35 : 0.25) * LimbCooling(region, side, time_s);
  out.latency = std::clamp(out.latency, 0.25, 4.0);
  return out;
}

double SimulatedTruth::Fade(const Site& muscle, double time_s) const {
  const Muscle* which = FindMuscle(muscle.label);
  if (!scenario_.fades || which == nullptr) return 1;
  const double hours = (scenario_.fade_from_s + time_s) / 3600;
  if (which->region == Region::kLeg) return FadeOfFoot(hours);
  const bool resists = which->region == Region::kFace || which->region == Region::kLarynx;
  return resists ? 1 : FadeOfHand(hours);
}

ResponseFactors SimulatedTruth::Mep(const Site& site, double time_s) const {
  ResponseFactors out;
  const Muscle* muscle = FindMuscle(site.label);
  if (muscle == nullptr || site.kind != SiteKind::kMuscle) return out;
  for (const ScenarioEvent& event : scenario_.events) {
    double share = SideShare(event.side, site.side);
    switch (event.kind) {
      case Kind::kMotor:
        if (!event.channel.empty() && event.channel != site.label) continue;
        if (event.channel.empty() && event.region.value_or(muscle->region) != muscle->region)
          continue;
        if (!event.channel.empty()) share = 1;
        break;
      case Kind::kCord:
        if (muscle->root <= event.root) continue;
        break;
      case Kind::kRoot:
        if (event.root < muscle->first_root || event.root > muscle->last_root) continue;
        if (event.root != muscle->root) share *= 0.5;
        break;
      case Kind::kHemisphere:
        share = event.side ? SideShare(Other(*event.side), site.side) : 1;
        break;
      case Kind::kLimb:
      case Kind::kIschaemia:
        if (event.region != muscle->region) continue;
        break;
      default:
        continue;
    }
    out.Apply(Part(event, share * EventWeight(event, time_s)));
  }
  const double depth = Depth(time_s);
  out.amplitude *= std::pow(0.4, depth) * Fade(site, time_s) *
                   BlockOf(RelaxantConcentration(scenario_.events, time_s), muscle->region).t1;
  out.amplitude *= muscle->region == Region::kLeg ? PressureFactor(time_s, 65, 50, 0.3)
                                                  : PressureFactor(time_s, 62, 50, 0.5);
  out.latency = std::clamp(out.latency * (1 + 0.025 * Cooling(time_s)), 0.25, 4.0);
  if (site.side) out.delay_ms += 0.35 * LimbCooling(muscle->region, *site.side, time_s);
  return out;
}

ResponseFactors SimulatedTruth::Cmap(const Site& site, double time_s) const {
  ResponseFactors out;
  const Muscle* muscle = FindMuscle(site.label);
  if (muscle == nullptr) return out;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kIschaemia || event.region != muscle->region) continue;
    out.Apply(Part(event, SideShare(event.side, site.side) * EventWeight(event, time_s)));
  }
  out.amplitude *= BlockOf(RelaxantConcentration(scenario_.events, time_s), muscle->region).t1;
  return out;
}

ResponseFactors SimulatedTruth::Larynx(Side side, double time_s) const {
  ResponseFactors out;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kLarynx || event.side.value_or(side) != side) continue;
    out.Apply(Part(event, EventWeight(event, time_s)));
  }
  out.amplitude *= BlockOf(RelaxantConcentration(scenario_.events, time_s), Region::kLarynx).t1;
  return out;
}

ResponseFactors SimulatedTruth::Baep(Side side, bool first_wave, double time_s) const {
  ResponseFactors out;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kBaep || event.side.value_or(side) != side) continue;
    if (!first_wave || event.first_wave) out.Apply(Part(event, EventWeight(event, time_s)));
  }
  out.latency *= 1 + 0.034 * Cooling(time_s);
  return out;
}

ResponseFactors SimulatedTruth::Vep(Side side, double time_s) const {
  ResponseFactors out;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kVep || event.side.value_or(side) != side) continue;
    out.Apply(Part(event, EventWeight(event, time_s)));
  }
  out.amplitude *= std::pow(0.4, Depth(time_s));
  return out;
}

ResponseFactors SimulatedTruth::Dwave(bool caudal, double time_s) const {
  ResponseFactors out;
  for (const ScenarioEvent& event : scenario_.events) {
    const double weight = EventWeight(event, time_s);
    if (event.kind == Kind::kDwave) {
      if (!event.channel.empty() && absl::EndsWith(event.channel, "caudal") != caudal) continue;
      out.Apply(Part(event, weight));
    } else if (event.kind == Kind::kCord && caudal) {
      out.amplitude *= 1 + (event.dwave_amplitude - 1) * weight;
    } else if (event.kind == Kind::kHemisphere) {
      // One of two tracts.
      out.amplitude *= 1 + (event.amplitude - 1) * weight * (event.side ? 0.5 : 1);
    }
  }
  out.latency *= 1 + 0.025 * Cooling(time_s);
  return out;
}

Block SimulatedTruth::TrainOfFour(Region region, Side side, double time_s) const {
  Block block = BlockOf(RelaxantConcentration(scenario_.events, time_s), region);
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kIschaemia || event.region != region) continue;
    if (event.side.value_or(side) != side) continue;
    block.t1 *= 1 + (event.amplitude - 1) * EventWeight(event, time_s);
  }
  return block;
}

double SimulatedTruth::Emg(const Site& site, double time_s) const {
  const Muscle* muscle = FindMuscle(site.label);
  if (muscle == nullptr || site.kind != SiteKind::kMuscle) return 1;
  double gain = BlockOf(RelaxantConcentration(scenario_.events, time_s), muscle->region).t1;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kEmgSilence || event.channel != site.label) continue;
    gain *= 1 - 0.95 * EventWeight(event, time_s);
  }
  return gain;
}

double SimulatedTruth::Threshold(const Stimulator& stimulator, double time_s) const {
  double factor = 1;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kThreshold || !ConcernsStimulator(event, stimulator)) continue;
    if (!event.text.empty() && event.text != StimulusSite(stimulator, 0)) continue;
    factor *= 1 + (event.amplitude - 1) * EventWeight(event, time_s);
  }
  if (stimulator.kind == StimulusKind::kMep || stimulator.kind == StimulusKind::kDcs) {
    factor *= 1 + 0.2 * Depth(time_s);
  }
  return factor;
}

double SimulatedTruth::Delivered(const Stimulator& stimulator, double time_s) const {
  double part = 1;
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kDelivery || !ConcernsStimulator(event, stimulator)) continue;
    part *= 1 + (event.amplitude - 1) * EventWeight(event, time_s);
  }
  return part;
}

EegState SimulatedTruth::Eeg(std::optional<Side> side, double time_s) const {
  const double depth = Depth(time_s);
  EegState state;
  state.fast = std::pow(0.75, depth) * PressureFactor(time_s, 55, 40, 0.5);
  state.alpha = std::pow(0.5, depth);
  state.delta = 1 + 0.6 * std::min(depth, 2.0);
  state.suppression = std::clamp(depth - 1.2, 0.0, 0.95);
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.kind != Kind::kHemisphere) continue;
    const double weight = EventWeight(event, time_s) * SideShare(event.side, side);
    const double lost = (1 - std::min(event.amplitude, 1.0)) * weight;
    state.fast *= 1 - lost;
    state.alpha *= 1 - lost;
    state.delta *= 1 + 1.5 * lost;
  }
  return state;
}

double SimulatedTruth::ImpedanceKohm(absl::string_view electrode, double time_s) const {
  double kohm = scenario_.impedance_kohm.value_or(0);
  for (const ScenarioEvent& event : scenario_.events) {
    if (event.channel != electrode || EventWeight(event, time_s) <= 0) continue;
    if (event.kind == Kind::kImpedance) kohm = event.amount;
    if (event.kind == Kind::kDisconnect) return std::numeric_limits<double>::infinity();
  }
  return kohm;
}

bool SimulatedTruth::ActsOnEmg() const {
  return std::any_of(scenario_.events.begin(), scenario_.events.end(), [](const auto& event) {
    return event.kind == Kind::kEmgSilence || (event.kind == Kind::kDrug && IsRelaxant(event.text));
  });
}

bool SimulatedTruth::ActsOnEeg() const {
  if (scenario_.alpha_uv > 0 || scenario_.delta_uv > 0) return true;
  return std::any_of(scenario_.events.begin(), scenario_.events.end(), [](const auto& event) {
    return event.kind == Kind::kDepth || event.kind == Kind::kDrug ||
           event.kind == Kind::kHemisphere || (event.kind == Kind::kVital && event.vital == kMap);
  });
}

}  // namespace remora::agent::sim
