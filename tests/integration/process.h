#pragma once

// A real program under test: started, signalled, waited for. Its output goes to a file. What is
// still running when the object goes is killed. Thread-compatible.

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/time.h"

namespace remora::testing {

class Process {
 public:
  // Starts build/bin/NAME (or an absolute path) with `arguments`; output is appended to `log_path`,
  // standard error to `error_path` where one is given. `environment` ("NAME=value") is added;
  // `descriptors`: RLIMIT_NOFILE, where it is not 0.
  Process(const std::string& name, const std::vector<std::string>& arguments, std::string log_path,
          const std::string& error_path = "", const std::vector<std::string>& environment = {},
          int descriptors = 0);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int number);
  // kill -9, and waits until it is gone.
  void Kill();
  // The exit code, or 128 + the signal that ended it. DeadlineExceeded while it still runs.
  absl::StatusOr<int> Wait(Duration timeout);
  bool running();
  pid_t pid() const { return pid_; }
  // All output so far.
  std::string Log() const;

 private:
  std::string log_path_;
  pid_t pid_ = -1;
  int exit_code_ = -1;
};

// Runs a program to its end and gives its output and exit code.
struct Finished {
  int exit_code = -1;
  std::string output;
  std::string errors;
};
Finished RunToEnd(const std::string& name, const std::vector<std::string>& arguments,
                  Duration timeout = Duration::Seconds(60));

// Looks again and again until `condition` holds; false at the timeout.
template <typename Condition>
bool Eventually(Duration timeout, Condition condition);

// The path of a file of the repository, and of the shared recordings ("" where there are none).
std::string SourcePath(const std::string& relative);
std::string DataPath(const std::string& relative);

// The path of a program of this build.
std::string ProgramPath(const std::string& name);
std::string ReadAll(const std::string& path);

// A folder of this test's own, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void SleepFor(Duration duration);
Duration Uptime();

template <typename Condition>
bool Eventually(Duration timeout, Condition condition) {
  const Duration end = Uptime() + timeout;
  while (!condition()) {
    if (Uptime() > end) return false;
    SleepFor(Duration::Milliseconds(20));
  }
  return true;
}

}  // namespace remora::testing
