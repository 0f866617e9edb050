#pragma once

// What the hub says when it will not, as a status whose code tells a program what to do.

#include <string>

#include "absl/status/status.h"
#include "remora/v1/room.pb.h"

namespace remora::reader {

// PermissionDenied: not for this identity. NotFound: no such case. Unavailable: not now, try again.
// FailedPrecondition: any other reason. The text is the hub's.
absl::Status RefusalStatus(v1::RefusalReason reason, const std::string& text);
absl::Status RefusalStatus(const v1::Refused& refused);
// Unavailable: what was followed is no more; the cause is the hub's.
absl::Status FollowEndedStatus(const v1::FollowEnded& ended);

}  // namespace remora::reader
