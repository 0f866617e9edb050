#include "dsp/assess/causes/feature.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace remora::dsp {
namespace {

// Traces named in the words of a feature.
constexpr size_t kMostNamed = 3;
// So much of all traces is all.
constexpr double kMostTraces = 0.7;
// Muscles vary by a third: several that are as they were lose so much on average, counted where
// they are smaller.
constexpr double kChanceLossPercent = 25;
// What lost less than this share of what the worst lost was affected less.
constexpr double kLessShare = 0.6;
constexpr double kAloneShare = 0.85;

// What a feature came to: the key of its value, or "" and why it is missing.
struct Seen {
  std::string value;
  std::string words;
};

using Limb = std::pair<BodySide, BodyPart>;

bool IsChanged(const PicturedTrace& trace) {
  return trace.change == TraceChange::kLate || trace.change == TraceChange::kReduced ||
         trace.change == TraceChange::kLost;
}

double LossOf(const PicturedTrace& trace) {
  return trace.change == TraceChange::kLost ? 100 : std::max(0.0, 100 - trace.amplitude_percent);
}

std::string Told(const PicturedTrace& trace) {
  switch (trace.change) {
    case TraceChange::kUnchanged:
      return absl::StrCat(trace.name, " unchanged");
    case TraceChange::kLate:
      return absl::StrFormat("%s latency %+.0f %%", trace.name, trace.latency_rise_percent);
    case TraceChange::kReduced:
      return absl::StrFormat("%s %+.0f %%", trace.name, trace.amplitude_percent - 100);
    case TraceChange::kLost:
      return absl::StrCat(trace.name, " lost");
    case TraceChange::kNoisy:
      break;
  }
  return absl::StrCat(trace.name, " noisy");
}

std::string ToldAll(const std::vector<const PicturedTrace*>& traces) {
  std::vector<std::string> words;
  for (size_t i = 0; i < std::min(traces.size(), kMostNamed); ++i) {
    words.push_back(Told(*traces[i]));
  }
  if (traces.size() > kMostNamed) {
    words.push_back(absl::StrCat("and ", traces.size() - kMostNamed, " more"));
  }
  return absl::StrJoin(words, ", ");
}

// The picture, sorted for the features.
class Traces {
 public:
  explicit Traces(const CasePicture& picture) {
    for (const PicturedTrace& trace : picture.traces) {
      all_.push_back(&trace);
      if (IsChanged(trace)) changed_limbs_.insert({trace.side, trace.part});
    }
  }

  std::vector<const PicturedTrace*> Where(
      const std::function<bool(const PicturedTrace&)>& matches) const {
    std::vector<const PicturedTrace*> found;
    for (const PicturedTrace* trace : all_) {
      if (matches(*trace)) found.push_back(trace);
    }
    return found;
  }
  bool IsOfChangedLimb(const PicturedTrace& trace) const {
    return changed_limbs_.count({trace.side, trace.part}) > 0;
  }
  const std::vector<const PicturedTrace*>& all() const { return all_; }

 private:
  std::vector<const PicturedTrace*> all_;
  std::set<Limb> changed_limbs_;
};

Seen Worst(const std::vector<const PicturedTrace*>& traces, absl::string_view none) {
  if (traces.empty()) return {"", std::string(none)};
  const std::array<std::pair<TraceChange, const char*>, 5> order = {
      {{TraceChange::kLost, "lost"},
       {TraceChange::kReduced, "reduced"},
       {TraceChange::kLate, "late"},
       {TraceChange::kNoisy, "noisy"},
       {TraceChange::kUnchanged, "ok"}}};
  for (const auto& [change, key] : order) {
    std::vector<const PicturedTrace*> with;
    for (const PicturedTrace* trace : traces) {
      if (trace->change == change) with.push_back(trace);
    }
    if (!with.empty()) return {key, ToldAll(with)};
  }
  return {"", std::string(none)};
}

Seen StageOf(const Traces& traces, SepStage stage, absl::string_view none) {
  return Worst(traces.Where([&](const PicturedTrace& trace) {
    return trace.kind == TraceKind::kSep && trace.stage == stage && traces.IsOfChangedLimb(trace);
  }),
               none);
}

Seen Cortical(const Traces& traces) {
  const auto cortical = traces.Where([&](const PicturedTrace& trace) {
    return trace.kind == TraceKind::kSep && trace.stage == SepStage::kCortical &&
           traces.IsOfChangedLimb(trace);
  });
  // One channel alone: of a stimulus with two derivations, one is clearly as it was.
  struct Derivations {
    double most_lost = 0;
    double least_lost = 100;
    bool changed = false;
    bool well = false;
  };
  std::map<Limb, Derivations> by_limb;
  for (const PicturedTrace* trace : cortical) {
    if (trace->change == TraceChange::kNoisy) continue;
    Derivations& of_limb = by_limb[{trace->side, trace->part}];
    of_limb.changed = of_limb.changed || IsChanged(*trace);
    of_limb.well = of_limb.well || trace->change == TraceChange::kUnchanged;
    of_limb.most_lost = std::max(of_limb.most_lost, LossOf(*trace));
    of_limb.least_lost = std::min(of_limb.least_lost, LossOf(*trace));
  }
  bool any = false;
  bool all_partly = true;
  for (const auto& [limb, one] : by_limb) {
    if (!one.changed) continue;
    any = true;
    all_partly = all_partly && one.well && one.least_lost < kLessShare * one.most_lost;
  }
  Seen worst = Worst(cortical, "no cortical SEP of what changed");
  if (any && all_partly) worst.value = "one_channel";
  return worst;
}

bool MostlyNoisy(const std::vector<const PicturedTrace*>& traces) {
  const auto noisy = std::count_if(traces.begin(), traces.end(), [](const PicturedTrace* trace) {
    return trace->change == TraceChange::kNoisy;
  });
  return 2 * static_cast<size_t>(noisy) >= traces.size();
}

Seen SepExtent(const Traces& traces) {
  std::set<Limb> limbs;
  const auto cortical = traces.Where([](const PicturedTrace& trace) {
    return trace.kind == TraceKind::kSep && trace.stage == SepStage::kCortical;
  });
  if (MostlyNoisy(cortical)) return {"", "no cortical SEP that can be judged"};
  std::vector<const PicturedTrace*> changed;
  std::set<BodySide> sides;
  for (const PicturedTrace* trace : cortical) {
    if (!IsChanged(*trace)) continue;
    changed.push_back(trace);
    limbs.insert({trace->side, trace->part});
    sides.insert(trace->side);
  }
  if (changed.empty()) return {"none", "all cortical SEP as they were"};
  const char* extent = sides.size() > 1   ? "both_sides"
                       : limbs.size() > 1 ? "one_body_side"
                                          : "one_limb";
  return {extent, ToldAll(changed)};
}

// Muscles that changed, but for those that did so much less than the worst, and for one alone on
// its side that did so less than several of the other: one small response of many muscles is
// chance.
std::vector<const PicturedTrace*> ChangedMuscles(const Traces& traces) {
  const auto changed = traces.Where(
      [](const PicturedTrace& trace) { return trace.kind == TraceKind::kMep && IsChanged(trace); });
  double most = 0;
  for (const PicturedTrace* trace : changed) most = std::max(most, LossOf(*trace));
  std::vector<const PicturedTrace*> with_the_worst;
  std::map<BodySide, int> of_side;
  for (const PicturedTrace* trace : changed) {
    if (LossOf(*trace) < kLessShare * most) continue;
    with_the_worst.push_back(trace);
    ++of_side[trace->side];
  }
  if (of_side.size() < 2) return with_the_worst;
  std::vector<const PicturedTrace*> kept;
  for (const PicturedTrace* trace : with_the_worst) {
    const bool is_alone = of_side[trace->side] == 1 && with_the_worst.size() > 2;
    if (!is_alone || LossOf(*trace) >= kAloneShare * most) kept.push_back(trace);
  }
  return kept;
}

double MeanLoss(const std::vector<const PicturedTrace*>& traces) {
  double sum = 0;
  for (const PicturedTrace* trace : traces) sum += LossOf(*trace);
  return traces.empty() ? 0 : sum / static_cast<double>(traces.size());
}

// On both sides: below the level alone, more than above, above alone, or all alike; where nothing
// above the level can be judged, only that it is on both sides.
std::string ExtentOfBothSides(const Traces& traces) {
  const auto of = [&](bool above) {
    return traces.Where([&](const PicturedTrace& trace) {
      return trace.kind == TraceKind::kMep && trace.is_above_level == above &&
             trace.change != TraceChange::kNoisy;
    });
  };
  const auto above = of(true);
  const auto below = of(false);
  if (above.empty() || below.empty()) return "both_sides";
  const double above_lost = MeanLoss(above);
  const double below_lost = MeanLoss(below);
  if (below_lost < kChanceLossPercent) return "above_level";
  if (above_lost < kChanceLossPercent) return "below_level";
  return above_lost < kLessShare * below_lost ? "below_more" : "all";
}

Seen MepExtent(const Traces& traces) {
  if (MostlyNoisy(
          traces.Where([](const PicturedTrace& trace) { return trace.kind == TraceKind::kMep; }))) {
    return {"", "no MEP that can be judged"};
  }
  const auto muscles = traces.Where([](const PicturedTrace& trace) {
    return trace.kind == TraceKind::kMep && trace.change != TraceChange::kNoisy;
  });
  const auto changed = ChangedMuscles(traces);
  if (changed.empty()) return {"none", "all MEP as they were"};
  const std::string words = ToldAll(changed);
  std::set<Limb> limbs;
  std::set<BodySide> sides;
  std::set<std::string> myotomes;
  for (const PicturedTrace* trace : changed) {
    limbs.insert({trace->side, trace->part});
    sides.insert(trace->side);
    myotomes.insert(trace->myotome);
  }
  if (sides.size() > 1) return {ExtentOfBothSides(traces), words};
  if (limbs.size() > 1) return {"one_body_side", words};
  const Limb limb = *limbs.begin();
  const auto in_limb = [&](const PicturedTrace* trace) {
    return Limb{trace->side, trace->part} == limb;
  };
  const auto in_limb_count = std::count_if(muscles.begin(), muscles.end(), in_limb);
  if (myotomes.size() > 1 || in_limb_count == static_cast<std::ptrdiff_t>(changed.size())) {
    return {"one_limb", words};
  }
  const auto of_roots = std::count_if(muscles.begin(), muscles.end(), [&](const auto* trace) {
    return in_limb(trace) && trace->myotome == *myotomes.begin();
  });
  return {of_roots > static_cast<std::ptrdiff_t>(changed.size()) ? "one_muscle" : "one_myotome",
          words};
}

Seen MepDepth(const Traces& traces) {
  const auto changed = ChangedMuscles(traces);
  if (changed.empty()) return {"", "no MEP changed"};
  const auto lost = std::count_if(changed.begin(), changed.end(), [](const PicturedTrace* trace) {
    return trace->change == TraceChange::kLost;
  });
  const bool mostly = 2 * static_cast<size_t>(lost) >= changed.size();
  return {mostly ? "lost" : "reduced", ToldAll(changed)};
}

Seen AboveLevel(const Traces& traces, TraceKind kind) {
  const auto above = traces.Where([&](const PicturedTrace& trace) {
    return trace.is_above_level && trace.kind == kind && trace.change != TraceChange::kNoisy &&
           !(trace.kind == TraceKind::kSep && trace.stage == SepStage::kPeripheral);
  });
  if (above.empty()) return {"", "no control above the level"};
  std::vector<const PicturedTrace*> changed;
  for (const PicturedTrace* trace : above) {
    if (IsChanged(*trace)) changed.push_back(trace);
  }
  // One muscle of several is no change of the control.
  const bool is_chance = kind == TraceKind::kMep && MeanLoss(above) < kChanceLossPercent;
  if (changed.empty() || is_chance) return {"ok", ToldAll(above)};
  return {"changed", ToldAll(changed)};
}

Seen Noise(const Traces& traces) {
  if (traces.all().empty()) return {"", "no trace"};
  const auto noisy =
      traces.Where([](const PicturedTrace& trace) { return trace.change == TraceChange::kNoisy; });
  if (noisy.empty()) return {"none", "no trace is noisy"};
  const double share = static_cast<double>(noisy.size()) / static_cast<double>(traces.all().size());
  return {share >= kMostTraces ? "all" : "some", ToldAll(noisy)};
}

template <typename T>
Seen Value(const Known<T>& known, const std::map<T, const char*>& keys) {
  if (!known.value) return {"", known.words};
  return {keys.at(*known.value), known.words};
}

Seen Flag(const Known<bool>& known) { return Value<bool>(known, {{true, "yes"}, {false, "no"}}); }

// Each feature with its values, in no order that matters.
const std::map<std::string, std::vector<std::string>>& AllFeatures() {
  static const auto* const all = new std::map<std::string, std::vector<std::string>>{
      {"peripheral", {"ok", "late", "reduced", "lost", "noisy"}},
      {"subcortical", {"ok", "late", "reduced", "lost", "noisy"}},
      {"cortical", {"ok", "late", "reduced", "lost", "noisy", "one_channel"}},
      {"sep_extent", {"none", "one_limb", "one_body_side", "both_sides"}},
      {"mep_extent",
       {"none", "one_muscle", "one_myotome", "one_limb", "one_body_side", "below_level",
        "below_more", "above_level", "both_sides", "all"}},
      {"mep_depth", {"reduced", "lost"}},
      {"above_sep", {"ok", "changed"}},
      {"above_mep", {"ok", "changed"}},
      {"noise", {"none", "some", "all"}},
      {"time_course", {"instant", "minutes", "slope", "hours"}},
      {"stage", {"manipulation", "clamp", "positioning", "other"}},
      {"relaxation", {"full", "partial", "deep"}},
      {"relaxant_given", {"yes", "no"}},
      {"deeper", {"yes", "no"}},
      {"anaesthetic_given", {"yes", "no"}},
      {"pressure_low", {"yes", "no"}},
      {"core_cooling", {"yes", "no"}},
      {"limb_cold", {"yes", "no"}},
      {"impedance", {"none", "recording", "stimulating"}},
      {"delivered", {"yes", "no"}},
      {"device", {"yes", "no"}},
      {"moved", {"yes", "no"}},
      {"surgical_event", {"none", "instrument", "retractor_or_clip", "vessel"}},
      {"trains", {"yes", "no"}},
      {"eeg_differs", {"yes", "no"}},
      {"d_wave", {"unchanged", "caudal", "both_contacts"}},
      {"baep", {"unchanged", "wave_five", "wave_one_too"}},
      {"fits_fade", {"yes", "no"}},
  };
  return *all;
}

std::map<std::string, Seen> See(const CasePicture& picture) {
  const Traces traces(picture);
  return {
      {"peripheral",
       StageOf(traces, SepStage::kPeripheral, "no peripheral control of what changed")},
      {"subcortical",
       StageOf(traces, SepStage::kSubcortical, "no subcortical SEP of what changed")},
      {"cortical", Cortical(traces)},
      {"sep_extent", SepExtent(traces)},
      {"mep_extent", MepExtent(traces)},
      {"mep_depth", MepDepth(traces)},
      {"above_sep", AboveLevel(traces, TraceKind::kSep)},
      {"above_mep", AboveLevel(traces, TraceKind::kMep)},
      {"noise", Noise(traces)},
      {"time_course", Value<TimeCourse>(picture.time_course, {{TimeCourse::kInstant, "instant"},
                                                              {TimeCourse::kMinutes, "minutes"},
                                                              {TimeCourse::kSlope, "slope"},
                                                              {TimeCourse::kHours, "hours"}})},
      {"stage",
       Value<StageOfSurgery>(picture.stage, {{StageOfSurgery::kManipulation, "manipulation"},
                                             {StageOfSurgery::kClamp, "clamp"},
                                             {StageOfSurgery::kPositioning, "positioning"},
                                             {StageOfSurgery::kOther, "other"}})},
      {"relaxation", Value<Relaxation>(picture.relaxation, {{Relaxation::kFull, "full"},
                                                            {Relaxation::kPartial, "partial"},
                                                            {Relaxation::kDeep, "deep"}})},
      {"relaxant_given", Flag(picture.relaxant_given)},
      {"deeper", Flag(picture.is_deeper)},
      {"anaesthetic_given", Flag(picture.anaesthetic_given)},
      {"pressure_low", Flag(picture.pressure_is_low)},
      {"core_cooling", Flag(picture.core_is_cooling)},
      {"limb_cold", Flag(picture.limb_is_cold)},
      {"impedance",
       Value<ImpedanceChange>(picture.impedance, {{ImpedanceChange::kNone, "none"},
                                                  {ImpedanceChange::kRecording, "recording"},
                                                  {ImpedanceChange::kStimulating, "stimulating"}})},
      {"delivered", Flag(picture.delivered_as_asked)},
      {"device", Flag(picture.device_is_on)},
      {"moved", Flag(picture.was_moved)},
      {"surgical_event",
       Value<SurgicalEvent>(picture.surgical_event,
                            {{SurgicalEvent::kNone, "none"},
                             {SurgicalEvent::kInstrument, "instrument"},
                             {SurgicalEvent::kRetractorOrClip, "retractor_or_clip"},
                             {SurgicalEvent::kVessel, "vessel"}})},
      {"trains", Flag(picture.trains_there)},
      {"eeg_differs", Flag(picture.eeg_differs)},
      {"d_wave",
       Value<DWaveChange>(picture.d_wave, {{DWaveChange::kUnchanged, "unchanged"},
                                           {DWaveChange::kCaudal, "caudal"},
                                           {DWaveChange::kBothContacts, "both_contacts"}})},
      {"baep", Value<BaepChange>(picture.baep, {{BaepChange::kUnchanged, "unchanged"},
                                                {BaepChange::kWaveFive, "wave_five"},
                                                {BaepChange::kWaveOneToo, "wave_one_too"}})},
      {"fits_fade", Flag(picture.fits_fade)},
  };
}

}  // namespace

absl::Status ValidateFeatures(const CauseModel& model) {
  for (const CauseFeature& feature : model.features) {
    const auto known = AllFeatures().find(feature.key);
    if (known == AllFeatures().end()) {
      return absl::InvalidArgumentError(absl::StrCat(feature.key, ": nothing works this out"));
    }
    for (const std::string& value : known->second) {
      if (feature.ValueAt(value) == feature.values.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat(feature.key, ": needs the value ", value, " as well"));
      }
    }
    if (feature.values.size() != known->second.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(feature.key, ": has a value that it never comes to; it may be ",
                       absl::StrJoin(known->second, ", ")));
    }
  }
  return absl::OkStatus();
}

std::vector<SeenFeature> SeeFeatures(const CasePicture& picture, const CauseModel& model) {
  const std::map<std::string, Seen> all = See(picture);
  std::vector<SeenFeature> features;
  for (const CauseFeature& feature : model.features) {
    const Seen& seen = all.at(feature.key);
    SeenFeature one;
    if (seen.value.empty()) {
      one.why_missing = seen.words;
    } else {
      one.value = feature.ValueAt(seen.value);
      one.seen_on = seen.words;
    }
    features.push_back(std::move(one));
  }
  return features;
}

}  // namespace remora::dsp
