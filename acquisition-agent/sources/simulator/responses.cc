#include "acquisition-agent/sources/simulator/responses.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/match.h"

namespace remora::agent::sim {
namespace {

constexpr double kWidthToSigma = 0.42466090014400953;  // 1 / (2 sqrt(2 ln 2))
constexpr uint64_t kTrialStream = 0x7A1A1;
constexpr uint64_t kMepStream = 9000;

// Far-field waves of a click. The vertex sees what comes from the brainstem, the ear of the click's
// side the nerve: Cz-A1 shows all of them upright.
struct ClickWave {
  double latency_ms;
  double uv;
  double width_ms;
  double at_vertex;
  double at_ear;
  double at_other_ear;
};
constexpr double kTubeMs = 0.9;
constexpr std::array<ClickWave, 5> kClickWaves = {{{1.7, 0.25, 0.4, 0, -1, 0},
                                                   {2.8, 0.15, 0.5, 0, -1, 0},
                                                   {3.8, 0.25, 0.5, 0.5, -0.5, -0.2},
                                                   {5.0, 0.20, 0.5, 1, 0, 0},
                                                   {5.8, 0.45, 0.7, 1, 0, 0}}};

struct Place {
  absl::string_view label;
  double part;
};
constexpr std::array<Place, 4> kVertex = {{{"Cz", 1}, {"Fz", 0.9}, {"CPz", 0.8}, {"FPz", 0.7}}};
constexpr std::array<Place, 4> kOccipital = {{{"O1", 1}, {"O2", 1}, {"Oz", 1}, {"Pz", 0.4}}};

template <size_t n>
double PartOf(const std::array<Place, n>& places, absl::string_view label) {
  for (const Place& place : places) {
    if (place.label == label) return place.part;
  }
  return 0;
}

bool IsEar(absl::string_view label) {
  return label == "A1" || label == "A2" || label == "M1" || label == "M2";
}

// A single pulse moves no muscle under anaesthesia.
double PartOfTrain(int pulses) {
  constexpr std::array<double, 5> kTrainParts = {0, 0, 0.2, 0.5, 0.8};
  return pulses < static_cast<int>(kTrainParts.size()) ? kTrainParts[std::max(pulses, 0)] : 1;
}

// How much of a train under the first-named electrode a muscle gets: the anode's hemisphere moves
// the other side; the cathode's a little of its own, more the closer together they stand.
double PartOfScalp(absl::string_view site, const Site& muscle, Region region) {
  const absl::string_view anode = site.substr(0, site.find('-'));
  if (anode.empty()) return 0;
  const char last = anode.back();
  if (last < '0' || last > '9') return region == Region::kLeg ? 1 : 0.5;
  const Side moved = (last - '0') % 2 == 1 ? Side::kRight : Side::kLeft;
  if (!muscle.side) return 0.6;
  if (*muscle.side == moved) return 1;
  if (region == Region::kFace) return 0.05;
  return absl::StartsWith(site, "C1") || absl::StartsWith(site, "C2") ? 0.45 : 0.2;
}

double ArtefactScale(StimulusKind kind) {
  switch (kind) {
    case StimulusKind::kMep:
    case StimulusKind::kDwave:
    case StimulusKind::kDcs:
    case StimulusKind::kSubcortical:
      return 5;
    case StimulusKind::kBaep:
    case StimulusKind::kVep:
      return 0;
    default:
      return 1;
  }
}

}  // namespace

double Recruitment(double intensity, double threshold) {
  if (threshold <= 0) return intensity > 0 ? 1 : 0;
  if (intensity < threshold * (1 - 1e-9)) return 0;
  const double x = std::min((intensity / threshold - 1) / 0.4, 1.0);
  return 0.15 + 0.85 * x * (2 - x);
}

ResponseMaker::ResponseMaker(const Scenario& scenario, const SimulatedTruth& truth, uint64_t seed)
    : scenario_(scenario), truth_(truth), seed_(seed) {
  const int channels = static_cast<int>(scenario.channels.size());
  for (int c = 0; c < channels; ++c) {
    mep_shapes_.push_back(MakeMepShape(SimRandom(seed, kMepStream + static_cast<uint64_t>(c))));
  }
  for (const Stimulator& stimulator : scenario.stimulators) {
    std::vector<SepWave> waves;
    for (int c = 0; c < channels && stimulator.kind == StimulusKind::kSep; ++c) {
      for (const Component& component : Components()) {
        if (component.nerve != stimulator.nerve) continue;
        const double part = Projection(component, scenario.channels[c], stimulator.side);
        if (part == 0) continue;
        waves.push_back({c, component.level, part * component.amplitude_uv, component.latency_ms,
                         component.width_ms});
      }
    }
    sep_.push_back(std::move(waves));
  }
}

void ResponseMaker::AddShape(const Trial& trial, int channel, const WaveShape& shape,
                             double length_ms, double amplitude_uv, double latency_ms,
                             const ResponseFactors& factors) const {
  const double amplitude = amplitude_uv * factors.amplitude;
  if (amplitude == 0) return;
  const double at_s = (latency_ms * factors.latency + factors.delay_ms) * 1e-3;
  const double length_s = length_ms * 1e-3;
  trial.waves->push_back(
      {&shape, channel, trial.time_s + at_s - shape.reference() * length_s, length_s, amplitude});
}

void ResponseMaker::AddGaussian(const Trial& trial, int channel, double amplitude_uv,
                                double latency_ms, double width_ms,
                                const ResponseFactors& factors) const {
  AddShape(trial, channel, GaussianShape(), kGaussianSigmas * kWidthToSigma * width_ms,
           amplitude_uv, latency_ms, factors);
}

double ResponseMaker::TrialFactor(const Trial& trial, int channel, double variation) const {
  uint64_t stream = kTrialStream + static_cast<uint64_t>(trial.stimulus.time_ns) * 1009 +
                    static_cast<uint64_t>(trial.stimulus.stimulator) * 257;
  stream = SplitMix64(&stream) + static_cast<uint64_t>(channel);
  const double sigma = std::sqrt(std::log1p(variation * variation));
  return std::exp(sigma * SimRandom(seed_, stream).Gaussian() - 0.5 * sigma * sigma);
}

void ResponseMaker::Answer(const Stimulus& stimulus, std::vector<Wave>* waves,
                           std::vector<PulseArtefact>* artefacts) const {
  const Stimulator& stimulator = scenario_.stimulators[stimulus.stimulator];
  const double time_s = static_cast<double>(stimulus.time_ns) * 1e-9;
  const double delivered = truth_.Delivered(stimulator, time_s);
  const double threshold =
      stimulator.threshold > 0 ? stimulator.threshold : 0.3 * stimulator.intensity();
  const bool acoustic =
      stimulator.kind == StimulusKind::kBaep || stimulator.kind == StimulusKind::kVep;
  const Trial trial{stimulus, stimulator, time_s,
                    acoustic ? delivered
                             : Recruitment(stimulus.intensity * delivered,
                                           threshold * truth_.Threshold(stimulator, time_s)),
                    waves};
  const double scale = ArtefactScale(stimulator.kind) * delivered;
  for (int pulse = 0; pulse < stimulator.pulses && scale > 0; ++pulse) {
    artefacts->push_back({time_s + pulse * stimulator.pulse_interval_ms * 1e-3, scale});
  }
  if (trial.recruitment == 0) return;
  switch (stimulator.kind) {
    case StimulusKind::kSep:
      AnswerSep(trial);
      return AnswerStrip(trial);
    case StimulusKind::kMep:
    case StimulusKind::kDcs:
    case StimulusKind::kSubcortical:
      return AnswerMep(trial);
    case StimulusKind::kDwave:
      return AnswerDwave(trial);
    case StimulusKind::kTof:
      return AnswerTrainOfFour(trial);
    case StimulusKind::kScrew:
    case StimulusKind::kNerve:
      return AnswerRoot(trial);
    case StimulusKind::kRln:
    case StimulusKind::kVagus:
      return AnswerLarynx(trial);
    case StimulusKind::kBaep:
      return AnswerBaep(trial);
    case StimulusKind::kVep:
      return AnswerVep(trial);
    case StimulusKind::kMidline:
      return AnswerMidline(trial);
  }
}

void ResponseMaker::AnswerSep(const Trial& trial) const {
  std::array<ResponseFactors, 3> factors;
  for (const Level level : {Level::kPeripheral, Level::kSubcortical, Level::kCortical}) {
    factors[static_cast<size_t>(level)] =
        truth_.Sep(trial.stimulator.nerve, trial.stimulator.side, level, trial.time_s);
  }
  for (const SepWave& wave : sep_[trial.stimulus.stimulator]) {
    AddGaussian(trial, wave.channel, wave.amplitude_uv * trial.recruitment, wave.latency_ms,
                wave.width_ms, factors[static_cast<size_t>(wave.level)]);
  }
}

// Behind the sulcus the N20, before it its mirror image a little later; ten times the scalp's.
void ResponseMaker::AnswerStrip(const Trial& trial) const {
  const Stimulator& stimulator = trial.stimulator;
  if (stimulator.nerve == Nerve::kTibial || stimulator.side == scenario_.strip) return;
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    if (scenario_.channels[c].kind != SiteKind::kStrip) continue;
    const int contact = StripContact(scenario_.channels[c].label);
    const double from_sulcus = contact - scenario_.sulcus - 0.5;
    const double size = 10 * std::exp(-(std::abs(from_sulcus) - 0.5) / 2);
    const bool behind = from_sulcus < 0;
    const ResponseFactors factors =
        truth_.Sep(stimulator.nerve, stimulator.side, Level::kCortical, trial.time_s);
    for (const Component& component : Components()) {
      if (component.nerve != stimulator.nerve || component.level != Level::kCortical) continue;
      AddGaussian(trial, c, (behind ? 1 : -1) * size * component.amplitude_uv * trial.recruitment,
                  component.latency_ms + (behind ? 0 : 0.7), component.width_ms, factors);
    }
  }
}

// A contact on the dorsal cord excites the column of its side: the scalp sees a tibial response
// without the way up the leg.
void ResponseMaker::AnswerMidline(const Trial& trial) const {
  constexpr double kWayUpTheLegMs = 15;
  const int contact = static_cast<int>(trial.stimulus.number % trial.stimulator.contacts) + 1;
  const double from_midline = contact - scenario_.midline - 0.5;
  const Side side = from_midline < 0 ? Side::kLeft : Side::kRight;
  const double size = std::min(0.6 + 0.2 * std::abs(from_midline), 1.2) * trial.recruitment;
  const ResponseFactors factors = truth_.Sep(Nerve::kTibial, side, Level::kCortical, trial.time_s);
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    for (const Component& component : Components()) {
      if (component.nerve != Nerve::kTibial || component.level != Level::kCortical) continue;
      const double part = Projection(component, scenario_.channels[c], side);
      AddGaussian(trial, c, part * size * component.amplitude_uv,
                  component.latency_ms - kWayUpTheLegMs, component.width_ms, factors);
    }
  }
}

void ResponseMaker::AnswerMep(const Trial& trial) const {
  const Stimulator& stimulator = trial.stimulator;
  const bool scalp = stimulator.kind == StimulusKind::kMep;
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    const Site& site = scenario_.channels[c];
    const Muscle* muscle = site.kind == SiteKind::kMuscle ? FindMuscle(site.label) : nullptr;
    if (muscle == nullptr) continue;
    double part = 0;
    if (scalp) {
      part = PartOfScalp(stimulator.site, site, muscle->region);
    } else if (muscle->region == stimulator.region &&
               site.side.value_or(stimulator.side) == stimulator.side) {
      part = 0.8;
    }
    if (part == 0) continue;
    const bool foot = muscle->region == Region::kLeg;
    const double size = muscle->mep_uv * part * trial.recruitment * PartOfTrain(stimulator.pulses);
    // From the cortex itself, and from below it, the way is shorter.
    const double latency_ms = muscle->mep_ms - (scalp ? 0 : 1);
    AddShape(trial, c, mep_shapes_[c], kMepShapeS * 1e3,
             size * TrialFactor(trial, c, foot ? kFootMepVariation : kMepVariation), latency_ms,
             truth_.Mep(site, trial.time_s));
  }
}

void ResponseMaker::AnswerDwave(const Trial& trial) const {
  constexpr double kLengthMs = 2.4;  // 1.0 ms from half height to half height of its two phases
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    if (scenario_.channels[c].kind != SiteKind::kEpidural) continue;
    const bool caudal = absl::EndsWith(scenario_.channels[c].label, "caudal");
    AddShape(trial, c, VolleyShape(), kLengthMs,
             (caudal ? 14 : 20) * trial.recruitment * TrialFactor(trial, c, kCmapVariation),
             caudal ? 6.0 : 4.5, truth_.Dwave(caudal, trial.time_s));
  }
}

void ResponseMaker::AnswerTrainOfFour(const Trial& trial) const {
  constexpr double kTwitchUv = 2500;
  const Stimulator& stimulator = trial.stimulator;
  const Block block = truth_.TrainOfFour(stimulator.region, stimulator.side, trial.time_s);
  const double twitch = block.twitches()[static_cast<size_t>(trial.stimulus.number % 4)];
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    const Site& site = scenario_.channels[c];
    const Muscle* muscle = site.kind == SiteKind::kMuscle ? FindMuscle(site.label) : nullptr;
    if (muscle == nullptr || !muscle->distal || muscle->region != stimulator.region) continue;
    if (site.side.value_or(stimulator.side) != stimulator.side) continue;
    AddShape(trial, c, CmapShape(), 8, kTwitchUv * twitch * trial.recruitment,
             stimulator.region == Region::kArm ? 3.8 : 4.6, {});
  }
}

void ResponseMaker::AnswerRoot(const Trial& trial) const {
  const Stimulator& stimulator = trial.stimulator;
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    const Site& site = scenario_.channels[c];
    const Muscle* muscle = site.kind == SiteKind::kMuscle ? FindMuscle(site.label) : nullptr;
    if (muscle == nullptr || site.side.value_or(stimulator.side) != stimulator.side) continue;
    if (stimulator.root < muscle->first_root || stimulator.root > muscle->last_root) continue;
    const double full_uv = muscle->region == Region::kTrunk  ? 250
                           : muscle->region == Region::kFace ? 400
                                                             : 1200;
    const double size = full_uv * (muscle->root == stimulator.root ? 1 : 0.4) * trial.recruitment;
    AddShape(trial, c, CmapShape(), 8, size * TrialFactor(trial, c, kCmapVariation),
             muscle->cmap_ms, truth_.Cmap(site, trial.time_s));
  }
}

void ResponseMaker::AnswerLarynx(const Trial& trial) const {
  constexpr double kUv = 700;
  const bool vagus = trial.stimulator.kind == StimulusKind::kVagus;
  const bool left = trial.stimulator.side == Side::kLeft;
  // The left nerve's way round the aorta is longer; the vagus begins farther up.
  const double latency_ms = left ? (vagus ? 6.8 : 4.2) : (vagus ? 4.6 : 3.1);
  const ResponseFactors factors = truth_.Larynx(trial.stimulator.side, trial.time_s);
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    const Site& site = scenario_.channels[c];
    const Muscle* muscle = site.kind == SiteKind::kMuscle ? FindMuscle(site.label) : nullptr;
    if (muscle == nullptr || muscle->region != Region::kLarynx) continue;
    const bool other = site.side && *site.side != trial.stimulator.side;
    AddShape(trial, c, CmapShape(), 5,
             kUv * (other ? 0.04 : 1) * trial.recruitment * TrialFactor(trial, c, kCmapVariation),
             latency_ms, factors);
  }
}

void ResponseMaker::AnswerBaep(const Trial& trial) const {
  const Side side = trial.stimulator.side;
  const ResponseFactors first = truth_.Baep(side, true, trial.time_s);
  const ResponseFactors later = truth_.Baep(side, false, trial.time_s);
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    const Site& site = scenario_.channels[c];
    const double vertex = PartOf(kVertex, site.label);
    if (vertex == 0 && !IsEar(site.label)) continue;
    for (size_t i = 0; i < kClickWaves.size(); ++i) {
      const ClickWave& wave = kClickWaves[i];
      double part = wave.at_vertex * vertex;
      if (IsEar(site.label)) part = site.side == side ? wave.at_ear : wave.at_other_ear;
      ResponseFactors factors = i == 0 ? first : later;
      factors.delay_ms += kTubeMs;
      AddGaussian(trial, c, part * wave.uv * trial.recruitment, wave.latency_ms, wave.width_ms,
                  factors);
    }
  }
}

void ResponseMaker::AnswerVep(const Trial& trial) const {
  const ResponseFactors factors = truth_.Vep(trial.stimulator.side, trial.time_s);
  for (int c = 0; c < static_cast<int>(scenario_.channels.size()); ++c) {
    const double part = PartOf(kOccipital, scenario_.channels[c].label) * trial.recruitment;
    AddGaussian(trial, c, -3 * part, 75, 14, factors);
    AddGaussian(trial, c, 5 * part, 105, 22, factors);
  }
}

}  // namespace remora::agent::sim
