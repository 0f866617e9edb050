// The part of liblsl's C API that Remora uses, as a table of functions, and how it is found: at run
// time, so that nobody needs liblsl to build or to run anything else.
//
// Types are opaque to us, as they are in lsl_c.h. The signatures are those of liblsl 1.13 to 1.17.
// A test hands over a table of its own.
//
// The library is never unloaded: threads of its own run in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace remora::agent::lsl {

using StreamInfo = struct StreamInfoOfLsl*;
using Inlet = struct InletOfLsl*;
using XmlElement = struct XmlElementOfLsl*;

// Values of lsl_channel_format_t and lsl_error_code_t.
enum Format : int32_t {
  kFloat32 = 1,
  kDouble64 = 2,
  kString = 3,
  kInt32 = 4,
  kInt16 = 5,
  kInt8 = 6,
  kInt64 = 7,
};
inline constexpr int32_t kLostError = -2;

// Times are seconds of the LSL clock of this machine (local_clock), or of the sender's (time
// stamps); their difference is time_correction.
struct LslApi {
  int32_t (*library_version)() = nullptr;  // 116 for 1.16
  double (*local_clock)() = nullptr;

  // Both give how many were found, at most `elements`; each is to be destroyed.
  int32_t (*resolve_all)(StreamInfo* found, uint32_t elements, double wait_s) = nullptr;
  int32_t (*resolve_byprop)(StreamInfo* found, uint32_t elements, const char* property,
                            const char* value, int32_t minimum, double timeout_s) = nullptr;
  void (*destroy_streaminfo)(StreamInfo info) = nullptr;
  const char* (*get_name)(StreamInfo info) = nullptr;
  const char* (*get_type)(StreamInfo info) = nullptr;
  const char* (*get_hostname)(StreamInfo info) = nullptr;
  int32_t (*get_channel_count)(StreamInfo info) = nullptr;
  double (*get_nominal_srate)(StreamInfo info) = nullptr;  // 0: irregular
  int32_t (*get_channel_format)(StreamInfo info) = nullptr;

  // The description of a full stream info; elements live as long as it does.
  XmlElement (*get_desc)(StreamInfo info) = nullptr;
  XmlElement (*child)(XmlElement element, const char* name) = nullptr;
  XmlElement (*next_sibling_n)(XmlElement element, const char* name) = nullptr;
  int32_t (*empty)(XmlElement element) = nullptr;
  const char* (*child_value_n)(XmlElement element, const char* name) = nullptr;

  Inlet (*create_inlet)(StreamInfo info, int32_t max_buffered_s, int32_t max_chunk,
                        int32_t recover) = nullptr;
  void (*destroy_inlet)(Inlet inlet) = nullptr;
  StreamInfo (*get_fullinfo)(Inlet inlet, double timeout_s, int32_t* error) = nullptr;
  void (*open_stream)(Inlet inlet, double timeout_s, int32_t* error) = nullptr;
  double (*time_correction)(Inlet inlet, double timeout_s, int32_t* error) = nullptr;
  uint32_t (*was_clock_reset)(Inlet inlet) = nullptr;
  // Gives how many values it wrote, sample after sample.
  unsigned long (*pull_chunk_d)(Inlet inlet, double* values, double* stamps,
                                unsigned long value_elements, unsigned long stamp_elements,
                                double timeout_s, int32_t* error) = nullptr;
  // Gives the stamp, 0 if there is no sample; each string is to be destroyed.
  double (*pull_sample_str)(Inlet inlet, char** values, int32_t elements, double timeout_s,
                            int32_t* error) = nullptr;
  void (*destroy_string)(char* string) = nullptr;
};

// Where liblsl is looked for: by the names that its packages install.
std::vector<std::string> LibraryNames();

// Loads the first of `names` that is there.
//   kUnavailable  it is not installed, or lacks a function; the message says what to do
absl::StatusOr<LslApi> LoadLsl(const std::vector<std::string>& names);

}  // namespace remora::agent::lsl
