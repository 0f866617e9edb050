// A process that appends is killed at random moments: nothing that was acknowledged is lost.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "common/random.h"
#include "gtest/gtest.h"
#include "hub/journal/sqlite/testing/journal_bench.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/journal_calls.h"

namespace remora::hub::sqlite {
namespace {

constexpr int kCaseCount = 3;
constexpr int kKills = 20;
constexpr int kPipelined = 4;  // appends of a case under way at once

struct Acknowledged {
  uint64_t case_number;
  uint64_t last_seq;
};

// Goes on with the cases where the file left them, for ever, and tells what is acknowledged.
[[noreturn]] void AppendUntilKilled(const SqliteJournal::Options& options, int told) {
  std::unique_ptr<Clock> clock = MakeSystemClock();
  WaitingExecutor executor;
  NullCipher cipher;
  auto journal = SqliteJournal::Open(options, *clock, executor, cipher);
  if (!journal.ok()) _exit(3);
  std::vector<CaseScript> scripts;
  for (int c = 0; c < kCaseCount; ++c) {
    absl::Status created = (*journal)->CreateCase(CaseIdOf(c)).status();
    if (!created.ok() && !absl::IsAlreadyExists(created)) _exit(4);
    scripts.emplace_back(CaseIdOf(c), 1, c);
    scripts.back().ForgetRecords();
    const absl::StatusOr<CaseRestore> restore = (*journal)->Restore(CaseIdOf(c));
    if (!restore.ok()) _exit(5);
    while (scripts.back().last_seq() < restore->head.last_seq) scripts.back().NextDrawn();
  }
  int under_way = 0;
  for (uint64_t turn = 0;; ++turn) {
    const int c = static_cast<int>(turn % kCaseCount);
    CaseAppend append = scripts[c].NextDrawn();
    const Acknowledged tell{static_cast<uint64_t>(c), append.last_seq};
    ++under_way;
    (*journal)->Append(std::move(append), [&under_way, told, tell](absl::Status status) {
      --under_way;
      if (!status.ok() || write(told, &tell, sizeof(tell)) != sizeof(tell)) _exit(6);
    });
    executor.RunUntil([&] { return under_way < kCaseCount * kPipelined; });
  }
}

TEST(JournalCrash, KilledAtRandomMomentsLosesNothingAcknowledged) {
  constexpr uint64_t kSeed = 20260101;
  std::cout << "seed " << kSeed << "\n";
  std::unique_ptr<Random> random = MakeSeededRandom(kSeed);
  JournalBench bench("", 24);
  std::vector<CaseScript> scripts;
  for (int c = 0; c < kCaseCount; ++c) scripts.emplace_back(CaseIdOf(c), 1, c);
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    SCOPED_TRACE(kill_number);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      AppendUntilKilled(bench.options(), ends[1]);
    }
    close(ends[1]);
    std::vector<uint64_t> acknowledged(kCaseCount);
    uint64_t until_kill = 1 + random->Below(120);
    Acknowledged told;
    while (read(ends[0], &told, sizeof(told)) == sizeof(told)) {
      acknowledged[told.case_number] = told.last_seq;
      if (--until_kill == 0) kill(child, SIGKILL);
      if (until_kill == 0) until_kill = ~uint64_t{0};
    }
    close(ends[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself, code " << WEXITSTATUS(status);

    ASSERT_TRUE(bench.Open().ok());
    for (int c = 0; c < kCaseCount; ++c) {
      const absl::StatusOr<CaseRestore> restore = bench.journal().Restore(CaseIdOf(c));
      if (acknowledged[c] == 0 && !restore.ok()) continue;
      ASSERT_TRUE(restore.ok()) << restore.status();
      EXPECT_GE(restore->head.last_seq, acknowledged[c]) << "lost what was acknowledged";
      // No half append: the script reaches this number exactly at the end of one.
      while (scripts[c].last_seq() < restore->head.last_seq) scripts[c].NextDrawn();
      ExpectHolds(bench.journal(), bench.executor(), scripts[c]);
    }
    bench.Close();
  }
}

}  // namespace
}  // namespace remora::hub::sqlite
