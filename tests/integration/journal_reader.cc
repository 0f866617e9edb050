#include "tests/integration/journal_reader.h"

#include <set>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/record_codec.h"
#include "common/status_macros.h"
#include "common/thread_executor.h"
#include "hub/journal/sqlite/sqlite_journal.h"

namespace remora::testing {
namespace {

absl::StatusOr<hub::ReadResult> ReadPage(hub::Journal& journal, hub::ReadRequest request) {
  Mutex mutex;
  ConditionVariable arrived;
  bool done = false;
  absl::StatusOr<hub::ReadResult> result = absl::InternalError("no answer");
  journal.Read(request, [&](absl::StatusOr<hub::ReadResult> page) {
    MutexLock lock(&mutex);
    result = std::move(page);
    done = true;
    arrived.NotifyOne();
  });
  MutexLock lock(&mutex);
  while (!done) arrived.Wait(&mutex);
  return result;
}

// A journal with all that it needs to be read.
struct OpenJournal {
  std::unique_ptr<Clock> clock = MakeSystemClock();
  ThreadExecutor executor{*clock, "journal-test"};
  hub::NullCipher cipher;
  std::unique_ptr<hub::SqliteJournal> journal;

  ~OpenJournal() {
    journal.reset();
    executor.Stop();
  }
  absl::Status Open(const std::string& path) {
    hub::SqliteJournal::Options options;
    options.path = path;
    ASSIGN_OR_RETURN(journal, hub::SqliteJournal::Open(options, *clock, executor, cipher));
    return absl::OkStatus();
  }
};

}  // namespace

absl::StatusOr<std::map<uint64_t, std::string>> ReadJournal(const std::string& path,
                                                            const CaseId& case_id) {
  OpenJournal open;
  RETURN_IF_ERROR(open.Open(path));
  std::map<uint64_t, std::string> records;
  hub::ReadRequest request;
  request.case_id = case_id;
  while (request.from_seq != 0) {
    ASSIGN_OR_RETURN(const hub::ReadResult page, ReadPage(*open.journal, request));
    absl::string_view frames = page.frames.view();
    while (!frames.empty()) {
      ASSIGN_OR_RETURN(const absl::string_view bytes, TakeFrame(&frames));
      ASSIGN_OR_RETURN(const StampedRecord stamped, WalkStamped(bytes));
      if (!records.emplace(stamped.stamp.seq, std::string(bytes)).second) {
        return absl::DataLossError("a seq stands in the journal twice");
      }
    }
    request.from_seq = page.next_seq;
  }
  return records;
}

absl::StatusOr<std::vector<CaseId>> CasesInJournal(const std::string& path) {
  OpenJournal open;
  RETURN_IF_ERROR(open.Open(path));
  ASSIGN_OR_RETURN(const std::vector<hub::ListedCase> heads, open.journal->ListCases());
  std::vector<CaseId> ids;
  for (const hub::CaseHead& head : heads) ids.push_back(head.case_id);
  return ids;
}

uint64_t DoubledIds(const std::map<uint64_t, std::string>& records) {
  std::set<RecordKey> seen;
  uint64_t doubled = 0;
  for (const auto& [seq, bytes] : records) {
    const absl::StatusOr<StampedRecord> stamped = WalkStamped(bytes);
    if (!stamped.ok() || !seen.insert(stamped->header.key()).second) ++doubled;
  }
  return doubled;
}

std::map<std::pair<OriginId, uint32_t>, SeqRanges> HeldNumbers(
    const std::map<uint64_t, std::string>& records) {
  std::map<std::pair<OriginId, uint32_t>, SeqRanges> held;
  for (const auto& [seq, bytes] : records) {
    const absl::StatusOr<StampedRecord> stamped = WalkStamped(bytes);
    if (stamped.ok()) {
      held[{stamped->header.origin, stamped->header.lane}].Insert(stamped->header.origin_seq);
    }
  }
  return held;
}

}  // namespace remora::testing
