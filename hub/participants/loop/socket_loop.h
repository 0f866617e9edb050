#pragma once

// The hub's sequence: one thread that owns rooms, sessions and followers, and the sockets of all
// sessions, so that a record goes from one socket to all others without waking another thread.
//
//   SocketLoop loop(clock);              // an Executor from here on
//   ... transports are started on it ...
//   loop.Run(host, observer);            // the calling thread becomes the sequence
//   loop.Stop();                         // on the sequence: Run returns after this turn
//
// One turn: take events until none is left (or kMaxEventsPerDrain), then posted tasks, due timers,
// SessionHost::EndOfDrain, and only then the writes of the sessions that asked: so that one write
// carries everything that one turn brought.
//
// Post, PostAfter, IsCurrent and last_turn are thread-safe; the rest is sequence-bound. Tasks
// posted before Run wait for it; those posted after it returned are destroyed unrun with the loop.

#include <atomic>
#include <functional>
#include <memory>
#include <queue>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"
#include "hub/participants/loop/asio.h"
#include "hub/participants/session.h"
#include "hub/participants/transport_observer.h"

namespace remora::hub {

// What has something to write at the end of a turn.
class TurnWriter {
 public:
  virtual void WriteNow() = 0;

 protected:
  ~TurnWriter() = default;
};

class SocketLoop final : public Executor {
 public:
  explicit SocketLoop(Clock& clock) : clock_(clock) {}
  ~SocketLoop() override = default;
  SocketLoop(const SocketLoop&) = delete;
  SocketLoop& operator=(const SocketLoop&) = delete;

  void Post(Task task) override;
  void PostAfter(Duration delay, Task task) override;
  bool IsCurrent() const override;

  void Run(SessionHost& host, TransportObserver& observer);
  // Tasks that are posted by then still run.
  void Stop() { stopped_ = true; }

  // Its sockets' handlers run on the sequence.
  net::io_context& io() { return io_; }
  // Once at the end of this turn, or of the next when writes have begun. It lives until then.
  void WriteLater(std::shared_ptr<TurnWriter> writer) { to_write_.push_back(std::move(writer)); }

  // When the sequence last ended a turn, or began to run.
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

  void AddTimer(DeviceTime deadline, Task task);
  bool HasPosted();
  Duration NextWait();
  int TakeEvents(DeviceTime* started);
  void RunPosted();
  void RunDueTimers();
  void Write();

  Clock& clock_;
  net::io_context io_{1};
  std::atomic<std::thread::id> thread_{};
  std::atomic<int64_t> last_turn_ns_{0};

  Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  // A handler that ends the loop's wait is under way, or none is needed.
  bool awake_ ABSL_GUARDED_BY(mutex_) = true;

  // Of the sequence alone.
  bool stopped_ = false;
  std::vector<Task> running_;
  std::vector<std::shared_ptr<TurnWriter>> to_write_;
  std::vector<std::shared_ptr<TurnWriter>> writing_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  uint64_t timer_order_ = 0;
};

}  // namespace remora::hub
