#pragma once

// Reads a journal that no hub holds open, as the hub itself would.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/seq_ranges.h"

namespace remora::testing {

// All records of a case, with their stamps, by `seq`.
absl::StatusOr<std::map<uint64_t, std::string>> ReadJournal(const std::string& path,
                                                            const CaseId& case_id);
absl::StatusOr<std::vector<CaseId>> CasesInJournal(const std::string& path);

// How many records have an id that an earlier one has.
uint64_t DoubledIds(const std::map<uint64_t, std::string>& records);

// The numbers that the records hold, by origin and lane.
std::map<std::pair<OriginId, uint32_t>, SeqRanges> HeldNumbers(
    const std::map<uint64_t, std::string>& records);

}  // namespace remora::testing
