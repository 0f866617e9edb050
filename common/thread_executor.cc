#include "common/thread_executor.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "common/check.h"

namespace remora {
namespace {

// The longest sleep: a device clock that goes on differently from the kernel's wait (suspend, a
// test's clock) is looked at again at least this often.
constexpr Duration kLongestSleep = Duration::Milliseconds(500);

thread_local const ThreadExecutor* current_executor = nullptr;

}  // namespace

ThreadExecutor::ThreadExecutor(const Clock& clock, const std::string& name) : clock_(clock) {
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

ThreadExecutor::~ThreadExecutor() { Stop(); }

void ThreadExecutor::Post(Task task) {
  MutexLock lock(&mutex_);
  if (stopping_ && !IsCurrent()) return;
  ready_.push_back(std::move(task));
  high_water_tasks_ = std::max(high_water_tasks_, ready_.size() + delayed_.size());
  wake_.NotifyOne();
}

void ThreadExecutor::PostAfter(Duration delay, Task task) {
  if (delay <= Duration()) return Post(std::move(task));
  const DeviceTime due = clock_.Now() + delay;
  MutexLock lock(&mutex_);
  if (stopping_) return;
  delayed_.push(Delayed{due, next_order_++, std::move(task)});
  high_water_tasks_ = std::max(high_water_tasks_, ready_.size() + delayed_.size());
  wake_.NotifyOne();
}

bool ThreadExecutor::IsCurrent() const { return current_executor == this; }

void ThreadExecutor::Stop() {
  REMORA_CHECK(!IsCurrent(), "an executor is not stopped from its own thread");
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    wake_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

size_t ThreadExecutor::high_water_tasks() const {
  MutexLock lock(&mutex_);
  return high_water_tasks_;
}

Duration ThreadExecutor::PromoteDue() {
  const DeviceTime now = clock_.Now();
  while (!delayed_.empty()) {
    if (delayed_.top().due > now) return delayed_.top().due - now;
    // top() is const only to protect the order, and this element leaves the queue now.
    ready_.push_back(std::move(const_cast<Delayed&>(delayed_.top()).task));
    delayed_.pop();
  }
  return Duration();
}

void ThreadExecutor::Run() {
  current_executor = this;
  while (true) {
    Task task;
    {
      MutexLock lock(&mutex_);
      while (true) {
        const Duration until_next = stopping_ ? Duration() : PromoteDue();
        if (!ready_.empty()) break;
        if (stopping_) return;
        if (delayed_.empty()) {
          wake_.Wait(&mutex_);
        } else {
          wake_.WaitFor(
              &mutex_, std::chrono::nanoseconds(std::min(until_next, kLongestSleep).nanoseconds()));
        }
      }
      task = std::move(ready_.front());
      ready_.pop_front();
    }
    task();
  }
}

}  // namespace remora
