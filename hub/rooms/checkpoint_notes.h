#pragma once

// What a room notes in a checkpoint beside the folded state: which fold made it, where the newest
// bulk of each trace is, and of a case at rest what the directory needs of it. Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace remora::hub {

// To be appended to CaseFold::EncodeCheckpoint.
std::string EncodeCheckpointNotes(const std::vector<uint64_t>& newest_bulk_seqs);

// Of a case at rest (directory.h); nothing may be recorded in it after the checkpoint's `seq`.
struct RestNote {
  std::string summary;  // a v1::CaseSummary
  // The newest CLOSED; 0: there was none.
  int64_t closed_unix_ns = 0;
};
// To be appended to the other notes.
std::string EncodeRestNote(const RestNote& note);
// Nothing: there is none, or it is not this build's fold's.
std::optional<RestNote> RestNoteOf(absl::string_view checkpoint);

// kFoldVersion of the build that wrote it; 0: it does not say.
uint32_t CheckpointVersion(absl::string_view checkpoint);
// CaseState.newest_bulk_seq.
std::vector<uint64_t> NewestBulkOf(absl::string_view checkpoint);

}  // namespace remora::hub
