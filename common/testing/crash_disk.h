#pragma once

// A disk in memory that can lose its power, read strictly as POSIX promises it: nothing that was
// not synced is there for sure, nothing that was synced is lost. Of each file it keeps what was
// synced and every write and cut since; of each directory the names made, renamed and removed since
// its own sync. From that it makes the disks that a machine may find after a cut.
//
// A layer above (CrashFileSystem, CrashVfs) turns a program's calls into calls of this. A watcher
// sees each call that changes something, and decides whether the power goes at it. Thread-safe; the
// watcher is called under the disk's lock and must not call the disk.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/mutex.h"
#include "common/random.h"

namespace remora {

struct CrashNode;  // a file or a directory

class CrashDisk {
 public:
  enum class Op {
    kCreate,
    kMakeDirectory,
    kRename,
    kRemove,
    kWrite,
    kTruncate,
    kSync,
    kSyncDirectory
  };
  struct Call {
    Op op;
    const std::string& path;
    uint64_t offset;          // of a write; the size that a file is cut to
    absl::string_view bytes;  // of a write
  };
  enum class Verdict {
    kGoOn,
    kCutBefore,  // the power goes before the call has any effect
    kCutAfter,   // the call has its effect; nobody hears of it
    kFail,       // an I/O error; of a sync that fails, nothing reaches the disk any more
  };
  using Watcher = std::function<Verdict(const Call&)>;

  // What a cut leaves of what was not synced.
  enum class Remains {
    kNothing,
    kEverything,  // as after kill -9
    kTorn,        // the first calls, the last of them up to some byte
    kAny,         // any calls, in any order, sector by sector, with zeros or old bytes between
  };
  // A defect that programs have, for tests of tests. It concerns files whose path, with a '$' at
  // its end, has a certain part.
  enum class Plant {
    kNone,
    kLostSync,           // a file's sync does nothing
    kSwappedWrite,       // the last write comes after the sync that should have covered it
    kLostDirectorySync,  // a directory's sync does nothing
  };

  // A file that is open. Copies are the same file.
  class File {
   public:
    const std::string& path() const { return path_; }

   private:
    friend class CrashDisk;
    std::shared_ptr<CrashNode> node_;
    std::string path_;
    uint64_t generation_ = 0;
    // Errors of syncs that whoever opened it has been told of.
    std::shared_ptr<uint64_t> told_errors_;
  };

  // With this directory, which was always there. Paths begin with '/'.
  explicit CrashDisk(const std::string& directory);

  void SetWatcher(Watcher watcher);
  void SetPlant(Plant plant, std::string path_part);
  // What may still be written; more is refused with ResourceExhausted.
  void SetFreeBytes(uint64_t bytes);
  uint64_t free_bytes() const;

  // NotFound. `created`, where it is given: makes the file if it is not there, and says so.
  absl::StatusOr<File> Open(const std::string& path, bool* created);
  absl::StatusOr<size_t> Read(const File& file, uint64_t offset, char* to, size_t size) const;
  absl::Status Write(const File& file, uint64_t offset, absl::string_view bytes);
  absl::Status Truncate(const File& file, uint64_t size);
  absl::Status Sync(const File& file);
  uint64_t SizeOf(const File& file) const;

  absl::Status Remove(const std::string& path);
  // Within one directory.
  absl::Status Rename(const std::string& from, const std::string& to);
  // With its parents.
  absl::Status MakeDirectory(const std::string& path);
  absl::Status SyncDirectory(const std::string& path);
  // Names in a directory, sorted.
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const;
  bool Exists(const std::string& path) const;

  // The program ends: all its calls fail from now on, and what it wrote stays as it is. The next
  // one starts; files that the last one opened stay closed.
  void EndProgram();
  void StartProgram();
  bool is_cut() const;
  // A disk as the machine may find it after a cut now, with everything on it synced. No watcher and
  // no plant.
  std::unique_ptr<CrashDisk> AfterCut(Remains remains, Random& random) const;
  // Turns one bit at rest.
  void FlipBit(const std::string& path, uint64_t offset, int bit);

 private:
  using NodePtr = std::shared_ptr<CrashNode>;

  absl::Status Check(uint64_t generation) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Asks the watcher, does `effect`, and cuts the power as it says.
  absl::Status Do(const Call& call, const std::function<void()>& effect)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // What a path leads to; null: nothing.
  NodePtr Find(absl::string_view path) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Planted(Plant plant, const std::string& path) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  Watcher watcher_ ABSL_GUARDED_BY(mutex_);
  Plant plant_ ABSL_GUARDED_BY(mutex_) = Plant::kNone;
  std::string plant_part_ ABSL_GUARDED_BY(mutex_);
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t free_bytes_ ABSL_GUARDED_BY(mutex_) = uint64_t{1} << 40;
  NodePtr root_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora
