// The technologist's console: one line for each thing that a person in the theatre should know. The
// theatre's alarms need no hub: alerts are said here the moment they are raised.
#pragma once

#include <string>

namespace remora::agent {

class Console {
 public:
  virtual ~Console() = default;
  virtual void Say(const std::string& line) = 0;
};

}  // namespace remora::agent
