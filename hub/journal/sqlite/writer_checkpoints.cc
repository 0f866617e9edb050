// Writer: checkpoints, see writer.h.

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "common/status_macros.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/writer.h"

namespace remora::hub::sqlite {

void Writer::SaveCheckpoint(const CaseId& case_id, Checkpoint checkpoint) {
  if (checkpoint.state.size() > kMaxCheckpointBytes) return;
  MutexLock lock(&mutex_);
  checkpoints_[case_id] = std::move(checkpoint);
  wake_.NotifyOne();
}

void Writer::Backoff::Grow(DeviceTime now, int64_t first_ms, int64_t longest_ms) {
  after =
      std::clamp(after * 2, Duration::Milliseconds(first_ms), Duration::Milliseconds(longest_ms));
  next_at = now + after;
}

void Writer::WriteCheckpoints(const std::map<CaseId, Checkpoint>& checkpoints) {
  for (const auto& [case_id, checkpoint] : checkpoints) {
    if (const auto older = held_.find(case_id); older != held_.end()) Drop(older);
    const std::optional<absl::Status> status = TryCheckpoint(case_id, checkpoint);
    if (!status || !status->ok()) Hold(case_id, {checkpoint, DeviceTime(), status ? 1 : 0});
  }
}

std::optional<absl::Status> Writer::TryCheckpoint(const CaseId& case_id,
                                                  const Checkpoint& checkpoint) {
  const absl::StatusOr<CaseDirectory::Entry> entry = parts_.directory.Find(case_id);
  if (!entry.ok()) return absl::OkStatus();  // purged since
  const DeviceTime now = parts_.clock.Now();
  const auto failed = failed_checkpoints_.find(case_id);
  const bool waits = failed != failed_checkpoints_.end() && now < failed->second.next_at;
  if (waits || now < all_checkpoints_.next_at || !EnsureOpen().ok()) return std::nullopt;
  // A fold that is ahead of the journal is not one of the journal.
  if (checkpoint.seq > LastSeqOf(case_id, entry->case_key)) return absl::OkStatus();
  const absl::Status status = WriteCheckpoint(case_id, entry->case_key, checkpoint);
  CommitSession& session = *parts_.file.session();
  if (status.ok()) {
    parts_.log_grew(session.log_pages());
    if (failed != failed_checkpoints_.end()) failed_checkpoints_.erase(failed);
    all_checkpoints_ = Backoff();
  } else if (!session.Rollback()) {
    ++checkpoint_failures_;
    failed_checkpoints_[case_id].Grow(now, kFirstCheckpointRetryMs, kLongestRetryMs);
    all_checkpoints_.Grow(now, kFirstRetryMs, kLongestRetryMs);
    Reopen().IgnoreError();  // EnsureOpen tries again and tells
  }
  return status;
}

void Writer::Hold(const CaseId& case_id, HeldNote held) {
  const size_t bytes = held.checkpoint.state.size() + held.checkpoint.note.size();
  if (held.checkpoint.note.empty() || held.tries >= kMaxNoteTries ||
      held_bytes_ + bytes > kMaxHeldBytes) {
    return;
  }
  held_bytes_ += bytes;
  const DeviceTime now = parts_.clock.Now();
  const auto failed = failed_checkpoints_.find(case_id);
  held.next_at = std::max(failed == failed_checkpoints_.end() ? now : failed->second.next_at,
                          now + Duration::Milliseconds(kFirstRetryMs));
  held_.insert_or_assign(case_id, std::move(held));
}

void Writer::Drop(std::map<CaseId, HeldNote>::iterator held) {
  const Checkpoint& checkpoint = held->second.checkpoint;
  held_bytes_ -= checkpoint.state.size() + checkpoint.note.size();
  held_.erase(held);
}

std::map<CaseId, Writer::HeldNote>::const_iterator Writer::NextHeld() const {
  return std::min_element(held_.begin(), held_.end(), [](const auto& one, const auto& other) {
    return one.second.next_at < other.second.next_at;
  });
}

DeviceTime Writer::NextHeldAt() const {
  return std::max(NextHeld()->second.next_at, all_checkpoints_.next_at);
}

// One a turn: appends wait for no more.
void Writer::WriteHeld() {
  const auto next = held_.find(NextHeld()->first);
  const CaseId case_id = next->first;
  HeldNote held = next->second;
  Drop(next);
  const std::optional<absl::Status> status = TryCheckpoint(case_id, held.checkpoint);
  if (status && status->ok()) return;
  if (status) ++held.tries;
  Hold(case_id, std::move(held));
}

absl::Status Writer::WriteCheckpoint(const CaseId& case_id, int64_t case_key,
                                     const Checkpoint& checkpoint) {
  // A note of another `seq` does not count: to take it away would read its page for nothing.
  const bool has_note =
      !checkpoint.note.empty() && checkpoint.note.size() <= kMaxCheckpointNoteBytes;
  const auto up_to = notes_up_to_.find(case_id);
  const bool may_stand = up_to == notes_up_to_.end() || up_to->second >= checkpoint.seq;
  if (has_note && up_to != notes_up_to_.end()) {
    up_to->second = std::max(up_to->second, checkpoint.seq);
  }
  CommitSession& session = *parts_.file.session();
  RETURN_IF_ERROR(session.Begin());
  RETURN_IF_ERROR(session.PutCheckpoint(case_key, case_id, checkpoint, parts_.cipher));
  if (has_note) {
    RETURN_IF_ERROR(session.PutNote(case_key, case_id, checkpoint, parts_.cipher));
  } else if (may_stand) {
    RETURN_IF_ERROR(session.DropNote(case_key));
  }
  return session.Commit();
}

uint64_t Writer::LastSeqOf(const CaseId& case_id, int64_t case_key) {
  const auto known = tails_.find(case_id);
  if (known != tails_.end()) return known->second.head().last_seq;
  const absl::StatusOr<StoredHead> stored = LoadHead(parts_.file.session()->connection(), case_key);
  return stored.ok() && stored->damage.ok() ? stored->head.last_seq : 0;
}

void Writer::Forget(const CaseId& case_id) {
  notes_up_to_.erase(case_id);
  failed_checkpoints_.erase(case_id);
}

}  // namespace remora::hub::sqlite
