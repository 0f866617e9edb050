#pragma once

// A layer between SQLite and the disk that fails on command: any k-th write or sync, once or for
// ever, whole or torn; that has bad sectors; that can let syncs hang; and that can cut the power.
// For the latter it keeps, of each file, what was synced, and what was written since. For tests.
//
// Thread-safe. One at a time has a name; it must outlive every connection made through it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/mutex.h"
#include "common/random.h"

struct sqlite3_vfs;

namespace remora::hub::sqlite {

class VfsLayer;

enum class Fault {
  kNone,
  kNoSpace,     // a write fails: no space
  kWriteError,  // a write fails: I/O error
  kTornWrite,   // half a write happens, then an I/O error
  kLateError,   // a write happens, and an I/O error is reported
  kReadOnly,    // a write fails, and from then on files are opened for reading alone
  kSyncError,   // a sync fails; what was to be synced is still in the system's cache
  kPowerCut,    // at a write or sync: see ImageAfterPowerCut; all calls fail from then on
};

class FaultVfs {
 public:
  // The name to give to SqliteJournal::Options::vfs.
  explicit FaultVfs(const std::string& name);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  // The `at`-th call that `fault` concerns from now on fails (1: the next); if `for_ever`, all
  // later ones, too.
  void Arm(Fault fault, uint64_t at, bool for_ever);
  void Disarm() { Arm(Fault::kNone, 0, false); }
  // Whether the armed call has come.
  bool hit() const;

  // From now on no page that holds `marker` can be read: it lies on a bad sector. Empty: all can.
  void FailReadsOf(const std::string& marker);
  uint64_t failed_reads() const;
  // All, of any file.
  uint64_t reads() const;

  // From now on syncs wait, as on a disk that hangs, until they are let go.
  void HoldSyncs();
  void ReleaseSyncs();
  // Blocks until one waits.
  void WaitForHeldSync();

  // The files as a machine finds them that lost power at the armed moment: all that was synced, and
  // of each later write nothing, all, or a part that ends at a sector, as `random` has it.
  std::map<std::string, std::string> ImageAfterPowerCut(Random& random) const;

  const std::string& name() const { return name_; }

  // For the layer's functions.
  struct Verdict {
    int result = 0;     // SQLite's code; 0: go on
    bool do_it = true;  // perform the call all the same
    bool half = false;  // only the first half
  };
  Verdict BeforeWrite(const std::string& path, uint64_t offset, const std::string& bytes);
  Verdict BeforeTruncate(const std::string& path, uint64_t size);
  Verdict BeforeSync(const std::string& path);
  Verdict AfterRead(absl::string_view bytes);
  bool IsReadOnly() const;
  void Opened(const std::string& path);
  void Deleted(const std::string& path);
  sqlite3_vfs* real() const { return real_; }

 private:
  struct Change {
    bool truncate = false;
    uint64_t offset = 0;  // or the size to cut to
    std::string bytes;
  };
  struct FileState {
    std::string synced;
    std::vector<Change> since;
  };

  // Counts a call; true when it is to fail.
  bool Strikes(bool is_sync) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Apply(const Change& change, std::string* file);

  const std::string name_;
  sqlite3_vfs* const real_;
  const std::unique_ptr<VfsLayer> layer_;
  mutable Mutex mutex_;
  Fault fault_ ABSL_GUARDED_BY(mutex_) = Fault::kNone;
  uint64_t at_ ABSL_GUARDED_BY(mutex_) = 0;
  bool for_ever_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  bool hit_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, FileState> files_ ABSL_GUARDED_BY(mutex_);
  std::string bad_marker_ ABSL_GUARDED_BY(mutex_);
  uint64_t reads_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t failed_reads_ ABSL_GUARDED_BY(mutex_) = 0;
  ConditionVariable changed_;
  bool holding_ ABSL_GUARDED_BY(mutex_) = false;
  int held_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace remora::hub::sqlite
