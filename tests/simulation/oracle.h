#pragma once

// What the world knows to be true: what honest participants wrote, and what is on the hub's disk.
// Every commit is checked as it happens: dense `seq`, each origin's lanes 0-2 in order without a
// hole but the refused, no id twice, byte for byte what was written, times that do not go back, the
// chain. Sequence-bound to the simulation's thread.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "common/seq_ranges.h"
#include "common/time.h"
#include "hub/journal/journal.h"

namespace remora::simulation {

// One lane of the truth that fails: what was promised and what happened instead.
using Fail = std::function<void(const std::string&)>;

uint64_t BytesHash(absl::string_view bytes);

class Oracle {
 public:
  struct Entry {
    std::string bytes;  // with the stamp
    RecordKey key;
    uint32_t kind = 0;
    int64_t recorded_unix_ns = 0;
    std::string trace_id;  // of bulk, where traces are asked for
    bool is_control() const { return key.lane <= 1; }
  };
  struct Case {
    uint32_t epoch = 0;
    std::vector<Entry> entries;  // by seq - 1
    // Of each lane, ascending.
    std::array<std::vector<uint64_t>, kLaneCount> lane_seqs;
    // No longer in the journal: its archive has it.
    bool purged = false;
    uint64_t head() const { return entries.size(); }
  };

  // `reads_traces`: entries of lanes 2-5 know their trace.
  Oracle(Fail fail, bool reads_traces) : fail_(std::move(fail)), reads_traces_(reads_traces) {}

  // An honest participant has put this record on its way, or offers it again; `late`: as part of
  // its backlog.
  void OnWritten(absl::string_view bytes, bool late);
  // Somebody who lies may have sent it: if it is on record, then as it was sent first or later.
  void OnLie(const OriginId& origin, absl::string_view bytes);

  // Told of each LinkState that the hub has put on record.
  void set_on_link_state(std::function<void(const Entry&)> on_link_state) {
    on_link_state_ = std::move(on_link_state);
  }
  // Told of each case that the disk has purged, when it is done.
  void set_on_purged(std::function<void(const hub::Tombstone&)> on_purged) {
    on_purged_ = std::move(on_purged);
  }
  // Something that its owner has found.
  void OnFinding(const std::string& what) { fail_(what); }

  void OnCreated(const CaseId& case_id, uint32_t epoch);
  void OnCommitted(const hub::CaseAppend& append);
  void OnPurged(const hub::Tombstone& tombstone);
  // The journal has gone back to what it held of each case at some time, in a new epoch.
  void OnWentBack(const std::map<CaseId, uint64_t>& heads);

  const Case* Find(const CaseId& case_id) const;
  const std::map<CaseId, Case>& cases() const { return cases_; }
  // On disk now; 0: it is not.
  uint64_t SeqOf(const CaseId& case_id, const RecordKey& key) const;
  // Whether exactly these bytes, with their stamp, are or were on disk.
  bool WasCommitted(const CaseId& case_id, uint64_t seq, absl::string_view stamped) const;
  bool WasCommitted(const CaseId& case_id, const RecordKey& key) const;
  // Whether it was ever sent so. What liars and the hub write counts as live.
  bool WasSentLive(const RecordKey& key) const;
  bool WasSentLate(const RecordKey& key) const { return sent_late_.contains(key); }
  // Whether somebody wrote these bytes (without stamp).
  bool WasWritten(const RecordKey& key, absl::string_view bytes) const;
  // Of all that is on disk.
  uint64_t bytes() const;
  uint64_t times_gone_back() const { return times_gone_back_; }
  uint64_t commits() const { return commits_; }

 private:
  struct Progress {
    SeqRanges held;
    SeqRanges refused;
  };
  struct Private {
    absl::flat_hash_map<RecordKey, uint64_t> seqs;
    std::map<std::pair<OriginId, uint32_t>, Progress> origins;
    // What was on disk and went with a journal that went back.
    std::unordered_set<uint64_t> former;
    std::unordered_set<uint64_t> former_keys;
    std::array<uint8_t, 32> chain{};
  };
  void TakeRecord(const CaseId& case_id, uint64_t seq, absl::string_view bytes);
  void CheckOrigins(const CaseId& case_id, const hub::CaseAppend& append);
  void CheckAuthor(const StampedRecord& stamped);
  void CutBack(const CaseId& case_id, uint64_t head);

  const Fail fail_;
  const bool reads_traces_;
  std::map<CaseId, Case> cases_;
  std::map<CaseId, Private> private_;
  absl::flat_hash_map<RecordKey, uint64_t> written_;
  absl::flat_hash_set<RecordKey> sent_live_;  // of bulk
  absl::flat_hash_set<RecordKey> sent_late_;
  std::set<OriginId> honest_;
  std::function<void(const Entry&)> on_link_state_;
  std::function<void(const hub::Tombstone&)> on_purged_;
  std::map<OriginId, std::unordered_set<uint64_t>> lies_;
  uint64_t times_gone_back_ = 0;
  uint64_t commits_ = 0;
};

}  // namespace remora::simulation
