#include "hub/journal/sqlite/sqlite_journal.h"

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/journal/limits.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

// Seals by a visible mark, and can be made to wait.
class GateCipher final : public PayloadCipher {
 public:
  std::string Seal(const CaseId&, absl::string_view place, absl::string_view plain) override {
    Pass(&seal_closed_, &sealing_);
    if (on_seal_) on_seal_(place);
    std::string sealed = absl::StrCat("sealed ", place, ":");
    for (const char byte : plain) sealed.push_back(static_cast<char>(byte ^ 0x5a));
    return sealed;
  }
  absl::StatusOr<std::string> Open(const CaseId&, absl::string_view place,
                                   absl::string_view sealed) override {
    Pass(&open_closed_, &opening_);
    const std::string mark = absl::StrCat("sealed ", place, ":");
    if (!absl::StartsWith(sealed, mark)) return absl::DataLossError("sealed for another place");
    std::string plain;
    for (const char byte : sealed.substr(mark.size())) {
      plain.push_back(static_cast<char>(byte ^ 0x5a));
    }
    return plain;
  }

  // While nothing is sealed.
  void set_on_seal(std::function<void(absl::string_view)> on_seal) {
    on_seal_ = std::move(on_seal);
  }
  void CloseSeal() { Set(&seal_closed_, true); }
  void OpenSeal() { Set(&seal_closed_, false); }
  void CloseOpen() { Set(&open_closed_, true); }
  void OpenOpen() { Set(&open_closed_, false); }
  void WaitUntilSealing() { WaitFor(&sealing_); }
  void WaitUntilOpening() { WaitFor(&opening_); }

 private:
  void Set(bool* gate, bool closed) {
    MutexLock lock(&mutex_);
    *gate = closed;
    changed_.NotifyAll();
  }
  void Pass(const bool* closed, bool* here) {
    MutexLock lock(&mutex_);
    *here = true;
    changed_.NotifyAll();
    while (*closed) changed_.Wait(&mutex_);
    *here = false;
  }
  void WaitFor(const bool* here) {
    MutexLock lock(&mutex_);
    while (!*here) changed_.Wait(&mutex_);
  }

  std::function<void(absl::string_view)> on_seal_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool seal_closed_ = false;
  bool open_closed_ = false;
  bool sealing_ = false;
  bool opening_ = false;
};

class GatedJournal : public testing::Test {
 protected:
  GatedJournal() {
    SqliteJournal::Options options;
    options.path = directory_.File("live.db");
    options.observer = [this](const CommitReport& report) {
      MutexLock lock(&mutex_);
      reports_.push_back(report);
    };
    auto journal = SqliteJournal::Open(options, *clock_, executor_, cipher_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    journal_ = *std::move(journal);
  }
  CaseScript NewCase(uint64_t number) {
    EXPECT_TRUE(journal_->CreateCase(CaseIdOf(number)).ok());
    return CaseScript(CaseIdOf(number), 1, number);
  }

  ScratchDirectory directory_{ScratchDirectory::kDisk};
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  WaitingExecutor executor_;
  GateCipher cipher_;
  Mutex mutex_;
  std::vector<CommitReport> reports_;
  std::unique_ptr<SqliteJournal> journal_;
};

TEST_F(GatedJournal, CommitsAllThatWaitInOneTransaction) {
  CaseScript first = NewCase(100);
  cipher_.CloseSeal();
  int done = 0;
  const auto count = [&](absl::Status status) { done += status.ok(); };
  journal_->Append(first.NextDrawn(), count);
  cipher_.WaitUntilSealing();
  std::vector<CaseScript> scripts;
  for (int c = 0; c < 20; ++c) {
    scripts.push_back(NewCase(c));
    for (int i = 0; i < 3; ++i) journal_->Append(scripts.back().NextDrawn(), count);
  }
  cipher_.OpenSeal();
  executor_.RunUntil([&] { return done == 61; });
  for (const CaseScript& script : scripts) ExpectHolds(*journal_, executor_, script);
  MutexLock lock(&mutex_);
  ASSERT_EQ(reports_.size(), 2u);
  EXPECT_EQ(reports_[0].appends, 1u);
  EXPECT_EQ(reports_[1].appends, 60u);
}

// As after an upgrade, when each of thousands of cases is put to rest.
TEST_F(GatedJournal, AnAppendWaitsForNoMoreThanOneOfManyCheckpoints) {
  constexpr int kMany = 20;
  std::vector<CaseScript> scripts;
  for (int c = 0; c < kMany; ++c) {
    scripts.push_back(NewCase(c));
    ASSERT_TRUE(AppendAndWait(*journal_, executor_, scripts[c].NextDrawn()).ok());
  }
  bool done = false;
  int before = 0;  // checkpoints, since the append was given to it
  const CaseAppend append = scripts[0].NextDrawn();
  cipher_.CloseSeal();
  cipher_.set_on_seal([&, sealed = 0](absl::string_view place) mutable {
    if (!absl::StartsWith(place, "checkpoint")) {
      done = true;
    } else if (++sealed == 2) {
      journal_->Append(append, [](const absl::Status&) {});
    } else if (sealed > 2 && !done) {
      ++before;
    }
  });
  for (const CaseScript& script : scripts) journal_->SaveCheckpoint(script.case_id(), {1, "x"});
  cipher_.WaitUntilSealing();  // the first of them
  cipher_.OpenSeal();
  ASSERT_TRUE(journal_->Flush().ok());
  EXPECT_TRUE(done);
  EXPECT_EQ(before, 0);
  for (const CaseScript& script : scripts) {
    EXPECT_EQ(journal_->Restore(script.case_id())->checkpoint.seq, 1u);
  }
  cipher_.set_on_seal(nullptr);
}

TEST_F(GatedJournal, AReadThatHangsDelaysNoCommit) {
  CaseScript script = NewCase(1);
  ASSERT_TRUE(AppendAndWait(*journal_, executor_, script.NextDrawn()).ok());
  cipher_.CloseOpen();
  ReadRequest request;
  request.case_id = script.case_id();
  const uint64_t held = script.last_seq();
  absl::StatusOr<ReadResult> page = absl::UnknownError("not yet");
  bool read = false;
  journal_->Read(request, [&](absl::StatusOr<ReadResult> result) {
    page = std::move(result);
    read = true;
  });
  cipher_.WaitUntilOpening();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(AppendAndWait(*journal_, executor_, script.NextDrawn()).ok());
  }
  EXPECT_FALSE(read);
  cipher_.OpenOpen();
  executor_.RunUntil([&] { return read; });
  ASSERT_TRUE(page.ok()) << page.status();
  // The snapshot of when it began.
  EXPECT_EQ(page->last_seq, held);
}

TEST_F(GatedJournal, RefusesReadsBeyondItsQueue) {
  CaseScript script = NewCase(1);
  ASSERT_TRUE(AppendAndWait(*journal_, executor_, script.Next({0})).ok());
  cipher_.CloseOpen();
  ReadRequest request;
  request.case_id = script.case_id();
  size_t read = 0;
  size_t refused = 0;
  const auto count = [&](absl::StatusOr<ReadResult> page) {
    read += page.ok();
    refused += absl::IsResourceExhausted(page.status());
  };
  journal_->Read(request, count);
  cipher_.WaitUntilOpening();
  for (size_t i = 0; i < kMaxQueuedReads + 3; ++i) journal_->Read(request, count);
  cipher_.OpenOpen();
  executor_.RunUntil([&] { return read + refused == kMaxQueuedReads + 4; });
  EXPECT_EQ(refused, 3u);
}

TEST_F(GatedJournal, RefusesAppendsBeyondItsQueueInOrder) {
  CaseScript script = NewCase(1);
  const CaseScript before = script;
  CaseAppend huge = script.Next({0});
  huge.runs[0].frames = SharedBytes(std::string(kMaxQueuedAppendBytes + 1, 'x'));
  std::vector<absl::Status> results;
  const auto note = [&](absl::Status status) { results.push_back(status); };
  journal_->Append(huge, note);
  journal_->Append(script.Next({0}), note);
  executor_.RunUntil([&] { return results.size() == 2; });
  EXPECT_TRUE(absl::IsResourceExhausted(results[0])) << results[0];
  EXPECT_TRUE(absl::IsUnavailable(results[1])) << results[1];
  CaseScript again = before;
  EXPECT_TRUE(AppendAndWait(*journal_, executor_, again.NextDrawn()).ok());
  ExpectHolds(*journal_, executor_, again);
}

TEST_F(GatedJournal, StoresNothingUnsealed) {
  CaseScript script = NewCase(1);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(AppendAndWait(*journal_, executor_, script.NextDrawn()).ok());
  }
  journal_->SaveCheckpoint(script.case_id(), {1, "name of a patient"});
  ASSERT_TRUE(journal_->Flush().ok());
  const absl::StatusOr<CaseRestore> restore = journal_->Restore(script.case_id());
  ASSERT_TRUE(restore.ok());
  EXPECT_EQ(restore->checkpoint.state, "name of a patient");
  journal_.reset();
  std::ifstream file(directory_.File("live.db"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(absl::StrContains(bytes, "sealed checkpoint/1:"));
  EXPECT_FALSE(absl::StrContains(bytes, "name of a patient"));
  for (const CaseScript::Record& record : script.records()) {
    EXPECT_FALSE(absl::StrContains(bytes, record.frame));
  }
}

TEST(SqliteJournal, ASecondHubOnTheSameFileIsRefused) {
  JournalBench bench;
  ASSERT_TRUE(bench.Open().ok());
  std::unique_ptr<Clock> clock = MakeSystemClock();
  NullCipher cipher;
  const auto second = SqliteJournal::Open(bench.options(), *clock, bench.executor(), cipher);
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_TRUE(absl::StrContains(second.status().message(), "in use by another hub (process "))
      << second.status();
  bench.Close();
  EXPECT_TRUE(bench.Open().ok());
}

TEST(SqliteJournal, MovesItsLogWhileItIsWritten) {
  JournalBench bench("", 64);
  ASSERT_TRUE(bench.Open().ok());
  ASSERT_TRUE(bench.journal().CreateCase(CaseIdOf(1)).ok());
  CaseScript script(CaseIdOf(1), 1, 1);
  int done = 0;
  for (int i = 0; i < 2000; ++i) {
    bench.journal().Append(script.NextDrawn(), [&](absl::Status status) { done += status.ok(); });
    bench.executor().RunUntil([&] { return done > i - 2; });
  }
  ASSERT_TRUE(bench.journal().Flush().ok());
  EXPECT_GT(bench.journal().checkpoints(), 3u);
  // 2,000 commits write more than 6,000 pages; the log began anew again and again.
  EXPECT_LT(std::filesystem::file_size(bench.path() + "-wal"), 3000u * 4120u);
  ExpectHolds(bench.journal(), bench.executor(), script);
}

TEST(SqliteJournal, StartsANewEpochWhenToldThatItIsABackup) {
  JournalBench bench;
  bench.options().epoch_of_new_file = 70;
  ASSERT_TRUE(bench.Open().ok());
  ASSERT_EQ(*bench.journal().CreateCase(CaseIdOf(1)), 70u);
  CaseScript script(CaseIdOf(1), 70, 1);
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.Next({0, 3})).ok());
  bench.options().epoch_of_new_file = 80;  // of new files only
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().Restore(CaseIdOf(1))->head.epoch, 70u);
  bench.options().start_new_epoch = true;
  ASSERT_TRUE(bench.Open().ok());
  EXPECT_EQ(bench.journal().Restore(CaseIdOf(1))->head.epoch, 71u);
  EXPECT_EQ(*bench.journal().CreateCase(CaseIdOf(2)), 71u);
  EXPECT_TRUE(
      absl::IsInvalidArgument(AppendAndWait(bench.journal(), bench.executor(), script.Next({0}))));
}

TEST(SqliteJournal, MarksItsFileAndKeepsItPrivate) {
  JournalBench bench;
  ASSERT_TRUE(bench.Open().ok());
  ASSERT_TRUE(bench.journal().CreateCase(CaseIdOf(1)).ok());
  CaseScript script(CaseIdOf(1), 1, 1);
  ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.Next({0})).ok());
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    const auto status = std::filesystem::status(bench.path() + suffix);
    EXPECT_EQ(status.permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << suffix;
  }
  bench.Close();
  std::ifstream file(bench.path(), std::ios::binary);
  std::string header(100, '\0');
  file.read(header.data(), 100);
  EXPECT_EQ(header.substr(68, 4), "RMRJ");
}

}  // namespace
}  // namespace remora::hub::sqlite
