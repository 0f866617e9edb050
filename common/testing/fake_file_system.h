#pragma once

// Files in memory, with the failures that a disk has. Until Sync, a file's tail may be lost, torn
// or, page by page, arrive in any order; until SyncDirectory, names made, renamed or removed there
// may be lost, the last first (as a journalling file system does it). Only SimulatePowerCut decides
// which. Thread-safe. Outlives the files that it opened.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/file_system.h"
#include "common/mutex.h"

namespace remora {

class FakeFileSystem : public FileSystem {
 public:
  enum class Failure { kNoSpace, kIoError };

  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override;
  // Durable when it returns, as the real one.
  absl::Status Truncate(const std::string& path, uint64_t size) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status RenameNew(const std::string& from, const std::string& to) override;
  absl::Status CreateDirectory(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  bool Exists(const std::string& path) override;
  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override;
  // What is free, and what the files take.
  absl::StatusOr<uint64_t> TotalBytes(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

  // The machine loses its power and starts again: what was synced is there; of the rest, the seed
  // decides, page by page and name by name. Files opened before fail from now on.
  void SimulatePowerCut(uint64_t seed);

  // The `nth` append (1 = the next) from now on fails. With an I/O error, a part of it is written.
  void FailAppend(int nth, Failure failure);
  // The `nth` sync of a file from now on fails. As on Linux, what it should have written then never
  // reaches the disk, whatever a later sync says, though reads show it until the power is cut.
  void FailSync(int nth, Failure failure);
  // The `nth` sync of a directory from now on fails: the names made, renamed and removed there
  // since its last one never reach the disk, whatever a later sync says, unless they are changed
  // again.
  void FailSyncDirectory(int nth, Failure failure);
  // Reads of this file fail from now on, whatever its name is then.
  void FailReads(const std::string& path);
  // What may still be written; appends beyond it fail with ResourceExhausted.
  void SetFreeBytes(uint64_t bytes);
  // Turns one bit of a file, at rest and as read.
  void FlipBit(const std::string& path, uint64_t offset, int bit);

  uint64_t appends() const;
  uint64_t syncs() const;

 private:
  friend class FakeAppendFile;
  friend class FakeReadFile;
  friend class FakeFileLock;

  // A file's contents; names point to it.
  struct Inode {
    std::string now;      // what reads see
    std::string durable;  // what a power cut leaves for sure
    // Ranges (begin, end) of `now` that a failed sync lost.
    std::vector<std::pair<uint64_t, uint64_t>> lost;
    bool unreadable = false;
  };
  using InodePtr = std::shared_ptr<Inode>;
  // What there is by name. A directory is a name with a trailing '/' and no inode.
  using Names = std::map<std::string, InodePtr>;
  struct NameChange {
    std::string remove;     // empty: nothing
    std::string add;        // empty: nothing
    InodePtr inode;         // of `add`
    std::string directory;  // whose sync makes it durable
  };

  absl::Status Append(Inode* inode, uint64_t generation, absl::string_view bytes);
  absl::Status Sync(Inode* inode, uint64_t generation);
  static void Apply(const NameChange& change, Names* names);
  static void CutInode(Inode* inode, class Random* random);
  void Change(NameChange change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasDirectory(const std::string& path) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  InodePtr Find(const std::string& path) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  Names names_ ABSL_GUARDED_BY(mutex_);          // as programs see them
  Names durable_names_ ABSL_GUARDED_BY(mutex_);  // as a power cut leaves them for sure
  std::vector<NameChange> unsynced_ ABSL_GUARDED_BY(mutex_);
  uint64_t free_bytes_ ABSL_GUARDED_BY(mutex_) = uint64_t{1} << 40;
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;  // counts power cuts
  uint64_t appends_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Failure> failing_appends_ ABSL_GUARDED_BY(mutex_);
  std::map<uint64_t, Failure> failing_syncs_ ABSL_GUARDED_BY(mutex_);
  uint64_t directory_syncs_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<uint64_t, Failure> failing_directory_syncs_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> locked_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora
