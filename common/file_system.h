#pragma once

// Files, handed in, so that a test can cut the power at any moment. What is written is safe only
// after Sync (file contents) and SyncDirectory (names). Implementations are thread-safe; a file
// object is thread-compatible.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora {

class AppendFile {
 public:
  virtual ~AppendFile() = default;
  // ResourceExhausted: no space; nothing was appended; the file may be used on. Unavailable: any
  // other failure, of which every later call reminds; the file is then to be closed, opened again
  // and verified, never synced as if nothing had happened.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  virtual absl::Status Sync() = 0;
  virtual uint64_t size() const = 0;
  // What is synced need not stay in memory: who reads it next reads the disk. A hint.
  virtual void DropCache() {}
};

class ReadFile {
 public:
  virtual ~ReadFile() = default;
  // Reads up to `size` bytes at `offset`; fewer only at the end of the file.
  virtual absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) const = 0;
  virtual uint64_t size() const = 0;
  // These bytes will not be read again. A hint.
  virtual void DropCache(uint64_t /*offset*/, uint64_t /*size*/) const {}
};

// Held until it is destroyed, or the process ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Opens at the end, creating it (mode 0600) where it is not there.
  virtual absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) = 0;
  // Cuts a file to `size` bytes, for a torn tail.
  virtual absl::Status Truncate(const std::string& path, uint64_t size) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  // AlreadyExists: `to` is there, and stays as it is.
  virtual absl::Status RenameNew(const std::string& from, const std::string& to) = 0;
  // With parents; mode 0700.
  virtual absl::Status CreateDirectory(const std::string& path) = 0;
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  // Names of the entries, sorted.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  virtual bool Exists(const std::string& path) = 0;
  // Bytes that may still be written there.
  virtual absl::StatusOr<uint64_t> FreeBytes(const std::string& path) = 0;
  // What the disk there holds when it is full.
  virtual absl::StatusOr<uint64_t> TotalBytes(const std::string& path) = 0;
  // Of a file that is there, against other programs that ask. FailedPrecondition: another has it.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;

  // The whole file, up to `limit_bytes` (OutOfRange beyond it).
  absl::StatusOr<std::string> ReadWhole(const std::string& path, uint64_t limit_bytes);

  // With parents, and synced in each of them: when it returns OK, no loss of power takes the
  // directory away. Also one that a program made and was killed before it could sync it.
  absl::Status CreateDirectoryDurably(const std::string& path);
};

std::unique_ptr<FileSystem> MakePosixFileSystem();

}  // namespace remora
