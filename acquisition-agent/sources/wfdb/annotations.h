// Annotation files of WFDB records (.atr and others) in the MIT format: marks with a code,
// bit-packed.
//
// The older AHA format cannot be told from it and is not read. Pure.
//
// Source: Moody, WFDB Applications Guide, annot(5); the codes are those of its ecgcodes.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "acquisition-agent/sources/mark_texts.h"

namespace remora::agent::wfdb {

struct Annotation {
  int64_t time = 0;  // in samples, or in the file's own resolution: see Annotations
  int32_t text = 0;  // in Annotations::texts
};

struct Annotations {
  // "V", "N subtype 2", "+ (AFIB", "channel 1" where it is not 0; a note (code 22) is its text
  // alone.
  MarkTexts texts;
  std::vector<Annotation> annotations;  // as in the file
  double time_resolution_hz = 0;        // 0: that of the record's frames
  std::vector<std::string> notes;
};

//   kInvalidArgument    the file is cut inside an annotation
//   kResourceExhausted  beyond a limit of recording_limits.h
absl::StatusOr<Annotations> ParseAnnotations(std::span<const uint8_t> bytes);

// "N" for 1; "code 55" where the format defines none.
std::string CodeName(int code);

}  // namespace remora::agent::wfdb
