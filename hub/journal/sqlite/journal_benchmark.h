#pragma once

// What the parts of journal_benchmark.cc have in common.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/executor.h"
#include "hub/journal/sqlite/sqlite_journal.h"

namespace remora::hub {

const Clock& SystemClock();
[[noreturn]] void Fail(const absl::Status& status);
std::unique_ptr<SqliteJournal> OpenOrExit(const std::string& path, Executor& executor);
void RemoveJournal(const std::string& path);
// What the system holds of it in memory.
void DropFromCache(const std::string& path);

// journal_benchmark_start.cc
void MeasureStart(const std::string& path, int records_per_case);
void MeasureStartWithClosedCases(const std::string& path, int closed_cases);

}  // namespace remora::hub
