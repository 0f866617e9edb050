#pragma once

// Whether a record says of itself what its sender is: the display name of its author, and the place
// where an alert was acknowledged. Pure functions.

#include <string>

#include "hub/participants/session.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

// Empty when it does; else what is wrong and what would be right. An agent carries out what a plan
// or a person asked for, so of it only what it says in its own name is checked.
std::string WrongAuthor(const Identity& identity, const v1::Record& record);

}  // namespace remora::hub
