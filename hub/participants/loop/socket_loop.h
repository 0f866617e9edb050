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
// carries everything that one turn brought. Deferred sockets (readers': what comes from them is
// mostly bookkeeping of their transport) begin a turn of their own at most each kDeferral; under
// load they are heard in the turns of the others, since a wake-up costs more than what it is for.
//
// Post, PostAfter, IsCurrent and last_turn are thread-safe; the rest is sequence-bound, or comes
// before Run. Tasks posted before Run wait for it; those posted after it returned are destroyed
// unrun with the loop.

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/executor.h"
#include "common/mutex.h"
#include "hub/participants/limits.h"
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

// What is told of a socket. Broken and ended ones are readable.
class SocketEvents {
 public:
  virtual void OnReadable() = 0;
  // Only while it is asked for.
  virtual void OnWritable() = 0;

 protected:
  ~SocketEvents() = default;
};

class SocketLoop final : public Executor {
 public:
  explicit SocketLoop(Clock& clock);
  ~SocketLoop() override;
  SocketLoop(const SocketLoop&) = delete;
  SocketLoop& operator=(const SocketLoop&) = delete;

  void Post(Task task) override;
  void PostAfter(Duration delay, Task task) override;
  bool IsCurrent() const override;

  void Run(SessionHost& host, TransportObserver& observer);
  // Tasks that are posted by then still run.
  void Stop() { stopped_ = true; }

  // Tells `events` in each turn that the socket can be read, for as long as it can; until Unwatch,
  // which comes before the socket is closed. Returns the number of the watch; none: the system has
  // no room for another.
  std::optional<uint32_t> Watch(int socket, SocketEvents* events);
  void WatchWritable(uint32_t watch, bool wanted);
  // Whether it may be told kDeferral later.
  void SetDeferred(uint32_t watch, bool deferred);
  void Unwatch(uint32_t watch);

  // Room for what one system call reads, shared by all sockets.
  std::string& read_buffer() { return read_buffer_; }
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
  // An event of a socket that was closed since, and whose number is another's now, is nobody's.
  struct WatchPlace {
    SocketEvents* events = nullptr;
    int socket = -1;
    uint32_t generation = 0;
    bool deferred = false;
    bool writable = false;
  };

  void AddTimer(DeviceTime deadline, Task task);
  bool HasPosted();
  Duration NextWait();
  int WaitForEvents(int epoll, Duration longest);
  int TakeReady(int epoll, int ready, DeviceTime started);
  int TakeDeferred();
  void ArmDeferred(bool armed);
  void Dispatch(const epoll_event& event);
  void ClearWake();
  int TakeEvents(DeviceTime* started);
  void RunPosted();
  void RunDueTimers();
  void Write();

  Clock& clock_;
  const int epoll_;
  // Of the deferred sockets; watched by epoll_ where it is armed.
  const int deferred_;
  const int wake_;
  std::atomic<std::thread::id> thread_{};
  std::atomic<int64_t> last_turn_ns_{0};

  Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  // The loop does not wait, or was told to end its wait.
  bool awake_ ABSL_GUARDED_BY(mutex_) = true;

  // Of the sequence alone.
  bool stopped_ = false;
  std::vector<WatchPlace> places_;
  std::vector<uint32_t> free_places_;
  std::array<epoll_event, kEventsPerLook> ready_;
  std::string read_buffer_;
  bool deferred_armed_ = true;
  // When one of them last had something.
  DeviceTime deferred_at_;
  std::vector<Task> running_;
  std::vector<std::shared_ptr<TurnWriter>> to_write_;
  std::vector<std::shared_ptr<TurnWriter>> writing_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  uint64_t timer_order_ = 0;
};

}  // namespace remora::hub
