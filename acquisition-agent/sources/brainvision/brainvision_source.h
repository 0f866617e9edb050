// A BrainVision recording (.vhdr with .eeg and .vmrk beside it) as a SignalSource.
//
// Stimulus markers are stimuli: "S  1" has code 1, and the label that `codes` gives it, else "S 1".
// (A prefix of marker texts, see markers.h, says which markers are; or a trigger channel.) All
// other markers are events. Where a New Segment marker has a date, and that does not follow from
// the samples before it, there is a Gap; where it has none, a Gap of unknown length.
//
// Samples of INT_16 and INT_32 are exact: CountOf() gives the stored integer. Those of
// IEEE_FLOAT_32 have no known limits (SetFloatRange).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/read_options.h"
#include "acquisition-agent/sources/source.h"

namespace remora::agent::brainvision {

// The prefix of the texts of stimuli, where nobody says another.
inline constexpr char kStimulusPrefix[] = "Stimulus";

// `header_file` is the .vhdr, `name` its path (for messages, info().name and "$b"); `open` gives
// the files that it names.
//   kInvalidArgument    a file or an option is wrong: which line, and what would be right
//   kNotFound           the data or marker file is not there
//   kResourceExhausted  beyond a limit of recording_limits.h
//   kDataLoss           the storage failed
absl::StatusOr<std::unique_ptr<SignalSource>> OpenBrainVision(const ByteReader& header_file,
                                                              const OpenNamed& open,
                                                              const std::string& name,
                                                              const ReadOptions& options);

}  // namespace remora::agent::brainvision
