#include "tests/simulation/event_loop.h"

#include <algorithm>

namespace remora::simulation {
namespace {

// 2026-01-01 00:00 UTC.
constexpr int64_t kWorldBeganUnixNs = 1'767'225'600'000'000'000;

int64_t Drifted(int64_t ns, int64_t ppb) {
  return ns + static_cast<int64_t>(static_cast<__int128>(ns) * ppb / 1'000'000'000);
}

}  // namespace

uint64_t Mix(uint64_t a, uint64_t b) {
  // SplitMix64.
  uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

void EventLoop::Push(Event event) {
  heap_.push_back(std::move(event));
  std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
}

void EventLoop::Add(Process* process, Duration when, Task task) {
  when = std::max(when, now_);
  const uint64_t id = process == nullptr ? 0 : process->id_;
  const uint64_t life = process == nullptr ? 0 : process->life_;
  Push({when, Mix(seed_ ^ id, static_cast<uint64_t>(when.nanoseconds())), when, next_order_++,
        process, life, std::move(task)});
}

bool EventLoop::RunNext(Duration end) {
  while (!heap_.empty() && heap_.front().when <= end) {
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    Event event = std::move(heap_.back());
    heap_.pop_back();
    now_ = event.when;
    Process* process = event.process;
    if (process != nullptr && event.life != process->life_) continue;
    if (process != nullptr && process->paused()) {
      event.when = process->paused_until_;
      event.tie = Mix(seed_ ^ process->id_, static_cast<uint64_t>(event.when.nanoseconds()));
      Push(std::move(event));
      continue;
    }
    ++events_;
    event.task();
    return true;
  }
  now_ = std::max(now_, end);
  return false;
}

DeviceTime SimulatedClock::At(Duration true_time) const {
  return DeviceTime::FromNanoseconds(plan_.uptime.nanoseconds()) +
         Duration::Nanoseconds(Drifted((true_time - started_).nanoseconds(), plan_.drift_ppb));
}

Duration SimulatedClock::Smeared() const {
  if (smear_length_ == Duration()) return Duration();
  const double part = (loop_.now() - smear_from_).seconds() / smear_length_.seconds();
  return Duration::FromSeconds(-std::min(part, 1.0));
}

WallTime SimulatedClock::WallNow() const {
  return WallTime::FromNanoseconds(kWorldBeganUnixNs) + loop_.now() + plan_.wall_offset + Smeared();
}

void SimulatedClock::SmearLeapSecond(Duration length) {
  plan_.wall_offset = plan_.wall_offset + Smeared();  // an earlier one ends here
  smear_from_ = loop_.now();
  smear_length_ = length;
}

void SimulatedClock::Reboot(uint64_t boot_id) {
  plan_.boot_id = boot_id;
  plan_.uptime = Duration();
  started_ = loop_.now();
}

Duration SimulatedClock::TrueDelay(Duration delay) const {
  const DeviceTime due = Now() + delay;
  Duration true_delay = Duration::Nanoseconds(Drifted(delay.nanoseconds(), -plan_.drift_ppb));
  while (At(loop_.now() + true_delay) < due) true_delay = true_delay + Duration::Nanoseconds(1);
  return true_delay;
}

void Process::PostAfter(Duration delay, Task task) {
  delay = std::max(delay, Duration());
  loop_.Add(this, loop_.now() + clock_.TrueDelay(delay), std::move(task));
}

void Process::PauseUntil(Duration when) { paused_until_ = std::max(paused_until_, when); }

}  // namespace remora::simulation
