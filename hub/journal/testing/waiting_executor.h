#pragma once

// An Executor for tests of code with threads of its own: tasks run on the test's thread, while it
// waits for something to become true. Post is thread-safe; the rest is the test's thread.

#include <deque>
#include <functional>
#include <thread>
#include <utility>

#include "common/check.h"
#include "common/executor.h"
#include "common/mutex.h"

namespace remora::hub {

class WaitingExecutor final : public Executor {
 public:
  void Post(Task task) override {
    MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
    posted_.NotifyOne();
  }
  void PostAfter(Duration, Task) override {
    REMORA_CHECK(false, "a journal has no timers");
  }
  bool IsCurrent() const override { return std::this_thread::get_id() == thread_; }

  // Runs tasks, waiting for more, until `reached` holds.
  void RunUntil(const std::function<bool()>& reached) {
    while (!reached()) {
      Task task;
      {
        MutexLock lock(&mutex_);
        while (tasks_.empty()) posted_.Wait(&mutex_);
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }
  // Runs what is there.
  void RunPosted() {
    while (true) {
      Task task;
      {
        MutexLock lock(&mutex_);
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
  }

 private:
  const std::thread::id thread_ = std::this_thread::get_id();
  Mutex mutex_;
  ConditionVariable posted_;
  std::deque<Task> tasks_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora::hub
