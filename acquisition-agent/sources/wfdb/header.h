// The header (.hea) of a WFDB record: the record line, one line for each signal, comments.
//
// Strict where a wrong reading would give wrong signals, tolerant where files in the field differ
// harmlessly; what was tolerated is in `notes`. Pure; no number is trusted before it is checked.
// Records of several segments are refused.
//
// Source: Moody, WFDB Applications Guide, header(5).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace remora::agent::wfdb {

struct Signal {
  std::string file;
  int format = 16;
  int32_t samples_per_frame = 1;
  int64_t skew_frames = 0;  // frames of the file that precede frame 0 of the signal
  int64_t byte_offset = 0;  // of the first sample in its file
  double gain = 200;        // counts per unit; finite, not 0
  bool calibrated = true;   // false: the header gives no gain, 200 is assumed
  double baseline = 0;      // the count at 0 units
  std::string unit = "mV";  // cleaned
  int resolution_bits = 0;  // 0 if not given
  int64_t adc_zero = 0;     // the count in the middle of the range
  std::optional<int64_t> initial_value;
  std::optional<int64_t> checksum;  // 16 bits, of all its samples
  std::string description;          // cleaned; "signal 0" where none is given
};

struct Header {
  std::string record;
  double frame_rate_hz = 250;
  int64_t declared_frames = 0;  // 0 if the header does not say
  std::optional<absl::CivilSecond> start_local;
  int32_t start_subsecond_ns = 0;
  std::vector<Signal> signals;  // those of one file stand together
  // The lines that begin with "#", without it. Age, sex and diagnosis may be in them: not for logs,
  // not for the record.
  std::vector<std::string> comments;
  std::vector<std::string> notes;
};

//   kInvalidArgument  no such header, or one that cannot be read right: line, what would be right
absl::StatusOr<Header> ParseHeader(absl::string_view text);

}  // namespace remora::agent::wfdb
