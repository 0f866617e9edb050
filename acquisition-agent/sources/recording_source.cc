#include "acquisition-agent/sources/recording_source.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "acquisition-agent/sources/recording_limits.h"

namespace remora::agent {
namespace {

void MoveTo(std::vector<Item>* items, std::deque<Item>* ready) {
  for (Item& item : *items) ready->push_back(std::move(item));
}

}  // namespace

FrameClock FrameClock::OfRate(double rate_hz) {
  // 1e9 ns are rate_hz frames, that is 1e15 are rate_hz * 1e6.
  return FrameClock(1'000'000'000'000'000,
                    std::max<int64_t>(std::llround(std::clamp(rate_hz, 1e-3, 1e7) * 1e6), 1));
}

FrameClock FrameClock::OfIntervalPs(int64_t interval_ps) { return FrameClock(interval_ps, 1000); }

int64_t FrameClock::Ns(int64_t frames, int64_t part, int64_t parts) const {
  const __int128 scaled =
      static_cast<__int128>(num_) * (static_cast<__int128>(frames) * parts + part);
  const __int128 divisor = static_cast<__int128>(den_) * parts;
  const __int128 rounded = (scaled >= 0 ? scaled + divisor / 2 : scaled - divisor / 2) / divisor;
  return static_cast<int64_t>(rounded);
}

int64_t FrameClock::FrameAt(int64_t ns) const {
  const __int128 scaled = static_cast<__int128>(ns) * den_;
  int64_t frame = static_cast<int64_t>(scaled / num_);
  while (Ns(frame) > ns) --frame;
  while (Ns(frame + 1) <= ns) ++frame;
  return frame;
}

RecordingSource::RecordingSource(Recording recording) : recording_(std::move(recording)) {
  Recording& r = recording_;
  std::stable_sort(r.marks.begin(), r.marks.end(),
                   [](const Mark& a, const Mark& b) { return a.time_ns < b.time_ns; });
  if (r.trigger_channel) {
    trigger_channel_.emplace(r.info.channels[*r.trigger_channel], r.options.triggers);
  }
  if (r.stretches.empty()) r.stretches.push_back({});
  const Stretch& last = r.stretches.back();
  r.info.duration_ns = last.start_ns + r.clock.Ns(r.frames - last.first_frame);

  const int64_t block_ns = int64_t{r.options.max_block_ms} * 1'000'000;
  const int64_t frame_ns = std::max<int64_t>(r.clock.Ns(1), 1);
  int64_t most_samples = 1;
  int64_t all_samples = 1;
  for (size_t group = 0; group < r.info.rate_groups.size(); ++group) {
    const int64_t samples = r.samples_per_frame[group];
    most_samples = std::max(most_samples, samples);
    all_samples += samples * static_cast<int64_t>(r.info.rate_groups[group].channels.size());
  }
  ticks_per_frame_ = std::clamp<int64_t>((frame_ns + block_ns - 1) / block_ns, 1, most_samples);
  if (r.trigger_channel) {
    // Its blocks end where slices end: no stimulus comes after a block that ends later.
    const int group = r.info.channels[*r.trigger_channel].rate_group;
    while (r.samples_per_frame[group] % ticks_per_frame_ != 0) --ticks_per_frame_;
  }
  ticks_per_slice_ =
      ticks_per_frame_ > 1
          ? 1
          : std::clamp<int64_t>(r.clock.FrameAt(block_ns), 1,
                                std::max<int64_t>(kMaxFrameSamples / all_samples, 1));

  std::vector<std::string> labels = LabelsOf({false, r.trigger_channel, ""}, r.options.triggers);
  std::vector<std::string> others;
  for (const MarkText& text : r.texts) {
    if (text.stimulus) {
      labels.push_back(text.stimulus->label);
    } else {
      others.push_back(text.text);
    }
  }
  r.info.texts = Distinct(std::move(labels), std::move(others));
}

int64_t RecordingSource::StretchEnd(size_t stretch) const {
  return stretch + 1 < recording_.stretches.size() ? recording_.stretches[stretch + 1].first_frame
                                                   : recording_.frames;
}

int64_t RecordingSource::TickNs(int64_t tick) const {
  const Stretch& stretch = recording_.stretches[stretch_];
  const int64_t into = tick - stretch.first_frame * ticks_per_frame_;
  return stretch.start_ns +
         recording_.clock.Ns(into / ticks_per_frame_, into % ticks_per_frame_, ticks_per_frame_);
}

absl::StatusOr<Item> RecordingSource::Next() {
  while (ready_.empty()) {
    if (ended_) return Item(EndOfSource{});
    if (recording_.info.rate_groups.empty() || tick_ >= recording_.frames * ticks_per_frame_) {
      AddEnd();
      ended_ = true;
    } else if (tick_ >= StretchEnd(stretch_) * ticks_per_frame_) {
      AddBreak();
    } else if (absl::Status status = AddSlice(); !status.ok()) {
      ended_ = true;
      return absl::DataLossError(absl::StrCat(recording_.info.name, ": ", status.message()));
    }
  }
  Item item = std::move(ready_.front());
  ready_.pop_front();
  return item;
}

void RecordingSource::SkipBefore(int64_t time_ns) {
  if (tick_ > 0 || !ready_.empty() || ended_) return;
  const std::vector<Stretch>& stretches = recording_.stretches;
  size_t stretch = 0;
  while (stretch + 1 < stretches.size() && stretches[stretch + 1].start_ns <= time_ns) ++stretch;
  // One frame more than is wanted: a trigger channel compares with it.
  const int64_t into = recording_.clock.FrameAt(std::max<int64_t>(
      std::min(time_ns, *recording_.info.duration_ns) - stretches[stretch].start_ns, 0));
  int64_t frame = std::min(stretches[stretch].first_frame + into, StretchEnd(stretch)) - 1;
  if (frame <= 0) return;
  while (stretches[stretch].first_frame > frame) --stretch;
  stretch_ = stretch;
  tick_ = frame * ticks_per_frame_;
  const int64_t from_ns = TickNs(tick_);
  while (next_mark_ < recording_.marks.size() && recording_.marks[next_mark_].time_ns < from_ns) {
    ++next_mark_;
  }
}

void RecordingSource::AddBreak() {
  Gap gap;
  gap.from_ns = TickNs(tick_);
  const Stretch& next = recording_.stretches[++stretch_];
  gap.to_ns = next.start_ns;
  gap.clock_step_ns = next.clock_step_ns;
  if (gap.clock_step_ns < 0) {
    gap.kind = Gap::Kind::kTimeJumpedBack;
    gap.cause = absl::StrCat("the recorded time goes back by ",
                             -static_cast<double>(gap.clock_step_ns) / 1e9, " s");
  } else if (gap.to_ns > gap.from_ns) {
    gap.cause = absl::StrCat("the recording was interrupted for ",
                             static_cast<double>(gap.to_ns - gap.from_ns) / 1e9, " s");
  } else {
    gap.cause = "the recording was interrupted; for how long is not recorded";
  }
  std::vector<Item> items;
  AddMarksBefore(gap.from_ns, &items);
  MoveTo(&items, &ready_);
  ready_.push_back(std::move(gap));
}

// What happened before the end of the slice, then its blocks, all by time.
absl::Status RecordingSource::AddSlice() {
  const int64_t from = tick_;
  const int64_t end = std::min(from + ticks_per_slice_, StretchEnd(stretch_) * ticks_per_frame_);
  std::vector<Item> items;
  AddMarksBefore(TickNs(end), &items);
  for (int group = 0; group < static_cast<int>(recording_.info.rate_groups.size()); ++group) {
    const int64_t samples = recording_.samples_per_frame[group];
    absl::Status status = AddBlock(group, samples * from / ticks_per_frame_,
                                   samples * end / ticks_per_frame_, &items);
    if (!status.ok()) return status;
  }
  tick_ = end;
  // Stable: at equal times what happened comes before the block that ends there.
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return DueTimeNs(a) < DueTimeNs(b); });
  MoveTo(&items, &ready_);
  return absl::OkStatus();
}

absl::Status RecordingSource::AddBlock(int group, int64_t first, int64_t last,
                                       std::vector<Item>* items) {
  if (first == last) return absl::OkStatus();
  const RateGroup& rate_group = recording_.info.rate_groups[group];
  const int64_t per_frame = recording_.samples_per_frame[group];
  const Stretch& stretch = recording_.stretches[stretch_];
  const auto time_of = [&](int64_t sample) {
    const int64_t into = sample - stretch.first_frame * per_frame;
    return stretch.start_ns + recording_.clock.Ns(into / per_frame, into % per_frame, per_frame);
  };
  SampleBlock block;
  block.rate_group = group;
  block.sample_rate_hz = rate_group.sample_rate_hz;
  block.first_sample_index = first;
  block.start_time_ns = time_of(first);
  block.end_time_ns = time_of(last);
  block.samples_per_channel = static_cast<int32_t>(last - first);
  block.samples.resize(static_cast<size_t>(last - first) * rate_group.channels.size());
  absl::Status status = recording_.samples->Read(group, first, last - first, block.samples);
  if (!status.ok()) return status;
  const std::optional<int>& channel = recording_.trigger_channel;
  if (channel && recording_.info.channels[*channel].rate_group == group) {
    for (StimulusTrigger& trigger :
         TriggersIn(block, recording_.info, *channel, &*trigger_channel_)) {
      items->emplace_back(std::move(trigger));
    }
  }
  items->emplace_back(std::move(block));
  return absl::OkStatus();
}

void RecordingSource::AddMarksBefore(int64_t time_ns, std::vector<Item>* items) {
  const std::vector<Mark>& marks = recording_.marks;
  for (; next_mark_ < marks.size() && marks[next_mark_].time_ns < time_ns; ++next_mark_) {
    const Mark& mark = marks[next_mark_];
    const MarkText& text = recording_.texts[mark.text];
    if (text.stimulus) {
      StimulusTrigger trigger = *text.stimulus;
      trigger.time_ns = mark.time_ns;
      items->emplace_back(std::move(trigger));
    } else {
      items->emplace_back(SourceEvent{mark.time_ns, mark.duration_ns, text.text});
    }
  }
}

void RecordingSource::AddEnd() {
  std::vector<Item> items;
  AddMarksBefore(*recording_.info.duration_ns + 1, &items);
  if (recording_.truncated) items.emplace_back(*recording_.truncated);
  AddMarksBefore(INT64_MAX, &items);  // set after the last sample
  MoveTo(&items, &ready_);
}

}  // namespace remora::agent
