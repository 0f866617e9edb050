// journal_benchmark.cc: how long the journal takes to open.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
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
  constexpr size_t kClosedBodyBytes = 4'000;
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal = OpenOrExit(path, executor);
  int64_t under_way = 0;
  for (int c = 0; c <= closed_cases; ++c) {
    CaseScript script(CaseIdOf(c), 1, c);
    script.ForgetRecords();
    if (!journal->CreateCase(script.case_id()).ok()) _exit(1);
    for (int i = 0; i < 2; ++i) {
      ++under_way;
      journal->Append(script.Next({2, 3, 5, 5, 5}, kClosedBodyBytes), [&](absl::Status status) {
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

// A journal that was opened with nothing of it in memory, and its cases listed.
struct ColdStart {
  WaitingExecutor executor;
  std::unique_ptr<SqliteJournal> journal;
  std::vector<ListedCase> cases;
  Duration open_time, list_time;
};

// In a process of its own, which ends as a killed hub does.
void StartCold(const std::string& path, const std::function<void(ColdStart&)>& use) {
  InAProcess([&] {
    DropFromCache(path);
    ColdStart cold;
    const DeviceTime start = SystemClock().Now();
    cold.journal = OpenOrExit(path, cold.executor);
    const DeviceTime opened = SystemClock().Now();
    auto cases = cold.journal->ListCases();
    if (!cases.ok()) Fail(cases.status());
    cold.list_time = SystemClock().Now() - opened;
    cold.open_time = opened - start;
    cold.cases = *std::move(cases);
    use(cold);
    std::fflush(stdout);
    _exit(0);
  });
}

Duration TimeToRestore(ColdStart& cold, const CaseId& case_id) {
  const DeviceTime start = SystemClock().Now();
  const auto restore = cold.journal->Restore(case_id);
  if (!restore.ok()) Fail(restore.status());
  return SystemClock().Now() - start;
}

double Megabytes(const std::string& path) {
  return static_cast<double>(std::filesystem::file_size(path)) / 1e6;
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
      kCases, records_per_case, Megabytes(path), Megabytes(path + "-wal"),
      (SystemClock().Now() - write_start).seconds());
  std::fflush(stdout);
  // Twice as a killed hub left it, then after an orderly end.
  for (int round = 0; round < 3; ++round) {
    StartCold(path, [&](ColdStart& cold) {
      Duration all = cold.list_time, slowest;
      for (const CaseHead& head : cold.cases) {
        const Duration one = TimeToRestore(cold, head.case_id);
        all = all + one;
        slowest = std::max(slowest, one);
      }
      std::printf(
          "start: %s: open %.1f ms, list and restore %zu cases %.1f ms (slowest case "
          "%.2f ms)\n",
          round < 2 ? "after a kill" : "after a close", cold.open_time.milliseconds(),
          cold.cases.size(), all.milliseconds(), slowest.milliseconds());
      if (round == 1) cold.journal.reset();
    });
  }
}

void MeasureStartWithClosedCases(const std::string& path, int closed_cases) {
  RemoveJournal(path);
  InAProcess([&] { WriteClosedCases(path, closed_cases); });
  std::printf("closed: %d closed cases and an open one, file %.0f MB, log %.0f MB\n", closed_cases,
              Megabytes(path), Megabytes(path + "-wal"));
  std::fflush(stdout);
  for (int round = 0; round < 3; ++round) {
    StartCold(path, [&](ColdStart& cold) {
      std::printf("closed: open %.3f s, list %zu cases %.3f s, restore the open one %.3f s\n",
                  cold.open_time.seconds(), cold.cases.size(), cold.list_time.seconds(),
                  TimeToRestore(cold, CaseIdOf(closed_cases)).seconds());
    });
  }
}

}  // namespace remora::hub
