#include "hub/app/testing/hub_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/random.h"
#include "hub/identity/local_identities.h"

namespace remora::hub {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Program() {
  const char* build = std::getenv("REMORA_BINARY_DIR");
  return absl::StrCat(build == nullptr ? "." : build, "/bin/remora-hub");
}

}  // namespace

HubProcess::HubProcess() {
  const auto random = MakeSystemRandom();
  directory_ = std::filesystem::temp_directory_path() /
               absl::StrCat("remora_hub_", absl::Hex(random->Uint64()));
  std::filesystem::create_directories(directory_);
  std::string identities;
  for (const auto& [name, role] :
       std::map<std::string, std::string>{{"agent-1", "ROLE_AGENT"},
                                          {"anna", "ROLE_NEUROPHYSIOLOGIST"},
                                          {"team-1", "ROLE_SURGICAL_TEAM"},
                                          {"tom", "ROLE_TECHNOLOGIST"}}) {
    std::string token;
    for (int i = 0; i < 3; ++i) {
      absl::StrAppend(&token, absl::Hex(random->Uint64(), absl::kZeroPad16));
    }
    tokens_[name] = token;
    absl::StrAppend(&identities, "identity { name: \"", name, "\" display_name: \"", name,
                    "\" role: ", role, " token_hash: \"", HashToken(token), "\" }\n");
  }
  std::ofstream(directory_ / "identities.textproto") << identities;
  chmod((directory_ / "identities.textproto").c_str(), 0600);
}

HubProcess::~HubProcess() {
  if (pid_ > 0) End(SIGKILL);
  std::filesystem::remove_all(directory_);
}

std::vector<std::string> HubProcess::Arguments() const {
  return {"--journal",          (directory_ / "journal.db").string(),
          "--local-identities", (directory_ / "identities.textproto").string(),
          "--listen-grpc",      absl::StrCat("127.0.0.1:", grpc_port_),
          "--listen-http",      absl::StrCat("127.0.0.1:", http_port_),
          "--ports-file",       (directory_ / "ports.json").string()};
}

pid_t HubProcess::Spawn(const std::vector<std::string>& arguments, const std::string& output_path) {
  const std::string program = Program();
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int output = open(output_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(program.c_str(), argv.data());
  _exit(127);
}

bool HubProcess::ReadPorts() {
  const std::string text = ReadAll(directory_ / "ports.json");
  const size_t at = text.find("\"grpc_port\"");
  return at != std::string::npos &&
         std::sscanf(text.c_str() + at, "\"grpc_port\":%d,\"http_port\":%d", &grpc_port_,
                     &http_port_) == 2;
}

bool HubProcess::Start(const std::vector<std::string>& more) {
  std::filesystem::remove(directory_ / "ports.json");
  std::vector<std::string> arguments = Arguments();
  arguments.insert(arguments.end(), more.begin(), more.end());
  pid_ = Spawn(arguments, directory_ / "log");
  for (int i = 0; i < 2'000; ++i) {
    if (ReadPorts()) return true;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::fprintf(stderr, "remora-hub does not serve:\n%s\n", Log().c_str());
  return false;
}

int HubProcess::End(int signal_number) {
  kill(pid_, signal_number);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int HubProcess::RunToEnd(const std::vector<std::string>& arguments, std::string* output) {
  const std::filesystem::path path = directory_ / "output";
  std::filesystem::remove(path);
  const pid_t pid = Spawn(arguments, path);
  int status = 0;
  waitpid(pid, &status, 0);
  *output = ReadAll(path);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

std::string HubProcess::Log() const { return ReadAll(directory_ / "log"); }

}  // namespace remora::hub
