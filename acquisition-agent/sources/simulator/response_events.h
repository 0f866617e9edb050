// The events that change what the nervous system answers. Each function reads what stands behind
// the event's word; used by the event parser alone.
#pragma once

#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/word_reader.h"

namespace remora::agent::sim {

void ParseSep(WordReader* words, ScenarioEvent* event);
void ParseMep(WordReader* words, ScenarioEvent* event);
// kCord, kRoot, kHemisphere, kLimb, kIschaemia, kLarynx, kBaep or kVep.
void ParseLesion(ScenarioEvent::Kind kind, WordReader* words, ScenarioEvent* event);
void ParseDwave(WordReader* words, ScenarioEvent* event);
void ParseCold(WordReader* words, ScenarioEvent* event);
void ParseThreshold(WordReader* words, ScenarioEvent* event);

}  // namespace remora::agent::sim
