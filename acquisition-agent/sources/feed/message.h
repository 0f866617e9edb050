// From a device's bytes to a message that keeps every limit (limits.h), or to one sentence on what
// is wrong with it. Stateless: what a message means beside others is DeviceSession's.
//
// Immutable functions; any thread. Hostile bytes give kInvalidArgument, never more.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "remora/feed/v1/feed.pb.h"

namespace remora::agent::feed {

namespace wire = ::remora::feed::v1;

// The frames of one ZeroMQ message. Text in the result is clean (text.h): what people are shown
// obeys no terminal.
//   kInvalidArgument     not of this protocol, or beyond a limit
//   kFailedPrecondition  a Describe of a device that speaks only newer versions
absl::StatusOr<wire::Envelope> DecodeMessage(const std::vector<std::string>& frames);

// The same for what a program made itself: frames 1 and 2.
std::vector<std::string> EncodeMessage(const wire::Envelope& envelope);

// What DecodeMessage holds true of everything it lets through; for tests and the fuzzer.
absl::Status CheckEnvelope(const wire::Envelope& envelope);

// A block against the description of its session: group, size, length in time.
absl::Status CheckBlock(const wire::Samples& samples, const wire::Describe& describe);

// Channels of a group, in the order in which blocks carry them.
std::vector<int> ChannelsOf(const wire::Describe& describe, int rate_group);

// True if the two describe the same signals: whoever listened to one may go on with the other.
bool SameSignals(const wire::Describe& a, const wire::Describe& b);

// The range of a kind, and its unit as people write it.
struct VitalRange {
  double lowest = 0;
  double highest = 0;
  const char* unit = "";
};
VitalRange RangeOf(wire::VitalKind kind);
// Kinds of later versions of the protocol come too: what has one is to be passed over.
bool IsKnownKind(wire::VitalKind kind);
bool IsKnownKind(wire::DrugKind kind);

}  // namespace remora::agent::feed
