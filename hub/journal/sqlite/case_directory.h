#pragma once

// Which cases the file holds: from id to key, epoch and damage. Filled at opening, grown by
// CreateCase; of a purged case id and key stay, since it can never be created again.
// Thread-safe.

#include <cstdint>
#include <map>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/mutex.h"

namespace remora::hub::sqlite {

class CaseDirectory {
 public:
  struct Entry {
    int64_t case_key = 0;
    uint32_t epoch = 0;
    absl::Status damage;  // DataLoss: found when the case was opened or verified
    // What it ended with when its tail was last let go; less is a loss. 0: not since the start.
    uint64_t released_seq = 0;
  };

  // At opening, before any other thread.
  void Load(const CaseId& case_id, Entry entry);
  void LoadPurged(const CaseId& case_id, int64_t case_key);
  void set_epoch_of_new_cases(uint32_t epoch);

  // AlreadyExists. ResourceExhausted: no more keys.
  absl::StatusOr<Entry> Create(const CaseId& case_id);
  // NotFound, or the case's damage.
  absl::StatusOr<Entry> Find(const CaseId& case_id) const;
  // The key of a case that was purged.
  std::optional<int64_t> FindPurged(const CaseId& case_id) const;
  void MarkPurged(const CaseId& case_id);
  void MarkReleased(const CaseId& case_id, uint64_t last_seq);
  void MarkDamaged(const CaseId& case_id, const absl::Status& damage);

 private:
  mutable Mutex mutex_;
  std::map<CaseId, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // With its key, which kMaxCaseKey bounds.
  absl::flat_hash_map<CaseId, int32_t> purged_ ABSL_GUARDED_BY(mutex_);
  int64_t last_key_ ABSL_GUARDED_BY(mutex_) = 0;
  uint32_t epoch_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace remora::hub::sqlite
