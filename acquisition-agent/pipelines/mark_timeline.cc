#include "acquisition-agent/pipelines/mark_timeline.h"

#include <algorithm>

#include "acquisition-agent/pipelines/limits.h"

namespace remora::agent {

MarkTimeline::MarkTimeline(double sample_rate_hz, double blank_from_ms, double blank_to_ms,
                           double memory_before, double memory_after, double asked_behind)
    : before_samples_(-blank_from_ms * sample_rate_hz / 1000),
      // An amplifier needs a moment to leave its rail.
      after_samples_((blank_to_ms + 0.5) * sample_rate_hz / 1000),
      memory_before_(memory_before),
      memory_after_(memory_after),
      memory_samples_(static_cast<int64_t>(
          std::max(kMarkMemoryNs / 1e9 * sample_rate_hz, asked_behind + memory_after))) {}

void MarkTimeline::AddStimulus(double position) { stimuli_.push_back(position); }

void MarkTimeline::AddChunk(const Chunk& chunk, const std::vector<int>& inputs) {
  ChannelMarks::Run whole{chunk.first_position, chunk.first_position + chunk.samples - 1, 0};
  for (const int k : inputs) {
    whole.marks |= chunk.marks[k].marks;
    samples_.insert(samples_.end(), chunk.marks[k].runs.begin(), chunk.marks[k].runs.end());
  }
  chunks_.push_back(whole);
  Forget(whole.last - memory_samples_);
}

void MarkTimeline::AddMarks(int64_t first, int64_t last, uint32_t marks) {
  others_.push_back({first, last, marks});
}

void MarkTimeline::Forget(int64_t before) {
  for (std::deque<ChannelMarks::Run>* runs : {&chunks_, &samples_, &others_}) {
    while (!runs->empty() && runs->front().last < before) runs->pop_front();
  }
  while (!stimuli_.empty() && stimuli_.front() < static_cast<double>(before)) stimuli_.pop_front();
}

uint32_t MarkTimeline::MarksIn(double first, double last) const {
  uint32_t marks = 0;
  const auto touches = [&](const ChannelMarks::Run& run) {
    return static_cast<double>(run.first) - memory_before_ <= last &&
           static_cast<double>(run.last) + memory_after_ >= first;
  };
  for (const std::deque<ChannelMarks::Run>* runs : {&chunks_, &others_}) {
    for (const ChannelMarks::Run& run : *runs) {
      if (touches(run)) marks |= run.marks;
    }
  }
  for (const ChannelMarks::Run& run : samples_) {
    if (!touches(run)) continue;
    const bool blanked = std::any_of(stimuli_.begin(), stimuli_.end(), [&](double stimulus) {
      return static_cast<double>(run.first) >= stimulus - before_samples_ - 1 &&
             static_cast<double>(run.last) <= stimulus + after_samples_ + 1;
    });
    if (!blanked) marks |= run.marks;
  }
  return marks;
}

}  // namespace remora::agent
