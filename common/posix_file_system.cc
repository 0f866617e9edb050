// The FileSystem of the operating system.

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file_system.h"

namespace remora {
namespace {

// What is read of a stream: a file that people hand over is a token, a plan, a record.
constexpr size_t kMaxStreamBytes = 16 * 1024 * 1024;
constexpr size_t kStreamReadBytes = 64 * 1024;

absl::Status ErrnoStatus(int error, absl::string_view what, const std::string& path) {
  const std::string text =
      absl::StrCat(path, ": cannot ", what, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(text);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// open(2), again when a signal interrupts it.
Descriptor Open(const std::string& path, int flags, mode_t mode = 0) {
  int fd;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

absl::StatusOr<uint64_t> SizeOf(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, "look at", path);
  return static_cast<uint64_t>(info.st_size);
}

class PosixAppendFile : public AppendFile {
 public:
  PosixAppendFile(Descriptor fd, std::string path, uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  absl::Status Append(absl::string_view bytes) override {
    if (!failure_.ok()) return failure_;
    const uint64_t before = size_;
    while (!bytes.empty()) {
      const ssize_t wrote = write(fd_.get(), bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return FailAppend(errno, before);
      bytes.remove_prefix(static_cast<size_t>(wrote));
      size_ += static_cast<uint64_t>(wrote);
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    if (!failure_.ok()) return failure_;
    if (fdatasync(fd_.get()) != 0) {
      // The kernel may have dropped the pages it could not write: no later sync may say OK.
      failure_ = absl::UnavailableError(ErrnoStatus(errno, "sync", path_).message());
      return failure_;
    }
    return absl::OkStatus();
  }

  uint64_t size() const override { return size_; }
  void DropCache() override { posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_DONTNEED); }

 private:
  absl::Status FailAppend(int error, uint64_t before) {
    const absl::Status status = ErrnoStatus(error, "append to", path_);
    if (absl::IsResourceExhausted(status) &&
        ftruncate(fd_.get(), static_cast<off_t>(before)) == 0) {
      size_ = before;
      return status;
    }
    failure_ = absl::UnavailableError(status.message());
    return failure_;
  }

  const Descriptor fd_;
  const std::string path_;
  uint64_t size_;
  absl::Status failure_;
};

class PosixReadFile : public ReadFile {
 public:
  PosixReadFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) const override {
    // A size from outside (a length field in a damaged file) must not allocate beyond the file.
    const uint64_t whole = this->size();
    if (offset >= whole) return std::string();
    std::string bytes(static_cast<size_t>(std::min<uint64_t>(size, whole - offset)), '\0');
    size_t got = 0;
    while (got < bytes.size()) {
      const ssize_t n = pread(fd_.get(), bytes.data() + got, bytes.size() - got,
                              static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "read", path_);
      if (n == 0) break;
      got += static_cast<size_t>(n);
    }
    bytes.resize(got);
    return bytes;
  }

  uint64_t size() const override { return SizeOf(fd_.get(), path_).value_or(0); }
  void DropCache(uint64_t offset, uint64_t size) const override {
    posix_fadvise(fd_.get(), static_cast<off_t>(offset), static_cast<off_t>(size),
                  POSIX_FADV_DONTNEED);
  }

 private:
  const Descriptor fd_;
  const std::string path_;
};

// A pipe or a device says no size and gives its bytes once: read to its end when it is opened.
class PosixStream : public ReadFile {
 public:
  // OutOfRange: longer than kMaxStreamBytes.
  static absl::StatusOr<std::unique_ptr<ReadFile>> Read(const Descriptor& fd,
                                                        const std::string& path) {
    std::string bytes;
    while (bytes.size() <= kMaxStreamBytes) {
      const size_t before = bytes.size();
      bytes.resize(before + kStreamReadBytes);
      const ssize_t n = read(fd.get(), bytes.data() + before, kStreamReadBytes);
      bytes.resize(before + static_cast<size_t>(std::max<ssize_t>(n, 0)));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(errno, "read", path);
      if (n == 0) return std::make_unique<PosixStream>(std::move(bytes));
    }
    return absl::OutOfRangeError(absl::StrCat(path, ": no file but a stream, of which at most ",
                                              kMaxStreamBytes, " bytes are read"));
  }
  explicit PosixStream(std::string bytes) : bytes_(std::move(bytes)) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) const override {
    return offset >= bytes_.size() ? std::string() : bytes_.substr(offset, size);
  }
  uint64_t size() const override { return bytes_.size(); }

 private:
  const std::string bytes_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  const Descriptor fd_;
};

class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<AppendFile>> OpenAppend(const std::string& path) override {
    Descriptor fd = Open(path, O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (fd.get() < 0) return ErrnoStatus(errno, "open", path);
    absl::StatusOr<uint64_t> size = SizeOf(fd.get(), path);
    if (!size.ok()) return size.status();
    return std::make_unique<PosixAppendFile>(std::move(fd), path, *size);
  }

  absl::StatusOr<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override {
    Descriptor fd = Open(path, O_RDONLY);
    if (fd.get() < 0) return ErrnoStatus(errno, "open", path);
    struct stat info;
    if (fstat(fd.get(), &info) != 0) return ErrnoStatus(errno, "look at", path);
    if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, "read", path);
    if (!S_ISREG(info.st_mode)) return PosixStream::Read(fd, path);
    return std::make_unique<PosixReadFile>(std::move(fd), path);
  }

  absl::Status Truncate(const std::string& path, uint64_t size) override {
    const Descriptor fd = Open(path, O_WRONLY);
    if (fd.get() < 0) return ErrnoStatus(errno, "open", path);
    absl::StatusOr<uint64_t> before = SizeOf(fd.get(), path);
    if (!before.ok()) return before.status();
    if (size > *before) {
      return absl::OutOfRangeError(absl::StrCat(path, ": has only ", *before, " bytes"));
    }
    if (ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || fdatasync(fd.get()) != 0) {
      return ErrnoStatus(errno, "cut", path);
    }
    return absl::OkStatus();
  }

  absl::Status Remove(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "remove", path);
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                 : ErrnoStatus(errno, "rename", from);
  }

  absl::Status RenameNew(const std::string& from, const std::string& to) override {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
      return absl::OkStatus();
    }
    int error = errno;
    // A file system without it, such as NFS: a second name is made only where there is none.
    if (error == EINVAL || error == ENOSYS) {
      error = link(from.c_str(), to.c_str()) == 0 ? 0 : errno;
      if (error == 0) return Remove(from);
    }
    if (error == EEXIST) return absl::AlreadyExistsError(absl::StrCat(to, " is there already"));
    return ErrnoStatus(error, "rename", from);
  }

  absl::Status CreateDirectory(const std::string& path) override {
    for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
      const std::string part = path.substr(0, end);
      if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
        return ErrnoStatus(errno, "make the directory", part);
      }
      if (end == std::string::npos) break;
    }
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return ErrnoStatus(errno, "look at", path);
    return S_ISDIR(info.st_mode) ? absl::OkStatus()
                                 : ErrnoStatus(ENOTDIR, "make the directory", path);
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const Descriptor fd = Open(path, O_RDONLY | O_DIRECTORY);
    if (fd.get() < 0) return ErrnoStatus(errno, "open", path);
    return fsync(fd.get()) == 0 ? absl::OkStatus() : ErrnoStatus(errno, "sync", path);
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    DIR* directory = opendir(path.c_str());
    if (directory == nullptr) return ErrnoStatus(errno, "list", path);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(directory)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    closedir(directory);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool Exists(const std::string& path) override { return access(path.c_str(), F_OK) == 0; }

  absl::StatusOr<uint64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (statvfs(path.c_str(), &info) != 0) return ErrnoStatus(errno, "look at", path);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

  absl::StatusOr<uint64_t> TotalBytes(const std::string& path) override {
    struct statvfs info;
    if (statvfs(path.c_str(), &info) != 0) return ErrnoStatus(errno, "look at", path);
    return static_cast<uint64_t>(info.f_blocks) * info.f_frsize;
  }

  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Descriptor fd = Open(path, O_RDWR);  // NFS locks only what is open for writing
    if (fd.get() < 0) return ErrnoStatus(errno, "open", path);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
      return std::make_unique<PosixFileLock>(std::move(fd));
    }
    if (errno != EWOULDBLOCK) return ErrnoStatus(errno, "lock", path);
    return absl::FailedPreconditionError(absl::StrCat(path, ": another program holds it"));
  }
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem() { return std::make_unique<PosixFileSystem>(); }

}  // namespace remora
