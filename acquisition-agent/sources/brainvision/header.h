// The header (.vhdr) of a BrainVision recording, version 1.0 or 2.0.
//
// Text in sections, as of an INI file; everything about the samples but the samples. Strict where a
// wrong reading would give wrong signals, tolerant where files in the field differ harmlessly; what
// was tolerated is in `notes`. Pure functions over text; no number is trusted before it is checked.
//
// Source: Brain Products, BrainVision Core Data Format 1.0 (2019), and headers that Recorder,
// Analyzer 2 ("Version 2.0") and others write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::agent::brainvision {

enum class SampleType { kInt16, kInt32, kFloat32 };

struct Channel {
  std::string name;       // cleaned, commas restored
  std::string reference;  // may be empty
  double resolution = 1;  // in `unit` per count; finite, not 0
  std::string unit;       // "µV" where none is given
};

struct Header {
  std::string version;      // "1.0", "2.0"
  std::string data_file;    // "$b" replaced
  std::string marker_file;  // empty if there is none
  bool vectorized = false;  // channel after channel, else sample after sample
  SampleType type = SampleType::kInt16;
  bool big_endian = false;
  int64_t interval_ps = 0;      // from sample to sample
  int64_t declared_points = 0;  // samples of each channel; 0 if the header does not say
  int64_t data_offset_bytes = 0;
  std::vector<Channel> channels;
  std::vector<std::string> notes;

  int bytes_per_sample() const { return type == SampleType::kInt16 ? 2 : 4; }
};

// `base_name`: that of the header file without its ending, for "$b".
//   kInvalidArgument  no such header, or one that cannot be read right: line, what would be right
absl::StatusOr<Header> ParseHeader(absl::string_view text, absl::string_view base_name);

// One "key=value" of the text, with where it stands. A line without "=" has an empty key.
struct Entry {
  absl::string_view section;  // "Common Infos"
  absl::string_view key;
  absl::string_view value;
  int64_t line = 0;  // from 1
};
// Calls `visit` for each entry until it returns false. What follows [Comment] is a person's text.
void ForEachEntry(absl::string_view text, absl::FunctionRef<bool(const Entry&)> visit);

// The first line, "... Data Exchange Header File Version 1.0"; returns the version.
//   kInvalidArgument  another file, or another version than 1 or 2
absl::StatusOr<std::string> ParseIdentification(absl::string_view text, absl::string_view kind);

// Fields between commas, where "\1" stands for a comma.
std::vector<std::string> SplitFields(absl::string_view value);

// "$b.eeg" for the base name "case" is "case.eeg".
std::string FileName(absl::string_view value, absl::string_view base_name);

}  // namespace remora::agent::brainvision
