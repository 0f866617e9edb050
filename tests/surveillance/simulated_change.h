// Changes whose cause is known, as a case would show them: each trace with its own noise, vitals
// and events that are there or missing, and things that happen besides. What the cause differential
// is held against.
//
// The magnitudes are drawn anew for each seed from wide ranges, and none of them is known to the
// rules. A thoracic operation: SEP and hand muscles above the level, four muscles of each leg
// below.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dsp/assess/causes/picture.h"

namespace remora::surveillance {

// Rows 1 to 17 of the table of the differential, by the keys of standard.causes.
const std::vector<std::string>& SimulatedCauses();

// What goes with an injury and could explain it away.
enum class Beside : std::uint8_t {
  kNothing,
  kHypotension,
  kRelaxant,  // given five minutes before
  kDeepening,
  kNoise,        // a third of the traces cannot be judged
  kDeadControl,  // one control, SEP or MEP, is not there
};

// `cause` is one of SimulatedCauses.
dsp::CasePicture SimulateChange(const std::string& cause, Beside beside, std::uint64_t seed);

}  // namespace remora::surveillance
