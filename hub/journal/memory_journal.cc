#include "hub/journal/memory_journal.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/limits.h"

namespace remora::hub {
namespace {

class VectorSource final : public RunSource {
 public:
  VectorSource(const std::vector<StoredRun>& runs, uint64_t from_seq)
      : next_(std::lower_bound(
            runs.begin(), runs.end(), from_seq,
            [](const StoredRun& run, uint64_t seq) { return run.last_seq < seq; })),
        end_(runs.end()) {}

  absl::StatusOr<std::optional<StoredRun>> Next() override {
    if (next_ == end_) return std::nullopt;
    return *next_++;
  }

 private:
  std::vector<StoredRun>::const_iterator next_;
  const std::vector<StoredRun>::const_iterator end_;
};

absl::Status NoSuchCase(const CaseId& case_id) {
  return absl::NotFoundError(absl::StrCat("no case ", case_id.Hex(), " in the journal"));
}

}  // namespace

absl::StatusOr<std::vector<ListedCase>> MemoryJournal::ListCases() {
  MutexLock lock(&mutex_);
  std::vector<ListedCase> cases;
  for (const auto& [id, stored] : cases_) {
    const CaseHead& head = stored.tail.head();
    if (head.last_seq == 0) continue;
    ListedCase& listed = cases.emplace_back(ListedCase{head, "", {}});
    if (!stored.damage.ok()) continue;
    if (stored.checkpoint.seq == head.last_seq) listed.note = stored.checkpoint.note;
    if (listed.note.empty()) listed.owners = OwnersOf(stored.tail.OriginList());
  }
  return cases;
}

absl::StatusOr<CaseRestore> MemoryJournal::Restore(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  const auto it = cases_.find(case_id);
  if (it == cases_.end()) return NoSuchCase(case_id);
  const StoredCase& stored = it->second;
  if (!stored.damage.ok()) return stored.damage;
  return CaseRestore{stored.tail.head(), stored.tail.OriginList(), stored.checkpoint};
}

void MemoryJournal::BeginRestore(const CaseId& case_id, RestoreDone done) {
  {
    MutexLock lock(&mutex_);
    restores_begun_.push_back(case_id);
    most_reads_waiting_ = std::max(most_reads_waiting_, ++reads_waiting_);
    if (holding_restores_) {
      held_restores_.push_back({case_id, std::move(done)});
      return;
    }
  }
  AnswerRestore({case_id, std::move(done)});
}

void MemoryJournal::AnswerRestore(HeldRestore held) {
  absl::StatusOr<CaseRestore> restore = Restore(held.case_id);
  MutexLock lock(&mutex_);
  if (const absl::Status failure = ReadFailureOf(held.case_id); !failure.ok()) restore = failure;
  executor_.Post([this, done = std::move(held.done), restore = std::move(restore)] {
    {
      MutexLock counted(&mutex_);
      --reads_waiting_;
    }
    done(restore);
  });
}

void MemoryJournal::HoldRestores() {
  MutexLock lock(&mutex_);
  holding_restores_ = true;
}

bool MemoryJournal::ReleaseOneRestore() {
  HeldRestore next;
  {
    MutexLock lock(&mutex_);
    if (held_restores_.empty()) return false;
    next = std::move(held_restores_.front());
    held_restores_.pop_front();
  }
  AnswerRestore(std::move(next));
  return true;
}

void MemoryJournal::ReleaseRestores() {
  {
    MutexLock lock(&mutex_);
    holding_restores_ = false;
  }
  while (ReleaseOneRestore()) {
  }
}

std::vector<CaseId> MemoryJournal::restores_begun() const {
  MutexLock lock(&mutex_);
  return restores_begun_;
}

absl::StatusOr<uint32_t> MemoryJournal::CreateCase(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  CaseHead head;
  head.case_id = case_id;
  head.epoch = epoch_;
  if (tombstones_.contains(case_id)) {
    return absl::AlreadyExistsError(absl::StrCat("case ", case_id.Hex(), " was purged"));
  }
  if (!cases_.try_emplace(case_id, head).second) {
    return absl::AlreadyExistsError(absl::StrCat("case ", case_id.Hex(), " is in the journal"));
  }
  return epoch_;
}

void MemoryJournal::Append(CaseAppend append, Done done) {
  MutexLock lock(&mutex_);
  if (holding_) {
    held_.push_back({std::move(append), std::nullopt, std::move(done)});
  } else {
    Commit({std::move(append), std::nullopt, std::move(done)});
  }
}

void MemoryJournal::Purge(Tombstone tombstone, Done done) {
  MutexLock lock(&mutex_);
  if (holding_) {
    held_.push_back({CaseAppend(), std::move(tombstone), std::move(done)});
  } else {
    Commit({CaseAppend(), std::move(tombstone), std::move(done)});
  }
}

void MemoryJournal::Commit(Held held) {
  absl::Status status = held.purge ? TryPurge(*held.purge) : TryCommit(held.append);
  // Posted under the lock, so that callbacks keep the order of the commits.
  executor_.Post([done = std::move(held.done), status = std::move(status)] { done(status); });
}

absl::Status MemoryJournal::TryPurge(const Tombstone& tombstone) {
  const auto it = cases_.find(tombstone.case_id);
  if (it == cases_.end()) return NoSuchCase(tombstone.case_id);
  if (!it->second.damage.ok()) return it->second.damage;
  const CaseHead& head = it->second.tail.head();
  if (head.last_seq != tombstone.last_seq || head.chain != tombstone.chain) {
    return absl::FailedPreconditionError(
        absl::StrCat("case ", tombstone.case_id.Hex(), " ends at seq ", head.last_seq));
  }
  if (!failure_.ok()) return failure_;
  cases_.erase(it);
  tombstones_[tombstone.case_id] = tombstone;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Tombstone>> MemoryJournal::ListTombstones() {
  MutexLock lock(&mutex_);
  ++tombstone_lists_;
  std::vector<Tombstone> tombstones;
  for (const auto& [case_id, tombstone] : tombstones_) tombstones.push_back(tombstone);
  return tombstones;
}

size_t MemoryJournal::tombstone_lists() const {
  MutexLock lock(&mutex_);
  return tombstone_lists_;
}

absl::StatusOr<PurgeCount> MemoryJournal::CountPurges() {
  MutexLock lock(&mutex_);
  PurgeCount purges;
  purges.count = tombstones_.size();
  for (const auto& [case_id, tombstone] : tombstones_) {
    purges.newest_unix_ns = std::max(purges.newest_unix_ns, tombstone.purged_unix_ns);
  }
  return purges;
}

bool MemoryJournal::IsPurged(const CaseId& case_id) const {
  MutexLock lock(&mutex_);
  return tombstones_.contains(case_id);
}

void MemoryJournal::FindTombstone(const CaseId& case_id, TombstoneDone done) {
  absl::StatusOr<Tombstone> found = NoSuchCase(case_id);
  {
    MutexLock lock(&mutex_);
    const auto it = tombstones_.find(case_id);
    if (it != tombstones_.end()) found = it->second;
    if (const absl::Status failure = ReadFailureOf(case_id); !failure.ok()) found = failure;
  }
  executor_.Post([done = std::move(done), found = std::move(found)] { done(found); });
}

absl::Status MemoryJournal::TryCommit(const CaseAppend& append) {
  const auto it = cases_.find(append.case_id);
  if (it == cases_.end()) return NoSuchCase(append.case_id);
  StoredCase& stored = it->second;
  if (!stored.damage.ok()) return stored.damage;
  absl::StatusOr<AppendRows> rows = stored.tail.Accept(append, kMaxRowBytes);
  absl::Status status = rows.ok() ? failure_ : rows.status();
  if (!status.ok()) {
    stored.tail.MarkFailed();
    return status;
  }
  for (const RunRow& row : rows->rows) {
    stored.runs[static_cast<int>(row.record_class)].push_back(
        {row.first_seq, row.last_seq,
         SharedBytes(std::string(row.frames.data(), row.frames.size()))});
  }
  stored.tail.Advance(append, *rows);
  return absl::OkStatus();
}

void MemoryJournal::Read(ReadRequest request,
                         std::function<void(absl::StatusOr<ReadResult>)> done) {
  absl::StatusOr<ReadResult> page = ReadPage(request);
  {
    MutexLock lock(&mutex_);
    most_reads_waiting_ = std::max(most_reads_waiting_, ++reads_waiting_);
  }
  executor_.Post([this, done = std::move(done), page = std::move(page)] {
    {
      MutexLock lock(&mutex_);
      --reads_waiting_;
    }
    done(page);
  });
}

absl::StatusOr<ReadResult> MemoryJournal::ReadPage(const ReadRequest& request) {
  MutexLock lock(&mutex_);
  RETURN_IF_ERROR(ReadFailureOf(request.case_id));
  const auto it = cases_.find(request.case_id);
  if (it == cases_.end()) return NoSuchCase(request.case_id);
  if (!it->second.damage.ok()) return it->second.damage;
  VectorSource control(it->second.runs[0], request.from_seq);
  VectorSource bulk(it->second.runs[1], request.from_seq);
  return MergePage(request, request.control ? &control : nullptr, request.bulk ? &bulk : nullptr);
}

void MemoryJournal::SaveCheckpoint(const CaseId& case_id, Checkpoint checkpoint) {
  MutexLock lock(&mutex_);
  const auto it = cases_.find(case_id);
  if (it == cases_.end() || checkpoint.seq > it->second.tail.head().last_seq ||
      checkpoint.state.size() > kMaxCheckpointBytes) {
    return;
  }
  if (checkpoint.note.size() > kMaxCheckpointNoteBytes) checkpoint.note.clear();
  it->second.checkpoint = std::move(checkpoint);
}

void MemoryJournal::Release(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  ++releases_[case_id];
}

size_t MemoryJournal::releases(const CaseId& case_id) const {
  MutexLock lock(&mutex_);
  const auto it = releases_.find(case_id);
  return it == releases_.end() ? 0 : it->second;
}

absl::Status MemoryJournal::Flush() {
  MutexLock lock(&mutex_);
  if (!held_.empty()) return absl::FailedPreconditionError("commits are held");
  return absl::OkStatus();
}

void MemoryJournal::HoldCommits() {
  MutexLock lock(&mutex_);
  holding_ = true;
}

void MemoryJournal::ReleaseCommits() {
  MutexLock lock(&mutex_);
  holding_ = false;
  for (Held& held : held_) Commit(std::move(held));
  held_.clear();
}

bool MemoryJournal::ReleaseOne() {
  MutexLock lock(&mutex_);
  if (held_.empty()) return false;
  Held held = std::move(held_.front());
  held_.pop_front();
  Commit(std::move(held));
  return true;
}

size_t MemoryJournal::held_appends() const {
  MutexLock lock(&mutex_);
  return held_.size();
}

void MemoryJournal::FailReads(absl::Status status) {
  MutexLock lock(&mutex_);
  read_failure_ = std::move(status);
}

void MemoryJournal::FailReadsOf(const CaseId& case_id, absl::Status status) {
  MutexLock lock(&mutex_);
  read_failures_[case_id] = std::move(status);
}

absl::Status MemoryJournal::ReadFailureOf(const CaseId& case_id) const {
  if (!read_failure_.ok()) return read_failure_;
  const auto it = read_failures_.find(case_id);
  return it == read_failures_.end() ? absl::OkStatus() : it->second;
}

void MemoryJournal::Damage(const CaseId& case_id) {
  MutexLock lock(&mutex_);
  const auto it = cases_.find(case_id);
  if (it == cases_.end()) return;
  it->second.damage =
      absl::DataLossError(absl::StrCat("case ", case_id.Hex(), ": not what was written"));
}

size_t MemoryJournal::most_reads_waiting() const {
  MutexLock lock(&mutex_);
  return most_reads_waiting_;
}

void MemoryJournal::FailCommits(absl::Status status) {
  MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

std::map<CaseId, uint64_t> MemoryJournal::Backup::Heads() const {
  std::map<CaseId, uint64_t> heads;
  for (const auto& [id, stored] : cases_) heads[id] = stored.tail.head().last_seq;
  return heads;
}

MemoryJournal::Backup MemoryJournal::Save() const {
  MutexLock lock(&mutex_);
  Backup backup;
  backup.tombstones_ = tombstones_;
  for (const auto& [id, stored] : cases_) {
    if (stored.tail.head().last_seq > 0) backup.cases_.emplace(id, stored);
  }
  return backup;
}

void MemoryJournal::GoBackTo(const Backup& backup, bool new_epoch) {
  MutexLock lock(&mutex_);
  held_.clear();
  cases_ = backup.cases_;
  tombstones_ = backup.tombstones_;
  if (!new_epoch) return;
  ++epoch_;
  for (auto& [id, stored] : cases_) {
    CaseHead head = stored.tail.head();
    ++head.epoch;
    stored.tail = CaseTail(head, stored.tail.OriginList());
  }
}

}  // namespace remora::hub
