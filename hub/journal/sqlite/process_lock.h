#pragma once

// One hub process a journal: a lock on PATH.lock, released by the system when the process ends,
// however it ends.

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace remora::hub::sqlite {

class ProcessLock {
 public:
  // FailedPrecondition: another process holds it; the text names it. Unavailable: no lock file.
  static absl::StatusOr<std::unique_ptr<ProcessLock>> Take(const std::string& journal_path);
  ~ProcessLock();
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;

 private:
  explicit ProcessLock(int file) : file_(file) {}
  const int file_;
};

}  // namespace remora::hub::sqlite
