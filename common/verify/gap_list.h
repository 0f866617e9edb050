#pragma once

// The numbers that a certificate names as not on record, or as late, with what a person needs to
// find them: whose, why, and between which moments they were made. Thread-compatible.

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "common/fold/origin_clocks.h"
#include "common/ids.h"
#include "common/record_codec.h"
#include "common/seq_ranges.h"
#include "common/verify/told_books.h"
#include "remora/v1/link.pb.h"

namespace remora {

enum class GapReason {
  kMissing,  // nobody has said why
  kGivenUp,  // its origin has told so
  kRefused,  // by the hub, as it says
  kLate,     // on record, behind a later one
};

struct ListedGap {
  std::string participant;  // empty: the hub itself
  OriginId origin;
  uint32_t lane = 0;
  uint64_t first = 0;
  uint64_t last = 0;
  GapReason reason = GapReason::kMissing;
  // Of the first DataGap that tells of it, where its origin has told so.
  v1::DataGapCause cause = v1::DATA_GAP_CAUSE_UNSPECIFIED;
  // Not before, not after, in the hub's time: by the DataGap, or else when the records on either
  // side were made. 0: nothing on that side says.
  int64_t from_unix_ns = 0;
  int64_t to_unix_ns = 0;

  uint64_t count() const { return last - first + 1; }
};

class GapList {
 public:
  using OriginLane = std::pair<OriginId, uint32_t>;

  // Each record, in order. `held`: what its lane has, with it.
  void Note(const StampedRecord& stamped, const SeqRanges& held);
  // A ClockEstimate of its origin.
  void NoteClock(const OriginId& origin, const v1::ClockEstimate& estimate);
  // All gaps and late ranges of a certificate that holds.
  std::vector<ListedGap> List(const v1::Certificate& certificate, const ToldBooks& told) const;

 private:
  // When the records at the ends of what a lane holds were made: by their number. As many as it has
  // ranges, twice.
  using Edges = std::map<uint64_t, MadeAt>;

  ListedGap Listed(const v1::OriginLaneHead& head, const v1::NamedGap& gap,
                   const ToldBooks& told) const;
  void Date(const OriginLane& where, ListedGap* gap) const;
  // In the hub's time; 0 where its origin's clock is not known: when it was recorded is another
  // question, and hours later after an outage.
  int64_t HubUnixNs(const MadeAt& made) const;

  std::map<OriginLane, Edges> edges_;
  // By boot: a machine that was started again has another clock.
  std::map<std::pair<OriginId, uint64_t>, OriginClocks> clocks_;
};

}  // namespace remora
