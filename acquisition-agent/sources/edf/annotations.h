// Time-stamped annotation lists: what EDF+ and BDF+ store in the bytes of an annotation signal.
//
// Total over any bytes: never fails, allocates nothing, and says how much of the input was no list.
// Pure. Source: Kemp and Olivan 2003, section 2.2.2.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace remora::agent::edf {

// One text of one list "+2.5<21>0.1<20>text<20>more<20><0>".
struct TimedText {
  int64_t onset_ns = 0;  // since the start in the file's header; within +-kMaxRecordingNs
  std::optional<int64_t> duration_ns;
  // As written, uncleaned, into the parsed bytes. The first list of a record begins with an empty
  // text: it is the record's own time.
  absl::string_view text;
};

// Calls `visit` for every text, empty ones too, in the order of the bytes: one annotation signal of
// one record. It stops early when `visit` returns false. Returns how many stretches between NULs
// were no list; they are skipped.
int32_t ParseAnnotations(std::span<const uint8_t> bytes,
                         absl::FunctionRef<bool(const TimedText&)> visit);

// "+12.5" as nanoseconds; at most 9 decimals count. Empty if it is not a number of that form.
std::optional<int64_t> ParseOnset(absl::string_view text, bool needs_sign);

}  // namespace remora::agent::edf
