#include "tests/faults/fault_proxy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "nlohmann/json.hpp"

namespace remora::testing {

FaultProxy::FaultProxy(const Clock& clock, Random& random) : clock_(clock), random_(random) {
  thread_ = std::thread([this] { Loop(); });
}

FaultProxy::~FaultProxy() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  poll_.Wake();
  thread_.join();
}

void FaultProxy::Loop() {
  std::vector<Poll::Event> events;
  while (true) {
    std::optional<DeviceTime> next;
    {
      MutexLock lock(&mutex_);
      if (stopping_) return;
      poll_.Note(events);
      StepAll();
      next = NextStep();
    }
    std::optional<Duration> wait;
    if (next) wait = std::max(Duration(), *next - clock_.Now());
    events = poll_.Wait(wait);
  }
}

void FaultProxy::StepAll() {
  bool more = true;
  while (more) {
    const DeviceTime now = clock_.Now();
    while (!due_.empty() && due_.begin()->first <= now) {
      const Due due = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      if (due.undo) {
        due.undo(*due.link, now);
      } else {
        Apply(due.command).IgnoreError();  // its link was looked for when the script came
      }
    }
    if (control_ != nullptr) {
      for (const ControlSocket::Line& line : control_->TakeLines()) {
        control_->Answer(line, Answer(line.text));
      }
    }
    more = false;
    for (auto& [name, link] : links_) more |= link->Step(now);
  }
}

std::optional<DeviceTime> FaultProxy::NextStep() const {
  std::optional<DeviceTime> next;
  if (!due_.empty()) next = due_.begin()->first;
  for (const auto& [name, link] : links_) {
    const std::optional<DeviceTime> step = link->NextStep();
    if (step && (!next || *step < *next)) next = step;
  }
  return next;
}

absl::StatusOr<int> FaultProxy::AddLink(const std::string& name, int target_port, int listen_port) {
  MutexLock lock(&mutex_);
  if (links_.contains(name)) {
    return absl::AlreadyExistsError(absl::StrCat("there is a link '", name, "'"));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<FaultLink> link,
                   FaultLink::Make(poll_, random_, listen_port, target_port));
  const int port = link->port();
  links_[name] = std::move(link);
  return port;
}

absl::Status FaultProxy::Apply(const FaultCommand& command) {
  if (!command.link.empty() && !links_.contains(command.link)) {
    return absl::NotFoundError(absl::StrCat("no link '", command.link, "'"));
  }
  const DeviceTime now = clock_.Now();
  for (auto& [name, link] : links_) {
    if (!command.link.empty() && name != command.link) continue;
    FaultLink::Undo undo = link->Apply(now, command);
    if (command.lasts == Duration()) continue;
    due_.emplace(now + command.lasts, Due{{}, link.get(), std::move(undo)});
  }
  return absl::OkStatus();
}

absl::Status FaultProxy::Tell(absl::string_view text) {
  ASSIGN_OR_RETURN(const FaultCommand command, ParseFaultCommand(text));
  absl::Status applied;
  {
    MutexLock lock(&mutex_);
    applied = Apply(command);
  }
  poll_.Wake();
  return applied;
}

absl::Status FaultProxy::Run(absl::string_view text) {
  ASSIGN_OR_RETURN(const std::vector<FaultStatement> script, ParseFaultScript(text));
  {
    MutexLock lock(&mutex_);
    const DeviceTime now = clock_.Now();
    for (const FaultStatement& statement : script) {
      if (!statement.command.link.empty() && !links_.contains(statement.command.link)) {
        return absl::NotFoundError(absl::StrCat("no link '", statement.command.link, "'"));
      }
    }
    for (const FaultStatement& statement : script) {
      due_.emplace(now + statement.at, Due{statement.command, nullptr, nullptr});
    }
  }
  poll_.Wake();
  return absl::OkStatus();
}

absl::Status FaultProxy::ListenForCommands(const std::string& path) {
  MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(control_, ControlSocket::Make(poll_, path));
  return absl::OkStatus();
}

std::string FaultProxy::Answer(const std::string& line) {
  if (line == "status") return StatusLocked();
  absl::StatusOr<FaultCommand> command = ParseFaultCommand(line);
  const absl::Status applied = command.ok() ? Apply(*command) : command.status();
  return applied.ok() ? "ok" : absl::StrCat("error: ", applied.message());
}

absl::StatusOr<LinkCounts> FaultProxy::Counts(const std::string& link) const {
  MutexLock lock(&mutex_);
  const auto found = links_.find(link);
  if (found == links_.end()) return absl::NotFoundError(absl::StrCat("no link '", link, "'"));
  return found->second->counts();
}

std::string FaultProxy::Status() const {
  MutexLock lock(&mutex_);
  return StatusLocked();
}

std::string FaultProxy::StatusLocked() const {
  nlohmann::json all = nlohmann::json::object();
  for (const auto& [name, link] : links_) {
    const LinkCounts counts = link->counts();
    all[name] = {{"port", link->port()},
                 {"accepted", counts.accepted},
                 {"open", counts.open},
                 {"up_bytes", counts.up_bytes},
                 {"down_bytes", counts.down_bytes},
                 {"swallowed_bytes", counts.swallowed_bytes}};
  }
  return all.dump();
}

}  // namespace remora::testing
