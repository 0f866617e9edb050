#include "tests/integration/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "common/check.h"

namespace remora::testing {
namespace {

std::string Environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

}  // namespace

std::string ProgramPath(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  return Environment("REMORA_BINARY_DIR", "build") + "/bin/" + name;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void SleepFor(Duration duration) {
  std::this_thread::sleep_for(std::chrono::nanoseconds(duration.nanoseconds()));
}

Duration Uptime() {
  return Duration::Nanoseconds(std::chrono::steady_clock::now().time_since_epoch().count());
}

Process::Process(const std::string& name, const std::vector<std::string>& arguments,
                 std::string log_path, const std::string& error_path,
                 const std::vector<std::string>& environment, int descriptors)
    : log_path_(std::move(log_path)) {
  const std::string path = ProgramPath(name);
  std::vector<char*> argv{const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto open_log = [](const std::string& log_name) {
    const int log = open(log_name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REMORA_CHECK(log >= 0, "a test's log file can be made");
    return log;
  };
  const int log = open_log(log_path_);
  const int errors = open_log(error_path.empty() ? log_path_ : error_path);
  pid_ = fork();
  REMORA_CHECK(pid_ >= 0, "fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // no test leaves a program behind
    dup2(log, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    const rlimit limit{static_cast<rlim_t>(descriptors), static_cast<rlim_t>(descriptors)};
    if (descriptors > 0) setrlimit(RLIMIT_NOFILE, &limit);
    for (const std::string& variable : environment) putenv(const_cast<char*>(variable.c_str()));
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(log);
  close(errors);
}

Process::~Process() { Kill(); }

void Process::Signal(int number) {
  if (running()) kill(pid_, number);
}

void Process::Kill() {
  Signal(SIGKILL);
  Wait(Duration::Seconds(10)).IgnoreError();
}

bool Process::running() {
  if (exit_code_ >= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

absl::StatusOr<int> Process::Wait(Duration timeout) {
  if (!Eventually(timeout, [this] { return !running(); })) {
    return absl::DeadlineExceededError("still running");
  }
  return exit_code_;
}

std::string Process::Log() const { return ReadAll(log_path_); }

Finished RunToEnd(const std::string& name, const std::vector<std::string>& arguments,
                  Duration timeout) {
  TemporaryFolder folder;
  Process process(name, arguments, folder.Path("output"), folder.Path("errors"));
  Finished finished;
  finished.exit_code = process.Wait(timeout).value_or(-1);
  finished.output = process.Log();
  finished.errors = ReadAll(folder.Path("errors"));
  return finished;
}

std::string SourcePath(const std::string& relative) {
  return Environment("REMORA_SOURCE_DIR", ".") + "/" + relative;
}

std::string DataPath(const std::string& relative) {
  const std::string folder = Environment("REMORA_DATA", SourcePath("../shared/data").c_str());
  const std::string path = folder + "/" + relative;
  return std::filesystem::exists(path) ? path : "";
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "remora-test.XXXXXX").string();
  REMORA_CHECK(mkdtemp(name.data()) != nullptr, "a test's folder can be made");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace remora::testing
