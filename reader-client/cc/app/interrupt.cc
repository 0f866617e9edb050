#include "reader-client/cc/app/interrupt.h"

#include <signal.h>

namespace remora::reader {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM};
volatile sig_atomic_t asked_to_end = 0;

void Ask(int) { asked_to_end = 1; }

void Set(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

}  // namespace

Interrupt::Interrupt() {
  asked_to_end = 0;
  // A write that waits for a pager goes on; the next signal has its usual effect.
  Set(Ask, SA_RESTART | static_cast<int>(SA_RESETHAND));
}

Interrupt::~Interrupt() { Set(SIG_DFL, 0); }

bool Interrupt::asked() const { return asked_to_end != 0; }

}  // namespace remora::reader
