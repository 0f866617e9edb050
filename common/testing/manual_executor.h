#pragma once

// An Executor that runs when the test says so, on the test's own thread, in a reproducible order.
// Several executors of one test share a clock: RunFor of one moves the time of all.
// Sequence-bound to the test's thread.

#include <cstdint>
#include <map>
#include <thread>
#include <utility>

#include "common/executor.h"
#include "common/testing/fake_clock.h"

namespace remora {

class ManualExecutor : public Executor {
 public:
  explicit ManualExecutor(FakeClock& clock) : clock_(clock) {}

  void Post(Task task) override { PostAfter(Duration(), std::move(task)); }
  void PostAfter(Duration delay, Task task) override;
  // The test's thread is the sequence: code under test may be called from tasks and from the test.
  bool IsCurrent() const override { return std::this_thread::get_id() == thread_; }

  // Runs what is due now, and what that posts for now. Returns how many ran; fails the test
  // (REMORA_CHECK) beyond `limit`: a busy loop.
  int RunUntilIdle(int limit = 100'000);
  // Moves the clock to the next task that is due, and runs it; false when there is none.
  bool RunNext();
  // Moves the clock by `time`, running what falls due, each at its own time. Returns how many ran.
  int RunFor(Duration time);

  size_t pending_tasks() const { return tasks_.size(); }
  // When the next task is due.
  bool NextDue(DeviceTime* due) const;

 private:
  FakeClock& clock_;
  const std::thread::id thread_ = std::this_thread::get_id();
  uint64_t next_order_ = 0;
  std::map<std::pair<DeviceTime, uint64_t>, Task> tasks_;
};

}  // namespace remora
