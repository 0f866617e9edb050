// Random access to the bytes of a recording, so that readers of file formats know no file system.
//
// Thread-compatible. A reader's size is fixed when it is opened: a file that grows is read up to
// there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace remora::agent {

class ByteReader {
 public:
  virtual ~ByteReader() = default;
  virtual uint64_t size_bytes() const = 0;
  // Fills all of `out` from `offset`.
  //   kOutOfRange  the stretch does not lie within size_bytes(); nothing is read
  //   kDataLoss    the storage failed, or the file became shorter
  virtual absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const = 0;
};

class MemoryByteReader : public ByteReader {
 public:
  explicit MemoryByteReader(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  uint64_t size_bytes() const override { return bytes_.size(); }
  absl::Status ReadAt(uint64_t offset, std::span<uint8_t> out) const override;

 private:
  std::vector<uint8_t> bytes_;
};

// Opens a regular file for reading.
//   kNotFound, kPermissionDenied, kInvalidArgument (a directory or a device), kUnavailable (other)
absl::StatusOr<std::unique_ptr<ByteReader>> OpenFileByteReader(const std::string& path);

// Opens a file that a recording's header names. Headers are not trusted: see FilesBeside.
using OpenNamed =
    std::function<absl::StatusOr<std::unique_ptr<ByteReader>>(const std::string& name)>;

// Opens plain names in the folder of the file at `path`; a name that leads elsewhere ("../x", "/x",
// "a\\b") is kInvalidArgument.
OpenNamed FilesBeside(const std::string& path);

// All of a file that is text or small.
//   kResourceExhausted  larger than `most_bytes`; `what` is for the message: "the marker file"
absl::StatusOr<std::string> ReadWhole(const ByteReader& file, uint64_t most_bytes,
                                      absl::string_view what);

}  // namespace remora::agent
