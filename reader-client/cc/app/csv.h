#pragma once

// A case's records as comma-separated values (RFC 4180): one row a record, columns for what people
// plot and read. Waveforms are not in it.

#include <string>

#include "common/record_codec.h"

namespace remora::reader {

// The header row, with its line end.
std::string CsvHeader();

// The row of one record, with its line end. Text that a spreadsheet would take for a formula is
// given with a leading apostrophe.
std::string CsvRow(const StampedRecord& stamped, absl::string_view record_bytes);

}  // namespace remora::reader
