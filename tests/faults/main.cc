// remora-fault-proxy: a network that fails on command (fault_command.h), for tests by hand and for
// benchmarks.

#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/clock.h"
#include "common/random.h"
#include "common/status_macros.h"
#include "tests/faults/fault_proxy.h"

namespace remora::testing {
namespace {

struct Arguments {
  std::vector<std::string> links;
  std::vector<std::string> commands;
  std::string script, control;
};

// NAME=LISTEN:TARGET
absl::Status AddLink(FaultProxy& proxy, const std::string& text) {
  const std::vector<std::string> named = absl::StrSplit(text, absl::MaxSplits('=', 1));
  const std::vector<std::string> ports = absl::StrSplit(named.back(), ':');
  int listen = 0, target = 0;
  if (named.size() != 2 || ports.size() != 2 || !absl::SimpleAtoi(ports[0], &listen) ||
      !absl::SimpleAtoi(ports[1], &target) || listen < 0 || listen > 65535 || target < 1 ||
      target > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("--link ", text, ": NAME=LISTEN:TARGET ports"));
  }
  return proxy.AddLink(named[0], target, listen).status();
}

absl::StatusOr<std::string> ScriptText(const std::string& argument) {
  if (argument.empty() || argument[0] != '@') return argument;
  std::ifstream file(argument.substr(1));
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", argument.substr(1)));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

absl::Status Start(FaultProxy& proxy, const Arguments& arguments) {
  for (const std::string& link : arguments.links) RETURN_IF_ERROR(AddLink(proxy, link));
  for (const std::string& command : arguments.commands) RETURN_IF_ERROR(proxy.Tell(command));
  ASSIGN_OR_RETURN(const std::string script, ScriptText(arguments.script));
  RETURN_IF_ERROR(proxy.Run(script));
  if (!arguments.control.empty()) RETURN_IF_ERROR(proxy.ListenForCommands(arguments.control));
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Links between loopback ports that fail on command. Prints a line of JSON when they "
      "are there, and another at the end (SIGINT, SIGTERM).",
      "remora-fault-proxy");
  app.add_option("--link", arguments.links, "NAME=LISTEN:TARGET: loopback ports; listen on 0: any")
      ->required();
  app.add_option("--do", arguments.commands,
                 "a command from the start: 'delay 80 ms', 'on NAME rate 64 kbit/s down'");
  app.add_option("--script", arguments.script,
                 "'at 10 s cut for 600 s; at ...', or @FILE with a statement a line");
  app.add_option("--control", arguments.control, "a Unix socket that takes commands, one a line");
  CLI11_PARSE(app, argc, argv);

  // Before any thread is there, so that all of them have it.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  const std::unique_ptr<Clock> clock = MakeSystemClock();
  const std::unique_ptr<Random> random = MakeSystemRandom();
  FaultProxy proxy(*clock, *random);
  if (const absl::Status started = Start(proxy, arguments); !started.ok()) {
    std::cerr << "remora-fault-proxy: " << started.message() << "\n";
    return 2;
  }
  std::cout << proxy.Status() << std::endl;
  int signal = 0;
  sigwait(&ends, &signal);
  std::cout << proxy.Status() << std::endl;
  return 0;
}

}  // namespace
}  // namespace remora::testing

int main(int argc, char** argv) { return remora::testing::Main(argc, argv); }
