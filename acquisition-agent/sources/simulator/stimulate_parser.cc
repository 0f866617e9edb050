#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/statement_parsers.h"
#include "acquisition-agent/sources/simulator/vocabulary.h"

namespace remora::agent::sim {
namespace {

constexpr double kMaxEveryS = 86'400;

// What each kind delivers when the line does not say it.
Stimulator Usual(StimulusKind kind) {
  Stimulator s;
  s.kind = kind;
  switch (kind) {
    case StimulusKind::kMep:
      s.volts = 400, s.current_ma = 0, s.threshold = 220, s.pulse_us = 75;
      s.pulses = 5, s.pulse_interval_ms = 4, s.every_s = 60;
      break;
    case StimulusKind::kDwave:
      s.volts = 500, s.current_ma = 0, s.threshold = 200, s.pulse_us = 200;
      s.sweeps = 8, s.rate_hz = 1, s.every_s = 60;
      break;
    case StimulusKind::kTof:
      s.current_ma = 40, s.threshold = 10, s.sweeps = 4, s.rate_hz = 2, s.every_s = 30;
      break;
    case StimulusKind::kScrew:
      s.current_ma = 10, s.threshold = 15;
      break;
    case StimulusKind::kNerve:
      s.current_ma = 2, s.threshold = 0.4, s.pulse_us = 100;
      break;
    case StimulusKind::kRln:
      s.current_ma = 1, s.threshold = 0.4, s.pulse_us = 100, s.every_s = 10;
      break;
    case StimulusKind::kVagus:
      s.current_ma = 1, s.threshold = 0.5, s.pulse_us = 100, s.every_s = 1;
      break;
    case StimulusKind::kBaep:
      s.current_ma = 0, s.rate_hz = 11.1, s.pulse_us = 100;
      break;
    case StimulusKind::kVep:
      s.current_ma = 0, s.rate_hz = 1.1;
      break;
    case StimulusKind::kDcs:
      s.current_ma = 12, s.threshold = 7, s.pulse_us = 300;
      s.pulses = 5, s.pulse_interval_ms = 4, s.every_s = 30;
      break;
    case StimulusKind::kSubcortical:
      s.current_ma = 10, s.threshold = 6, s.pulse_us = 500;
      s.pulses = 5, s.pulse_interval_ms = 4, s.every_s = 10;
      break;
    case StimulusKind::kMidline:
      s.current_ma = 2, s.threshold = 0.6, s.rate_hz = 2.1;
      break;
    case StimulusKind::kSep:
      break;
  }
  return s;
}

const std::vector<std::string>& KindWords() {
  static const auto* const words = new std::vector<std::string>{
      "median", "tibial", "ulnar", "all",  "MED", "TIB", "ULN",         "mep",    "dwave",
      "tof",    "rln",    "vagus", "baep", "vep", "dcs", "subcortical", "midline"};
  return *words;
}

const std::vector<std::string>& MontageWords() {
  static const auto* const words = new std::vector<std::string>{
      "C3-C4", "C4-C3", "C1-C2", "C2-C1", "M3-M4", "M4-M3", "C3-Cz", "C4-Cz", "Cz-Fz"};
  return *words;
}

void TakeIntensity(WordReader* words, Stimulator* stimulator) {
  int unit = 0;
  const double value =
      words->TakeQuantity("a stimulus intensity", {{"mA", 1}, {"V", 1}}, 0.01, kMaxVolts, &unit);
  if (unit == 0 && value > kMaxMilliamps) {
    words->Fail(absl::StrCat("a stimulus current is at most ", kMaxMilliamps, " mA"));
  }
  const bool was_volts = stimulator->volts > 0;
  if (was_volts != (unit == 1)) stimulator->threshold = 0;  // of the other unit
  stimulator->volts = unit == 1 ? value : 0;
  stimulator->current_ma = unit == 1 ? 0 : value;
}

// "every 30 s 400 V threshold 220 V pulses 5 interval 4 ms from 10 s until 20 min", in any order.
void TakeSettings(WordReader* words, Stimulator* stimulator) {
  while (words->ok() && !words->AtEnd()) {
    if (words->AtNumber()) {
      TakeIntensity(words, stimulator);
      continue;
    }
    switch (words->TakeOneOf("part of a stimulator",
                             {"at", "every", "threshold", "pulses", "interval", "width", "sweeps",
                              "contacts", "from", "until"})) {
      case 0:
        if (stimulator->takes_turns()) {
          stimulator->rate_hz = words->TakeHertz("a stimulus rate", 0.1, kMaxStimulusRateHz);
        } else {
          // Of the rounds; the stimuli of one keep their distance.
          stimulator->every_s = 1 / words->TakeHertz("a rate", 1 / kMaxEveryS, 10);
        }
        break;
      case 1:
        stimulator->every_s = words->TakeSeconds("the time between two", 0.1, kMaxEveryS);
        if (stimulator->takes_turns()) {
          words->Fail("these are averaged; write their rate, as \"at 4.7 Hz\"");
        }
        break;
      case 2:
        stimulator->threshold = words->TakeQuantity(
            "a threshold", {{stimulator->volts > 0 ? "V" : "mA", 1}}, 0.01, kMaxVolts);
        break;
      case 3:
        stimulator->pulses = words->TakeCount("the pulses of a train", 1, kMaxPulses);
        if (stimulator->pulse_interval_ms == 0) stimulator->pulse_interval_ms = 4;
        break;
      case 4:
        stimulator->pulse_interval_ms = words->TakeMilliseconds("the time between pulses", 0.5, 50);
        break;
      case 5:
        stimulator->pulse_us = 1e3 * words->TakeMilliseconds("the width of a pulse", 0.01, 2);
        break;
      case 6:
        stimulator->sweeps = words->TakeCount("the stimuli of a round", 1, kMaxSweeps);
        if (stimulator->kind != StimulusKind::kDwave) words->Fail("only a D-wave has sweeps");
        break;
      case 7:
        stimulator->contacts = words->TakeCount("the contacts of a strip", 2, kMaxContacts);
        break;
      case 8:
        stimulator->from_s = words->TakeSeconds("when a stimulator begins", 0, kMaxTimeS);
        break;
      case 9:
        stimulator->until_s = words->TakeSeconds("when a stimulator ends", 0, kMaxTimeS);
        break;
      default:
        return;
    }
  }
}

void Add(const Stimulator& stimulator, WordReader* words, Scenario* scenario) {
  const std::string label = StimulusLabel(stimulator, 0);
  for (const Stimulator& other : scenario->stimulators) {
    const bool apart = other.until_s <= stimulator.from_s || stimulator.until_s <= other.from_s;
    if (StimulusLabel(other, 0) == label && !apart) {
      words->Fail(absl::StrCat(label, " is stimulated twice"));
    }
  }
  if (scenario->stimulators.size() >= kMaxStimulators) {
    words->Fail(absl::StrCat("more than ", kMaxStimulators, " stimulators"));
  }
  const double round_s = (stimulator.sweeps - 1) / stimulator.rate_hz;
  if (!stimulator.takes_turns() && stimulator.every_s > 0 && stimulator.every_s <= round_s) {
    words->Fail(
        absl::StrCat("one round lasts ", round_s, " s; write a longer time behind \"every\""));
  }
  const double train_ms = (stimulator.pulses - 1) * stimulator.pulse_interval_ms;
  if (train_ms > 400) words->Fail(absl::StrCat("the train lasts ", train_ms, " ms, over 400"));
  scenario->stimulators.push_back(stimulator);
}

void ParseNerves(WordReader* words, std::optional<Nerve> nerve, bool all, Scenario* scenario) {
  const std::optional<Side> side = TakeSide(words);
  Stimulator stimulator;
  if (!words->AtNumber()) words->Take("at");
  stimulator.rate_hz = words->TakeHertz("a stimulus rate", 0.1, kMaxStimulusRateHz);
  if (words->AtNumber()) {
    stimulator.current_ma = words->TakeMilliamps("a stimulus current", 0.1, 100);
  }
  TakeSettings(words, &stimulator);
  for (const Nerve each_nerve : {Nerve::kMedian, Nerve::kTibial, Nerve::kUlnar}) {
    for (const Side each_side : {Side::kLeft, Side::kRight}) {
      if (all ? each_nerve == Nerve::kUlnar : nerve != each_nerve) continue;
      if (side.value_or(each_side) != each_side) continue;
      stimulator.nerve = each_nerve;
      stimulator.side = each_side;
      Add(stimulator, words, scenario);
    }
  }
}

// What names one of its kind: "C3-C4", "left hand", "G5 arm right".
void TakeHead(WordReader* words, Stimulator* s) {
  switch (s->kind) {
    case StimulusKind::kMep: {
      const int i = words->TakeOneOf("a montage of the scalp", MontageWords());
      if (i >= 0) s->site = MontageWords()[static_cast<size_t>(i)];
      break;
    }
    case StimulusKind::kTof:
      s->side = TakeOneSide(words);
      s->region = TakeLimb(words);
      break;
    case StimulusKind::kDcs: {
      const int contact = StripContact(words->Peek());
      if (contact == 0) words->Fail("which contact of the strip? write \"dcs G5 arm right\"");
      s->site = absl::StrCat("G", contact);
      words->Take(s->site);
      s->region = TakeRegion(words);
      s->side = TakeOneSide(words);
      break;
    }
    case StimulusKind::kSubcortical:
      s->region = TakeRegion(words);
      s->side = TakeOneSide(words);
      break;
    case StimulusKind::kScrew:
    case StimulusKind::kNerve:
      s->root = TakeRoot(words, s->kind == StimulusKind::kNerve);
      s->side = TakeOneSide(words);
      break;
    case StimulusKind::kDwave:
    case StimulusKind::kMidline:
    case StimulusKind::kSep:
      break;
    case StimulusKind::kRln:
    case StimulusKind::kVagus:
    case StimulusKind::kBaep:
    case StimulusKind::kVep:
      s->side = TakeOneSide(words);
      break;
  }
}

}  // namespace

void ParseStimulate(WordReader* words, Scenario* scenario) {
  constexpr std::array<StimulusKind, 10> kKinds = {
      StimulusKind::kMep,         StimulusKind::kDwave,  StimulusKind::kTof, StimulusKind::kRln,
      StimulusKind::kVagus,       StimulusKind::kBaep,   StimulusKind::kVep, StimulusKind::kDcs,
      StimulusKind::kSubcortical, StimulusKind::kMidline};
  const int word = words->TakeOneOf("what can be stimulated", KindWords());
  if (word < 0) return;
  if (word == 3) return ParseNerves(words, std::nullopt, true, scenario);
  if (word < 7) {
    const int nerve = word > 3 ? word - 4 : word;
    const Nerve which = nerve == 0 ? Nerve::kMedian : (nerve == 1 ? Nerve::kTibial : Nerve::kUlnar);
    return ParseNerves(words, which, false, scenario);
  }
  Stimulator stimulator = Usual(kKinds[static_cast<size_t>(word - 7)]);
  TakeHead(words, &stimulator);
  TakeSettings(words, &stimulator);
  if (words->ok()) Add(stimulator, words, scenario);
}

void ParseProbe(StimulusKind kind, WordReader* words, Scenario* scenario) {
  Stimulator stimulator = Usual(kind);
  TakeHead(words, &stimulator);
  words->TakeOneOf("what a screw or nerve needs", {"threshold"});
  stimulator.threshold = words->TakeMilliamps("a threshold", 0.01, kMaxMilliamps);
  if (words->ok()) Add(stimulator, words, scenario);
}

int TakeTested(WordReader* words, const Scenario& scenario) {
  constexpr std::array<StimulusKind, 9> kKinds = {
      StimulusKind::kScrew, StimulusKind::kNerve,       StimulusKind::kMep,
      StimulusKind::kDcs,   StimulusKind::kSubcortical, StimulusKind::kRln,
      StimulusKind::kVagus, StimulusKind::kDwave,       StimulusKind::kTof};
  const int word = words->TakeOneOf(
      "what can be tested",
      {"screw", "nerve", "mep", "dcs", "subcortical", "rln", "vagus", "dwave", "tof"});
  if (word < 0) return -1;
  Stimulator wanted = Usual(kKinds[static_cast<size_t>(word)]);
  TakeHead(words, &wanted);
  if (!words->ok()) return -1;
  const std::string label = StimulusLabel(wanted, 0);
  std::vector<std::string> known;
  for (int i = 0; i < static_cast<int>(scenario.stimulators.size()); ++i) {
    known.push_back(StimulusLabel(scenario.stimulators[i], 0));
    if (known.back() == label) return i;
  }
  words->Fail(absl::StrCat("there is no ", label,
                           " above this line; write where it is, as \"screw ",
                           "L4 left threshold 9 mA\", or what stimulates it",
                           known.empty() ? "" : "; there are: ", absl::StrJoin(known, ", ")));
  return -1;
}

}  // namespace remora::agent::sim
