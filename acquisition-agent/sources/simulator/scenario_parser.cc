#include <cmath>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/word_reader.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

const std::vector<std::string>& Statements() {
  static const auto* const words =
      new std::vector<std::string>{"title", "channels",  "stimulate", "rate", "mains",    "eeg",
                                   "emg",   "amplifier", "artefact",  "ecg",  "duration", "at"};
  return *words;
}

const std::vector<std::string>& EventWords() {
  static const auto* const words = new std::vector<std::string>{
      "sep", "emg", "diathermy", "disconnect", "saturate", "mains", "lose", "stop", "gap", "note"};
  return *words;
}

std::optional<Nerve> TakeNerve(WordReader* words) {
  const int i = words->TakeOneOf("a nerve", {"median", "tibial", "all", "MED", "TIB"});
  if (i == 0 || i == 3) return Nerve::kMedian;
  if (i == 1 || i == 4) return Nerve::kTibial;
  return std::nullopt;
}

std::optional<Side> TakeSide(WordReader* words) {
  const int i = words->TakeOneOf("a side", {"left", "right", "both", "L", "R"});
  if (i == 0 || i == 3) return Side::kLeft;
  if (i == 1 || i == 4) return Side::kRight;
  return std::nullopt;
}

// "CP3", "TA L": one word, and the side after it if there is one.
std::string TakeChannel(WordReader* words) {
  if (words->AtEnd()) {
    words->Fail("the line ends where a channel should stand");
    return "";
  }
  std::string label(words->Peek());
  words->Take(label);
  if (words->Take("L")) label += " L";
  if (words->Take("R")) label += " R";
  return label;
}

void ParseSep(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kResponse;
  event->nerve = TakeNerve(words);
  event->side = TakeSide(words);
  bool* const levels = event->levels;
  bool changes = false;
  while (words->ok() && !words->AtEnd() && !absl::EqualsIgnoreCase(words->Peek(), "for")) {
    switch (words->TakeOneOf(
        "part of a response's change",
        {"cortical", "subcortical", "peripheral", "everywhere", "amplitude", "latency", "ramp"})) {
      case 0:
        levels[static_cast<int>(Level::kCortical)] = true;
        break;
      case 1:
        levels[static_cast<int>(Level::kSubcortical)] = true;
        break;
      case 2:
        levels[static_cast<int>(Level::kPeripheral)] = true;
        break;
      case 3:
        levels[0] = levels[1] = levels[2] = true;
        break;
      case 4:
        event->amplitude = words->TakeFactor("an amplitude", 0, 10);
        changes = true;
        break;
      case 5:
        event->latency = words->TakeFactor("a latency", 0.5, 2);
        changes = true;
        break;
      case 6:
        event->ramp_s = words->TakeSeconds("a ramp", 0, kMaxTimeS);
        break;
      default:
        return;
    }
  }
  if (!changes) words->Fail("nothing changes; add \"amplitude 0.4\", \"latency 1.1\" or both");
  if (!levels[0] && !levels[1] && !levels[2]) {
    levels[static_cast<int>(Level::kCortical)] = true;  // what is above a lesion of the cord
    levels[static_cast<int>(Level::kSubcortical)] = true;
  }
}

void ParseEmg(WordReader* words, ScenarioEvent* event) {
  const int which = words->TakeOneOf("a kind of EMG activity", {"train", "burst", "spike"});
  event->kind = which == 0 ? Kind::kEmgTrain : (which == 1 ? Kind::kEmgBurst : Kind::kEmgSpike);
  event->channel = TakeChannel(words);
  event->level_uv = which == 0 ? 150 : 200;
  if (which == 0) event->rate_hz = words->TakeHertz("the rate of a train", 5, 500);
  if (!words->AtEnd() && !absl::EqualsIgnoreCase(words->Peek(), "for")) {
    event->level_uv = words->TakeMicrovolts("the peak of a discharge", 1, 5000);
  }
  event->for_s = which == 0 ? 2 : (which == 1 ? 0.3 : 0.02);
}

void ParseMains(WordReader* words, double* level_uv) {
  *level_uv = words->TakeMicrovolts("the mains level (peak)", 0, 5000);
}

void ParseNote(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kNote;
  event->for_s = 0;
  event->text = CleanText(words->TakeRest());
  if (event->text.empty()) words->Fail("a note needs a text");
}

// What stands after "at 30 s for 10 s:".
void ParseAction(WordReader* words, ScenarioEvent* event) {
  switch (words->TakeOneOf("an event", EventWords())) {
    case 0:
      ParseSep(words, event);
      break;
    case 1:
      ParseEmg(words, event);
      break;
    case 2:
      event->kind = Kind::kDiathermy;
      event->level_uv = 5000;
      event->for_s = 3;
      if (!words->AtEnd() && !absl::EqualsIgnoreCase(words->Peek(), "for")) {
        event->level_uv = words->TakeMicrovolts("the level of diathermy", 10, 100'000);
      }
      break;
    case 3:
      event->kind = Kind::kDisconnect;
      event->channel = TakeChannel(words);
      event->flat = words->Take("flat");
      break;
    case 4:
      event->kind = Kind::kSaturate;
      event->channel = TakeChannel(words);
      break;
    case 5:
      event->kind = Kind::kMains;
      ParseMains(words, &event->level_uv);
      break;
    case 6:
      event->kind = Kind::kLoseTriggers;
      words->TakeOneOf("what can be lost", {"triggers"});
      break;
    case 7:
      event->kind = Kind::kStopStimulation;
      words->TakeOneOf("what can be stopped", {"stimulation"});
      if (!words->AtEnd() && !absl::EqualsIgnoreCase(words->Peek(), "for")) {
        event->nerve = TakeNerve(words);
        event->side = TakeSide(words);
      }
      break;
    case 8:
      event->kind = Kind::kGap;
      if (!words->AtEnd() && !absl::EqualsIgnoreCase(words->Peek(), "for")) {
        event->for_s = words->TakeSeconds("the length of a gap", 0.001, kMaxTimeS);
      }
      break;
    case 9:
      ParseNote(words, event);
      break;
    default:
      break;
  }
}

void ParseEvent(absl::string_view statement, int line, WordReader* words, Scenario* scenario) {
  const size_t colon = statement.find(':');
  if (colon == absl::string_view::npos) {
    words->Fail("no colon; an event is \"at 30 s for 10 s: diathermy\"");
    return;
  }
  ScenarioEvent event;
  event.line = line;
  std::optional<double> for_s;
  WordReader when(statement.substr(0, colon));
  when.Take("at");
  event.at_s = when.TakeSeconds("the time of an event", 0, kMaxTimeS);
  while (when.ok() && !when.AtEnd()) {
    if (when.TakeOneOf("part of an event's time", {"for", "every"}) == 0) {
      for_s = when.TakeSeconds("how long an event lasts", 0.001, kMaxTimeS);
    } else {
      event.every_s = when.TakeSeconds("the time between two", 0.01, kMaxTimeS);
    }
  }
  WordReader action(statement.substr(colon + 1));
  ParseAction(&action, &event);
  if (action.Take("for")) for_s = action.TakeSeconds("how long an event lasts", 0.001, kMaxTimeS);
  action.ExpectEnd();
  if (for_s) event.for_s = *for_s;
  if (event.kind == Kind::kGap && std::isinf(event.for_s))
    action.Fail("how long? write \"gap 2 s\"");
  if (event.kind == Kind::kEmgBurst && event.for_s > kMaxBurstS) {
    action.Fail(absl::StrCat("a burst lasts at most ", kMaxBurstS, " s"));
  }
  if (event.every_s > 0 && event.for_s + 2 * event.ramp_s > event.every_s) {
    action.Fail(absl::StrCat("it begins again every ", event.every_s,
                             " s, before it is over; write \"for\" and a shorter time"));
  }
  if (!when.ok()) words->Fail(when.error());
  if (!action.ok()) words->Fail(action.error());
  if (scenario->events.size() >= kMaxEvents)
    words->Fail(absl::StrCat("more than ", kMaxEvents, " events"));
  scenario->events.push_back(std::move(event));
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

void ParseStimulate(WordReader* words, Scenario* scenario) {
  const std::optional<Nerve> nerve = TakeNerve(words);
  const std::optional<Side> side = TakeSide(words);
  Stimulator stimulator;
  words->Take("at");
  stimulator.rate_hz = words->TakeHertz("a stimulus rate", 0.1, kMaxStimulusRateHz);
  if (!words->AtEnd()) stimulator.current_ma = words->TakeMilliamps("a stimulus current", 0.1, 100);
  for (const Nerve each_nerve : {Nerve::kMedian, Nerve::kTibial}) {
    for (const Side each_side : {Side::kLeft, Side::kRight}) {
      if (nerve.value_or(each_nerve) != each_nerve || side.value_or(each_side) != each_side)
        continue;
      stimulator.nerve = each_nerve;
      stimulator.side = each_side;
      for (const Stimulator& other : scenario->stimulators) {
        if (other.nerve == each_nerve && other.side == each_side) {
          words->Fail(absl::StrCat(StimulusLabel(each_nerve, each_side), " is stimulated twice"));
        }
      }
      scenario->stimulators.push_back(stimulator);
    }
  }
}

// A line that is neither empty nor a comment.
void ParseStatement(absl::string_view statement, int line, WordReader* words, Scenario* scenario) {
  switch (words->TakeOneOf("a statement", Statements())) {
    case 0:
      scenario->title = CleanText(words->TakeRest());
      break;
    case 1:
      ParseChannels(words->TakeRest(), words, scenario);
      break;
    case 2:
      ParseStimulate(words, scenario);
      break;
    case 3:
      scenario->sample_rate_hz =
          words->TakeHertz("the sample rate", kMinSampleRateHz, kMaxSampleRateHz);
      break;
    case 4:
      scenario->mains_hz = words->TakeHertz("the mains frequency", 45, 65);
      if (!words->AtEnd()) ParseMains(words, &scenario->mains_uv);
      break;
    case 5:
      scenario->eeg_uv = words->TakeMicrovolts("the EEG level (rms)", 0, 200);
      break;
    case 6:
      scenario->emg_uv = words->TakeMicrovolts("the EMG level (rms)", 0, 200);
      break;
    case 7:
      scenario->amplifier_uv = words->TakeMicrovolts("the amplifier's noise (rms)", 0, 20);
      break;
    case 8:
      scenario->artefact_uv = words->TakeMicrovolts("the stimulus artefact (peak)", 0, 5000);
      break;
    case 9:
      scenario->ecg_uv = words->TakeMicrovolts("the ECG level (peak)", 0, 2000);
      break;
    case 10:
      scenario->duration_s = words->TakeSeconds("the duration", 0.1, kMaxTimeS);
      break;
    case 11:
      ParseEvent(statement, line, words, scenario);
      words->TakeRest();
      break;
    default:
      break;
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
  for (ScenarioEvent& event : scenario->events) {
    if (event.channel.empty()) continue;
    bool found = false;
    for (const std::string& label : labels) {
      if (!absl::EqualsIgnoreCase(label, event.channel)) continue;
      event.channel = label;
      found = true;
    }
    if (!found) {
      return ErrorAt(name, event.line,
                     absl::StrCat("this scenario has no channel \"", event.channel, "\"",
                                  DidYouMean(event.channel, labels),
                                  "; its channels are: ", absl::StrJoin(labels, ", ")));
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
      scenario.stimulators.push_back({nerve, side, 3.1, nerve == Nerve::kMedian ? 25.0 : 40.0});
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
  if (scenario.stimulators.empty()) scenario.stimulators = otherwise.stimulators;
  if (absl::Status status = ResolveChannels(name, &scenario); !status.ok()) return status;
  return scenario;
}

}  // namespace remora::agent::sim
