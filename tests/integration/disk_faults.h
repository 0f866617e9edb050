#pragma once

// Disks that fail under real processes: a small file system in memory that can be filled, and
// system calls that fail (libfiu). Thread-compatible.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/integration/process.h"

namespace remora::testing {

// A tmpfs of its own size, mounted here and unmounted with the object.
class SmallDisk {
 public:
  SmallDisk(std::string path, int mebibytes);
  ~SmallDisk();
  // Whether this machine lets us mount.
  bool mounted() const { return mounted_; }
  const std::string& path() const { return path_; }
  // Takes all space that is left, or all but some; gives it back.
  void Fill(uint64_t leave_bytes = 0) const;
  void Free() const;

 private:
  const std::string path_;
  bool mounted_ = false;
};

// System calls of one process that fail from now on, until they do so no more.
class FailingCalls {
 public:
  explicit FailingCalls(std::string control_path) : control_path_(std::move(control_path)) {}
  static bool available();
  // What the process has to be started with.
  std::vector<std::string> environment() const;
  // `calls`: libfiu's name, such as posix/io/sync/fdatasync or posix/io/rw/*.
  absl::Status Fail(const Process& process, const std::string& calls, int error) const;
  absl::Status Pass(const Process& process, const std::string& calls) const;

 private:
  absl::Status Tell(const Process& process, const std::string& command) const;
  const std::string control_path_;
};

}  // namespace remora::testing
