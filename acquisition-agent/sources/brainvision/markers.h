// The markers (.vmrk) of a BrainVision recording: stimuli, responses, comments, and where segments
// begin.
//
// Pure functions over text; lines that are no marker are skipped, counted and noted. Positions are
// counted from 0 here, from 1 in the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/mark_texts.h"

namespace remora::agent::brainvision {

struct Marker {
  int64_t position = 0;  // of its first data point; may lie outside the data
  int64_t size = 0;      // in data points
  int32_t text = 0;      // in Markers::texts
};

struct NewSegment {
  int64_t position = 0;
  // Local time of the first data point, in nanoseconds since 1970 as if it were UTC.
  std::optional<int64_t> date_ns;
};

struct Markers {
  // "TYPE DESCRIPTION": "Stimulus S  1", "Response R  3", "Comment eyes open"; with the channel's
  // number where a marker is of one channel: "Bad Interval (channel 3)".
  MarkTexts texts;
  std::vector<Marker> markers;       // as in the file, without New Segment
  std::vector<NewSegment> segments;  // by position
  std::vector<std::string> notes;
};

// `most_position`: markers beyond lie outside any recording; skipped and counted.
//   kInvalidArgument    no such file
//   kResourceExhausted  beyond a limit of recording_limits.h
absl::StatusOr<Markers> ParseMarkers(absl::string_view text, int64_t most_position);

}  // namespace remora::agent::brainvision
