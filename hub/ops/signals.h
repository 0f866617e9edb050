#pragma once

// Waiting for the signals that end the program. Made first in main, before any thread: it blocks
// them in all threads that come after.

namespace remora::hub {

class TerminationSignals {
 public:
  // Blocks SIGTERM and SIGINT, ignores SIGPIPE.
  TerminationSignals();

  // Waits for SIGTERM or SIGINT; returns its number. One thread at a time.
  int Wait();
  // From now on, another one ends the process at once (exit code 1).
  void ExitOnNext();
  // As if SIGTERM had come; from any thread.
  void Raise();
};

}  // namespace remora::hub
