#include <array>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/relaxant.h"
#include "acquisition-agent/sources/simulator/response_events.h"
#include "acquisition-agent/sources/simulator/statement_parsers.h"
#include "acquisition-agent/sources/simulator/vocabulary.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;
using Units = std::vector<WordReader::Unit>;

constexpr double kMaxDrug = 10'000;

void ParseVital(WordReader* words, ScenarioEvent* event) {
  struct Range {
    const char* word;
    double low;
    double high;
  };
  constexpr std::array<Range, kVitalCount> kRanges = {{{"map", 0, 250},
                                                       {"hr", 0, 300},
                                                       {"spo2", 0, 100},
                                                       {"etco2", 0, 150},
                                                       {"temperature", 20, 42},
                                                       {"bis", 0, 100}}};
  event->kind = Kind::kVital;
  std::vector<std::string> choices;
  for (const Range& range : kRanges) choices.emplace_back(range.word);
  const int i = words->TakeOneOf("a vital sign", choices);
  if (i < 0) return;
  event->vital = static_cast<Vital>(i);
  const Range& range = kRanges[static_cast<size_t>(i)];
  event->amount = words->TakeQuantity(range.word, {{"", 1}}, range.low, range.high);
  if (words->Take("ramp")) event->ramp_s = words->TakeSeconds("a ramp", 0, kMaxTimeS);
}

void ParseDrug(ScenarioEvent::Drug drug, WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kDrug;
  event->for_s = 0;
  event->drug = drug;
  event->text = TakeDrug(words);
  if (drug == ScenarioEvent::Drug::kInfusion && words->Take("stopped")) {
    event->drug = ScenarioEvent::Drug::kStopped;
    return;
  }
  Units units = {{"mg", 1}, {"ug", 1}, {"g", 1}, {"ml", 1}, {"mg/kg", 1}};
  if (drug == ScenarioEvent::Drug::kInfusion) {
    units = {{"mg/kg/h", 1}, {"ug/kg/min", 1}, {"ug/kg/h", 1}, {"mg/h", 1},
             {"ug/h", 1},    {"ug/ml", 1},     {"ng/ml", 1},   {"ml/h", 1}};
  } else if (drug == ScenarioEvent::Drug::kInspired) {
    units = {{"%", 1}};
  }
  int unit = 0;
  event->amount = words->TakeQuantity("an amount", units, 0, kMaxDrug, &unit);
  event->unit = units[static_cast<size_t>(unit)].name;
  if (drug == ScenarioEvent::Drug::kBolus && unit != 0) {
    // What these do is reckoned in mg.
    if (event->text == "propofol" || IsRelaxant(event->text)) {
      words->Fail(absl::StrCat(event->text, " is given in mg here"));
    }
  }
}

void TakeLevelUv(absl::string_view what, double low, double high, WordReader* words,
                 ScenarioEvent* event) {
  if (words->AtNumber()) event->level_uv = words->TakeMicrovolts(what, low, high);
}

void ParseEmg(WordReader* words, ScenarioEvent* event) {
  constexpr std::array<Kind, 6> kKinds = {Kind::kEmgTrain,  Kind::kEmgBurst,  Kind::kEmgSpike,
                                          Kind::kEmgBTrain, Kind::kEmgCTrain, Kind::kEmgSilence};
  constexpr std::array<double, 6> kLevels = {150, 200, 200, 80, 80, 0};
  constexpr std::array<double, 6> kLasts = {2, 0.3, 0.02, 4, 5, 60};
  const int which = words->TakeOneOf("a kind of EMG activity",
                                     {"train", "burst", "spike", "b-train", "c-train", "silence"});
  if (which < 0) return;
  const auto i = static_cast<size_t>(which);
  event->kind = kKinds[i];
  event->channel = TakeChannel(words);
  event->level_uv = kLevels[i];
  event->for_s = kLasts[i];
  if (event->kind == Kind::kEmgSilence) return;
  if (which == 0 || which == 3 || which == 4) {
    event->rate_hz = words->TakeHertz("the rate of a train", 5, 500);
  }
  if (!AtEventEnd(*words)) {
    event->level_uv = words->TakeMicrovolts("the peak of a discharge", 1, 5000);
  }
}

// Noise of the theatre, on all channels.
void ParseInterference(Kind kind, WordReader* words, ScenarioEvent* event) {
  event->kind = kind;
  event->for_s = kind == Kind::kShivering ? 30 : 3;
  event->level_uv = kind == Kind::kDiathermy   ? 5000
                    : kind == Kind::kDrill     ? 300
                    : kind == Kind::kShivering ? 80
                                               : 150;
  TakeLevelUv(absl::StrCat("the level of ", kind == Kind::kDiathermy ? "diathermy" : "noise"), 10,
              100'000, words, event);
}

void ParseMark(const std::string& text, ScenarioEvent* event) {
  event->kind = Kind::kNote;
  event->for_s = 0;
  event->text = text;
}

// "impedance TA L 25 kOhm", "impedance MED L 12 kOhm": a channel's electrode or a stimulator's.
void ParseImpedance(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kImpedance;
  while (words->ok() && !words->AtEnd() && !words->AtNumber()) {
    const std::string word(words->Peek());
    words->Take(word);
    absl::StrAppend(&event->channel, event->channel.empty() ? "" : " ", word);
  }
  if (event->channel.empty()) words->Fail("of which electrode? write \"impedance CP4 25 kOhm\"");
  event->amount = words->TakeQuantity("an impedance", {{"kOhm", 1}, {"MOhm", 1000}}, 0.1, 10'000);
}

void ParseTest(const Scenario& scenario, WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kTest;
  event->stimulator = TakeTested(words, scenario);
  if (event->stimulator < 0) return;
  const bool volts = scenario.stimulators[event->stimulator].volts > 0;
  const Units unit = {{volts ? "V" : "mA", 1}};
  const double highest = volts ? kMaxVolts : kMaxMilliamps;
  words->TakeOneOf("where a test begins", {"from"});
  event->first = words->TakeQuantity("a test's first intensity", unit, 0.01, highest);
  words->TakeOneOf("where a test ends", {"to"});
  event->last = words->TakeQuantity("a test's last intensity", unit, 0.01, highest);
  words->TakeOneOf("how a test goes on", {"step"});
  event->step = words->TakeQuantity("a test's step", unit, 0.01, highest);
  event->step_s = 0.5;
  if (words->Take("each")) {
    event->step_s = words->TakeSeconds("the time from step to step", 0.2, 60);
  }
  if (!words->ok()) return;
  if (event->test_count() > kMaxTestSteps) {
    words->Fail(absl::StrCat("the test has ", event->test_count(), " steps, over ", kMaxTestSteps));
  }
  event->for_s = event->test_count() * event->step_s;
}

void ParseStop(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kStopStimulation;
  words->TakeOneOf("what can be stopped", {"stimulation"});
  if (!AtEventEnd(*words)) TakeStimulation(words, event);
}

void ParseGap(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kGap;
  if (!AtEventEnd(*words)) {
    event->for_s = words->TakeSeconds("the length of a gap", 0.001, kMaxTimeS);
  }
}

void ParseNote(WordReader* words, ScenarioEvent* event) {
  ParseMark(CleanText(words->TakeRest()), event);
  if (event->text.empty()) words->Fail("a note needs a text");
}

void ParseChannelFault(Kind kind, WordReader* words, ScenarioEvent* event) {
  event->kind = kind;
  event->channel = TakeChannel(words);
  if (kind == Kind::kDisconnect) event->flat = words->Take("flat");
  if (kind == Kind::kSwap) {
    words->TakeOneOf("what is swapped", {"with"});
    event->other = TakeChannel(words);
  }
  if (kind == Kind::kAfterDischarge) {
    event->for_s = 5;
    event->level_uv = 300;
    if (StripContact(event->channel) == 0) {
      words->Fail("after-discharges are on a contact of the strip, G1 to G8");
    }
    TakeLevelUv("the peak of a discharge", 1, 5000, words, event);
  }
}

using Action = void (*)(const Scenario&, WordReader*, ScenarioEvent*);

struct EventWord {
  const char* word;
  Action parse;
};

template <Kind kind>
void Lesion(const Scenario&, WordReader* words, ScenarioEvent* event) {
  ParseLesion(kind, words, event);
}
template <Kind kind>
void Noise(const Scenario&, WordReader* words, ScenarioEvent* event) {
  ParseInterference(kind, words, event);
}
template <Kind kind>
void ChannelFault(const Scenario&, WordReader* words, ScenarioEvent* event) {
  ParseChannelFault(kind, words, event);
}
template <void (*parse)(WordReader*, ScenarioEvent*)>
void Simple(const Scenario&, WordReader* words, ScenarioEvent* event) {
  parse(words, event);
}
template <ScenarioEvent::Drug drug>
void Given(const Scenario&, WordReader* words, ScenarioEvent* event) {
  ParseDrug(drug, words, event);
}

constexpr std::array<EventWord, 37> kEvents = {{
    {"sep", Simple<ParseSep>},
    {"emg", Simple<ParseEmg>},
    {"diathermy", Noise<Kind::kDiathermy>},
    {"disconnect", ChannelFault<Kind::kDisconnect>},
    {"saturate", ChannelFault<Kind::kSaturate>},
    {"mains",
     [](const Scenario&, WordReader* words, ScenarioEvent* event) {
       event->kind = Kind::kMains;
       event->level_uv = words->TakeMicrovolts("the mains level (peak)", 0, 5000);
     }},
    {"lose",
     [](const Scenario&, WordReader* words, ScenarioEvent* event) {
       event->kind = Kind::kLoseTriggers;
       words->TakeOneOf("what can be lost", {"triggers"});
     }},
    {"stop", Simple<ParseStop>},
    {"gap", Simple<ParseGap>},
    {"note", Simple<ParseNote>},
    {"mep", Simple<ParseMep>},
    {"cord", Lesion<Kind::kCord>},
    {"root", Lesion<Kind::kRoot>},
    {"hemisphere", Lesion<Kind::kHemisphere>},
    {"limb", Lesion<Kind::kLimb>},
    {"ischaemia", Lesion<Kind::kIschaemia>},
    {"cold", Simple<ParseCold>},
    {"larynx", Lesion<Kind::kLarynx>},
    {"baep", Lesion<Kind::kBaep>},
    {"vep", Lesion<Kind::kVep>},
    {"dwave", Simple<ParseDwave>},
    {"threshold", Simple<ParseThreshold>},
    {"depth",
     [](const Scenario&, WordReader* words, ScenarioEvent* event) {
       event->kind = Kind::kDepth;
       event->amount = words->TakeQuantity("a depth, in MAC", {{"", 1}}, 0, 4);
       if (words->Take("ramp")) event->ramp_s = words->TakeSeconds("a ramp", 0, kMaxTimeS);
     }},
    {"vitals", Simple<ParseVital>},
    {"bolus", Given<ScenarioEvent::Drug::kBolus>},
    {"infusion", Given<ScenarioEvent::Drug::kInfusion>},
    {"inspired", Given<ScenarioEvent::Drug::kInspired>},
    {"deliver",
     [](const Scenario&, WordReader* words, ScenarioEvent* event) {
       event->kind = Kind::kDelivery;
       TakeStimulation(words, event);
       event->amplitude = words->TakeFactor("the part that is delivered", 0, 1);
     }},
    {"impedance", Simple<ParseImpedance>},
    {"swap", ChannelFault<Kind::kSwap>},
    {"test", ParseTest},
    {"shivering", Noise<Kind::kShivering>},
    {"drill", Noise<Kind::kDrill>},
    {"cusa", Noise<Kind::kCusa>},
    {"afterdischarge", ChannelFault<Kind::kAfterDischarge>},
    {"phase", [](const Scenario&, WordReader* words,
                 ScenarioEvent* event) { ParseMark(TakePhase(words), event); }},
    {"position", [](const Scenario&, WordReader* words,
                    ScenarioEvent* event) { ParseMark(TakePosition(words), event); }},
}};

const std::vector<std::string>& EventWords() {
  static const auto* const words = [] {
    auto* const out = new std::vector<std::string>;
    for (const EventWord& event : kEvents) out->emplace_back(event.word);
    return out;
  }();
  return *words;
}

void CheckTimes(const ScenarioEvent& event, WordReader* action) {
  if (event.kind == Kind::kGap && std::isinf(event.for_s))
    action->Fail("how long? write \"gap 2 s\"");
  if (event.kind == Kind::kEmgBurst && event.for_s > kMaxBurstS) {
    action->Fail(absl::StrCat("a burst lasts at most ", kMaxBurstS, " s"));
  }
  if (event.every_s > 0 && event.for_s + 2 * event.ramp_s > event.every_s) {
    action->Fail(absl::StrCat("it begins again every ", event.every_s,
                              " s, before it is over; write \"for\" and a shorter time"));
  }
}

}  // namespace

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
  const int which = action.TakeOneOf("an event", EventWords());
  if (which >= 0) kEvents[static_cast<size_t>(which)].parse(*scenario, &action, &event);
  if (action.Take("for")) for_s = action.TakeSeconds("how long an event lasts", 0.001, kMaxTimeS);
  action.ExpectEnd();
  if (for_s && event.kind != Kind::kTest) event.for_s = *for_s;
  CheckTimes(event, &action);
  if (!when.ok()) words->Fail(when.error());
  if (!action.ok()) words->Fail(action.error());
  if (scenario->events.size() >= kMaxEvents)
    words->Fail(absl::StrCat("more than ", kMaxEvents, " events"));
  scenario->events.push_back(std::move(event));
}

}  // namespace remora::agent::sim
