// A WFDB record (.hea with its signal files, and an annotation file) as a SignalSource.
//
// Annotations are events; those that begin with a prefix ("STIM"), or the edges of a trigger
// channel, are stimuli. A sample that the format reserves for "no value" is NaN. Signals that are
// skewed against each other are put right: the record is then as long as the shortest of them.
//
// At opening the samples are measured against the header, if they are no more than
// kMaxVerifiedBytes: checksum, initial value, range. What does not fit is noted, and read all the
// same; a signal that leaves the range of its converter is given the range of its format.
//
// Samples are exact: CountOf() gives the stored integer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/read_options.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::wfdb {

struct WfdbOptions {
  ReadOptions read;
  // "atr" for RECORD.atr, which must then be there; "none". Nothing: RECORD.atr if it is there.
  std::optional<std::string> annotator;
};

// `header_file` is the .hea, `name` its path (for messages, info().name, and the annotation file);
// `open` gives the files that it names.
//   kInvalidArgument    a file or an option is wrong: which line, and what would be right
//   kNotFound           a signal file or the annotation file is not there
//   kResourceExhausted  beyond a limit of recording_limits.h
//   kDataLoss           the storage failed
absl::StatusOr<std::unique_ptr<SignalSource>> OpenWfdb(const ByteReader& header_file,
                                                       const OpenNamed& open,
                                                       const std::string& name,
                                                       const WfdbOptions& options);

}  // namespace remora::agent::wfdb
