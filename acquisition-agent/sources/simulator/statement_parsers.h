// The two kinds of statement that have a grammar of their own: events, and stimulators. Used by the
// scenario parser alone.
#pragma once

#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/word_reader.h"

namespace remora::agent::sim {

// "at 30 s for 10 s: diathermy", whole. Appends to the events; errors go to `words`.
void ParseEvent(absl::string_view statement, int line, WordReader* words, Scenario* scenario);

// What stands behind "stimulate".
void ParseStimulate(WordReader* words, Scenario* scenario);

// Behind "screw" and "nerve": where one is, and the current that it answers to.
void ParseProbe(StimulusKind kind, WordReader* words, Scenario* scenario);

// Reads "screw L4 left", "mep C3-C4", ... and finds that stimulator; -1 after an error.
int TakeTested(WordReader* words, const Scenario& scenario);

}  // namespace remora::agent::sim
