// kill -9 in the middle of appending, on a real file system.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/spool/case_spool.h"

namespace remora::agent {
namespace {

std::string Bytes(uint32_t lane, uint64_t seq) {
  return absl::StrCat(lane, "/", seq, std::string(seq % 700, 'x'));
}

// Appends for ever; says on `out` what it may promise after each commit.
[[noreturn]] void AppendForEver(const SpoolOptions& options, int out) {
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  RecoveryReport report;
  auto spool = CaseSpool::Open(*files, options, &report);
  if (!spool.ok()) _exit(2);
  for (uint64_t round = 0;; ++round) {
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      for (uint64_t i = 0; i <= (round + lane) % 4; ++i) {
        const uint64_t seq = (*spool)->last_seq(lane) + 1;
        if (!(*spool)->AppendRecord(lane, seq, 0, Bytes(lane, seq)).ok()) _exit(3);
      }
    }
    if (!(*spool)->Commit().ok()) _exit(4);
    uint64_t promised[kLaneCount];
    for (uint32_t lane = 0; lane < kLaneCount; ++lane)
      promised[lane] = (*spool)->committed_seq(lane);
    if (write(out, promised, sizeof promised) != sizeof promised) _exit(5);
  }
}

TEST(CaseSpoolKilled, KeepsWhatItPromised) {
  char directory[] = "/tmp/remora-spool-XXXXXX";
  ASSERT_NE(mkdtemp(directory), nullptr);
  SpoolOptions options;
  options.directory = absl::StrCat(directory, "/case");
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  for (int life = 0; life < 12; ++life) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(ends[0]);
      AppendForEver(options, ends[1]);
    }
    close(ends[1]);
    uint64_t promised[kLaneCount] = {};
    // Killed while it is at work on what follows this promise.
    for (int seen = 0; seen < 3 + life * 2; ++seen) {
      ASSERT_EQ(read(ends[0], promised, sizeof promised), static_cast<ssize_t>(sizeof promised));
    }
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    close(ends[0]);

    RecoveryReport report;
    auto spool = CaseSpool::Open(*files, options, &report);
    ASSERT_TRUE(spool.ok()) << spool.status();
    EXPECT_TRUE(report.missing.empty());
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      ASSERT_GE((*spool)->committed_seq(lane), promised[lane]);
      for (uint64_t seq = 1; seq <= (*spool)->last_seq(lane); ++seq) {
        const absl::StatusOr<std::string> read = (*spool)->Read(lane, seq);
        ASSERT_TRUE(read.ok()) << lane << "/" << seq << " " << read.status();
        ASSERT_EQ(*read, Bytes(lane, seq));
      }
    }
  }
  const auto names = files->List(options.directory);
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names) {
    EXPECT_TRUE(files->Remove(absl::StrCat(options.directory, "/", name)).ok());
  }
  rmdir(options.directory.c_str());
  rmdir(directory);
}

}  // namespace
}  // namespace remora::agent
