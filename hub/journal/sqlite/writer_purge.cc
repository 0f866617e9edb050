// Writer: purged cases, see writer.h and tombstones.h.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/own_status.h"
#include "hub/journal/sqlite/tombstones.h"
#include "hub/journal/sqlite/writer.h"

namespace remora::hub::sqlite {

void Writer::Purge(Tombstone tombstone, Journal::Done done) {
  {
    MutexLock lock(&mutex_);
    if (!stopping_) {
      purges_.push_back({std::move(tombstone), std::move(done)});
      wake_.NotifyOne();
      return;
    }
  }
  parts_.executor.Post(
      [done = std::move(done)] { done(absl::UnavailableError("the journal is closing")); });
}

void Writer::FreeRowsOf(const std::vector<int64_t>& case_keys) {
  MutexLock lock(&mutex_);
  new_leftovers_.insert(new_leftovers_.end(), case_keys.begin(), case_keys.end());
  purges_under_way_ += case_keys.size();
  wake_.NotifyOne();
}

void Writer::PurgeCases(std::vector<WaitingPurge>& purges) {
  for (WaitingPurge& purge : purges) {
    absl::Status status = OwnStatus(PurgeCase(purge.tombstone));
    parts_.executor.Post(
        [done = std::move(purge.done), status = std::move(status)] { done(status); });
  }
}

absl::Status Writer::PurgeCase(const Tombstone& tombstone) {
  const CaseId& case_id = tombstone.case_id;
  ASSIGN_OR_RETURN(const CaseDirectory::Entry entry, parts_.directory.Find(case_id));
  RETURN_IF_ERROR(EnsureOpen());
  // Should the commit fail, opening the file anew puts the case back from its tail.
  if (!tails_.contains(case_id)) to_drop_.insert(case_id);
  ASSIGN_OR_RETURN(const CaseTail* tail, FindTail(case_id, entry));
  const CaseHead& head = tail->head();
  if (head.last_seq != tombstone.last_seq || head.chain != tombstone.chain) {
    return absl::FailedPreconditionError(
        absl::StrCat("case ", case_id.Hex(), " ends at seq ", head.last_seq, ", not at ",
                     tombstone.last_seq, " as what was archived of it"));
  }
  CommitSession& session = *parts_.file.session();
  absl::Status status = session.Begin();
  if (status.ok()) {
    status = ReplaceByTombstone(session.connection(), entry.case_key, tombstone, parts_.cipher);
  }
  if (status.ok()) status = session.Commit();
  if (!status.ok()) {
    if (!session.Rollback()) Reopen().IgnoreError();  // EnsureOpen tries again and tells
    return status;
  }
  parts_.log_grew(session.log_pages());
  tails_.erase(case_id);
  parts_.directory.MarkPurged(case_id);
  leftovers_.push_front({entry.case_key, Backoff()});
  Forget(case_id);
  ++purges_under_way_;
  return absl::OkStatus();
}

Duration Writer::UntilNextStep() const {
  const DeviceTime paused_until = freed_at_ + Duration::Milliseconds(kPurgePauseMs);
  return std::max(leftovers_.front().backoff.next_at, paused_until) - parts_.clock.Now();
}

void Writer::FreeNext() {
  const DeviceTime now = parts_.clock.Now();
  freed_at_ = now;
  Leftover leftover = leftovers_.front();
  leftovers_.pop_front();
  const auto try_again = [&] {
    const auto later = [](const Leftover& one, const Leftover& other) {
      return one.backoff.next_at < other.backoff.next_at;
    };
    leftovers_.insert(std::upper_bound(leftovers_.begin(), leftovers_.end(), leftover, later),
                      leftover);
  };
  CommitSession* session = parts_.file.session();
  // What failed is opened anew for those who record.
  if (session == nullptr) {
    leftover.backoff.next_at = now + Duration::Milliseconds(kFirstRetryMs);
    return try_again();
  }
  const absl::StatusOr<bool> more = session->FreeUnsynced(leftover.case_key);
  if (more.ok()) {
    parts_.log_grew(session->log_pages());
    leftover.backoff = Backoff();
    if (*more) return leftovers_.push_front(leftover);
  } else {
    ++purge_failures_;
    if (!session->Rollback()) Reopen().IgnoreError();  // as above
    leftover.backoff.Grow(now, kFirstRetryMs, kLongestRetryMs);
    // What is damaged is tried again when the file is next opened.
    if (!absl::IsDataLoss(more.status())) return try_again();
  }
  --purges_under_way_;
}

}  // namespace remora::hub::sqlite
