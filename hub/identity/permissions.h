#pragma once

// Who may do what: the one table, role by kind of record (docs/protocol.md prints it). The session
// asks it for every record before the room sees it. Pure functions, thread-safe.

#include <cstdint>

#include "remora/v1/alert.pb.h"
#include "remora/v1/case.pb.h"

namespace remora::hub {

// True when `role` may publish records whose body is field `kind` of v1::Record. A kind that this
// version does not know is an agent's affair alone: it is stored and forwarded.
bool MayPublish(v1::Role role, uint32_t kind);

// True when `role` may take this step in a case's life. Implies MayPublish(role, kCaseLifecycle).
bool MayTransition(v1::Role role, v1::CaseTransition transition);

// True when `role` may make a case that is not there yet (schedule or open one).
bool MayCreateCase(v1::Role role);

bool MayFollowCase(v1::Role role);
bool MayFollowDirectory(v1::Role role);

// Where an actor of this role stands when an alert is acknowledged: the reader's acknowledgement
// never silences the room. PLACE_UNSPECIFIED for roles that acknowledge nothing.
v1::Place PlaceOfRole(v1::Role role);

}  // namespace remora::hub
