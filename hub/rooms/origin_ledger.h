#pragma once

// Which records of which origin a case has: the memory behind exactly-once. Numbers go through
//
//   (new) --Accept--> accepted, not yet on disk --Commit--> durable
//   (new) --Refuse--> used up; becomes durable with the next append
//
// Lanes 0-2 are taken strictly in order, lanes 3-5 in any. Thread-compatible; sequence-bound to its
// room.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/seq_ranges.h"
#include "hub/journal/journal.h"

namespace remora::hub {

// Tells records of one origin apart that claim the same number. Not kept across restarts.
uint64_t OriginDigest(absl::string_view origin_bytes);

class OriginLedger {
 public:
  enum class Verdict {
    kNew,
    // Here already, with the same bytes, or too long ago to tell.
    kDuplicate,
    // Here already with other bytes.
    kReusedId,
    // Lanes 0-2: a number beyond the next one.
    kOutOfOrder,
    // kMaxOrigins or kMaxHeldRanges are in use.
    kTooMany,
  };
  Verdict Judge(const RecordKey& key, uint64_t digest) const;
  // The next number of a control lane.
  uint64_t Next(const OriginId& origin, uint32_t lane) const;

  // Both after Judge said kNew.
  void Accept(const RecordKey& key, uint64_t digest);
  void Refuse(const RecordKey& key);

  // What was accepted or refused since the last call, for one append.
  std::vector<OriginAdvance> TakeAdvances();
  bool has_advances() const { return !advanced_.empty(); }
  // The append is on disk.
  void Commit(const std::vector<OriginAdvance>& advances);

  const SeqRanges& Durable(const OriginId& origin, uint32_t lane) const;
  // Dense number of an origin within the room, for frames.
  uint32_t IndexOf(const OriginId& origin);

  // At a start: what the journal holds, and digests of records that were read again.
  void Restore(const OriginLaneHeld& held);
  void Remember(const RecordKey& key, uint64_t digest);

 private:
  struct LaneState {
    SeqRanges accepted;
    SeqRanges durable;
    SeqRanges advance;
    // By origin_seq modulo kRememberedDigests; grows as it is used.
    struct Remembered {
      uint64_t origin_seq = 0;
      uint64_t digest = 0;
    };
    std::vector<Remembered> digests;
  };
  struct OriginState {
    uint32_t index = 0;
    std::array<LaneState, kLaneCount> lanes;
  };

  LaneState& State(const RecordKey& key);
  const LaneState* Find(const OriginId& origin, uint32_t lane) const;
  void Advance(const RecordKey& key, LaneState* state);

  absl::flat_hash_map<OriginId, OriginState> origins_;
  std::vector<std::pair<OriginId, uint32_t>> advanced_;
};

}  // namespace remora::hub
