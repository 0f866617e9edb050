#include "hub/participants/grpc/completion_loop.h"

#include <algorithm>
#include <utility>

#include "common/check.h"
#include "hub/participants/limits.h"

namespace remora::hub {

void CompletionLoop::WakeTag::OnCompleted(bool) {
  MutexLock lock(&loop_->mutex_);
  loop_->wake_pending_ = false;
}

void CompletionLoop::Post(Task task) {
  // On its own thread the loop looks for tasks before it waits.
  const bool wake = !IsCurrent();
  MutexLock lock(&mutex_);
  posted_.push_back(std::move(task));
  if (!wake || wake_pending_ || wake_queue_ == nullptr) return;
  wake_pending_ = true;
  wake_alarm_.Set(wake_queue_, gpr_time_0(GPR_CLOCK_MONOTONIC), &wake_tag_);
}

void CompletionLoop::PostAfter(Duration delay, Task task) {
  const DeviceTime deadline = clock_.Now() + delay;
  if (IsCurrent()) {
    AddTimer(deadline, std::move(task));
    return;
  }
  Post([this, deadline, task = std::move(task)]() mutable { AddTimer(deadline, std::move(task)); });
}

bool CompletionLoop::IsCurrent() const { return thread_ == std::this_thread::get_id(); }

void CompletionLoop::AddTimer(DeviceTime deadline, Task task) {
  timers_.push(Timer{deadline, ++timer_order_, std::make_shared<Task>(std::move(task))});
}

bool CompletionLoop::HasPosted() {
  MutexLock lock(&mutex_);
  return !posted_.empty();
}

gpr_timespec CompletionLoop::NextWait() {
  if (HasPosted()) return gpr_time_0(GPR_CLOCK_MONOTONIC);
  Duration wait = kMaxSequenceWait;
  if (!timers_.empty()) wait = std::min(wait, timers_.top().deadline - clock_.Now());
  if (wait <= Duration()) return gpr_time_0(GPR_CLOCK_MONOTONIC);
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(wait.nanoseconds(), GPR_TIMESPAN));
}

void CompletionLoop::RunPosted() {
  {
    MutexLock lock(&mutex_);
    running_.swap(posted_);
  }
  for (Task& task : running_) {
    task();
    task = nullptr;
  }
  running_.clear();
}

void CompletionLoop::RunDueTimers() {
  if (timers_.empty()) return;
  const DeviceTime now = clock_.Now();
  while (!timers_.empty() && timers_.top().deadline <= now) {
    const std::shared_ptr<Task> task = timers_.top().task;
    timers_.pop();
    (*task)();
  }
}

void CompletionLoop::Run(::grpc::CompletionQueue* queue,
                         const std::function<void(int, DeviceTime)>& end_of_turn) {
  thread_ = std::this_thread::get_id();
  last_turn_ns_ = clock_.Now().nanoseconds();
  {
    MutexLock lock(&mutex_);
    wake_queue_ = queue;
  }
  RunPosted();  // what was prepared comes before the first event
  while (true) {
    void* tag = nullptr;
    bool ok = false;
    ::grpc::CompletionQueue::NextStatus next = queue->AsyncNext(&tag, &ok, NextWait());
    if (next == ::grpc::CompletionQueue::SHUTDOWN) break;
    const DeviceTime started = clock_.Now();
    int events = 0;
    while (next == ::grpc::CompletionQueue::GOT_EVENT) {
      static_cast<Tag*>(tag)->OnCompleted(ok);
      if (++events == kMaxEventsPerDrain) break;
      next = queue->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
    }
    RunPosted();
    RunDueTimers();
    end_of_turn(events, started);
    last_turn_ns_ = clock_.Now().nanoseconds();
  }
  while (HasPosted()) RunPosted();
  thread_ = std::thread::id();
}

void CompletionLoop::ShutDownQueue() {
  REMORA_CHECK(IsCurrent(), "only the sequence shuts its queue down");
  ::grpc::CompletionQueue* queue = nullptr;
  {
    MutexLock lock(&mutex_);
    std::swap(queue, wake_queue_);
  }
  if (queue != nullptr) queue->Shutdown();
}

}  // namespace remora::hub
