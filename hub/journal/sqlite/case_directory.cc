#include "hub/journal/sqlite/case_directory.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/own_status.h"

namespace remora::hub::sqlite {

static_assert(kMaxCaseKey <= INT32_MAX);

void CaseDirectory::Load(const CaseId& case_id, Entry entry) {
  MutexLock lock(&mutex_);
  last_key_ = std::max(last_key_, entry.case_key);
  entries_[case_id] = std::move(entry);
}

void CaseDirectory::LoadPurged(const CaseId& case_id, int64_t case_key) {
  MutexLock lock(&mutex_);
  last_key_ = std::max(last_key_, case_key);
  purged_[case_id] = static_cast<int32_t>(case_key);
}

void CaseDirectory::MarkPurged(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  const auto it = entries_.find(case_id);
  if (it == entries_.end()) return;
  purged_[case_id] = static_cast<int32_t>(it->second.case_key);
  entries_.erase(it);
}

std::optional<int64_t> CaseDirectory::FindPurged(const CaseId& case_id) const {
  MutexLock lock(&mutex_);
  const auto it = purged_.find(case_id);
  if (it == purged_.end()) return std::nullopt;
  return it->second;
}

void CaseDirectory::set_epoch_of_new_cases(uint32_t epoch) {
  MutexLock lock(&mutex_);
  epoch_ = epoch;
}

absl::StatusOr<CaseDirectory::Entry> CaseDirectory::Create(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  if (entries_.contains(case_id)) {
    return absl::AlreadyExistsError(absl::StrCat("case ", case_id.Hex(), " is in the journal"));
  }
  if (purged_.contains(case_id)) {
    return absl::AlreadyExistsError(
        absl::StrCat("case ", case_id.Hex(), " was in the journal and was purged"));
  }
  if (last_key_ >= kMaxCaseKey) {
    return absl::ResourceExhaustedError("the journal's file has no more case keys");
  }
  const Entry entry{++last_key_, epoch_, absl::OkStatus(), 0};
  entries_[case_id] = entry;
  return entry;
}

absl::StatusOr<CaseDirectory::Entry> CaseDirectory::Find(const CaseId& case_id) const {
  MutexLock lock(&mutex_);
  const auto it = entries_.find(case_id);
  if (it == entries_.end()) {
    return absl::NotFoundError(absl::StrCat("no case ", case_id.Hex(), " in the journal"));
  }
  if (!it->second.damage.ok()) return OwnStatus(it->second.damage);
  return it->second;
}

void CaseDirectory::MarkReleased(const CaseId& case_id, uint64_t last_seq) {
  MutexLock lock(&mutex_);
  const auto it = entries_.find(case_id);
  if (it != entries_.end()) it->second.released_seq = last_seq;
}

void CaseDirectory::MarkDamaged(const CaseId& case_id, const absl::Status& damage) {
  MutexLock lock(&mutex_);
  const auto it = entries_.find(case_id);
  if (it != entries_.end()) it->second.damage = OwnStatus(damage);
}

}  // namespace remora::hub::sqlite
