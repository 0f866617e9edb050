#include "hub/journal/sqlite/reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/tombstones.h"

namespace remora::hub::sqlite {

Reader::Reader(Executor& executor, PayloadCipher& cipher, CaseDirectory& directory)
    : executor_(executor), cipher_(cipher), directory_(directory), thread_([this] { Run(); }) {}

Reader::~Reader() { Stop(); }

template <typename Done, typename Result>
void Reader::Post(Done done, absl::StatusOr<Result> result) {
  executor_.Post([done = std::move(done), result = std::move(result)] { done(result); });
}

void Reader::Read(ReadRequest request, PageDone done) {
  absl::Status refused;
  {
    MutexLock lock(&mutex_);
    refused = MayWait(queue_.size(), kMaxQueuedReads);
    if (refused.ok()) {
      queue_.push_back({std::move(request), std::move(done)});
      return wake_.NotifyOne();
    }
  }
  Post<PageDone, ReadResult>(std::move(done), std::move(refused));
}

void Reader::BeginRestore(const CaseId& case_id, RestoreDone done) {
  absl::Status refused;
  {
    MutexLock lock(&mutex_);
    refused = MayWait(restores_.size(), kMaxQueuedRestores);
    if (refused.ok()) {
      restores_.push_back({case_id, std::move(done)});
      return wake_.NotifyOne();
    }
  }
  Post<RestoreDone, CaseRestore>(std::move(done), std::move(refused));
}

void Reader::FindTombstone(const CaseId& case_id, TombstoneDone done) {
  absl::Status refused;
  {
    MutexLock lock(&mutex_);
    refused = MayWait(lookups_.size(), kMaxQueuedLookups);
    if (refused.ok()) {
      lookups_.push_back({case_id, std::move(done)});
      return wake_.NotifyOne();
    }
  }
  Post<TombstoneDone, Tombstone>(std::move(done), std::move(refused));
}

absl::Status Reader::MayWait(size_t waiting, size_t most) const {
  if (stopping_) return absl::UnavailableError("the journal is closing");
  if (waiting < most) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(most, " reads wait for the journal: try again later"));
}

absl::StatusOr<std::vector<ListedCase>> Reader::ListCases() {
  return slot_.Use([this](ReadSession& session) {
    uint64_t notes_unread = 0;
    absl::StatusOr<std::vector<ListedCase>> cases =
        LoadCases(session.connection(), cipher_, &notes_unread);
    notes_unread_ = notes_unread;
    return cases;
  });
}

absl::StatusOr<std::vector<Tombstone>> Reader::ListTombstones() {
  return slot_.Use(
      [this](ReadSession& session) { return LoadTombstones(session.connection(), cipher_); });
}

absl::StatusOr<PurgeCount> Reader::CountPurges() {
  return slot_.Use(
      [this](ReadSession& session) { return CountTombstones(session.connection(), cipher_); });
}

absl::StatusOr<Tombstone> Reader::ReadTombstone(const CaseId& case_id) {
  const std::optional<int64_t> key = directory_.FindPurged(case_id);
  if (!key) return absl::NotFoundError(absl::StrCat("case ", case_id.Hex(), " was not purged"));
  return slot_.Use(
      [&](ReadSession& session) { return LoadTombstone(session.connection(), *key, cipher_); });
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
        // A page that cannot be read has ended it. Of a checkpoint, which is read last, that is no
        // reason not to restore the case.
        if (!connection.in_transaction()) return loaded;
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
  const absl::Status closing = absl::UnavailableError("the journal is closing");
  while (true) {
    std::optional<WaitingRestore> restore;
    std::optional<WaitingLookup> lookup;
    std::optional<Waiting> read;
    bool stopping = false;
    {
      MutexLock lock(&mutex_);
      while (restores_.empty() && lookups_.empty() && queue_.empty() && !stopping_) {
        wake_.Wait(&mutex_);
      }
      stopping = stopping_;
      // Somebody waits for a case; who reads history has something to look at.
      if (!restores_.empty()) {
        restore = std::move(restores_.front());
        restores_.pop_front();
      } else if (!lookups_.empty()) {
        lookup = std::move(lookups_.front());
        lookups_.pop_front();
      } else if (!queue_.empty()) {
        read = std::move(queue_.front());
        queue_.pop_front();
      } else {
        return;
      }
    }
    if (restore) {
      Post(std::move(restore->done),
           stopping ? absl::StatusOr<CaseRestore>(closing) : Restore(restore->case_id));
    } else if (lookup) {
      Post(std::move(lookup->done),
           stopping ? absl::StatusOr<Tombstone>(closing) : ReadTombstone(lookup->case_id));
    } else {
      Post(std::move(read->done),
           stopping ? absl::StatusOr<ReadResult>(closing) : ReadPage(read->request));
    }
  }
}

absl::StatusOr<ReadResult> Reader::ReadPage(const ReadRequest& request) {
  ASSIGN_OR_RETURN(const CaseDirectory::Entry entry, directory_.Find(request.case_id));
  ReadRequest bounded = request;
  bounded.max_bytes = std::min(request.max_bytes, kMaxReadBytes);
  return slot_.Use(
      [&](ReadSession& session) { return session.ReadPage(entry.case_key, bounded, cipher_); });
}

}  // namespace remora::hub::sqlite
