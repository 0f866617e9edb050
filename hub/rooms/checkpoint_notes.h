#pragma once

// What a room notes in a checkpoint beside the folded state: which fold made it, where the newest
// bulk of each trace is; and beside the checkpoint, of a case at rest, what the directory needs of
// it. Pure functions.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/fold/case_fold.h"
#include "hub/journal/journal.h"

namespace remora::hub {

// To be appended to CaseFold::EncodeCheckpoint.
std::string EncodeCheckpointNotes(const std::vector<uint64_t>& newest_bulk_seqs);

// Of a case at rest (directory.h): Checkpoint::note. Nothing may be recorded in it after the
// checkpoint's `seq`.
struct RestNote {
  std::string summary;  // a v1::CaseSummary
  // The newest CLOSED; 0: there was none.
  int64_t closed_unix_ns = 0;
  std::vector<OriginOwner> owners = {};
  // Of the fold that made it.
  uint32_t fold_version = kFoldVersion;
  bool is_current() const { return fold_version == kFoldVersion; }
};
std::string EncodeRestNote(const RestNote& note);
// Of any build's fold. Nothing: it is none.
std::optional<RestNote> DecodeRestNote(absl::string_view bytes);

// kFoldVersion of the build that wrote it; 0: it does not say.
uint32_t CheckpointVersion(absl::string_view checkpoint);
// CaseState.newest_bulk_seq.
std::vector<uint64_t> NewestBulkOf(absl::string_view checkpoint);

}  // namespace remora::hub
