// What all references of the agent have in common, as records. Pure functions.
#pragma once

#include "remora/v1/case.pb.h"

namespace remora::agent {

// When in the operation a reference is taken that the plan sets in this phase.
v1::BaselineKind BaselineKindIn(v1::Phase phase);

// Sets `digest`: SHA-256 of the message as encoded without it. A reference is never changed;
// whoever has the record can see that it was not (docs/surveillance.md, "References").
void Seal(v1::BaselineSet* set);

}  // namespace remora::agent
