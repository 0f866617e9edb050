#include "acquisition-agent/sources/feed/feed_merge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/sources/feed/limits.h"

namespace remora::agent::feed {
namespace {

// When an item may go out. A gap before the block behind it, after the one before it.
int64_t KeyOf(const Item& item) {
  if (const auto* gap = std::get_if<Gap>(&item)) return std::max(gap->from_ns, gap->to_ns);
  return DueTimeNs(item);
}

void MoveTo(int64_t time_ns, Item* item) {
  if (auto* event = std::get_if<SourceEvent>(item)) event->time_ns = time_ns;
  if (auto* vital = std::get_if<VitalSign>(item)) vital->time_ns = time_ns;
  if (auto* drug = std::get_if<DrugEvent>(item)) drug->time_ns = time_ns;
  if (auto* impedance = std::get_if<ElectrodeImpedance>(item)) impedance->time_ns = time_ns;
}

}  // namespace

FeedMerge::FeedMerge(std::vector<MergedDevice> devices) {
  size_t groups = 0;
  for (MergedDevice& device : devices) {
    groups = std::max(groups, static_cast<size_t>(device.first_group + device.groups));
    devices_.push_back({std::move(device), {}, 0, false});
  }
  groups_.resize(groups);
}

void FeedMerge::Push(size_t index, Item item) {
  Device& device = devices_[index];
  const int64_t key_ns = KeyOf(item);
  const bool is_block = std::holds_alternative<SampleBlock>(item);
  const bool is_gap = std::holds_alternative<Gap>(item);
  if (!is_block && !is_gap && device.queue.size() >= kMaxWaitingItems) {
    ++late_;
    return;
  }
  auto place = device.queue.end();
  while (place != device.queue.begin() && std::prev(place)->key_ns > key_ns) --place;
  device.queue.insert(place, {key_ns, std::move(item)});
  if (is_block) ToldUntil(index, key_ns);
}

void FeedMerge::ToldUntil(size_t index, int64_t time_ns) {
  Device& device = devices_[index];
  device.known_ns = std::max(device.known_ns, time_ns);
  if (device.known_ns > told_ns_ - kMaxWaitNs) device.absent = false;
}

void FeedMerge::Remark(const std::string& text) {
  ready_.push_back(SourceEvent{told_ns_, 0, text});
}

std::optional<size_t> FeedMerge::Earliest() const {
  std::optional<size_t> earliest;
  for (size_t i = 0; i < devices_.size(); ++i) {
    if (devices_[i].queue.empty()) continue;
    if (!earliest || devices_[i].queue.front().key_ns < devices_[*earliest].queue.front().key_ns) {
      earliest = i;
    }
  }
  return earliest;
}

bool FeedMerge::MustWait(size_t index, int64_t key_ns, std::optional<int64_t> now_ns) {
  const bool over =
      (now_ns && *now_ns - key_ns > kMaxWaitNs) || devices_[index].queue.size() > kMaxWaitingItems;
  bool wait = false;
  for (size_t i = 0; i < devices_.size(); ++i) {
    Device& other = devices_[i];
    if (i == index || !other.is.waited_for || other.absent) continue;
    if (other.known_ns >= key_ns) continue;
    if (over) {
      other.absent = true;
    } else {
      wait = true;
    }
  }
  return wait;
}

bool FeedMerge::IsAhead(const Device& device, std::optional<int64_t> now_ns) const {
  const Waiting& first = device.queue.front();
  if (std::holds_alternative<SampleBlock>(first.item) || std::holds_alternative<Gap>(first.item))
    return false;
  if (device.is.groups == 0) return !now_ns || *now_ns < first.key_ns;
  return device.known_ns < first.key_ns && !(now_ns && *now_ns - first.key_ns > kMaxWaitNs);
}

std::optional<Item> FeedMerge::Pop(std::optional<int64_t> now_ns) {
  while (ready_.empty()) {
    const std::optional<size_t> index = Earliest();
    if (!index) return std::nullopt;
    Device& device = devices_[*index];
    if (IsAhead(device, now_ns)) return std::nullopt;
    if (MustWait(*index, device.queue.front().key_ns, now_ns)) return std::nullopt;
    Waiting waiting = std::move(device.queue.front());
    device.queue.pop_front();
    HandOut(&device, std::move(waiting));
  }
  Item item = std::move(ready_.front());
  ready_.pop_front();
  return item;
}

void FeedMerge::HandOut(Device* device, Waiting waiting) {
  const bool late = waiting.key_ns < told_ns_;
  if (auto* block = std::get_if<SampleBlock>(&waiting.item)) {
    block->rate_group += device->is.first_group;
    if (late) {
      ++late_;
      groups_[block->rate_group].broken = true;
      return;
    }
    told_ns_ = waiting.key_ns;
    return HandOutBlock(*device, std::move(*block));
  }
  if (std::holds_alternative<Gap>(waiting.item)) {
    // Told with the block behind it, which may come too late.
    Gap& gap = std::get<Gap>(waiting.item);
    gap.rate_group += device->is.first_group;
    std::optional<Gap>& waits = groups_[static_cast<size_t>(gap.rate_group)].gap;
    if (!waits) waits = std::move(gap);
    return;
  }
  if (!late) {
    told_ns_ = waiting.key_ns;
    ready_.push_back(std::move(waiting.item));
    return;
  }
  if (const auto* trigger = std::get_if<StimulusTrigger>(&waiting.item)) {
    ++late_;
    ready_.push_back(SourceEvent{
        told_ns_, 0,
        absl::StrFormat("%s: a stimulus \"%s\" (code %d) at %.3f s was told %.0f ms after samples "
                        "of that time; it is not used",
                        device->is.name, trigger->label, trigger->code,
                        static_cast<double>(trigger->time_ns) / 1e9,
                        static_cast<double>(told_ns_ - trigger->time_ns) / 1e6)});
    return;
  }
  MoveTo(told_ns_, &waiting.item);
  ready_.push_back(std::move(waiting.item));
}

void FeedMerge::HandOutBlock(const Device& device, SampleBlock block) {
  Group& group = groups_[block.rate_group];
  if (group.broken && group.end_ns) {
    if (!group.gap) {
      group.gap.emplace().cause = absl::StrCat(
          device.is.name, ": samples came too late to be seen beside those of other devices");
    }
    group.gap->kind = Gap::Kind::kMissing;
    group.gap->clock_step_ns = 0;
    group.gap->from_ns = *group.end_ns;
    group.gap->to_ns = block.start_time_ns;
    group.gap->rate_group = block.rate_group;
  }
  if (group.gap) ready_.push_back(*std::exchange(group.gap, std::nullopt));
  group.broken = false;
  group.end_ns = block.end_time_ns;
  block.first_sample_index = group.delivered;
  group.delivered += block.samples_per_channel;
  ready_.push_back(std::move(block));
}

}  // namespace remora::agent::feed
