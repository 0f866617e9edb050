// journal_benchmark.cc: how long the journal takes to open.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <vector>

#include "hub/journal/sqlite/journal_benchmark.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/waiting_executor.h"

namespace remora::hub {
namespace {

void InAProcess(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  waitpid(child, nullptr, 0);
}

// Ends as a killed hub does: with a log that was not moved.
void WriteLongCases(const std::string& path, int case_count, int records_per_case) {
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  std::vector<CaseScript> scripts;
  for (int c = 0; c < case_count; ++c) {
    scripts.emplace_back(CaseIdOf(c), 1, c);
    scripts.back().ForgetRecords();
    if (!journal->CreateCase(CaseIdOf(c)).ok()) _exit(1);
  }
  int64_t under_way = 0;
  for (int i = 0; i < records_per_case; ++i) {
    for (CaseScript& script : scripts) {
      ++under_way;
      journal->Append(script.Next({static_cast<uint32_t>(i % 6)}, 30), [&](absl::Status status) {
        if (!status.ok()) _exit(1);
        --under_way;
      });
    }
    if (i % 20 == 0) executor.RunUntil([&] { return under_way < 20'000; });
  }
  for (CaseScript& script : scripts) {
    journal->SaveCheckpoint(script.case_id(), {script.last_seq(), std::string(60'000, 's')});
  }
  if (!journal->Flush().ok()) _exit(1);
  _exit(0);
}

// Ends as a killed hub does. Cases of a few seconds: of each, two rows of a class, and an origin
// for each lane.
void WriteClosedCases(const std::string& path, int closed_cases) {
  constexpr size_t kBodyBytes = 4'000;
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  int64_t under_way = 0;
  for (int c = 0; c <= closed_cases; ++c) {
    CaseScript script(CaseIdOf(c), 1, c);
    script.ForgetRecords();
    if (!journal->CreateCase(script.case_id()).ok()) _exit(1);
    for (int i = 0; i < 2; ++i) {
      ++under_way;
      journal->Append(script.Next({2, 3, 5, 5, 5}, kBodyBytes), [&](absl::Status status) {
        if (!status.ok()) _exit(1);
        --under_way;
      });
    }
    executor.RunUntil([&] { return under_way < 200; });
    if (c < closed_cases) journal->Release(script.case_id());
  }
  if (!journal->Flush().ok()) _exit(1);
  _exit(0);
}

}  // namespace

void MeasureStart(const std::string& path, int records_per_case) {
  constexpr int kCases = 20;
  RemoveJournal(path);
  const DeviceTime write_start = SystemClock().Now();
  InAProcess([&] { WriteLongCases(path, kCases, records_per_case); });
  std::printf(
      "start: %d cases of %d records, a row each, file %.0f MB, log %.0f MB (written in "
      "%.0f s)\n",
      kCases, records_per_case, static_cast<double>(std::filesystem::file_size(path)) / 1e6,
      static_cast<double>(std::filesystem::file_size(path + "-wal")) / 1e6,
      (SystemClock().Now() - write_start).seconds());
  std::fflush(stdout);
  // Twice as a killed hub left it, then after an orderly end.
  for (int round = 0; round < 3; ++round) {
    InAProcess([&] {
      DropFromCache(path);
      WaitingExecutor executor;
      const DeviceTime start = SystemClock().Now();
      std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
      const DeviceTime opened = SystemClock().Now();
      const auto cases = journal->ListCases();
      if (!cases.ok()) Fail(cases.status());
      double slowest_ms = 0;
      for (const CaseHead& head : *cases) {
        const DeviceTime before = SystemClock().Now();
        const auto restore = journal->Restore(head.case_id);
        if (!restore.ok()) Fail(restore.status());
        slowest_ms = std::max(slowest_ms, (SystemClock().Now() - before).milliseconds());
      }
      const DeviceTime restored = SystemClock().Now();
      std::printf(
          "start: %s: open %.1f ms, list and restore %zu cases %.1f ms (slowest case "
          "%.2f ms)\n",
          round < 2 ? "after a kill" : "after a close", (opened - start).milliseconds(),
          cases->size(), (restored - opened).milliseconds(), slowest_ms);
      std::fflush(stdout);
      if (round == 1) journal.reset();
      _exit(0);
    });
  }
}

void MeasureStartWithClosedCases(const std::string& path, int closed_cases) {
  RemoveJournal(path);
  InAProcess([&] { WriteClosedCases(path, closed_cases); });
  std::printf("closed: %d closed cases and an open one, file %.0f MB, log %.0f MB\n", closed_cases,
              static_cast<double>(std::filesystem::file_size(path)) / 1e6,
              static_cast<double>(std::filesystem::file_size(path + "-wal")) / 1e6);
  std::fflush(stdout);
  for (int round = 0; round < 3; ++round) {
    InAProcess([&] {
      DropFromCache(path);
      WaitingExecutor executor;
      const DeviceTime start = SystemClock().Now();
      std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
      const DeviceTime opened = SystemClock().Now();
      const auto cases = journal->ListCases();
      if (!cases.ok()) Fail(cases.status());
      const DeviceTime listed = SystemClock().Now();
      const auto restore = journal->Restore(CaseIdOf(closed_cases));
      if (!restore.ok()) Fail(restore.status());
      std::printf("closed: open %.3f s, list %zu cases %.3f s, restore the open one %.3f s\n",
                  (opened - start).seconds(), cases->size(), (listed - opened).seconds(),
                  (SystemClock().Now() - listed).seconds());
      std::fflush(stdout);
      _exit(0);
    });
  }
}

}  // namespace remora::hub
