#include "tests/simulation/simulated_journal.h"

#include <string>
#include <utility>

#include "tests/simulation/proof.h"

namespace remora::simulation {

SimulatedJournal::SimulatedJournal(Process& hub, Random& random, Oracle& oracle, Counters& counters,
                                   const Plan& plan)
    : hub_(hub), random_(random), oracle_(oracle), counters_(counters), plan_(plan) {}

absl::StatusOr<uint32_t> SimulatedJournal::CreateCase(const CaseId& case_id) {
  absl::StatusOr<uint32_t> epoch = disk_.CreateCase(case_id);
  if (epoch.ok()) oracle_.OnCreated(case_id, *epoch);
  return epoch;
}

void SimulatedJournal::Append(hub::CaseAppend append, Done done) {
  waiting_.push_back({std::move(append), std::move(done)});
  StartCommit();
}

void SimulatedJournal::StartCommit() {
  if (!under_way_.empty() || waiting_.empty()) return;
  under_way_.swap(waiting_);
  // The journal's writer is a thread of the hub: it stands still when the hub does.
  hub_.PostAfter(DrawCommit(), [this] { FinishCommit(); });
}

Duration SimulatedJournal::DrawCommit() {
  const bool slow = hub_.loop().now() < slow_until_;
  const Duration least = plan_.least_commit;
  const Duration most = slow ? longest_commit_ : plan_.most_commit;
  const uint64_t range = static_cast<uint64_t>((most - least).nanoseconds()) + 1;
  return least + Duration::Nanoseconds(static_cast<int64_t>(random_.Below(range)));
}

void SimulatedJournal::FinishCommit() {
  std::deque<Waiting> group = std::move(under_way_);
  under_way_.clear();
  for (Waiting& one : group) {
    const absl::Status status = CommitOne(std::move(one.append));
    hub_.Post([done = std::move(one.done), status] { done(status); });
  }
  StartCommit();
}

absl::Status SimulatedJournal::CommitOne(hub::CaseAppend append) {
  const bool fails = failing();
  if (fails) counters_.Count("journal commit failed");
  disk_.FailCommits(fails ? failure_ : absl::OkStatus());
  absl::Status result;
  const hub::CaseAppend told = append;  // shares the records
  disk_.Append(std::move(append), [&result](absl::Status status) { result = std::move(status); });
  inside_.Run();
  if (result.ok()) oracle_.OnCommitted(told);
  // A disk that lies syncs one commit in eight.
  if (plan_.loses_syncs && (!synced_ || random_.Below(8) == 0)) synced_ = disk_.Save();
  return result;
}

void SimulatedJournal::Purge(hub::Tombstone tombstone, Done done) {
  purging_.push_back(std::move(tombstone));
  hub_.PostAfter(DrawCommit(), [this, done = std::move(done)] {
    const hub::Tombstone next = std::move(purging_.front());
    purging_.pop_front();
    const absl::Status status = PurgeOne(next);
    hub_.Post([done, status] { done(status); });
  });
}

absl::Status SimulatedJournal::PurgeOne(const hub::Tombstone& tombstone) {
  disk_.FailCommits(failing() ? failure_ : absl::OkStatus());
  absl::Status result;
  disk_.Purge(tombstone, [&result](absl::Status status) { result = std::move(status); });
  inside_.Run();
  if (result.ok()) oracle_.OnPurged(tombstone);
  return result;
}

void SimulatedJournal::PostRead(std::function<void()> read,
                                std::function<void(const absl::Status&)> failed) {
  hub_.PostAfter(Duration::Microseconds(100 + static_cast<int64_t>(random_.Below(2000))),
                 [this, read = std::move(read), failed = std::move(failed)] {
                   if (hub_.loop().now() < reads_fail_until_) {
                     ++failed_reads_;
                     counters_.Count("journal read failed");
                     return failed(read_failure_);
                   }
                   read();
                   inside_.Run();
                 });
}

void SimulatedJournal::BeginRestore(const CaseId& case_id, RestoreDone done) {
  PostRead([this, case_id, done] { disk_.BeginRestore(case_id, done); },
           [done](const absl::Status& status) { done(status); });
}

void SimulatedJournal::FindTombstone(const CaseId& case_id, TombstoneDone done) {
  PostRead([this, case_id, done] { disk_.FindTombstone(case_id, done); },
           [done](const absl::Status& status) { done(status); });
}

void SimulatedJournal::Read(hub::ReadRequest request,
                            std::function<void(absl::StatusOr<hub::ReadResult>)> done) {
  PostRead([this, request = std::move(request), done] { disk_.Read(request, done); },
           [done](const absl::Status& status) { done(status); });
}

void SimulatedJournal::SaveCheckpoint(const CaseId& case_id, hub::Checkpoint checkpoint) {
  counters_.Count("check: checkpoint is the fold");
  if (const Oracle::Case* truth = oracle_.Find(case_id); truth != nullptr) {
    const std::string wrong = CheckCheckpoint(case_id, *truth, checkpoint);
    if (!wrong.empty()) oracle_.OnFinding(wrong);
  }
  disk_.SaveCheckpoint(case_id, std::move(checkpoint));
}

void SimulatedJournal::FailCommitsUntil(Duration when, absl::Status status) {
  fails_until_ = when;
  failure_ = std::move(status);
}

void SimulatedJournal::FailReadsUntil(Duration when, absl::Status status) {
  reads_fail_until_ = when;
  read_failure_ = std::move(status);
}

void SimulatedJournal::SlowUntil(Duration when, Duration longest) {
  slow_until_ = when;
  longest_commit_ = longest;
}

void SimulatedJournal::Heal() { fails_until_ = reads_fail_until_ = slow_until_ = Duration(); }

void SimulatedJournal::OnHubDied() {
  // Of the transaction that was being written all is there, or nothing.
  if (!under_way_.empty() && !failing() && random_.Below(2) == 0) {
    counters_.Count("crash after a commit that nobody heard of");
    for (Waiting& one : under_way_) CommitOne(std::move(one.append)).IgnoreError();
  }
  under_way_.clear();
  waiting_.clear();
  if (!purging_.empty() && !failing() && random_.Below(2) == 0) {
    counters_.Count("crash after a purge that nobody heard of");
    PurgeOne(purging_.front()).IgnoreError();
  }
  purging_.clear();
  // A case that was made and holds nothing is not on the disk.
  disk_.GoBackTo(synced_ ? *synced_ : disk_.Save(), /*new_epoch=*/false);
}

void SimulatedJournal::GoBack() {
  disk_.GoBackTo(*backup_, /*new_epoch=*/true);
  synced_.reset();
  oracle_.OnWentBack(backup_->Heads());
  backup_.reset();
}

}  // namespace remora::simulation
