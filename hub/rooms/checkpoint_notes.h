#pragma once

// What a room notes in a checkpoint beside the folded state: which fold made it, and where the
// newest bulk of each trace is. Pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace remora::hub {

// To be appended to CaseFold::EncodeCheckpoint.
std::string EncodeCheckpointNotes(const std::vector<uint64_t>& newest_bulk_seqs);

// kFoldVersion of the build that wrote it; 0: it does not say.
uint32_t CheckpointVersion(absl::string_view checkpoint);
// CaseState.newest_bulk_seq.
std::vector<uint64_t> NewestBulkOf(absl::string_view checkpoint);

}  // namespace remora::hub
