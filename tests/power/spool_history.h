#pragma once

// One theatre's spool through many losses of power: the agent's own code (SpoolFolder, CaseSpool)
// over a CrashDisk, with a case that is recorded, held by a hub, closed, done, and a next one.

#include <memory>
#include <string>
#include <vector>

#include "acquisition-agent/app/console.h"
#include "acquisition-agent/app/spool_folder.h"
#include "common/testing/crash_file_system.h"
#include "tests/power/cutter.h"
#include "tests/power/spool_model.h"

namespace remora::power {

class SpoolHistory {
 public:
  // Kinds of boundary at which the power goes.
  static const std::vector<std::string>& Kinds();

  SpoolHistory(HistoryOptions options, Counters& counters);

  // Empty, or what was lost, doubled or changed.
  std::string Run();

 private:
  class Silence : public agent::Console {
    void Say(const std::string& /*line*/) override {}
  };
  // A program that runs on the disk: its folder and the case that it is at.
  struct Program {
    explicit Program(CrashDisk& disk) : files(disk) {}
    CrashFileSystem files;
    std::unique_ptr<agent::SpoolFolder> folder;
    std::unique_ptr<agent::CaseSpool> spool;
  };

  std::string KindOf(const CrashDisk::Call& call, bool after) const;
  void ArmNext();
  // Starts a program on `disk` and compares what it finds. Without a finding and with `program`
  // empty: the power went meanwhile.
  std::string Start(CrashDisk& disk, std::unique_ptr<Program>* program);
  absl::Status NextCase(Program& program);
  // Each until the power goes, or it is done.
  absl::Status FillHoles(Program& program);
  absl::Status Work(Program& program);
  absl::Status WorkOnce(Program& program);
  void AppendSome(Program& program);
  void Hold(Program& program);
  void ChangeSpace(Program& program);
  void NoteSpace();
  absl::Status Commit(Program& program);
  absl::Status FinishCase(Program& program);
  // The machine starts again on what the cut left.
  std::string AfterCut();

  const HistoryOptions options_;
  Counters& counters_;
  const std::unique_ptr<Random> random_;
  Silence console_;
  Cutter cutter_;
  std::unique_ptr<CrashDisk> disk_;
  SpoolModel model_;
  std::string origin_;  // once it was told; empty: not yet
  uint64_t cases_ = 0;
  std::vector<CaseId> done_;
  bool finishing_ = false;  // the case is being marked as done
  uint64_t life_ = 0;
  bool recovering_ = false;
  bool full_ = false;
  bool large_ = false;  // records so large that files roll over
  int cuts_ = 0;
};

}  // namespace remora::power
