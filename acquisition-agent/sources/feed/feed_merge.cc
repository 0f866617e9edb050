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
    devices_.emplace_back().is = std::move(device);
  }
  groups_.resize(groups);
}

size_t FeedMerge::BytesOf(const Item& item) {
  size_t more = 0;
  if (const auto* block = std::get_if<SampleBlock>(&item))
    more = block->samples.size() * sizeof(double);
  if (const auto* event = std::get_if<SourceEvent>(&item)) more = event->text.size();
  return sizeof(Item) + more;
}

bool FeedMerge::full() const {
  return waiting_bytes_ > kMaxWaitingBytes ||
         std::any_of(devices_.begin(), devices_.end(),
                     [](const Device& device) { return device.queue.size() > kMaxWaitingItems; });
}

bool FeedMerge::HasRoom(Device* device, const Item& item, size_t bytes) {
  const bool carries_samples =
      std::holds_alternative<SampleBlock>(item) || std::holds_alternative<Gap>(item);
  const size_t times = carries_samples ? 2 : 1;
  if (device->queue.size() < times * kMaxWaitingItems &&
      waiting_bytes_ + bytes <= times * kMaxWaitingBytes) {
    return true;
  }
  ++late_;
  const auto* block = std::get_if<SampleBlock>(&item);
  const auto* gap = std::get_if<Gap>(&item);
  const int group = block != nullptr ? block->rate_group : gap != nullptr ? gap->rate_group : -1;
  if (group >= 0) groups_[static_cast<size_t>(device->is.first_group + group)].broken = true;
  const std::optional<std::string> told = device->remarks.Tell(
      RemarkKind::kFull, "sends more than can wait for the others; some of it is dropped",
      told_ns_);
  if (told) Remark(absl::StrCat(device->is.name, ": ", *told));
  return false;
}

void FeedMerge::Push(size_t index, Item item) {
  Device& device = devices_[index];
  const int64_t key_ns = KeyOf(item);
  const size_t bytes = BytesOf(item);
  if (!HasRoom(&device, item, bytes)) return;
  auto place = device.queue.end();
  while (place != device.queue.begin() && std::prev(place)->key_ns > key_ns) --place;
  device.queue.insert(place, {key_ns, std::move(item), bytes});
  waiting_bytes_ += bytes;
}

void FeedMerge::ToldUntil(size_t index, int64_t time_ns) {
  Device& device = devices_[index];
  device.known_ns = std::max(device.known_ns, time_ns);
  if (device.known_ns > told_ns_ - kMaxWaitNs) device.absent = false;
}

void FeedMerge::SetSettling(size_t index, bool settling) {
  Device& device = devices_[index];
  if (settling && !device.settling) device.absent = false;
  device.settling = settling;
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

bool FeedMerge::MustWait(size_t index, int64_t key_ns, int64_t now_ns, bool all) {
  const bool no_room = full();
  bool wait = false;
  for (size_t i = 0; i < devices_.size(); ++i) {
    Device& other = devices_[i];
    if (i == index || !other.is.waited_for || other.absent) continue;
    if (other.known_ns >= key_ns) continue;
    const int64_t most_ns = kMaxWaitNs + (other.settling ? kSettleNs : 0);
    if (no_room || (all && now_ns - key_ns > most_ns)) {
      other.absent = true;
    } else {
      wait = true;
    }
  }
  return wait;
}

bool FeedMerge::IsAhead(const Device& device, int64_t now_ns, bool all) const {
  const Waiting& first = device.queue.front();
  if (std::holds_alternative<SampleBlock>(first.item) || std::holds_alternative<Gap>(first.item) ||
      device.is.groups == 0) {
    return now_ns < first.key_ns;
  }
  return device.known_ns < first.key_ns && !(all && now_ns - first.key_ns > kMaxWaitNs);
}

std::optional<Item> FeedMerge::Pop(int64_t now_ns, bool all) {
  while (ready_.empty()) {
    const std::optional<size_t> index = Earliest();
    if (!index) return std::nullopt;
    Device& device = devices_[*index];
    if (IsAhead(device, now_ns, all)) return std::nullopt;
    if (MustWait(*index, device.queue.front().key_ns, now_ns, all)) return std::nullopt;
    Waiting waiting = std::move(device.queue.front());
    device.queue.pop_front();
    waiting_bytes_ -= waiting.bytes;
    HandOut(&device, std::move(waiting));
  }
  Item item = std::move(ready_.front());
  ready_.pop_front();
  // Of a live source, whoever said it: a device called "STIM" stimulates nobody by its remarks.
  if (auto* event = std::get_if<SourceEvent>(&item)) event->is_remark = true;
  return item;
}

void FeedMerge::TellLate(Device* device, int64_t key_ns) {
  ++device->late_blocks;
  if (!device->late_since_ns) device->late_since_ns = told_ns_;
  if (told_ns_ - *device->late_since_ns < kSilentNs) return;
  const std::optional<std::string> told = device->remarks.Tell(
      RemarkKind::kLate,
      absl::StrFormat("its samples come too late to be seen beside those of other devices, now by "
                      "%.0f ms; %d blocks are missing",
                      static_cast<double>(told_ns_ - key_ns) / 1e6, device->late_blocks),
      told_ns_);
  if (told) Remark(absl::StrCat(device->is.name, ": ", *told));
}

void FeedMerge::HandOut(Device* device, Waiting waiting) {
  const bool late = waiting.key_ns < told_ns_;
  if (auto* block = std::get_if<SampleBlock>(&waiting.item)) {
    block->rate_group += device->is.first_group;
    if (late) {
      ++late_;
      groups_[block->rate_group].broken = true;
      return TellLate(device, waiting.key_ns);
    }
    told_ns_ = waiting.key_ns;
    device->late_blocks = 0;
    device->late_since_ns.reset();
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
