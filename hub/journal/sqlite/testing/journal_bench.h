#pragma once

// An SQLite journal in a directory of its own that goes away with it. For tests.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/clock.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/sqlite_journal.h"
#include "hub/journal/testing/waiting_executor.h"

namespace remora::hub::sqlite {

// A new directory, removed at the end: on the disk, or, for tests that fail and cut thousands of
// times, in memory where the machine has it.
class ScratchDirectory {
 public:
  enum Place { kDisk, kMemory };

  explicit ScratchDirectory(Place place) {
    const bool in_memory = place == kMemory && std::filesystem::is_directory("/dev/shm");
    std::string name = (in_memory ? "/dev/shm/" : testing::TempDir()) + "remora-journal-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class JournalBench {
 public:
  explicit JournalBench(std::string vfs = "", int checkpoint_pages = kCheckpointPages,
                        ScratchDirectory::Place place = ScratchDirectory::kDisk)
      : directory_(place) {
    options_.path = directory_.File("live.db");
    options_.vfs = std::move(vfs);
    options_.checkpoint_pages = checkpoint_pages;
  }

  // From the next opening on; `clock` outlives the bench.
  void UseClock(const Clock& clock) { clock_ = &clock; }
  // Opens, after closing what was open.
  absl::Status Open() {
    journal_.reset();
    absl::StatusOr<std::unique_ptr<SqliteJournal>> journal = SqliteJournal::Open(
        options_, clock_ != nullptr ? *clock_ : *system_clock_, executor_, cipher_);
    if (journal.ok()) journal_ = *std::move(journal);
    return journal.status();
  }
  void Close() { journal_.reset(); }

  SqliteJournal& journal() { return *journal_; }
  WaitingExecutor& executor() { return executor_; }
  SqliteJournal::Options& options() { return options_; }
  const std::string& path() const { return options_.path; }
  const ScratchDirectory& directory() const { return directory_; }

 private:
  ScratchDirectory directory_;
  std::unique_ptr<Clock> system_clock_ = MakeSystemClock();
  const Clock* clock_ = nullptr;
  WaitingExecutor executor_;
  NullCipher cipher_;
  SqliteJournal::Options options_;
  std::unique_ptr<SqliteJournal> journal_;
};

}  // namespace remora::hub::sqlite
