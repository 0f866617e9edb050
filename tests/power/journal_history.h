#pragma once

// The hub's journal of several cases through many losses of power: SqliteJournal itself, with its
// threads, over a CrashDisk. Where its threads stand when the power goes is not repeatable from the
// seed; what is drawn from it is.

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/testing/crash_file_system.h"
#include "hub/journal/payload_cipher.h"
#include "hub/journal/sqlite/sqlite_journal.h"
#include "hub/journal/sqlite/testing/crash_vfs.h"
#include "hub/journal/testing/case_script.h"
#include "hub/journal/testing/waiting_executor.h"
#include "tests/power/cutter.h"

namespace remora::power {

class JournalHistory {
 public:
  // Kinds of boundary at which the power goes.
  static const std::vector<std::string>& Kinds();

  // `directory` is a real one, for the lock of the process; one a thread.
  JournalHistory(HistoryOptions options, const std::string& directory, Counters& counters);

  // Empty, or what was lost, doubled or changed.
  std::string Run();

 private:
  enum class Phase { kOpening, kRunning, kFull, kClosing };
  // A case as its room knows it.
  struct Room {
    hub::CaseScript acknowledged;
    // What was offered after that: it may be there, whole.
    std::vector<hub::CaseScript> offered;
  };
  // A hub's program on a disk.
  struct Program {
    explicit Program(CrashDisk& disk) : files(disk) {}
    CrashFileSystem files;
    hub::WaitingExecutor executor;
    std::unique_ptr<hub::SqliteJournal> journal;
  };

  std::string KindOf(const CrashDisk::Call& call, bool after) const;
  void ArmNext();
  absl::Status Open(CrashDisk& disk, Program* program);
  // Empty, or what is wrong with what a start finds; `adopt`: it is the truth from then on.
  std::string Compare(Program& program, bool adopt);
  std::string CompareRoom(Program& program, Room& room, bool adopt);
  void Work(Program& program);
  void AppendRound(Program& program);
  std::string Live();
  std::string AfterCut();

  const HistoryOptions options_;
  const std::string directory_;
  Counters& counters_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<Clock> clock_;
  hub::NullCipher cipher_;
  hub::sqlite::CrashVfs vfs_;
  Cutter cutter_;
  std::unique_ptr<CrashDisk> disk_;
  std::vector<Room> rooms_;
  std::atomic<Phase> phase_{Phase::kOpening};
  std::atomic<bool> is_new_{true};  // nothing was acknowledged yet
  uint64_t life_ = 0;
  int cuts_ = 0;
};

}  // namespace remora::power
