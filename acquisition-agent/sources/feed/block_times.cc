#include "acquisition-agent/sources/feed/block_times.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/sources/feed/device_clock.h"
#include "acquisition-agent/sources/feed/limits.h"

namespace remora::agent::feed {
namespace {

double Milliseconds(int64_t ns) { return static_cast<double>(ns) / 1e6; }

}  // namespace

void BlockTimes::BeginAnew(absl::string_view cause) {
  next_index_.reset();
  cause_ = std::string(cause);
}

BlockTimes::Placed BlockTimes::Take(const ToldBlock& told, int64_t start_ns, int64_t end_ns) {
  next_index_ = told.first + told.count;
  end_ns_ = end_ns;
  Placed placed;
  placed.start_ns = start_ns;
  placed.end_ns = end_ns;
  return placed;
}

BlockTimes::Placed BlockTimes::TakeBehindGap(const ToldBlock& told, int64_t start_ns,
                                             std::string cause) {
  Gap gap;
  gap.from_ns = *end_ns_;
  gap.to_ns = std::max(*end_ns_, start_ns);
  gap.cause = std::move(cause);
  Placed placed = Take(told, gap.to_ns, gap.to_ns + told.end_ns - told.start_ns);
  placed.gap = std::move(gap);
  return placed;
}

BlockTimes::Placed BlockTimes::Place(const ToldBlock& told, double rate_hz,
                                     absl::string_view device) {
  if (!end_ns_) return Take(told, told.start_ns, told.end_ns);
  const int64_t before_ns = *end_ns_;
  const int64_t length_ns = told.end_ns - told.start_ns;
  if (!next_index_) {
    // Two clocks of one device may differ by what each is uncertain by: no sample comes twice.
    if (told.start_ns < before_ns) return {.outcome = Outcome::kOld};
    return TakeBehindGap(told, told.start_ns,
                         absl::StrFormat("%s: no samples for %.1f ms", cause_,
                                         Milliseconds(told.start_ns - before_ns)));
  }
  if (told.first < *next_index_) {
    if (told.start_ns < before_ns - std::min(kMaxSeamNs, length_ns / 2)) {
      const bool all = told.first + told.count <= *next_index_;
      return {.outcome = all ? Outcome::kRepeated : Outcome::kMixed};
    }
    Placed placed = TakeBehindGap(told, told.start_ns,
                                  absl::StrCat(device, ": counts its samples anew, from ",
                                               told.first, " and not from ", *next_index_));
    placed.counts_anew = true;
    return placed;
  }
  const uint64_t missing = told.first - *next_index_;
  if (missing == 0) return Follow(told, device);
  // By their number: to the sample, whatever the clock's uncertainty.
  const double missing_ns = static_cast<double>(missing) * 1e9 / rate_hz;
  const double apart_ns = static_cast<double>(told.start_ns - before_ns) - missing_ns;
  const bool agree =
      std::fabs(apart_ns) <= static_cast<double>(kMaxSeamNs) + kMaxClockSlope * missing_ns;
  const int64_t to_ns = agree ? before_ns + std::llround(missing_ns) : told.start_ns;
  return TakeBehindGap(told, to_ns,
                       absl::StrFormat("%s: %d samples of each channel (%.1f ms at %g Hz) were "
                                       "lost on the way%s",
                                       device, missing, missing_ns / 1e6, rate_hz,
                                       agree ? "" : ", and its clock does not agree"));
}

BlockTimes::Placed BlockTimes::Follow(const ToldBlock& told, absl::string_view device) {
  const int64_t before_ns = *end_ns_;
  const int64_t length_ns = told.end_ns - told.start_ns;
  const int64_t ahead_ns = told.start_ns - before_ns;
  if (ahead_ns > kMaxSeamNs) {
    return TakeBehindGap(told, told.start_ns,
                         absl::StrFormat("%s: its clock went ahead by %.1f ms between two samples "
                                         "that follow each other",
                                         device, Milliseconds(ahead_ns)));
  }
  if (ahead_ns < -kMaxSeamNs) {
    BeginAnew(
        absl::StrFormat("%s: its clock went back by %.1f ms between two samples that follow "
                        "each other, and what it told of the same time is left out",
                        device, Milliseconds(-ahead_ns)));
    return {.outcome = Outcome::kOld};
  }
  const double length = static_cast<double>(length_ns);
  const double share = std::min(1.0, length / static_cast<double>(kFollowNs));
  const double most_ns = length * static_cast<double>(kMaxBlockSlewPpm) / 1e6;
  const double drawn_ns = std::clamp(static_cast<double>(ahead_ns) * share, -most_ns, most_ns);
  return Take(told, before_ns,
              before_ns + std::max<int64_t>(1, length_ns + std::llround(drawn_ns)));
}

}  // namespace remora::agent::feed
