#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/statement_parsers.h"
#include "acquisition-agent/sources/simulator/vocabulary.h"
#include "acquisition-agent/sources/simulator/word_reader.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

const std::vector<std::string>& Statements() {
  static const auto* const words = new std::vector<std::string>{
      "title",     "channels",  "stimulate", "rate",     "mains", "eeg",    "emg",
      "amplifier", "artefact",  "ecg",       "duration", "at",    "screw",  "nerve",
      "vitals",    "impedance", "fade",      "sulcus",   "strip", "midline"};
  return *words;
}

void ParseChannels(absl::string_view list, WordReader* words, Scenario* scenario) {
  for (const absl::string_view part : absl::StrSplit(list, ',', absl::SkipWhitespace())) {
    const absl::string_view label = absl::StripAsciiWhitespace(part);
    const std::optional<Site> site = FindSite(label);
    if (!site) {
      words->Fail(absl::StrCat("the simulator knows no channel \"", CleanText(label), "\"",
                               DidYouMean(label, KnownSites()),
                               "; it knows electrodes such as CP3, Cv5, Erb L, PF R and muscles "
                               "with their side such as TA L"));
      return;
    }
    for (const Site& other : scenario->channels) {
      if (other.label == site->label)
        words->Fail(absl::StrCat("channel ", site->label, " stands here twice"));
    }
    if (scenario->channels.size() >= kMaxChannels)
      words->Fail(absl::StrCat("more than ", kMaxChannels, " channels"));
    scenario->channels.push_back(*site);
  }
}

void ParseEeg(WordReader* words, Scenario* scenario) {
  scenario->eeg_uv = words->TakeMicrovolts("the EEG level (rms)", 0, 200);
  while (words->ok() && !words->AtEnd()) {
    const int i = words->TakeOneOf("a rhythm of the EEG", {"alpha", "delta"});
    const double level_uv = words->TakeMicrovolts("a rhythm's level (rms)", 0, 200);
    (i == 0 ? scenario->alpha_uv : scenario->delta_uv) = level_uv;
  }
}

void ParseVitals(WordReader* words, Scenario* scenario) {
  scenario->has_vitals = true;
  constexpr std::array<std::array<double, 2>, kVitalCount> kRanges = {
      {{0, 250}, {0, 300}, {0, 100}, {0, 150}, {20, 42}, {0, 100}}};
  while (words->ok() && !words->AtEnd()) {
    const int i =
        words->TakeOneOf("a vital sign", {"map", "hr", "spo2", "etco2", "temperature", "bis"});
    if (i < 0) return;
    const auto& [low, high] = kRanges[static_cast<size_t>(i)];
    scenario->vitals[i] = words->TakeQuantity("a vital sign", {{"", 1}}, low, high);
  }
}

// "fade from 2 h": so long the anaesthesia has lasted; "fade none".
void ParseFade(WordReader* words, Scenario* scenario) {
  scenario->fades = words->TakeOneOf("how MEP fade", {"from", "none"}) == 0;
  if (scenario->fades && words->ok()) {
    scenario->fade_from_s = words->TakeSeconds("how long anaesthesia has lasted", 0, 86'400);
  }
}

// "4/5": between contacts 4 and 5.
int TakeBetween(WordReader* words, int contacts) {
  const std::string word(words->Peek());
  for (int i = 1; i < contacts; ++i) {
    if (words->Take(absl::StrCat(i, "/", i + 1))) return i;
  }
  words->Fail(absl::StrCat("\"", CleanText(word), "\" is no place on a strip; write it as the two ",
                           "contacts on its sides, 1/2 to ", contacts - 1, "/", contacts));
  return 1;
}

// A level of noise, or of the whole scenario.
bool ParseLevel(int statement, WordReader* words, Scenario* scenario) {
  switch (statement) {
    case 3:
      scenario->sample_rate_hz =
          words->TakeHertz("the sample rate", kMinSampleRateHz, kMaxSampleRateHz);
      return true;
    case 4:
      scenario->mains_hz = words->TakeHertz("the mains frequency", 45, 65);
      if (!words->AtEnd()) {
        scenario->mains_uv = words->TakeMicrovolts("the mains level (peak)", 0, 5000);
      }
      return true;
    case 5:
      ParseEeg(words, scenario);
      return true;
    case 6:
      scenario->emg_uv = words->TakeMicrovolts("the EMG level (rms)", 0, 200);
      return true;
    case 7:
      scenario->amplifier_uv = words->TakeMicrovolts("the amplifier's noise (rms)", 0, 20);
      return true;
    case 8:
      scenario->artefact_uv = words->TakeMicrovolts("the stimulus artefact (peak)", 0, 5000);
      return true;
    case 9:
      scenario->ecg_uv = words->TakeMicrovolts("the ECG level (peak)", 0, 2000);
      return true;
    case 10:
      scenario->duration_s = words->TakeSeconds("the duration", 0.1, kMaxTimeS);
      return true;
    default:
      return false;
  }
}

// A line that is neither empty nor a comment.
void ParseStatement(absl::string_view statement, int line, WordReader* words, Scenario* scenario) {
  const int which = words->TakeOneOf("a statement", Statements());
  if (!ParseLevel(which, words, scenario)) {
    switch (which) {
      case 0:
        scenario->title = CleanText(words->TakeRest());
        break;
      case 1:
        ParseChannels(words->TakeRest(), words, scenario);
        break;
      case 2:
        ParseStimulate(words, scenario);
        break;
      case 11:
        ParseEvent(statement, line, words, scenario);
        words->TakeRest();
        break;
      case 12:
      case 13:
        ParseProbe(which == 12 ? StimulusKind::kScrew : StimulusKind::kNerve, words, scenario);
        break;
      case 14:
        ParseVitals(words, scenario);
        break;
      case 15:
        scenario->impedance_kohm = words->TakeQuantity("an impedance", {{"kOhm", 1}}, 0.1, 1000);
        break;
      case 16:
        ParseFade(words, scenario);
        break;
      case 17:
        scenario->sulcus = TakeBetween(words, kStripContacts);
        break;
      case 18:
        scenario->strip = TakeOneSide(words);
        break;
      case 19:
        scenario->midline = TakeBetween(words, kMaxContacts);
        break;
      default:
        break;
    }
  }
  words->ExpectEnd();
}

absl::Status ErrorAt(absl::string_view name, int line, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": ", message));
}

// Names of channels are checked when all are known; they may stand after the events.
absl::Status ResolveChannels(absl::string_view name, Scenario* scenario) {
  std::vector<std::string> labels;
  for (const Site& site : scenario->channels) labels.push_back(site.label);
  const size_t channels = labels.size();
  for (const Stimulator& stimulator : scenario->stimulators) {
    labels.push_back(StimulusLabel(stimulator, 0));
  }
  for (ScenarioEvent& event : scenario->events) {
    // The impedance is of any electrode, all else of a channel; a D-wave's may be missing.
    if (event.kind == Kind::kDwave) continue;
    const size_t count = event.kind == Kind::kImpedance ? labels.size() : channels;
    for (std::string* label : {&event.channel, &event.other}) {
      if (label->empty()) continue;
      const auto end = labels.begin() + static_cast<std::ptrdiff_t>(count);
      const auto found = std::find_if(labels.begin(), end, [&](const std::string& known) {
        return absl::EqualsIgnoreCase(known, *label);
      });
      if (found == end) {
        const std::vector<std::string> known(labels.begin(), end);
        return ErrorAt(name, event.line,
                       absl::StrCat("this scenario has no channel \"", CleanText(*label), "\"",
                                    DidYouMean(*label, known),
                                    "; its channels are: ", absl::StrJoin(known, ", ")));
      }
      *label = *found;
    }
  }
  return absl::OkStatus();
}

}  // namespace

Scenario DefaultScenario() {
  Scenario scenario;
  for (const char* label : {"FPz", "Fz", "CPz", "CP3", "CP4", "Cv5", "Erb L", "Erb R", "PF L",
                            "PF R", "TA L", "TA R", "AH L", "AH R", "APB L", "APB R"}) {
    scenario.channels.push_back(*FindSite(label));
  }
  for (const Nerve nerve : {Nerve::kMedian, Nerve::kTibial}) {
    for (const Side side : {Side::kLeft, Side::kRight}) {
      Stimulator stimulator;
      stimulator.nerve = nerve;
      stimulator.side = side;
      stimulator.current_ma = nerve == Nerve::kMedian ? 25 : 40;
      scenario.stimulators.push_back(stimulator);
    }
  }
  return scenario;
}

absl::StatusOr<Scenario> ParseScenario(absl::string_view text, absl::string_view name) {
  if (text.size() > kMaxScenarioBytes) {
    return ErrorAt(name, 1,
                   absl::StrCat("the file has ", text.size(), " bytes; at most ", kMaxScenarioBytes,
                                " are read"));
  }
  Scenario scenario;
  int line = 0;
  for (absl::string_view statement : absl::StrSplit(text, '\n')) {
    if (++line > kMaxScenarioLines)
      return ErrorAt(name, line, absl::StrCat("more than ", kMaxScenarioLines, " lines"));
    statement = absl::StripAsciiWhitespace(statement.substr(0, statement.find('#')));
    if (statement.empty()) continue;
    WordReader words(statement);
    ParseStatement(statement, line, &words, &scenario);
    if (!words.ok()) return ErrorAt(name, line, words.error());
  }
  const Scenario otherwise = DefaultScenario();
  if (scenario.channels.empty()) scenario.channels = otherwise.channels;
  // Screws and nerves alone are no stimulation; their places in the list stay.
  const bool none = std::all_of(
      scenario.stimulators.begin(), scenario.stimulators.end(), [](const Stimulator& s) {
        return s.kind == StimulusKind::kScrew || s.kind == StimulusKind::kNerve;
      });
  if (none) {
    if (scenario.stimulators.size() + otherwise.stimulators.size() > kMaxStimulators) {
      return ErrorAt(name, line, absl::StrCat("more than ", kMaxStimulators, " stimulators"));
    }
    scenario.stimulators.insert(scenario.stimulators.end(), otherwise.stimulators.begin(),
                                otherwise.stimulators.end());
  }
  if (absl::Status status = ResolveChannels(name, &scenario); !status.ok()) return status;
  return scenario;
}

}  // namespace remora::agent::sim
