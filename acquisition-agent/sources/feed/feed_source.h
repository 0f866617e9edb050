// A live source: one or more devices that speak docs/feed-protocol.md, merged in the agent's time.
// Time 0 is when it was opened.
//
// Open waits until every device has described itself and its clock is known (kSettleNs); then the
// channels are fixed. Next never waits. A device that goes away, comes back, or loses messages
// shows as Gap and SourceEvent; the source goes on. It ends only where `run_for` says so.
//
// Thread-compatible: one sequence. Opened and asked on different threads is fine, not at once.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "acquisition-agent/sources/feed/device_session.h"
#include "acquisition-agent/sources/feed/feed_merge.h"
#include "acquisition-agent/sources/feed/limits.h"
#include "acquisition-agent/sources/feed/transport.h"
#include "acquisition-agent/sources/source.h"
#include "common/clock.h"

namespace remora::agent::feed {

struct FeedOptions {
  std::string name = "feed";  // SourceInfo::name
  Duration wait = Duration::FromSeconds(kDefaultOpenWaitS);
  // EndOfSource after so long; nothing: it never ends.
  std::optional<Duration> run_for = std::nullopt;
  // Names of codes, "1" -> "MED R", for stimuli without a label.
  std::map<int32_t, std::string> code_labels = {};
};

class FeedSource : public SignalSource {
 public:
  // kUnavailable: a device did not describe itself in time; the message says which, what came of it
  // instead, and what to do.
  static absl::StatusOr<std::unique_ptr<FeedSource>> Open(std::unique_ptr<Transport> transport,
                                                          std::shared_ptr<const Clock> clock,
                                                          const FeedOptions& options);

  const SourceInfo& info() const override { return info_; }
  absl::StatusOr<Item> Next() override;

  // For tests and for feed-check.
  const DeviceSession& device(size_t index) const { return devices_[index].session; }
  uint64_t late() const { return merge_ ? merge_->late() : 0; }

 private:
  struct Device {
    explicit Device(const std::string& address) : session(address) {}
    DeviceSession session;
    std::string notice;   // the last one of its connection
    std::string refused;  // the last message that was none
    bool silent_told = false;
    // Before the channels are fixed.
    std::deque<Item> early;
    size_t early_bytes = 0;
  };

  FeedSource(std::unique_ptr<Transport> transport, std::shared_ptr<const Clock> clock,
             const FeedOptions& options);

  int64_t NowNs() const { return (clock_->Now() - opened_).nanoseconds(); }
  absl::Status WaitForDevices();
  std::string WhatIsMissing() const;
  void Fix();
  void Take(const Arrival& arrival);
  void NameByCode(Item* item) const;
  void KeepEarly(Device* device, std::vector<Item> items);
  // Takes what has arrived. True: all of it.
  bool TakeArrived();
  void TellSilence();

  const std::unique_ptr<Transport> transport_;
  const std::shared_ptr<const Clock> clock_;
  const FeedOptions options_;
  const DeviceTime opened_;
  std::vector<Device> devices_;
  SourceInfo info_;
  std::optional<FeedMerge> merge_;
  bool ended_ = false;
};

}  // namespace remora::agent::feed
