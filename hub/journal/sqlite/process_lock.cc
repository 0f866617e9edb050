#include "hub/journal/sqlite/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace remora::hub::sqlite {

absl::StatusOr<std::unique_ptr<ProcessLock>> ProcessLock::Take(const std::string& journal_path) {
  const std::string path = journal_path + ".lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    return absl::UnavailableError(
        absl::StrCat("journal ", journal_path, ": cannot make ", path, ": ", std::strerror(errno)));
  }
  std::unique_ptr<ProcessLock> lock(new ProcessLock(file));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const ssize_t read_bytes = pread(file, holder, sizeof(holder) - 1, 0);
    const absl::string_view pid =
        absl::StripAsciiWhitespace(absl::string_view(holder, read_bytes > 0 ? read_bytes : 0));
    return absl::FailedPreconditionError(
        absl::StrCat("journal ", journal_path, ": in use by another hub",
                     pid.empty() ? "" : absl::StrCat(" (process ", pid, ")"),
                     ": stop that one first, or give this one a journal of its own"));
  }
  // For people who read the message above; the lock does not depend on it.
  const std::string pid = absl::StrCat(getpid(), "\n");
  const bool written = ftruncate(file, 0) == 0 &&
                       pwrite(file, pid.data(), pid.size(), 0) == static_cast<ssize_t>(pid.size());
  static_cast<void>(written);
  return lock;
}

ProcessLock::~ProcessLock() { close(file_); }

}  // namespace remora::hub::sqlite
