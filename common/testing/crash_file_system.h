#pragma once

// A program's FileSystem over a CrashDisk. Its calls take apart what the real one does in one:
// Truncate cuts and syncs; an append that finds no space is written in part and cut back.
// Thread-safe; `disk` outlives it and the files that it opened.

#include <memory>
#include <string>
#include <vector>

#include "common/file_system.h"
#include "common/testing/crash_disk.h"

namespace remora {

class CrashFileSystem : public FileSystem {
 public:
  explicit CrashFileSystem(CrashDisk& disk) : disk_(disk) {}

  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override;
  absl::Status Truncate(const std::string& path, uint64_t size) override;
  absl::Status Remove(const std::string& path) override { return disk_.Remove(path); }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return disk_.Rename(from, to);
  }
  absl::Status RenameNew(const std::string& from, const std::string& to) override {
    if (Exists(to)) return absl::AlreadyExistsError(to + " is there already");
    return disk_.Rename(from, to);
  }
  absl::Status CreateDirectory(const std::string& path) override {
    return disk_.MakeDirectory(path);
  }
  absl::Status SyncDirectory(const std::string& path) override { return disk_.SyncDirectory(path); }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    return disk_.List(path);
  }
  bool Exists(const std::string& path) override { return disk_.Exists(path); }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& /*path*/) override {
    return disk_.free_bytes();
  }
  absl::StatusOr<uint64_t> TotalBytes(const std::string& /*path*/) override {
    return disk_.free_bytes();
  }
  // One program at a time uses the disk.
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    if (!Exists(path)) return absl::NotFoundError(path + ": no such file");
    return std::make_unique<FileLock>();
  }

 private:
  CrashDisk& disk_;
};

}  // namespace remora
