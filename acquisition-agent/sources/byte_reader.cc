#include "acquisition-agent/sources/byte_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/text.h"

namespace remora::agent {
namespace {

absl::Status CheckRange(uint64_t offset, uint64_t length, uint64_t size) {
  if (offset <= size && length <= size - offset) return absl::OkStatus();
  return absl::OutOfRangeError(
      absl::StrCat("bytes ", offset, " to ", offset + length, " lie beyond the end at ", size));
}

absl::Status OpenError(const std::string& path, int error) {
  const std::string message = absl::StrCat("cannot open ", path, ": ", std::strerror(error));
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  if (error == EACCES || error == EPERM) return absl::PermissionDeniedError(message);
  return absl::UnavailableError(message);
}

class FileByteReader : public ByteReader {
 public:
  FileByteReader(int fd, uint64_t size_bytes, std::string path)
      : fd_(fd), size_bytes_(size_bytes), path_(std::move(path)) {}
  FileByteReader(const FileByteReader&) = delete;
  FileByteReader& operator=(const FileByteReader&) = delete;
  ~FileByteReader() override { ::close(fd_); }

  uint64_t size_bytes() const override { return size_bytes_; }

  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override {
    if (absl::Status status = CheckRange(offset, out.size(), size_bytes_); !status.ok())
      return status;
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n =
          ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        return absl::DataLossError(absl::StrCat("cannot read ", path_, " at byte ", offset + done,
                                                ": ", std::strerror(errno)));
      }
      if (n == 0) {
        return absl::DataLossError(
            absl::StrCat(path_, " became shorter while it was read: it ends at byte ",
                         offset + done, ", it had ", size_bytes_));
      }
      done += static_cast<size_t>(n);
    }
    return absl::OkStatus();
  }

 private:
  const int fd_;
  const uint64_t size_bytes_;
  const std::string path_;
};

}  // namespace

absl::Status MemoryByteReader::ReadAt(uint64_t offset, std::span<uint8_t> out) const {
  if (absl::Status status = CheckRange(offset, out.size(), bytes_.size()); !status.ok())
    return status;
  if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ByteReader>> OpenFileByteReader(const std::string& path) {
  // O_NONBLOCK: a named pipe must not hang the program before it is recognised as one.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return OpenError(path, errno);
  struct stat st = {};
  if (::fstat(fd, &st) != 0) {
    const int error = errno;
    ::close(fd);
    return OpenError(path, error);
  }
  if (!S_ISREG(st.st_mode)) {
    ::close(fd);
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a regular file"));
  }
  return std::make_unique<FileByteReader>(fd, static_cast<uint64_t>(st.st_size), path);
}

OpenNamed FilesBeside(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  return [folder](const std::string& name) -> absl::StatusOr<std::unique_ptr<ByteReader>> {
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string("/\\\0", 3)) != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", CleanText(name),
                       "\" is no plain file name; only files beside the header are read"));
    }
    return OpenFileByteReader(folder + name);
  };
}

absl::StatusOr<std::string> ReadWhole(const ByteReader& file, uint64_t most_bytes,
                                      absl::string_view what) {
  if (file.size_bytes() > most_bytes) {
    return absl::ResourceExhaustedError(absl::StrCat(what, " has ", file.size_bytes(),
                                                     " bytes; at most ", most_bytes, " are read"));
  }
  std::string text(file.size_bytes(), '\0');
  const absl::Status status =
      file.ReadAt(0, std::span<uint8_t>(reinterpret_cast<uint8_t*>(text.data()), text.size()));
  if (!status.ok()) return status;
  return text;
}

}  // namespace remora::agent
