#include "hub/ops/signals.h"

#include <signal.h>
#include <unistd.h>

#include <thread>

namespace remora::hub {
namespace {

sigset_t TerminationSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

TerminationSignals::TerminationSignals() {
  const sigset_t set = TerminationSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int TerminationSignals::Wait() {
  const sigset_t set = TerminationSet();
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  return number;
}

void TerminationSignals::ExitOnNext() {
  std::thread([this] {
    Wait();
    _exit(1);
  }).detach();
}

void TerminationSignals::Raise() { kill(getpid(), SIGTERM); }

}  // namespace remora::hub
