// When each record of a recording was, and what is written in its annotations.
//
// Built once at opening by reading every annotation signal (not the samples), so that stimuli and
// marks can be delivered in order although a file may store them anywhere. Memory: 24 bytes an
// annotation and each distinct text once, bounded by limits.h.
//
// Two times: recorded time counts from the start in the header; device time from the first record
// and never goes back. They differ by a constant within a segment.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/edf/header.h"

namespace remora::agent::edf {

// A run of records that follow each other without a break.
struct Segment {
  int64_t first_record = 0;
  int64_t start_ns = 0;       // device time of its first sample
  int64_t clock_step_ns = 0;  // negative if the recorded time went back here; otherwise 0
};

struct Annotation {
  int64_t time_ns = 0;  // device time
  int64_t duration_ns = 0;
  int32_t text = 0;  // index into Timeline::texts
};

struct Timeline {
  int64_t first_onset_ns = 0;  // recorded time of device time 0: the sub-second part of the start
  std::vector<Segment> segments;        // in order; never empty if there are records
  std::vector<Annotation> annotations;  // by time; equal times as in the file
  std::vector<std::string> texts;       // cleaned, distinct
  std::vector<std::string> notes;

  int64_t RecordStartNs(const Segment& segment, int64_t record, const Header& header) const {
    return segment.start_ns + (record - segment.first_record) * header.record_duration_ns;
  }
};

//   kResourceExhausted  more annotations or breaks than limits.h permits
//   kDataLoss           the storage failed
absl::StatusOr<Timeline> BuildTimeline(const ByteReader& file, const Header& header);

}  // namespace remora::agent::edf
