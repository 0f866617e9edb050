#pragma once

// Writes the appends of one case as a room would: stamped records, dense seq, chain, lane heads,
// origin ranges. Every byte follows from case, epoch, seed and what was asked for, so a checker
// can write the same case again. Thread-compatible value: copy it to go back.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "hub/journal/journal.h"

namespace remora::hub {

class CaseScript {
 public:
  struct Record {
    uint64_t seq;
    uint32_t lane;
    std::string frame;
  };

  CaseScript(const CaseId& case_id, uint32_t epoch, uint64_t seed)
      : case_id_(case_id), epoch_(epoch), seed_(seed) {}

  // One append with a record for each of `lanes`, in this order, each with `body_bytes` of body.
  CaseAppend Next(const std::vector<uint32_t>& lanes, size_t body_bytes = 40);
  // An append of one to twelve records, drawn from the seed and the seq.
  CaseAppend NextDrawn();

  const CaseId& case_id() const { return case_id_; }
  uint64_t last_seq() const { return last_seq_; }
  uint32_t epoch() const { return epoch_; }
  // What the case holds after all appends so far; records in seq order.
  CaseHead Head() const;
  std::vector<OriginLaneHeld> Origins() const;
  const std::vector<Record>& records() const { return records_; }
  // The frames of records first..last of the asked classes, one after the other.
  std::string Frames(uint64_t first_seq, uint64_t last_seq, bool control = true,
                     bool bulk = true) const;
  // For long cases: records() stays empty.
  void ForgetRecords() { keep_records_ = false; }

  static OriginId OriginOfLane(uint32_t lane);
  // Whose origins they are.
  static constexpr char kParticipant[] = "agent-7";

 private:
  std::string MakeRecord(uint32_t lane, uint64_t origin_seq, size_t body_bytes) const;

  CaseId case_id_;
  uint32_t epoch_;
  uint64_t seed_;
  uint64_t last_seq_ = 0;
  bool keep_records_ = true;
  std::array<uint8_t, 32> chain_{};
  std::array<uint64_t, kLaneCount> lane_seq_{};
  std::array<uint64_t, kLaneCount> origin_seq_{};
  std::vector<Record> records_;
};

// A case id that follows from a number.
CaseId CaseIdOf(uint64_t number);

}  // namespace remora::hub
