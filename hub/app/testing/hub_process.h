#pragma once

// A remora-hub process in a directory of its own, on free ports, for tests that need the whole.
// The program is found in REMORA_BINARY_DIR/bin. Killed and cleaned up at the end.

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace remora::hub {

class HubProcess {
 public:
  // People and programs that the hub knows; each token is made here.
  //   agent-1 (agent), anna (neurophysiologist), tom (technologist), team-1 (surgical team)
  HubProcess();
  ~HubProcess();
  HubProcess(const HubProcess&) = delete;
  HubProcess& operator=(const HubProcess&) = delete;

  // Starts it and waits (at most 10 s) until it serves; false if it does not. `more` are further
  // arguments. A later start takes the same ports and the same journal.
  bool Start(const std::vector<std::string>& more = {});
  // Sends `signal_number` and waits for the end; the exit code, or minus the signal that ended it.
  int End(int signal_number);
  // Runs it with exactly these arguments to its end; the exit code. What it said is in `output`.
  int RunToEnd(const std::vector<std::string>& arguments, std::string* output);

  pid_t pid() const { return pid_; }
  int grpc_port() const { return grpc_port_; }
  int http_port() const { return http_port_; }
  const std::string& token(const std::string& name) const { return tokens_.at(name); }
  std::filesystem::path directory() const { return directory_; }
  std::vector<std::string> Arguments() const;
  // What the hub logged since it was first started.
  std::string Log() const;

 private:
  pid_t Spawn(const std::vector<std::string>& arguments, const std::string& output_path);
  bool ReadPorts();

  std::filesystem::path directory_;
  std::map<std::string, std::string> tokens_;
  pid_t pid_ = -1;
  int grpc_port_ = 0;
  int http_port_ = 0;
};

}  // namespace remora::hub
