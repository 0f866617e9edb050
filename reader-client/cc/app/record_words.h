#pragma once

// What records say, in words for a line of a terminal. Outside text is in it as it came: whoever
// prints it makes it Printable.

#include <cstdint>
#include <string>

#include "common/verify/gap_list.h"
#include "remora/v1/record.pb.h"

namespace remora::reader {

// The records of a lane: "samples".
const char* LaneWord(uint32_t lane);
// Why an origin gave records up: "its disk was short of space".
const char* CauseWords(v1::DataGapCause cause);
// "missing", "given up: its disk was short of space", "refused by the hub", "late".
std::string ReasonWords(GapReason reason, v1::DataGapCause cause);
// "341", "341 to 352".
std::string NumbersText(uint64_t first, uint64_t last);

// The line of a record; empty for a kind that says all by its name.
std::string RecordWords(const v1::Record& record);

}  // namespace remora::reader
