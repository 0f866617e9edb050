#include "common/testing/crash_file_system.h"

#include <algorithm>
#include <utility>

#include "common/status_macros.h"

namespace remora {
namespace {

class CrashAppendFile : public AppendFile {
 public:
  CrashAppendFile(CrashDisk& disk, CrashDisk::File file)
      : disk_(disk), file_(std::move(file)), size_(disk.SizeOf(file_)) {}

  absl::Status Append(absl::string_view bytes) override {
    if (!failure_.ok()) return failure_;
    const uint64_t space = disk_.free_bytes();
    absl::Status status = disk_.Write(file_, size_, bytes.substr(0, space));
    if (status.ok() && bytes.size() > space) {
      status = disk_.Truncate(file_, size_);
      if (status.ok()) return absl::ResourceExhaustedError(file_.path() + ": no space left");
    }
    if (status.ok()) size_ += bytes.size();
    failure_ = status;
    return status;
  }
  absl::Status Sync() override {
    if (failure_.ok()) failure_ = disk_.Sync(file_);
    return failure_;
  }
  uint64_t size() const override { return size_; }

 private:
  CrashDisk& disk_;
  const CrashDisk::File file_;
  uint64_t size_;
  absl::Status failure_;
};

class CrashReadFile : public ReadFile {
 public:
  CrashReadFile(CrashDisk& disk, CrashDisk::File file) : disk_(disk), file_(std::move(file)) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) const override {
    const uint64_t whole = disk_.SizeOf(file_);
    std::string bytes(offset < whole ? std::min<uint64_t>(size, whole - offset) : 0, '\0');
    ASSIGN_OR_RETURN(const size_t there, disk_.Read(file_, offset, bytes.data(), bytes.size()));
    bytes.resize(there);
    return bytes;
  }
  uint64_t size() const override { return disk_.SizeOf(file_); }

 private:
  CrashDisk& disk_;
  const CrashDisk::File file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AppendFile>> CrashFileSystem::OpenAppend(const std::string& path) {
  bool created = false;
  ASSIGN_OR_RETURN(CrashDisk::File file, disk_.Open(path, &created));
  return std::make_unique<CrashAppendFile>(disk_, std::move(file));
}

absl::StatusOr<std::unique_ptr<ReadFile>> CrashFileSystem::OpenRead(const std::string& path) {
  ASSIGN_OR_RETURN(CrashDisk::File file, disk_.Open(path, nullptr));
  return std::make_unique<CrashReadFile>(disk_, std::move(file));
}

absl::Status CrashFileSystem::Truncate(const std::string& path, uint64_t size) {
  ASSIGN_OR_RETURN(const CrashDisk::File file, disk_.Open(path, nullptr));
  if (size > disk_.SizeOf(file)) return absl::OutOfRangeError(path + ": is shorter");
  RETURN_IF_ERROR(disk_.Truncate(file, size));
  return disk_.Sync(file);
}

}  // namespace remora
