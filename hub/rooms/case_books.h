#pragma once

// The books of a case: what each origin says that it made, against what is held. Balanced when the
// case is to be closed, and for each certificate (docs/certificate.md). Thread-compatible value;
// sequence-bound to its room.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "common/seq_ranges.h"
#include "hub/rooms/origin_ledger.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

class CaseBooks {
 public:
  // A record that was accepted, or is on record, in order: totals of publishers, gaps of their own
  // that they tell, steps of the case's life. Others are passed over. CLOSING and REOPENED void the
  // totals that were given before. Beyond kMaxToldGaps a gap is not remembered: its numbers
  // count as missing.
  void Note(const RecordKey& key, const v1::Record& record);

  // Who an origin's participant is.
  struct People {
    std::function<bool(const std::string& participant)> is_agent;
    std::function<bool(const OriginId&)> is_here;
  };
  struct Balance {
    // By origin and lane. Origins without a number are left out. Neighbouring gaps of one cause are
    // one; where there are very many, they do not name the records that tell of them.
    std::vector<v1::OriginLaneHead> heads;
    // Nothing is missing that nobody has explained, and each agent has said its total behind the
    // newest CLOSING, and made nothing since.
    bool complete = true;
    // What is missing of whom, for a person; empty when complete.
    std::string missing;
    // False: more than a certificate can name (kMaxCertificateHeads, kMaxCertificateBytes).
    bool fits = true;
  };
  // `ledger`: as accepted.
  Balance Strike(const OriginLedger& ledger, const People& people) const;
  // Whether a sealed case still waits for it: up to its origin's total, or, of an agent that has
  // given none, whatever comes.
  bool Expects(const OriginLedger& ledger, const People& people, const RecordKey& key) const;
  // Why a total cannot be; empty: it can. Nobody is to keep a case from being closed by a number.
  std::string WhatIsWrongWith(const OriginLedger& ledger, const People& people,
                              const RecordKey& key, const v1::PublisherTotal& total) const;

 private:
  using OriginLane = std::pair<OriginId, uint32_t>;
  struct ToldGap {
    uint64_t last = 0;
    RecordKey record;
  };
  enum class Total { kNone, kGiven, kStale };
  // Stale: it holds more than it said, but for steps of the case's life, which close it.
  Total TotalOf(const OriginLedger& ledger, const OriginId& origin) const;
  v1::OriginLaneHead HeadOf(const OriginLedger& ledger, const OriginId& origin,
                            uint32_t lane) const;
  // Splits a hole into what was told and what was not.
  void NameHole(const OriginLane& where, uint64_t first, uint64_t last,
                v1::OriginLaneHead* head) const;

  std::map<OriginId, std::map<uint32_t, uint64_t>> totals_;
  // Numbers of steps of the case's life, all in lane 1.
  std::map<OriginId, SeqRanges> steps_;
  std::map<OriginLane, std::map<uint64_t, ToldGap>> told_gaps_;
  size_t told_gap_count_ = 0;
};

}  // namespace remora::hub
