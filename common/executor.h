#pragma once

// Where work runs: one sequence. Tasks of one executor never overlap, and run in the order posted.

#include <functional>

#include "common/time.h"

namespace remora {

class Executor {
 public:
  using Task = std::function<void()>;

  virtual ~Executor() = default;
  // Thread-safe. Runs `task` later, never inside this call.
  virtual void Post(Task task) = 0;
  // Thread-safe. Runs `task` once, `delay` or more from now on the device clock.
  virtual void PostAfter(Duration delay, Task task) = 0;
  // True on this executor's own sequence; what is bound to a sequence checks it.
  virtual bool IsCurrent() const = 0;
};

}  // namespace remora
