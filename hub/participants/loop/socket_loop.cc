#include "hub/participants/loop/socket_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/check.h"

namespace remora::hub {
namespace {

constexpr uint64_t kWake = ~uint64_t{0};
constexpr uint64_t kDeferred = kWake - 1;

timespec ToTimespec(Duration duration) {
  const int64_t nanoseconds = std::max<int64_t>(0, duration.nanoseconds());
  return {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
}

epoll_event EventOf(uint64_t who, uint32_t what) {
  epoll_event event{};
  event.events = what;
  event.data.u64 = who;
  return event;
}

uint32_t InterestOf(bool writable) { return EPOLLIN | (writable ? uint32_t{EPOLLOUT} : 0u); }

uint64_t NameOf(uint32_t watch, uint32_t generation) { return uint64_t{generation} << 32 | watch; }

}  // namespace

SocketLoop::SocketLoop(Clock& clock)
    : clock_(clock),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      deferred_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      read_buffer_(kReadBufferBytes, '\0') {
  REMORA_CHECK(epoll_ >= 0 && deferred_ >= 0 && wake_ >= 0,
               "no descriptors for the hub's own loop");
  epoll_event wake = EventOf(kWake, EPOLLIN);
  epoll_event deferred = EventOf(kDeferred, EPOLLIN);
  REMORA_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &wake) == 0 &&
                   epoll_ctl(epoll_, EPOLL_CTL_ADD, deferred_, &deferred) == 0,
               "the loop watches what is its own");
}

SocketLoop::~SocketLoop() {
  close(wake_);
  close(deferred_);
  close(epoll_);
}

void SocketLoop::Post(Task task) {
  // On its own thread the loop looks for tasks before it waits.
  const bool wake = !IsCurrent();
  {
    MutexLock lock(&mutex_);
    posted_.push_back(std::move(task));
    if (!wake || awake_) return;
    awake_ = true;
  }
  eventfd_write(wake_, 1);
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

std::optional<uint32_t> SocketLoop::Watch(int socket, SocketEvents* events) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<uint32_t>(places_.size()));
    places_.emplace_back();
  }
  const uint32_t watch = free_places_.back();
  free_places_.pop_back();
  WatchPlace& place = places_[watch];
  epoll_event event = EventOf(NameOf(watch, place.generation), EPOLLIN);
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) != 0) {
    free_places_.push_back(watch);
    return std::nullopt;
  }
  place.events = events;
  place.socket = socket;
  place.deferred = place.writable = false;
  return watch;
}

void SocketLoop::WatchWritable(uint32_t watch, bool wanted) {
  WatchPlace& place = places_[watch];
  place.writable = wanted;
  epoll_event event = EventOf(NameOf(watch, place.generation), InterestOf(wanted));
  epoll_ctl(place.deferred ? deferred_ : epoll_, EPOLL_CTL_MOD, place.socket, &event);
}

void SocketLoop::SetDeferred(uint32_t watch, bool deferred) {
  WatchPlace& place = places_[watch];
  if (place.deferred == deferred) return;
  epoll_event event = EventOf(NameOf(watch, place.generation), InterestOf(place.writable));
  // Where the system has no room it stays as it is.
  if (epoll_ctl(deferred ? deferred_ : epoll_, EPOLL_CTL_ADD, place.socket, &event) != 0) return;
  epoll_ctl(deferred ? epoll_ : deferred_, EPOLL_CTL_DEL, place.socket, nullptr);
  place.deferred = deferred;
}

void SocketLoop::Unwatch(uint32_t watch) {
  WatchPlace& place = places_[watch];
  epoll_ctl(place.deferred ? deferred_ : epoll_, EPOLL_CTL_DEL, place.socket, nullptr);
  place.events = nullptr;
  ++place.generation;
  free_places_.push_back(watch);
}

bool SocketLoop::HasPosted() {
  MutexLock lock(&mutex_);
  return !posted_.empty();
}

// From here on a post must end the wait, where there is one.
Duration SocketLoop::NextWait() {
  Duration wait = kMaxSequenceWait;
  if (!timers_.empty()) wait = std::min(wait, timers_.top().deadline - clock_.Now());
  if (!deferred_armed_) wait = std::min(wait, deferred_at_ + kDeferral - clock_.Now());
  if (!to_write_.empty()) wait = Duration();
  MutexLock lock(&mutex_);
  if (!posted_.empty() || wait <= Duration()) return Duration();
  awake_ = false;
  return wait;
}

int SocketLoop::WaitForEvents(int epoll, Duration longest) {
  const timespec timeout = ToTimespec(longest);
  int count = epoll_pwait2(epoll, ready_.data(), kEventsPerLook, &timeout, nullptr);
  if (count < 0 && errno != EINTR) {
    // Where a container's filter does not know the call: a timer may come a millisecond late.
    const int64_t milliseconds = (longest.nanoseconds() + 999'999) / 1'000'000;
    count = epoll_wait(epoll, ready_.data(), kEventsPerLook, static_cast<int>(milliseconds));
  }
  return std::max(count, 0);
}

void SocketLoop::ClearWake() {
  eventfd_t ignored;
  eventfd_read(wake_, &ignored);
}

void SocketLoop::Dispatch(const epoll_event& event) {
  if (event.data.u64 == kWake) return ClearWake();
  if (event.data.u64 == kDeferred) return;  // heard at the end of the turn's input
  const auto watch = static_cast<uint32_t>(event.data.u64);
  const auto generation = static_cast<uint32_t>(event.data.u64 >> 32);
  const auto is_watched = [this, watch, generation] {
    return places_[watch].generation == generation && places_[watch].events != nullptr;
  };
  if ((event.events & ~static_cast<uint32_t>(EPOLLOUT)) != 0 && is_watched()) {
    places_[watch].events->OnReadable();
  }
  if ((event.events & EPOLLOUT) != 0 && is_watched()) places_[watch].events->OnWritable();
}

// Goes on looking until nothing is left, or the turn's input has taken its time.
int SocketLoop::TakeReady(int epoll, int ready, DeviceTime started) {
  int events = 0;
  while (ready > 0) {
    const bool only_deferred = ready == 1 && ready_[0].data.u64 == kDeferred;
    for (int i = 0; i < ready; ++i) Dispatch(ready_[static_cast<size_t>(i)]);
    events += ready;
    if (only_deferred || events >= kMaxEventsPerDrain ||
        clock_.Now() - started >= kMaxInputOfTurn) {
      break;
    }
    ready = WaitForEvents(epoll, Duration());
  }
  return events;
}

void SocketLoop::ArmDeferred(bool armed) {
  if (deferred_armed_ == armed) return;
  deferred_armed_ = armed;
  epoll_event event = EventOf(kDeferred, armed ? uint32_t{EPOLLIN} : 0u);
  epoll_ctl(epoll_, EPOLL_CTL_MOD, deferred_, &event);
}

// While they are busy they end no wait of the loop: it looks for them after kDeferral.
int SocketLoop::TakeDeferred() {
  const DeviceTime now = clock_.Now();
  const int events = TakeReady(deferred_, WaitForEvents(deferred_, Duration()), now);
  const Duration since = now - deferred_at_;
  if (events > 0) {
    if (since < kDeferral * 4) ArmDeferred(false);
    deferred_at_ = now;
  } else if (since >= kDeferral) {
    ArmDeferred(true);
  }
  return events;
}

int SocketLoop::TakeEvents(DeviceTime* started) {
  const int ready = WaitForEvents(epoll_, NextWait());
  *started = clock_.Now();
  {
    MutexLock lock(&mutex_);
    awake_ = true;
  }
  const int events = TakeReady(epoll_, ready, *started);
  return events + TakeDeferred();
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
