// An administrator's `sqlite3 -readonly` beside the hub: a second process that has the file open,
// and with it the index of the log (-shm), while the hub opens its file anew.

#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/fault_vfs.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

// Made before the hub has threads. Ends with its object.
class Shell {
 public:
  Shell() {
    EXPECT_EQ(pipe(to_) + pipe(from_), 0);
    process_ = fork();
    if (process_ == 0) Run();
    close(to_[0]);
    close(from_[1]);
  }
  ~Shell() {
    close(to_[1]);
    close(from_[0]);
    waitpid(process_, nullptr, 0);
  }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;

  // Opens the file and stays in a transaction that reads. False: it could not.
  bool Read(const std::string& path) {
    const std::string line = path + '\n';
    char answer = 0;
    return write(to_[1], line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
           read(from_[0], &answer, 1) == 1 && answer == 'y';
  }

 private:
  [[noreturn]] void Run() {
    close(to_[1]);
    close(from_[0]);
    std::string path;
    char next = 0;
    while (read(to_[0], &next, 1) == 1) {
      if (next != '\n') {
        path += next;
        continue;
      }
      sqlite3* handle = nullptr;
      const bool ok =
          sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK &&
          sqlite3_exec(handle, "BEGIN; SELECT count(*) FROM cases", nullptr, nullptr, nullptr) ==
              SQLITE_OK;
      if (write(from_[1], ok ? "y" : "n", 1) != 1) break;
    }
    _exit(0);
  }

  int to_[2];
  int from_[2];
  pid_t process_ = -1;
};

// Pages of the log that count as moved: the first number behind the two headers of the log's index.
// Read by another process, since a process that closes a file lets go of all its locks on it.
int64_t MovedPages(const std::string& path) {
  FILE* od = popen(absl::StrCat("od -An -t u4 -j 96 -N 4 '", path, "-shm'").c_str(), "r");
  long pages = -1;
  if (od == nullptr || fscanf(od, "%ld", &pages) != 1) pages = -1;
  if (od != nullptr) pclose(od);
  return pages;
}

TEST(JournalBesideAShell, MovesAllOfItsLogOnceMoreAfterOpeningTheFileAnew) {
  constexpr int kCheckpointPagesForTest = 64;
  Shell shell;
  FaultVfs vfs("shell");
  JournalBench bench(vfs.name(), kCheckpointPagesForTest);
  ASSERT_TRUE(bench.Open().ok());
  ASSERT_TRUE(bench.journal().CreateCase(CaseIdOf(1)).ok());
  CaseScript script(CaseIdOf(1), 1, 1);
  const auto append = [&] {
    ASSERT_TRUE(AppendAndWait(bench.journal(), bench.executor(), script.Next({0, 5})).ok());
  };
  for (int i = 0; i < 5; ++i) append();
  ASSERT_TRUE(shell.Read(bench.path()));
  // It needs the end of the log, so that the log is moved in part.
  for (int i = 0; i < 1'000 && bench.journal().checkpoints() == 0; ++i) append();
  ASSERT_TRUE(bench.journal().Flush().ok());
  ASSERT_GT(MovedPages(bench.path()), 0) << "a part was moved";
  // What was moved is perhaps not on the disk: a sync has failed, and no later one writes it.
  vfs.Arm(Fault::kSyncError, 1, false);
  CaseScript lost = script;
  EXPECT_FALSE(AppendAndWait(bench.journal(), bench.executor(), lost.Next({0})).ok());
  vfs.Disarm();
  EXPECT_EQ(MovedPages(bench.path()), 0) << "so all of it is moved once more";
  append();
  ExpectHolds(bench.journal(), bench.executor(), script);
  bench.Close();
  ASSERT_TRUE(bench.Open().ok());
  ExpectHolds(bench.journal(), bench.executor(), script);
}

}  // namespace
}  // namespace remora::hub::sqlite
