#pragma once

// What a spool has promised, and what it may hold besides: the truth that a spool found after a cut
// is compared with. Thread-compatible value.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "acquisition-agent/spool/case_spool.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/seq_ranges.h"

namespace remora::power {

class SpoolModel {
 public:
  explicit SpoolModel(const CaseId& case_id) : case_id_(case_id) {}

  const CaseId& case_id() const { return case_id_; }

  // The program hands it to the spool.
  void MakeRecord(uint32_t lane, uint64_t seq, std::string bytes);
  void MakeInput(uint64_t position, std::string bytes);
  void MakeClosed() { closed_made_ = true; }
  // The hub says that it holds these.
  void NoteHeld(uint32_t lane, const SeqRanges& held);
  // The disk was short: bulk may have been given up, if it is told.
  void NoteShort() { was_short_ = true; }

  // A commit was answered with OK: all of it is promised.
  void Promise(const agent::CaseSpool& spool);
  bool promised_anything() const { return promised_; }
  bool closed() const { return closed_promised_; }
  uint64_t next_position() const { return next_position_; }

  // Empty, or what is wrong with a spool that was found.
  std::string Compare(const agent::CaseSpool& spool) const;
  // After a comparison without a finding: what is there now is there for good.
  void Adopt(const agent::CaseSpool& spool);
  uint64_t promised_records() const;

 private:
  struct Made {
    std::string bytes;
    uint64_t order = 0;  // over all lanes
    bool promised = false;
  };
  struct Lane {
    std::map<uint64_t, Made> made;
    uint64_t given_out = 0;  // the last number that could have left the spool
    SeqRanges held;
  };

  std::string CompareLane(const agent::CaseSpool& spool, uint32_t lane) const;
  std::string CompareInputs(const agent::CaseSpool& spool) const;
  std::string CompareOrder(const agent::CaseSpool& spool) const;

  CaseId case_id_;
  std::array<Lane, kLaneCount> lanes_;
  std::map<uint64_t, std::string> inputs_;  // by position
  uint64_t inputs_promised_to_ = 0;         // position
  uint64_t next_position_ = 1;
  uint64_t next_order_ = 1;
  bool promised_ = false;
  bool closed_made_ = false;
  bool closed_promised_ = false;
  bool was_short_ = false;
};

}  // namespace remora::power
