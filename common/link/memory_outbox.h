#pragma once

// An Outbox for a participant without a spool: the command line, tests. Makes records as well: it
// numbers them, so that nobody else has to know the rules. It keeps what is on record, too, as long
// as there is room, in case the hub's journal goes back. All of it is lost with the process: its
// origin must be drawn anew at each start. Sequence-bound to the link's sequence.

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/limits.h"
#include "common/link/lane_answers.h"
#include "common/link/limits.h"
#include "common/link/outbox.h"
#include "common/record_codec.h"

namespace remora {

class MemoryOutbox : public Outbox {
 public:
  // `clock` outlives it.
  MemoryOutbox(const Clock& clock, CaseId case_id, OriginId origin)
      : clock_(clock), case_id_(case_id), origin_(origin) {}

  // Takes a record of which only the body is set, fills in the header, and keeps it. Tell the link
  // (ParticipantLink::NotifyPending). InvalidArgument: no body, or one that no hub would take.
  // ResourceExhausted: full of what waits (kMaxMemoryOutboxRecords, kMaxMemoryOutboxBytes); try
  // later.
  absl::StatusOr<RecordKey> Publish(v1::Record record);

  void OnJoined(const v1::Joined& joined) override;
  bool NextBatch(size_t max_bytes, std::string* frames) override;
  void OnAcknowledged(const v1::Acknowledge& acknowledge) override;
  void OnRefused(const v1::RecordRefused& refused) override;
  bool HasPending() const override;

  const CaseId& case_id() const { return case_id_; }
  // A record is waiting, acknowledged (on record) or refused (for good: it is not on record, and is
  // not offered again), and never two of these.
  bool IsAcknowledged(const RecordKey& key) const;
  // Empty unless it is refused; else the reason in words.
  std::string RefusalText(const RecordKey& key) const;
  size_t waiting_records() const;
  uint64_t refused_records() const;

 private:
  struct Entry {
    uint64_t order;  // of publishing, over all lanes
    std::string bytes;
  };
  struct Lane {
    std::map<uint64_t, Entry> entries;  // by origin_seq
    uint64_t last_seq = 0;              // last number given to a record
    uint64_t given_out = 0;             // last number looked at in this session
    LaneAnswers answers;
    // Of refused numbers, as far as the hub has said it: at most kMaxMemoryOutboxRecords.
    std::map<uint64_t, std::string> reasons;
  };

  // The next record of a lane to be given out, if any.
  std::map<uint64_t, Entry>::const_iterator Next(const Lane& lane) const;
  // The lane that goes first: 0 and 1 in the order published, then the others in theirs.
  int NextLane() const;
  // Forgets what is on record or refused until `bytes` more fit.
  bool MakeRoom(size_t bytes);

  const Clock& clock_;
  const CaseId case_id_;
  const OriginId origin_;
  std::array<Lane, kLaneCount> lanes_;
  uint64_t next_order_ = 1;
  size_t records_ = 0;
  size_t bytes_ = 0;
};

}  // namespace remora
