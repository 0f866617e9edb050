#pragma once

// SQLite's layer to the operating system, over a CrashDisk: files, locks and shared memory in this
// process. What the real layer does beyond its calls it does too: a new log's directory is synced
// with the log's first sync. For tests. Thread-safe but for Attach; outlives every connection.

#include <memory>
#include <string>

#include "common/testing/crash_disk.h"

namespace remora::hub::sqlite {

class VfsLayer;

class CrashVfs {
 public:
  // The name to give to SqliteJournal::Options::vfs.
  explicit CrashVfs(const std::string& name);
  ~CrashVfs();
  CrashVfs(const CrashVfs&) = delete;
  CrashVfs& operator=(const CrashVfs&) = delete;

  // Where files are opened from now on. None is open.
  void Attach(CrashDisk& disk);
  const std::string& name() const { return name_; }

  // For the layer's functions.
  class Locks;
  CrashDisk& disk() { return *disk_; }
  Locks& locks() { return *locks_; }

 private:
  const std::string name_;
  const std::unique_ptr<Locks> locks_;
  const std::unique_ptr<VfsLayer> layer_;
  CrashDisk* disk_ = nullptr;
};

}  // namespace remora::hub::sqlite
