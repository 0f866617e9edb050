// Random access to the bytes of a recording, so that readers of file formats know no file system.
//
// Thread-compatible. A reader's size is fixed when it is opened: a file that grows is read up to
// there.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

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

}  // namespace remora::agent
