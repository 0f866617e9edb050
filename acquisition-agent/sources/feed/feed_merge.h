// The items of several devices as those of one source, in the order that source.h promises.
//
// An item goes out when no device can still tell something earlier: each of them has sent samples
// until then, or has said that it told all. A stimulus or a value thus waits for the block that
// holds its time. A device that does not tell holds the others up for kMaxWaitNs, counted from the
// item's own time; from then on they go on without it, until it is within that time again. What it
// tells about the time that is over is late:
//
//   samples               are missing: a Gap up to its first block that is not late
//   a stimulus            becomes a note that says when and which; averages are not given it
//   vitals, drugs, notes  get the time at which they became known
//
// A device that tells neither samples nor stimuli (an anaesthesia monitor) is never waited for.
//
// Gaps are told when they are known, so Gap::from_ns may lie before what went out already.
//
// Thread-compatible: one sequence. Pure: reads no clock, waits for nothing. Full (kMaxWaitingItems
// of a device): the others are waited for no longer, and further values and stimuli are dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/source.h"

namespace remora::agent::feed {

struct MergedDevice {
  std::string name;     // for people
  int first_group = 0;  // rate group 0 of the device is this one of the source
  int groups = 0;
  bool waited_for = true;  // it tells samples or stimuli
};

class FeedMerge {
 public:
  explicit FeedMerge(std::vector<MergedDevice> devices);

  // In the device's order; rate groups as the device counts them.
  void Push(size_t device, Item item);
  // It has told all that happened before this time.
  void ToldUntil(size_t device, int64_t time_ns);
  // A remark of the source itself, at the time that was reached.
  void Remark(const std::string& text);

  // The next item; nothing: it is waited for, or there is none. `now_ns`: the agent's time; nothing
  // where not all that has arrived was pushed, so that nobody is late for that.
  std::optional<Item> Pop(std::optional<int64_t> now_ns);

  // Blocks and stimuli that came too late.
  uint64_t late() const { return late_; }

 private:
  struct Waiting {
    int64_t key_ns = 0;
    Item item;
  };
  struct Device {
    MergedDevice is;
    std::deque<Waiting> queue;
    int64_t known_ns = 0;
    bool absent = false;
  };
  struct Group {
    int64_t delivered = 0;          // samples handed out
    std::optional<int64_t> end_ns;  // of the last block handed out
    std::optional<Gap> gap;         // before its next block
    bool broken = false;            // blocks since then came too late
  };

  // The device whose first item is the earliest of all; nothing: none waits.
  std::optional<size_t> Earliest() const;
  // Its first item is of a time that its own samples, or the clock, have not come to.
  bool IsAhead(const Device& device, std::optional<int64_t> now_ns) const;
  // Others that may still tell something before `key_ns`.
  bool MustWait(size_t device, int64_t key_ns, std::optional<int64_t> now_ns);
  // Makes it the source's. Nothing: it went nowhere.
  void HandOut(Device* device, Waiting waiting);
  void HandOutBlock(const Device& device, SampleBlock block);

  std::vector<Device> devices_;
  std::vector<Group> groups_;
  std::deque<Item> ready_;
  int64_t told_ns_ = 0;
  uint64_t late_ = 0;
};

}  // namespace remora::agent::feed
