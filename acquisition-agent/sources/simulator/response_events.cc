#include "acquisition-agent/sources/simulator/response_events.h"

#include <string>
#include <vector>

#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/vocabulary.h"

namespace remora::agent::sim {
namespace {

using Kind = ScenarioEvent::Kind;

// What an event may say about responses; a bit each.
enum Change : unsigned {
  kLevels = 1,     // cortical, subcortical, peripheral, everywhere
  kDelay = 2,      // delay 1.2 ms
  kCordWords = 4,  // sep 0.3, after 8 min, dwave 0.7
  kFirstWave = 8,  // everywhere, of a click's waves
};

void TakeLevel(int word, ScenarioEvent* event) {
  if (word == 3) {
    event->levels[0] = event->levels[1] = event->levels[2] = true;
    event->first_wave = true;
    return;
  }
  const Level level = word == 0   ? Level::kCortical
                      : word == 1 ? Level::kSubcortical
                                  : Level::kPeripheral;
  event->levels[static_cast<int>(level)] = true;
}

// "amplitude 0.3 latency 1.1 ramp 5 s", in any order, to the event's end.
void TakeChanges(unsigned allowed, WordReader* words, ScenarioEvent* event) {
  std::vector<std::string> choices = {"amplitude", "latency", "ramp"};
  if (allowed & kLevels)
    choices = {"cortical",  "subcortical", "peripheral", "everywhere",
               "amplitude", "latency",     "ramp"};
  if (allowed & kFirstWave) choices.push_back("everywhere");
  if (allowed & kDelay) choices.push_back("delay");
  if (allowed & kCordWords) choices.insert(choices.end(), {"sep", "after", "dwave"});
  bool changes = false;
  while (words->ok() && !AtEventEnd(*words)) {
    const int i = words->TakeOneOf("part of a response's change", choices);
    if (i < 0) return;
    const std::string& word = choices[static_cast<size_t>(i)];
    changes = changes || word == "amplitude" || word == "latency" || word == "delay" ||
              word == "sep" || word == "dwave";
    if (word == "amplitude") event->amplitude = words->TakeFactor("an amplitude", 0, 10);
    if (word == "latency") event->latency = words->TakeFactor("a latency", 0.5, 2);
    if (word == "ramp") event->ramp_s = words->TakeSeconds("a ramp", 0, kMaxTimeS);
    if (word == "delay") event->delay_ms = words->TakeMilliseconds("a delay", 0, 100);
    if (word == "sep") event->sep_amplitude = words->TakeFactor("an amplitude", 0, 10);
    if (word == "after") event->sep_delay_s = words->TakeSeconds("a delay", 0, kMaxTimeS);
    if (word == "dwave") event->dwave_amplitude = words->TakeFactor("an amplitude", 0, 10);
    if (word == "cortical") TakeLevel(0, event);
    if (word == "subcortical") TakeLevel(1, event);
    if (word == "peripheral") TakeLevel(2, event);
    if (word == "everywhere") TakeLevel(3, event);
  }
  if (!changes) words->Fail("nothing changes; add \"amplitude 0.4\", \"latency 1.1\" or both");
}

}  // namespace

void ParseSep(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kResponse;
  event->nerve = TakeNerve(words);
  event->side = TakeSide(words);
  TakeChanges(kLevels | kDelay, words, event);
  bool* const levels = event->levels;
  if (!levels[0] && !levels[1] && !levels[2]) {
    levels[static_cast<int>(Level::kCortical)] = true;  // what is above a lesion of the cord
    levels[static_cast<int>(Level::kSubcortical)] = true;
  }
}

// "mep leg left amplitude 0.3", "mep TA L latency 1.1", "mep all amplitude 0.5".
void ParseMep(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kMotor;
  const std::string next(words->Peek());
  if (FindMuscle(next) != nullptr) {
    event->channel = TakeChannel(words);
  } else if (!words->Take("all")) {
    event->region = TakeRegion(words);
  }
  if (event->channel.empty()) {
    for (const char* side : {"left", "right", "both"}) {
      if (!words->Take(side)) continue;
      if (side[0] != 'b') event->side = side[0] == 'l' ? Side::kLeft : Side::kRight;
      break;
    }
  }
  TakeChanges(kDelay, words, event);
}

// "cord T8 both ...", "root L4 left ...", "hemisphere left ...", "limb left arm ...".
void ParseLesion(Kind kind, WordReader* words, ScenarioEvent* event) {
  event->kind = kind;
  if (kind == Kind::kCord || kind == Kind::kRoot) event->root = TakeRoot(words, false);
  event->side = TakeSide(words);
  if (kind == Kind::kLimb || kind == Kind::kIschaemia) event->region = TakeLimb(words);
  unsigned allowed = kDelay;
  if (kind == Kind::kCord) allowed |= kCordWords;
  if (kind == Kind::kBaep) allowed |= kFirstWave;
  TakeChanges(allowed, words, event);
}

void ParseDwave(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kDwave;
  const int i = words->TakeOneOf("a contact of the D-wave", {"rostral", "caudal", "both"});
  if (i == 0 || i == 1) event->channel = i == 0 ? "DW rostral" : "DW caudal";
  TakeChanges(0, words, event);
}

void ParseCold(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kColdLimb;
  event->side = TakeSide(words);
  event->region = TakeLimb(words);
  event->amount = words->TakeQuantity("how much colder a limb is", {{"C", 1}}, 0.1, 15);
  if (words->Take("ramp")) event->ramp_s = words->TakeSeconds("a ramp", 0, kMaxTimeS);
}

void ParseThreshold(WordReader* words, ScenarioEvent* event) {
  event->kind = Kind::kThreshold;
  const bool screw = words->Take("screw");
  if (screw || words->Take("nerve")) {
    event->stimulation = screw ? StimulusKind::kScrew : StimulusKind::kNerve;
    if (!words->AtNumber()) {
      Stimulator one;
      one.kind = *event->stimulation;
      one.root = TakeRoot(words, !screw);
      one.side = TakeOneSide(words);
      event->text = StimulusSite(one, 0);
    }
  } else {
    TakeStimulation(words, event);
  }
  event->amplitude = words->TakeFactor("a threshold's factor", 0.05, 20);
  if (words->Take("ramp")) event->ramp_s = words->TakeSeconds("a ramp", 0, kMaxTimeS);
}

}  // namespace remora::agent::sim
