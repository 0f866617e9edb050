#include "hub/journal/sqlite/writer.h"

#include <chrono>
#include <memory>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/limits.h"
#include "hub/journal/sqlite/log_checkpointer.h"
#include "hub/journal/sqlite/own_status.h"

namespace remora::hub::sqlite {

Writer::Writer(Parts parts) : parts_(std::move(parts)), thread_([this] { Run(); }) {}

Writer::~Writer() { Stop(); }

void Writer::Append(CaseAppend append, Journal::Done done) {
  Waiting waiting{std::move(append), std::move(done), 0, absl::OkStatus()};
  waiting.frame_bytes = AppendBytes(waiting.append);
  MutexLock lock(&mutex_);
  if (stopping_) {
    waiting.status = absl::UnavailableError("the journal is closing");
  } else if (waiting.frame_bytes > kMaxQueuedAppendBytes - queued_bytes_) {
    waiting.status = absl::ResourceExhaustedError(
        absl::StrCat("the journal's queue is full (", queued_bytes_, " bytes wait for the disk)"));
  }
  if (!waiting.status.ok()) {
    waiting.append.runs.clear();
    waiting.frame_bytes = 0;
  }
  for (const hub::Run& run : waiting.append.runs) {
    urgent_ |= run.record_class == RecordClass::kControl;
  }
  queued_bytes_ += waiting.frame_bytes;
  queue_.push_back(std::move(waiting));
  ++given_;
  wake_.NotifyOne();
}

void Writer::Release(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  releases_.insert(case_id);
  wake_.NotifyOne();
}

absl::Status Writer::Flush() {
  MutexLock lock(&mutex_);
  const uint64_t done_before = completed_;
  const uint64_t target = given_;
  urgent_ = true;
  wake_.NotifyOne();
  while (completed_ < target || !checkpoints_.empty() || !releases_.empty() ||
         (busy_ && queue_.empty())) {
    done_.Wait(&mutex_);
  }
  if (last_failed_ > done_before && last_failed_ <= target) return OwnStatus(last_failure_);
  return absl::OkStatus();
}

void Writer::FinishLog() {
  MutexLock lock(&mutex_);
  finish_log_ = true;
  wake_.NotifyOne();
}

void Writer::ReopenFile() {
  MutexLock lock(&mutex_);
  reopen_ = true;
  wake_.NotifyOne();
}

void Writer::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

void Writer::GatherBulk() {
  while (!urgent_ && !stopping_ && !reopen_ && queued_bytes_ < kMaxTransactionBytes) {
    const DeviceTime now = parts_.clock.Now();
    const Duration left = std::min(kCommitGather, kCommitGather - (now - begun_at_));
    if (left <= Duration()) return;
    wake_.WaitFor(&mutex_, std::chrono::nanoseconds(left.nanoseconds()));
    if (parts_.clock.Now() <= now) return;  // a clock that stands holds nobody up
  }
}

Writer::Work Writer::WaitForWork() {
  MutexLock lock(&mutex_);
  busy_ = false;
  done_.NotifyAll();
  Work work;
  while (true) {
    for (const int64_t case_key : std::exchange(new_leftovers_, {})) {
      leftovers_.push_front({case_key, Backoff()});
    }
    if (HasWork() || StepIsDue() || HeldIsDue() || ReopenIsDue()) break;
    if (const std::optional<Duration> until = UntilDue()) {
      wake_.WaitFor(&mutex_, std::chrono::nanoseconds(until->nanoseconds()));
    } else {
      wake_.Wait(&mutex_);
    }
  }
  if (HasWork()) {
    GatherBulk();
    begun_at_ = parts_.clock.Now();
  }
  busy_ = true;
  size_t bytes = 0;
  while (!queue_.empty()) {
    const size_t next_bytes = queue_.front().frame_bytes;
    if (!work.appends.empty() && bytes + next_bytes > kMaxTransactionBytes) break;
    bytes += next_bytes;
    work.appends.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  if (queue_.empty()) urgent_ = false;
  // Checkpoints and purges wait until no append does: they are a convenience. One checkpoint, of
  // maybe thousands after an upgrade, each with a sync of its own: appends wait for no more.
  if (queue_.empty()) {
    if (!checkpoints_.empty()) work.checkpoints.insert(checkpoints_.extract(checkpoints_.begin()));
    work.purges.swap(purges_);
    work.releases.swap(releases_);
  }
  work.finish_log = std::exchange(finish_log_, false);
  work.reopen = std::exchange(reopen_, false);
  work.stop = stopping_ && queue_.empty() && checkpoints_.empty();
  return work;
}

bool Writer::HasWork() const {
  return !queue_.empty() || !checkpoints_.empty() || !purges_.empty() || !releases_.empty() ||
         finish_log_ || reopen_ || stopping_;
}

void Writer::Run() {
  while (true) {
    Work work = WaitForWork();
    // EnsureOpen tries again and tells.
    if (work.reopen || ReopenIsDue()) Reopen().IgnoreError();
    if (!work.appends.empty()) CommitAppends(work.appends);
    if (!work.checkpoints.empty()) WriteCheckpoints(work.checkpoints);
    if (!work.purges.empty()) PurgeCases(work.purges);
    DropTails(std::move(work.releases));
    if (work.finish_log) MoveRestOfLog();
    if (work.stop) return;
    if (StepIsDue()) FreeNext();
    if (HeldIsDue()) WriteHeld();
  }
}

std::optional<Duration> Writer::UntilDue() const {
  std::optional<Duration> until;
  const auto add = [&until](Duration one) { until = until ? std::min(*until, one) : one; };
  const DeviceTime now = parts_.clock.Now();
  if (!held_.empty()) add(NextHeldAt() - now);
  if (!leftovers_.empty()) add(UntilNextStep());
  if (closed_) add(closed_->next_at - now);
  return until;
}

void Writer::CommitAppends(std::vector<Waiting>& appends) {
  LoadTails(appends);
  std::vector<Waiting*> all;
  for (Waiting& waiting : appends) all.push_back(&waiting);
  absl::Status status = Transact(all);
  if (absl::IsDataLoss(status) && all.size() > 1) {
    // Damaged pages of one case must not keep the others from being recorded: one by one.
    for (Waiting* waiting : all) {
      status = Transact({waiting});
      if (waiting->status.ok()) waiting->status = status;
    }
  } else {
    for (Waiting* waiting : all) {
      if (waiting->status.ok()) waiting->status = status;
    }
  }
  Report(appends);
}

void Writer::LoadTails(std::vector<Waiting>& appends) {
  if (!EnsureOpen().ok()) return;
  for (Waiting& waiting : appends) {
    const CaseId& case_id = waiting.append.case_id;
    const absl::StatusOr<CaseDirectory::Entry> entry = parts_.directory.Find(case_id);
    if (!entry.ok()) continue;
    const absl::StatusOr<CaseTail*> tail = FindTail(case_id, *entry);
    if (absl::IsUnavailable(tail.status())) {
      if (waiting.status.ok()) waiting.status = tail.status();
      unread_.insert(case_id);
    } else if (unread_.erase(case_id) > 0 && tail.ok()) {
      (*tail)->MarkFailed();  // as if it had been known when its append failed
    }
  }
}

absl::Status Writer::Transact(const std::vector<Waiting*>& appends) {
  const DeviceTime start = parts_.clock.Now();
  Transaction transaction;
  absl::Status status = EnsureOpen();
  if (status.ok()) status = parts_.file.session()->Begin();
  if (status.ok()) {
    for (Waiting* waiting : appends) {
      status = InsertAppend(*waiting, &transaction);
      if (!status.ok()) break;
    }
  }
  if (status.ok()) status = PutHeads(transaction);
  const bool wrote = transaction.report.appends > 0;
  if (status.ok() && wrote) status = parts_.file.session()->Commit();
  CommitReport& report = transaction.report;
  if (status.ok()) {
    if (!wrote) parts_.file.session()->Rollback();
    for (auto& [case_id, keyed] : transaction.tails) tails_.at(case_id) = std::move(keyed.second);
    report.log_pages = parts_.file.session()->log_pages();
    parts_.log_grew(report.log_pages);
  } else {
    CommitSession* session = parts_.file.session();
    AfterFailure(appends, session != nullptr && session->Rollback());
  }
  report.status = status;
  report.duration = parts_.clock.Now() - start;
  if (parts_.observer && (wrote || !status.ok())) parts_.observer(report);
  return status;
}

// An error is one of the file; a refusal is the append's own, and the others go on.
absl::Status Writer::InsertAppend(Waiting& waiting, Transaction* transaction) {
  const CaseAppend& append = waiting.append;
  if (unread_.contains(append.case_id)) return absl::OkStatus();
  const absl::StatusOr<CaseDirectory::Entry> entry = parts_.directory.Find(append.case_id);
  if (!entry.ok()) {
    if (waiting.status.ok()) waiting.status = entry.status();
    return absl::OkStatus();
  }
  auto touched = transaction->tails.find(append.case_id);
  if (touched == transaction->tails.end()) {
    absl::StatusOr<CaseTail*> tail = FindTail(append.case_id, *entry);
    if (absl::IsDataLoss(tail.status())) {
      parts_.directory.MarkDamaged(append.case_id, tail.status());
      waiting.status = tail.status();
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(tail.status());
    touched = transaction->tails.try_emplace(append.case_id, entry->case_key, **tail).first;
  }
  CaseTail& tail = touched->second.second;
  if (!waiting.status.ok()) {
    tail.MarkFailed();
    return absl::OkStatus();
  }
  const absl::StatusOr<AppendRows> rows = tail.Accept(append, kMaxRowBytes);
  if (!rows.ok()) {
    waiting.status = rows.status();
    tail.MarkFailed();
    return absl::OkStatus();
  }
  for (const RunRow& row : rows->rows) {
    RETURN_IF_ERROR(
        parts_.file.session()->InsertRow(entry->case_key, append.case_id, row, parts_.cipher));
  }
  tail.Advance(append, *rows);
  for (const OriginAdvance& advance : append.origins) {
    transaction->origins[append.case_id][{advance.origin, advance.lane}] = true;
  }
  ++transaction->report.appends;
  transaction->report.records += rows->records;
  transaction->report.frame_bytes += waiting.frame_bytes;
  return absl::OkStatus();
}

absl::Status Writer::PutHeads(const Transaction& transaction) {
  CommitSession& session = *parts_.file.session();
  for (const auto& [case_id, keyed] : transaction.tails) {
    const auto& [case_key, tail] = keyed;
    const auto touched = transaction.origins.find(case_id);
    const bool moved = tail.head().last_seq != tails_.at(case_id).head().last_seq;
    if (!moved && touched == transaction.origins.end()) continue;  // no append was taken
    RETURN_IF_ERROR(session.PutHead(case_key, tail.head(), tail.origins().size()));
    if (touched == transaction.origins.end()) continue;
    for (const auto& [origin_lane, unused] : touched->second) {
      RETURN_IF_ERROR(
          session.PutOrigin(case_key, case_id, tail.origins().at(origin_lane), parts_.cipher));
    }
  }
  return absl::OkStatus();
}

void Writer::AfterFailure(const std::vector<Waiting*>& appends, bool session_usable) {
  for (const Waiting* waiting : appends) {
    const auto tail = tails_.find(waiting->append.case_id);
    if (tail != tails_.end()) tail->second.MarkFailed();
  }
  if (!session_usable) Reopen().IgnoreError();  // EnsureOpen tries again and tells
}

absl::Status Writer::EnsureOpen() {
  return parts_.file.session() != nullptr ? absl::OkStatus() : Reopen();
}

absl::Status Writer::Reopen() {
  ++reopenings_;
  absl::Status status = parts_.file.Reopen(tails_);
  if (status.ok()) {
    closed_.reset();
  } else {
    if (!closed_) closed_.emplace();
    closed_->Grow(parts_.clock.Now(), kFirstRetryMs, kLongestReopenMs);
  }
  return status;
}

absl::StatusOr<CaseTail*> Writer::FindTail(const CaseId& case_id,
                                           const CaseDirectory::Entry& entry) {
  const auto known = tails_.find(case_id);
  if (known != tails_.end()) return &known->second;
  ASSIGN_OR_RETURN(StoredCase stored,
                   LoadCase(parts_.file.session()->connection(), case_id, entry, parts_.cipher));
  notes_up_to_.try_emplace(case_id, stored.head.last_seq);
  return &tails_.try_emplace(case_id, stored.head, std::move(stored.origins)).first->second;
}

void Writer::Report(std::vector<Waiting>& appends) {
  struct Outcome {
    Journal::Done done;
    absl::Status status;
  };
  auto outcomes = std::make_shared<std::vector<Outcome>>();
  outcomes->reserve(appends.size());
  for (Waiting& waiting : appends) {
    outcomes->push_back({std::move(waiting.done), OwnStatus(waiting.status)});
  }
  // Moved: what the callbacks hold is the executor's from here on.
  parts_.executor.Post([outcomes = std::move(outcomes)] {
    for (const Outcome& outcome : *outcomes) outcome.done(outcome.status);
  });
  MutexLock lock(&mutex_);
  for (const Waiting& waiting : appends) {
    ++completed_;
    if (waiting.status.ok()) continue;
    last_failed_ = completed_;
    last_failure_ = OwnStatus(waiting.status);
  }
}

void Writer::DropTails(std::set<CaseId> cases) {
  to_drop_.merge(cases);
  if (!to_drop_.empty() && parts_.file.session() != nullptr) {
    for (const CaseId& case_id : to_drop_) {
      const auto tail = tails_.find(case_id);
      if (tail == tails_.end() || tail->second.failed()) continue;
      parts_.directory.MarkReleased(case_id, tail->second.head().last_seq);
      tails_.erase(tail);
      Forget(case_id);
    }
    to_drop_.clear();
  }
  tail_count_ = tails_.size();
}

void Writer::MoveRestOfLog() {
  CommitSession* session = parts_.file.session();
  if (session == nullptr) return;
  if (MoveLog(session->connection(), parts_.file.gate()).ok()) return;
  Reopen().IgnoreError();  // EnsureOpen tries again and tells
}

}  // namespace remora::hub::sqlite
