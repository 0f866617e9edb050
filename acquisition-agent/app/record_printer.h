// Prints records of a dry run: NDJSON for programs, a table for people.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "acquisition-agent/app/options.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

// One line, with its end. Empty: this record is not shown in a table (provisional sweeps, EMG
// samples).
std::string FormatRecord(const v1::Record& record, absl::string_view bytes, OutputFormat format,
                         bool samples);
// Head of the table; empty for NDJSON.
std::string FormatHead(OutputFormat format);
// One line for the technologist's console: "12:03.4  HIGH raised  SEP ...".
std::string AlertLine(const v1::Alert& alert, int64_t at_ns);

}  // namespace remora::agent
