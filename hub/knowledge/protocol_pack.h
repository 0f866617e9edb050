// Response protocols: read from their file, checked, and proposed for a phase (docs/protocols.md).
//
// A pack is immutable once read. Nothing here starts a protocol: a person does.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/file_system.h"
#include "remora/v1/case.pb.h"
#include "remora/v1/protocol.pb.h"

namespace remora::hub {

// NotFound: no such file. InvalidArgument: "FILE:LINE:COLUMN: ..." or "FILE: KEY: ...": text that
// cannot be parsed; a pack without name, version, source; a key twice, a step without text or kind;
// a phase of two protocols; a pause whose marks are not in order, a decision without factors.
absl::StatusOr<v1::ProtocolPack> LoadProtocolPack(FileSystem& files, const std::string& path);

// The same of a text that is already read; `path` is for messages.
absl::StatusOr<v1::ProtocolPack> ParseProtocolPack(const std::string& text,
                                                   const std::string& path);

struct ProtocolProposal {
  // Into the pack; nullptr: none of this source is for this phase.
  const v1::ResponseProtocol* protocol = nullptr;
  // In words: why this one, or why none.
  std::string reason;
};

// The protocol to propose at the first reduction or loss, in this phase. Only of a spinal
// procedure: the source speaks of no other.
ProtocolProposal ProposeProtocol(const v1::ProtocolPack& pack, v1::Phase phase, bool is_spinal);

}  // namespace remora::hub
