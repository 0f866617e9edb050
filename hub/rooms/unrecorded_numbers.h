#pragma once

// Which records were shown in this interval although they are not on disk: each once, and lanes
// 0-2 of an origin in order. Knows nothing of what is on disk (OriginLedger does), and forgets
// everything when the interval is over. Thread-compatible; sequence-bound to its room.

#include <cstdint>
#include <map>
#include <utility>

#include "common/seq_ranges.h"

namespace remora::hub {

class UnrecordedNumbers {
 public:
  // A record that the ledger has not accepted; `next`: the number that it expects in a control
  // lane. True: to be shown now. False: it was, or it is not its turn, or no more can be remembered
  // (kMaxUnrecordedRanges of a bulk lane).
  bool Take(uint32_t origin_index, uint32_t lane, uint64_t number, uint64_t next);
  // One that the ledger has accepted. True: it was not shown yet.
  bool TakeAccepted(uint32_t origin_index, uint32_t lane, uint64_t number);
  // Of lanes 0-2 all up to the last one that was shown: those before it were on disk already.
  bool WasShown(uint32_t origin_index, uint32_t lane, uint64_t number) const;
  // Of a control lane: the last number shown; 0: none.
  uint64_t LastOf(uint32_t origin_index, uint32_t lane) const;
  void Clear();

 private:
  using OriginLane = std::pair<uint32_t, uint32_t>;
  std::map<OriginLane, uint64_t> last_;      // control lanes
  std::map<OriginLane, SeqRanges> numbers_;  // bulk lanes
};

}  // namespace remora::hub
