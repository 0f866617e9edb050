// The items of several devices as those of one source, in the order that source.h promises.
//
// An item goes out when no device can still tell something earlier: each of them has sent samples
// until then, or has said that it told all. A stimulus or a value thus waits for the block that
// holds its time. A device that does not tell holds the others up for kMaxWaitNs, counted from the
// item's own time, and for kSettleNs more while its clock is learnt; from then on they go on
// without it, until it is within that time again. What it tells about the time that is over is
// late:
//
//   samples               are missing: a Gap up to its first block that is not late; where none
//                         comes for kSilentNs, a remark
//   a stimulus            becomes a note that says when and which; averages are not given it
//   vitals, drugs, notes  get the time at which they became known
//
// A device that tells neither samples nor stimuli (an anaesthesia monitor) is never waited for.
//
// Gaps are told when they are known, so Gap::from_ns may lie before what went out already.
//
// Nothing goes out before its time: a block that ends in the future waits.
//
// Thread-compatible: one sequence. Pure: reads no clock, waits for nothing. Full (kMaxWaitingItems
// of a device, kMaxWaitingBytes of all): the others are waited for no longer, and further values
// and stimuli are dropped; at twice as much, samples too. Both are told by a remark, at most one of
// a device in kRemarkIntervalNs.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "acquisition-agent/sources/feed/remarks.h"
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

  // In the device's order; rate groups as the device counts them. Says nothing of what else it has
  // told: ToldUntil does.
  void Push(size_t device, Item item);
  // It has told all that happened before this time.
  void ToldUntil(size_t device, int64_t time_ns);
  // Its clock is being learnt: it gives nothing now, and then all since it began.
  void SetSettling(size_t device, bool settling);
  // A remark of the source itself, at the time that was reached.
  void Remark(const std::string& text);

  // The next item; nothing: it is waited for, or there is none. `now_ns`: the agent's time. `all`:
  // what has arrived until then was pushed; else nobody is late yet.
  std::optional<Item> Pop(int64_t now_ns, bool all);

  // Blocks and stimuli that came too late, or found no room.
  uint64_t late() const { return late_; }
  // What waits, of all devices.
  size_t waiting_bytes() const { return waiting_bytes_; }
  size_t waiting(size_t device) const { return devices_[device].queue.size(); }
  // What an item keeps in memory, about.
  static size_t BytesOf(const Item& item);
  // Nothing more should be pushed before what can go out was popped.
  bool full() const;

 private:
  struct Waiting {
    int64_t key_ns = 0;
    Item item;
    size_t bytes = 0;
  };
  struct Device {
    MergedDevice is;
    std::deque<Waiting> queue;
    int64_t known_ns = 0;
    bool absent = false;
    bool settling = false;
    // Blocks that came too late since the last that did not, and when the first of them did.
    uint64_t late_blocks = 0;
    std::optional<int64_t> late_since_ns;
    Remarks remarks;
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
  bool IsAhead(const Device& device, int64_t now_ns, bool all) const;
  // Others that may still tell something before `key_ns`.
  bool MustWait(size_t device, int64_t key_ns, int64_t now_ns, bool all);
  // False: there is no room for it.
  bool HasRoom(Device* device, const Item& item, size_t bytes);
  void TellLate(Device* device, int64_t key_ns);
  // Makes it the source's. Nothing: it went nowhere.
  void HandOut(Device* device, Waiting waiting);
  void HandOutBlock(const Device& device, SampleBlock block);

  std::vector<Device> devices_;
  std::vector<Group> groups_;
  std::deque<Item> ready_;
  size_t waiting_bytes_ = 0;
  int64_t told_ns_ = 0;
  uint64_t late_ = 0;
};

}  // namespace remora::agent::feed
