#pragma once

// A network that fails on command, between real programs on one machine: links from a loopback port
// to another, with delay, jitter, a rate, and all the ways in which a connection can die
// (fault_command.h). Runs on a thread of its own. Thread-safe.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/random.h"
#include "tests/faults/control_socket.h"
#include "tests/faults/fault_command.h"
#include "tests/faults/fault_link.h"
#include "tests/faults/sockets.h"

namespace remora::testing {

class FaultProxy {
 public:
  // Both outlive the proxy.
  FaultProxy(const Clock& clock, Random& random);
  ~FaultProxy();

  // A link from 127.0.0.1:`listen_port` (0: any) to 127.0.0.1:`target_port`; its port.
  absl::StatusOr<int> AddLink(const std::string& name, int target_port, int listen_port = 0);
  // A command of fault_command.h, in force when this returns.
  absl::Status Tell(absl::string_view command);
  // Its times count from now.
  absl::Status Run(absl::string_view script);
  // Takes commands, one a line, on a Unix socket; each is answered with "ok" or "error: ...".
  // "status" is answered with a JSON object of all links.
  absl::Status ListenForCommands(const std::string& path);
  absl::StatusOr<LinkCounts> Counts(const std::string& link) const;
  // One JSON object of all links' counts.
  std::string Status() const;

 private:
  // What is to be done at its time: a command, or the end of one.
  struct Due {
    FaultCommand command;
    FaultLink* link = nullptr;
    FaultLink::Undo undo;
  };

  void Loop();
  void StepAll() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<DeviceTime> NextStep() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Apply(const FaultCommand& command) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Answer(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string StatusLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  Random& random_;
  Poll poll_;  // Wait and Wake beside the lock, the rest under it
  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<FaultLink>> links_ ABSL_GUARDED_BY(mutex_);
  std::multimap<DeviceTime, Due> due_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<ControlSocket> control_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace remora::testing
