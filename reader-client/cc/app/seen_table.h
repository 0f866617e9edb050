#pragma once

// What `remora seen` prints, from the views on record. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "reader-client/cc/app/output.h"
#include "remora/v1/link.pb.h"

namespace remora::reader {

struct SeenView {
  int64_t recorded_unix_ns = 0;
  uint64_t seq = 0;
  v1::ViewSeen view;
};

// A view is written at least each 30 s: of a screen that has said nothing for longer than this,
// nothing is known.
inline constexpr int64_t kSeenHoldsNs = 45'000'000'000;

// "08:41:00" on the UTC day of `day_unix_ns`, or "2026-01-31T08:41:00". InvalidArgument: neither.
absl::StatusOr<int64_t> ParseSeenTime(absl::string_view text, int64_t day_unix_ns);

// A line a view, in the order of the record.
Table SeenOverTime(const std::vector<SeenView>& views);
// A line a trace on each screen at that time; one without traces for a screen that showed none.
// Ages are those at that time: they grew since the view was written.
Table SeenAt(const std::vector<SeenView>& views, int64_t at_unix_ns);

}  // namespace remora::reader
