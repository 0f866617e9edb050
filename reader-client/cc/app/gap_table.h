#pragma once

// The gaps of a certificate as `remora verify` lists them.

#include <string>
#include <vector>

#include "common/verify/gap_list.h"
#include "nlohmann/json.hpp"

namespace remora::reader {

// For people: at most kMaxListedGaps lines, and how many more there are; empty without gaps.
std::string GapTable(const std::vector<ListedGap>& gaps);
// All of them.
nlohmann::ordered_json GapsToJson(const std::vector<ListedGap>& gaps);

}  // namespace remora::reader
