#include "hub/participants/loop/socket_loop.h"

#include <algorithm>
#include <utility>

#include "hub/participants/limits.h"

namespace remora::hub {

void SocketLoop::Post(Task task) {
  // On its own thread the loop looks for tasks before it waits.
  const bool wake = !IsCurrent();
  {
    MutexLock lock(&mutex_);
    posted_.push_back(std::move(task));
    if (!wake || awake_) return;
    awake_ = true;
  }
  net::post(io_, [] {});
}

void SocketLoop::PostAfter(Duration delay, Task task) {
  const DeviceTime deadline = clock_.Now() + delay;
  if (IsCurrent()) {
    AddTimer(deadline, std::move(task));
    return;
  }
  Post([this, deadline, task = std::move(task)]() mutable { AddTimer(deadline, std::move(task)); });
}

bool SocketLoop::IsCurrent() const { return thread_ == std::this_thread::get_id(); }

void SocketLoop::AddTimer(DeviceTime deadline, Task task) {
  timers_.push(Timer{deadline, ++timer_order_, std::make_shared<Task>(std::move(task))});
}

bool SocketLoop::HasPosted() {
  MutexLock lock(&mutex_);
  return !posted_.empty();
}

// From here on a post must end the wait, where there is one.
Duration SocketLoop::NextWait() {
  Duration wait = kMaxSequenceWait;
  if (!timers_.empty()) wait = std::min(wait, timers_.top().deadline - clock_.Now());
  if (!to_write_.empty()) wait = Duration();
  MutexLock lock(&mutex_);
  if (!posted_.empty() || wait <= Duration()) return Duration();
  awake_ = false;
  return wait;
}

int SocketLoop::TakeEvents(DeviceTime* started) {
  const Duration wait = NextWait();
  // Timers are the loop's own: Asio's would come a millisecond late.
  int events = static_cast<int>(wait > Duration() ? io_.run_one_for(ToChrono(wait)) : 0);
  *started = clock_.Now();
  {
    MutexLock lock(&mutex_);
    awake_ = true;
  }
  while (events < kMaxEventsPerDrain && io_.poll_one() > 0) {
    ++events;
    if (clock_.Now() - *started >= kMaxInputOfTurn) break;
  }
  return events;
}

void SocketLoop::RunPosted() {
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

void SocketLoop::RunDueTimers() {
  if (timers_.empty()) return;
  const DeviceTime now = clock_.Now();
  while (!timers_.empty() && timers_.top().deadline <= now) {
    const std::shared_ptr<Task> task = timers_.top().task;
    timers_.pop();
    (*task)();
  }
}

void SocketLoop::Write() {
  writing_.swap(to_write_);
  for (const std::shared_ptr<TurnWriter>& writer : writing_) writer->WriteNow();
  writing_.clear();
}

void SocketLoop::Run(SessionHost& host, TransportObserver& observer) {
  thread_ = std::this_thread::get_id();
  last_turn_ns_ = clock_.Now().nanoseconds();
  const auto work = net::make_work_guard(io_);
  RunPosted();  // what was prepared comes before the first event
  while (!stopped_) {
    DeviceTime started;
    const int events = TakeEvents(&started);
    RunPosted();
    RunDueTimers();
    host.EndOfDrain();
    if (HasPosted()) {  // a commit in memory is done at once
      RunPosted();
      host.EndOfDrain();
    }
    Write();
    host.EndOfDrain();  // a session that ended may have woken others
    const DeviceTime now = clock_.Now();
    if (events > 0) observer.OnDrain(events, now - started);
    last_turn_ns_ = now.nanoseconds();
  }
  while (HasPosted()) RunPosted();
  thread_ = std::thread::id();
}

}  // namespace remora::hub
