#pragma once

// Ctrl-C (or SIGTERM) asks a command to end well: to close what it prints. The second one ends it
// at once. One object at a time.

namespace remora::reader {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  bool asked() const;
};

}  // namespace remora::reader
