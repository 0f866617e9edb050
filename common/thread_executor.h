#pragma once

// An Executor with a thread of its own. Thread-safe; created and destroyed by the program's main
// part, never on its own thread.
//
// Its queue has no bound of its own, and a post never fails: what may be posted is bounded where it
// arises (one read and one write outstanding a stream, one timer an object), and a refused task
// would lose a completion that nobody repeats. `high_water_tasks` shows whether that holds.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"

namespace remora {

class ThreadExecutor : public Executor {
 public:
  // `clock` outlives the executor. `name` is the thread's name in tools (at most 15 characters
  // show).
  ThreadExecutor(const Clock& clock, const std::string& name);
  // Stops.
  ~ThreadExecutor() override;

  void Post(Task task) override;
  void PostAfter(Duration delay, Task task) override;
  bool IsCurrent() const override;

  // Runs what was posted before (and what that posts at once), drops what is delayed, joins the
  // thread. Later posts are dropped. Idempotent; not from the executor's own thread.
  void Stop();

  // The most tasks that ever waited at once.
  size_t high_water_tasks() const;

 private:
  struct Delayed {
    DeviceTime due;
    uint64_t order;  // tasks due at the same time keep the order posted
    Task task;
    bool operator<(const Delayed& other) const {  // the earliest is the queue's top
      return due != other.due ? due > other.due : order > other.order;
    }
  };

  void Run();
  // Moves what is due to `ready_`; the time until the next one is due, or nothing.
  Duration PromoteDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable Mutex mutex_;
  ConditionVariable wake_;
  std::deque<Task> ready_ ABSL_GUARDED_BY(mutex_);
  std::priority_queue<Delayed> delayed_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_order_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t high_water_tasks_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace remora
