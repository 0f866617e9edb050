#pragma once

// Virtual time: one queue of events, run in the order of their time on one thread. What is due at
// the same moment in different processes comes in an order that the seed decides. A machine's
// process is an Executor with clocks of its own; it can be paused (nothing of it runs) and killed
// (what it had planned never runs). Sequence-bound to the simulation's thread.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/executor.h"
#include "common/time.h"

namespace remora::simulation {

class Process;

class EventLoop {
 public:
  using Task = std::function<void()>;

  explicit EventLoop(uint64_t seed) : seed_(seed) {}

  // True time since the world began. No process can read it.
  Duration now() const { return now_; }
  // Of the world itself: network, faults, checkers.
  void At(Duration when, Task task) { Add(nullptr, when, std::move(task)); }
  void After(Duration delay, Task task) { At(now_ + delay, std::move(task)); }
  // Runs the next event if it is due by `end`; else time moves there, and it is false.
  bool RunNext(Duration end);
  uint64_t events() const { return events_; }

 private:
  friend class Process;
  struct Event {
    Duration when;
    uint64_t tie;  // by process: tasks of one process keep their order
    Duration due;  // before a pause put it off
    uint64_t order;
    Process* process;
    uint64_t life;
    Task task;
    bool operator>(const Event& other) const {
      if (when != other.when) return when > other.when;
      if (tie != other.tie) return tie > other.tie;
      return due != other.due ? due > other.due : order > other.order;
    }
  };
  void Add(Process* process, Duration when, Task task);
  void Push(Event event);

  const uint64_t seed_;
  Duration now_;
  uint64_t next_order_ = 0;
  uint64_t events_ = 0;
  std::vector<Event> heap_;
};

// What a machine believes of the time: a monotonic clock with its own start and drift, and UTC that
// an administrator or a leap second moves.
class SimulatedClock final : public Clock {
 public:
  struct Plan {
    Duration uptime = Duration::Seconds(1000);
    int64_t drift_ppb = 0;
    Duration wall_offset;
    uint64_t boot_id = 1;
  };
  SimulatedClock(const EventLoop& loop, const Plan& plan) : loop_(loop), plan_(plan) {}

  DeviceTime Now() const override { return At(loop_.now()); }
  WallTime WallNow() const override;
  uint64_t boot_id() const override { return plan_.boot_id; }

  void StepWall(Duration by) { plan_.wall_offset = plan_.wall_offset + by; }
  // One second less, spread evenly over `length` from now on.
  void SmearLeapSecond(Duration length);
  // The machine starts anew.
  void Reboot(uint64_t boot_id);
  // The least true time after which the device clock has gone on by `delay`.
  Duration TrueDelay(Duration delay) const;

 private:
  DeviceTime At(Duration true_time) const;
  Duration Smeared() const;

  const EventLoop& loop_;
  Plan plan_;
  Duration started_;  // true time of the boot that uptime counts from
  Duration smear_from_;
  Duration smear_length_;
};

class Process final : public Executor {
 public:
  Process(EventLoop& loop, uint64_t id, std::string name, const SimulatedClock::Plan& clock)
      : loop_(loop), id_(id), name_(std::move(name)), clock_(loop, clock) {}

  void Post(Task task) override { loop_.Add(this, loop_.now(), std::move(task)); }
  void PostAfter(Duration delay, Task task) override;
  bool IsCurrent() const override { return true; }

  // Nothing of it runs until then (SIGSTOP): what falls due runs afterwards, in its order.
  void PauseUntil(Duration when);
  // Its tasks never run. What is posted from now on belongs to the next life.
  void Kill() {
    ++life_;
    paused_until_ = Duration();
  }
  bool paused() const { return loop_.now() < paused_until_; }
  // When it last went on after a pause.
  Duration resumed_at() const { return paused_until_; }

  const std::string& name() const { return name_; }
  SimulatedClock& clock() { return clock_; }
  const SimulatedClock& clock() const { return clock_; }
  EventLoop& loop() { return loop_; }

 private:
  friend class EventLoop;

  EventLoop& loop_;
  const uint64_t id_;
  const std::string name_;
  SimulatedClock clock_;
  uint64_t life_ = 0;
  Duration paused_until_;
};

// A well mixed number from two.
uint64_t Mix(uint64_t a, uint64_t b);

}  // namespace remora::simulation
