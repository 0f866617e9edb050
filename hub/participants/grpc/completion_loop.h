#pragma once

// An Executor whose thread also serves a completion queue. See grpc_server.h for what a turn is.

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <functional>
#include <memory>
#include <queue>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"

namespace remora::hub {

class CompletionLoop final : public Executor {
 public:
  // What a completion queue gives back.
  class Tag {
   public:
    virtual void OnCompleted(bool ok) = 0;

   protected:
    ~Tag() = default;
  };

  explicit CompletionLoop(Clock& clock) : clock_(clock) {}
  ~CompletionLoop() override = default;

  void Post(Task task) override;
  void PostAfter(Duration delay, Task task) override;
  bool IsCurrent() const override;

  // Serves `queue` until it is shut down; `end_of_turn` gets the number of events and the time
  // since the turn's first. Tasks that are posted when the queue is down still run.
  void Run(::grpc::CompletionQueue* queue, const std::function<void(int, DeviceTime)>& end_of_turn);
  // On the sequence: shuts the queue down; no wake can reach it from here on.
  void ShutDownQueue();

  DeviceTime last_turn() const { return DeviceTime::FromNanoseconds(last_turn_ns_); }

 private:
  struct Timer {
    DeviceTime deadline;
    uint64_t order;
    std::shared_ptr<Task> task;
    bool operator>(const Timer& other) const {
      return deadline != other.deadline ? deadline > other.deadline : order > other.order;
    }
  };
  // Its completion has no meaning but that posted tasks wait.
  class WakeTag final : public Tag {
   public:
    explicit WakeTag(CompletionLoop* loop) : loop_(loop) {}
    void OnCompleted(bool ok) override;

   private:
    CompletionLoop* loop_;
  };

  void AddTimer(DeviceTime deadline, Task task);
  bool HasPosted();
  gpr_timespec NextWait();
  void RunPosted();
  void RunDueTimers();

  Clock& clock_;
  std::atomic<std::thread::id> thread_{};
  std::atomic<int64_t> last_turn_ns_{0};

  Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  bool wake_pending_ ABSL_GUARDED_BY(mutex_) = false;
  // Null before Run and after ShutDownQueue.
  ::grpc::CompletionQueue* wake_queue_ ABSL_GUARDED_BY(mutex_) = nullptr;
  ::grpc::Alarm wake_alarm_ ABSL_GUARDED_BY(mutex_);
  WakeTag wake_tag_{this};

  // Of the sequence alone.
  std::vector<Task> running_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  uint64_t timer_order_ = 0;
};

}  // namespace remora::hub
