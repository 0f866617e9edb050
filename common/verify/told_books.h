#pragma once

// What publishers say of their own records, as a record holds it: totals, gaps, and the steps of
// the case's life. By the same rules as the hub's books (docs/certificate.md), told again here so
// that a hub which breaks them is found. Thread-compatible value.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "common/ids.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "common/seq_ranges.h"
#include "remora/v1/record.pb.h"

namespace remora {

class ToldBooks {
 public:
  using OriginLane = std::pair<OriginId, uint32_t>;
  // A DataGap of its own origin: the lane and the numbers that it tells of, why, and from when to
  // when on that origin's clock (both 0: it does not say).
  struct Teller {
    uint32_t lane = 0;
    uint64_t first = 0;
    uint64_t last = 0;
    v1::DataGapCause cause = v1::DATA_GAP_CAUSE_UNSPECIFIED;
    uint64_t boot_id = 0;
    int64_t from_monotonic_ns = 0;
    int64_t to_monotonic_ns = 0;
    int64_t recorded_unix_ns = 0;
  };

  // Each record of lanes 0-2, in order.
  void Note(const RecordKey& key, const v1::Record& record, int64_t recorded_unix_ns);

  // The last number of a lane by the total that counts; 0: none was given.
  uint64_t TotalOf(const OriginId& origin, uint32_t lane) const;
  // Whether a total counts: given behind the newest CLOSING, and nothing has come since that it
  // does not name, but for steps of the case's life. `held`: all that the record has.
  bool HasTotal(const OriginId& origin, const std::map<OriginLane, SeqRanges>& held) const;
  // Whether the origin itself has told that it has lost all of these.
  bool HasTold(const OriginLane& where, uint64_t first, uint64_t last) const;
  // Whether this record of its own is among those that tell.
  bool Tells(const RecordKey& record, const OriginLane& where) const;
  // That record; null: it tells of nothing.
  const Teller* TellerOf(const RecordKey& record) const;
  // The CLOSED with gaps that the newest close was, for its reason and actor; empty: none.
  const v1::CaseLifecycle& closed_with_gaps() const { return closed_with_gaps_; }

 private:
  std::map<OriginId, std::map<uint32_t, uint64_t>> totals_;
  std::map<OriginId, SeqRanges> steps_;
  std::map<OriginLane, SeqRanges> told_;
  std::map<RecordKey, Teller> tellers_;
  v1::CaseLifecycle closed_with_gaps_;
};

}  // namespace remora
