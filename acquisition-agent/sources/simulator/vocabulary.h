// The words of the scenario language that several statements share: nerves, sides, regions, kinds
// of stimulation, names of phases, positions and drugs. Each Take... reads what comes next, or
// notes an error in the reader.
#pragma once

#include <optional>
#include <string>

#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/word_reader.h"

namespace remora::agent::sim {

// Whether the part of an event before "for" is over.
bool AtEventEnd(const WordReader& words);

std::optional<Nerve> TakeNerve(WordReader* words);
std::optional<Side> TakeSide(WordReader* words);  // nothing for "both"
Side TakeOneSide(WordReader* words);
Region TakeLimb(WordReader* words);             // arm or leg
Region TakeRegion(WordReader* words);           // any
int TakeRoot(WordReader* words, bool cranial);  // "L4", and "facial" if cranial
// "CP3", "TA L": one word, and the side after it if there is one; "DW caudal".
std::string TakeChannel(WordReader* words);

// "tibial left", "mep", "all": which stimulators an event is about. The side may be missing.
void TakeStimulation(WordReader* words, ScenarioEvent* event);

// "phase CORRECTION" becomes "PHASE CORRECTION", and is a phase of a case (proto Phase).
std::string TakePhase(WordReader* words);
std::string TakePosition(WordReader* words);
// International name of one of the drugs of an operating theatre.
std::string TakeDrug(WordReader* words);

}  // namespace remora::agent::sim
