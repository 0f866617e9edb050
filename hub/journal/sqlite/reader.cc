#include "hub/journal/sqlite/reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/tombstones.h"

namespace remora::hub::sqlite {

Reader::Reader(Executor& executor, PayloadCipher& cipher, CaseDirectory& directory)
    : executor_(executor), cipher_(cipher), directory_(directory), thread_([this] { Run(); }) {}

Reader::~Reader() { Stop(); }

void Reader::Read(ReadRequest request, PageDone done) {
  absl::Status refused;
  {
    MutexLock lock(&mutex_);
    if (stopping_) {
      refused = absl::UnavailableError("the journal is closing");
    } else if (queue_.size() >= kMaxQueuedReads) {
      refused = absl::ResourceExhaustedError(
          absl::StrCat(kMaxQueuedReads, " reads wait for the journal: try again later"));
    } else {
      queue_.push_back({std::move(request), std::move(done)});
      wake_.NotifyOne();
      return;
    }
  }
  Post(std::move(done), std::move(refused));
}

absl::StatusOr<std::vector<CaseHead>> Reader::ListCases() {
  return slot_.Use([](ReadSession& session) -> absl::StatusOr<std::vector<CaseHead>> {
    ASSIGN_OR_RETURN(const std::vector<StoredHead> stored, LoadHeads(session.connection()));
    std::vector<CaseHead> heads;
    // A damaged head is listed too: its Restore says what is wrong.
    for (const StoredHead& one : stored) heads.push_back(one.head);
    return heads;
  });
}

absl::StatusOr<std::vector<Tombstone>> Reader::ListTombstones() {
  return slot_.Use([this](ReadSession& session) -> absl::StatusOr<std::vector<Tombstone>> {
    ASSIGN_OR_RETURN(const std::vector<StoredTombstone> stored,
                     LoadTombstones(session.connection(), cipher_));
    std::vector<Tombstone> tombstones;
    for (const StoredTombstone& one : stored) tombstones.push_back(one.tombstone);
    return tombstones;
  });
}

absl::StatusOr<CaseRestore> Reader::Restore(const CaseId& case_id) {
  ASSIGN_OR_RETURN(const CaseDirectory::Entry entry, directory_.Find(case_id));
  absl::StatusOr<CaseRestore> result =
      slot_.Use([&](ReadSession& session) -> absl::StatusOr<CaseRestore> {
        Connection& connection = session.connection();
        RETURN_IF_ERROR(connection.Execute("BEGIN"));  // one snapshot
        const auto load = [&]() -> absl::StatusOr<CaseRestore> {
          CaseRestore restore;
          ASSIGN_OR_RETURN(StoredCase stored, LoadCase(connection, case_id, entry, cipher_));
          restore.head = stored.head;
          restore.origins = std::move(stored.origins);
          if (restore.head.last_seq == 0) return restore;
          restore.checkpoint = LoadCheckpoint(connection, entry.case_key, restore.head, cipher_);
          return restore;
        };
        absl::StatusOr<CaseRestore> loaded = load();
        const absl::Status ended = connection.Execute("COMMIT");
        if (!ended.ok() && loaded.ok()) return ended;
        return loaded;
      });
  // Nobody goes on with it, neither to read nor to append.
  if (absl::IsDataLoss(result.status())) directory_.MarkDamaged(case_id, result.status());
  return result;
}

void Reader::Stop() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

void Reader::Run() {
  while (true) {
    Waiting next;
    bool stopping = false;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) wake_.Wait(&mutex_);
      if (queue_.empty()) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      stopping = stopping_;
    }
    absl::StatusOr<ReadResult> page = absl::UnavailableError("the journal is closing");
    if (!stopping) page = ReadPage(next.request);
    Post(std::move(next.done), std::move(page));
  }
}

absl::StatusOr<ReadResult> Reader::ReadPage(const ReadRequest& request) {
  ASSIGN_OR_RETURN(const CaseDirectory::Entry entry, directory_.Find(request.case_id));
  ReadRequest bounded = request;
  bounded.max_bytes = std::min(request.max_bytes, kMaxReadBytes);
  return slot_.Use(
      [&](ReadSession& session) { return session.ReadPage(entry.case_key, bounded, cipher_); });
}

void Reader::Post(PageDone done, absl::StatusOr<ReadResult> page) {
  executor_.Post([done = std::move(done), page = std::move(page)] { done(page); });
}

}  // namespace remora::hub::sqlite
