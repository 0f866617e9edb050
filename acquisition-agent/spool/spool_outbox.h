// Offers a case's spool to the link: what comes next, in strict priority.
//
//   1. lanes 0 and 1 in the order in which they were made (an alert never before the case that it
//   belongs to), then
//      lane 2; each strictly in order, waiting where the spool has not committed yet
//   2. live bulk: what was made since this session began, lanes 3, 4, 5, oldest first. What lags
//   more than
//      kMaxLiveRecords behind becomes backlog
//   3. the backlog, newest first, lanes 3, 4, 5, in batches of its own
//
// Nothing that the hub holds or has refused for good is offered; what was given out is not given
// out again before the next OnJoined. Sequence-bound to the link's sequence, which is the spool's.
// The spool outlives it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "acquisition-agent/spool/case_spool.h"
#include "common/limits.h"
#include "common/link/outbox.h"
#include "common/seq_ranges.h"

namespace remora::agent {

struct OutboxCounters {
  uint64_t offered_records = 0;
  uint64_t refused_records = 0;     // for good, as far as is known
  uint64_t unreadable_records = 0;  // damaged on disk since they were written
};

class SpoolOutbox : public Outbox {
 public:
  explicit SpoolOutbox(CaseSpool& spool) : spool_(spool) {}

  void OnJoined(const v1::Joined& joined) override;
  bool NextBatch(size_t max_bytes, std::string* frames) override;
  void OnAcknowledged(const v1::Acknowledge& acknowledge) override;
  void OnRefused(const v1::RecordRefused& refused) override;
  bool HasPending() const override;

  const OutboxCounters& counters() const { return counters_; }

 private:
  struct Session {
    std::array<SeqRanges, kLaneCount> done;   // held by the hub, or given out
    std::array<uint64_t, kLaneCount> next{};  // lanes 0-2: in order; bulk: live from here on
    std::array<uint64_t, kLaneCount>
        backlog_to{};  // bulk: looked through downwards from here; 0: done
  };
  enum class Taken { kNothing, kRecord, kFull };

  void CountRefused();
  // Where the lane's next control record is; 0 when none can be given out now.
  uint64_t NextControl(uint32_t lane);
  uint64_t NextLive(uint32_t lane);
  uint64_t NextBacklog(uint32_t lane);
  Taken Offer(uint32_t lane, uint64_t seq, size_t max_bytes, std::string* frames);
  Taken OfferControl(size_t max_bytes, std::string* frames);
  bool IsOver(uint32_t lane, uint64_t seq) const;

  CaseSpool& spool_;
  Session session_;
  bool joined_ = false;
  OutboxCounters counters_;
};

}  // namespace remora::agent
