#pragma once

// A console that keeps what it is told. Thread-compatible.

#include <string>
#include <vector>

#include "acquisition-agent/app/console.h"

namespace remora::agent {

class KeepingConsole final : public Console {
 public:
  void Say(const std::string& line) override { lines.push_back(line); }
  std::vector<std::string> lines;
};

}  // namespace remora::agent
