#include "acquisition-agent/pipelines/stimulus_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {

void StimulusQueue::Add(const Stimulus& stimulus, bool own) {
  if (stimulus.known && !own) return;
  if (own) {
    if (open_ns_.size() >= kMaxWaitingTriggers) open_ns_.pop_front();
    open_ns_.insert(std::upper_bound(open_ns_.begin(), open_ns_.end(), stimulus.time_ns),
                    stimulus.time_ns);
  }
  Wait(stimulus, stimulus.time_ns, own);
  if (stimulus.known) return;
  const auto interval_ns = static_cast<int64_t>(stimulus.told.pulse_interval_ms * 1e6);
  for (int pulse = 1; pulse < std::min(stimulus.told.pulses, kMaxPulsesOfTrain); ++pulse) {
    Wait(stimulus, stimulus.time_ns + pulse * interval_ns, /*own=*/false);
  }
}

void StimulusQueue::Wait(const Stimulus& stimulus, int64_t time_ns, bool own) {
  if (waiting_.size() >= kMaxWaitingTriggers) {
    if (waiting_.front().own) Finish(waiting_.front().time_ns);
    waiting_.pop_front();
    ++dropped_total_;
  }
  const auto after =
      std::upper_bound(waiting_.begin(), waiting_.end(), time_ns,
                       [](int64_t at, const Pulse& other) { return at < other.time_ns; });
  waiting_.insert(after, Pulse{time_ns, stimulus, own});
}

std::optional<Pulse> StimulusQueue::NextBefore(int64_t end_ns) {
  if (waiting_.empty() || waiting_.front().time_ns >= end_ns) return std::nullopt;
  Pulse next = std::move(waiting_.front());
  waiting_.pop_front();
  return next;
}

bool StimulusQueue::Finish(int64_t stimulus_ns) {
  if (given_ns_.erase(stimulus_ns) > 0) return false;
  const auto open = std::find(open_ns_.begin(), open_ns_.end(), stimulus_ns);
  if (open != open_ns_.end()) open_ns_.erase(open);
  return true;
}

void StimulusQueue::Give(int64_t stimulus_ns) {
  const auto open = std::find(open_ns_.begin(), open_ns_.end(), stimulus_ns);
  if (open == open_ns_.end()) return;
  open_ns_.erase(open);
  if (given_ns_.size() >= kMaxWaitingTriggers) given_ns_.erase(given_ns_.begin());
  given_ns_.insert(stimulus_ns);
}

int64_t StimulusQueue::DueNs(size_t n, int64_t after_ns, int64_t behind_ns) const {
  for (; n < open_ns_.size(); ++n) {
    if (open_ns_[n] + behind_ns > after_ns) return open_ns_[n] + behind_ns;
  }
  return std::numeric_limits<int64_t>::max();
}

}  // namespace remora::agent
