#pragma once

// Which records of which origin a case has: the memory behind exactly-once. Numbers go through
//
//   (new) --Accept--> accepted, not yet on disk --Commit--> durable
//   (new) --Refuse--> used up, not yet on disk --Commit--> refused for good
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
    // Refused before; and that, not yet on disk.
    kRefused,
    kRefusing,
    // Lanes 0-2: a number beyond the next one.
    kOutOfOrder,
    // kMaxOrigins or kMaxHeldRanges are in use.
    kTooMany,
  };
  Verdict Judge(const RecordKey& key, uint64_t digest) const;
  // The next number of a control lane.
  uint64_t Next(const OriginId& origin, uint32_t lane) const;

  // Both after Judge said kNew. `participant`: whose origin it is; empty: the hub's own.
  void Accept(const RecordKey& key, uint64_t digest, const std::string& participant);
  void Refuse(const RecordKey& key, const std::string& participant);
  // Uses up `range`, of which no number may be in use yet.
  void RefuseRange(const OriginId& origin, uint32_t lane, const SeqRanges::Range& range,
                   const std::string& participant);
  // False: kMaxHeldRanges of this lane are refused already.
  bool CanRefuse(const RecordKey& key) const;

  // What was accepted or refused since the last call, for one append.
  std::vector<OriginAdvance> TakeAdvances();
  bool has_advances() const { return !advanced_.empty(); }
  // The append is on disk.
  void Commit(const std::vector<OriginAdvance>& advances);

  // On disk: numbers of records, and numbers refused for good.
  const SeqRanges& Durable(const OriginId& origin, uint32_t lane) const;
  const SeqRanges& DurablyRefused(const OriginId& origin, uint32_t lane) const;
  // In use, for records or refused, on disk or not.
  const SeqRanges& Used(const OriginId& origin, uint32_t lane) const;
  // Refused for good, on disk or not.
  const SeqRanges& Refused(const OriginId& origin, uint32_t lane) const;
  // Every origin with a number in use, ascending; whose it is (empty: the hub's own).
  std::vector<OriginId> Origins() const;
  const std::string& ParticipantOf(const OriginId& origin) const;
  // Records of lanes 3-5 that came behind a later one, and records that came again.
  struct Counts {
    uint64_t late = 0;
    uint64_t duplicates = 0;
  };
  Counts CountsOf(const OriginId& origin, uint32_t lane) const;
  // Of those that were late, as many as are listed (kMaxLateRanges).
  const SeqRanges& Late(const OriginId& origin, uint32_t lane) const;
  void CountDuplicate(const RecordKey& key);
  // Dense number of an origin within the room, for frames.
  uint32_t IndexOf(const OriginId& origin);

  // At a start: what the journal holds, and digests of records that were read again.
  void Restore(const OriginLaneHeld& held);
  void Remember(const RecordKey& key, uint64_t digest);

 private:
  struct LaneState {
    // All numbers in use, and of these the ones that were refused.
    SeqRanges used;
    SeqRanges refused;
    SeqRanges durable;
    SeqRanges durably_refused;
    // Since TakeAdvances.
    SeqRanges advance;
    SeqRanges refused_advance;
    // Of a record: numbers of refused ones make nobody late.
    uint64_t largest_accepted = 0;
    Counts counts;
    Counts counts_advance;
    SeqRanges late;
    SeqRanges late_advance;
    // By origin_seq modulo kRememberedDigests; grows as it is used.
    struct Remembered {
      uint64_t origin_seq = 0;
      uint64_t digest = 0;
    };
    std::vector<Remembered> digests;
  };
  struct OriginState {
    uint32_t index = 0;
    std::string participant;
    std::array<LaneState, kLaneCount> lanes;
  };

  LaneState& State(const OriginId& origin, uint32_t lane, const std::string& participant);
  const LaneState* Find(const OriginId& origin, uint32_t lane) const;
  static void NoteLate(uint64_t origin_seq, LaneState* state);
  void NoteAdvance(const OriginId& origin, uint32_t lane, const LaneState& state);

  absl::flat_hash_map<OriginId, OriginState> origins_;
  std::vector<std::pair<OriginId, uint32_t>> advanced_;
};

}  // namespace remora::hub
