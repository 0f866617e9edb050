#include "hub/fanout/follower_lanes.h"

#include <algorithm>

#include "common/check.h"
#include "common/limits.h"
#include "hub/fanout/limits.h"

namespace remora::hub {
namespace {

constexpr std::array<size_t, kLaneCount> kMaxQueuedBytes = {0,
                                                            0,
                                                            kMaxQueuedMeasurementBytes,
                                                            kMaxQueuedSweepBytes,
                                                            kMaxQueuedEnvelopeBytes,
                                                            kMaxQueuedBlockBytes};

uint64_t NewestKey(const TraceKey& trace, bool provisional) {
  return uint64_t{trace.index} * 2 + (provisional ? 1 : 0);
}

}  // namespace

void FollowerLanes::Push(const RecordFrame& frame, v1::GapCause cause) {
  REMORA_CHECK(frame.lane >= kFirstLane && frame.lane < kLaneCount, "a lane that is never queued");
  Lane& lane = lanes_[frame.lane];
  if (frame.lane <= 3 && frame.trace != nullptr) {
    PushNewest(frame, cause);
  } else {
    lane.frames.push_back(frame);
    lane.bytes += frame.bytes.size();
  }
  while (lane.bytes > kMaxQueuedBytes[frame.lane] && lane.frames.size() > 1) {
    LeaveOut(frame.lane, lane.frames.begin(), cause);
  }
}

void FollowerLanes::PushNewest(const RecordFrame& frame, v1::GapCause cause) {
  Lane& lane = lanes_[frame.lane];
  const v1::GapCause replaced =
      cause == v1::GAP_CAUSE_BUDGET ? cause : v1::GAP_CAUSE_REPLACED_BY_NEWER;
  const bool conflate = frame.lane == 3 || lane.frames.size() >= kMeasurementSlack;
  const uint64_t key = NewestKey(*frame.trace, frame.provisional);
  if (conflate) {
    if (auto it = lane.newest.find(key); it != lane.newest.end()) {
      if (!frame.IsNewerThan(*it->second)) {
        AddGap(frame.lane, frame.seq, replaced);
        return;
      }
      LeaveOut(frame.lane, it->second, replaced);
    }
    if (frame.lane == 3 && !frame.provisional) {
      // The finished sweep ends the growing one.
      auto growing = lane.newest.find(NewestKey(*frame.trace, true));
      if (growing != lane.newest.end() && frame.IsNewerThan(*growing->second)) {
        LeaveOut(frame.lane, growing->second, replaced);
      }
    }
  }
  lane.frames.push_back(frame);
  lane.bytes += frame.bytes.size();
  auto [it, inserted] = lane.newest.try_emplace(key, std::prev(lane.frames.end()));
  if (!inserted && frame.IsNewerThan(*it->second)) it->second = std::prev(lane.frames.end());
}

void FollowerLanes::DropOlderThan(HubTime oldest, v1::GapCause cause) {
  for (uint32_t number = 4; number < kLaneCount; ++number) {
    Lane& lane = lanes_[number];
    while (!lane.frames.empty() && lane.frames.front().recorded_unix_ns < oldest.nanoseconds()) {
      LeaveOut(number, lane.frames.begin(), cause);
    }
  }
}

void FollowerLanes::DropAll(uint32_t number, v1::GapCause cause) {
  Lane& lane = lanes_[number];
  while (!lane.frames.empty()) LeaveOut(number, lane.frames.begin(), cause);
}

void FollowerLanes::LeaveOut(uint32_t lane, Frames::iterator frame, v1::GapCause cause) {
  AddGap(lane, frame->seq, cause);
  Remove(lane, frame);
}

void FollowerLanes::Remove(uint32_t number, Frames::iterator frame) {
  Lane& lane = lanes_[number];
  lane.bytes -= frame->bytes.size();
  if (!lane.newest.empty() && frame->trace != nullptr) {
    auto it = lane.newest.find(NewestKey(*frame->trace, frame->provisional));
    if (it != lane.newest.end() && it->second == frame) lane.newest.erase(it);
  }
  lane.frames.erase(frame);
}

bool FollowerLanes::HasGap(uint32_t lane) const {
  return std::any_of(lanes_[lane].gaps.begin(), lanes_[lane].gaps.end(),
                     [](const LaneGap& gap) { return gap.count > 0; });
}

LaneGap FollowerLanes::TakeGap(uint32_t lane) {
  for (LaneGap& gap : lanes_[lane].gaps) {
    if (gap.count == 0) continue;
    const LaneGap taken = gap;
    gap = LaneGap();
    return taken;
  }
  return {};
}

void FollowerLanes::AddGap(uint32_t lane, uint64_t seq, v1::GapCause cause) {
  if (seq == 0) return;  // shown UNRECORDED: its place comes when it is on disk
  LaneGap& gap = lanes_[lane].gaps[static_cast<size_t>(cause)];
  gap.from_seq = gap.count == 0 ? seq : std::min(gap.from_seq, seq);
  gap.to_seq = std::max(gap.to_seq, seq);
  gap.cause = cause;
  ++gap.count;
}

size_t FollowerLanes::queued_bytes() const {
  size_t bytes = 0;
  for (const Lane& lane : lanes_) bytes += lane.bytes;
  return bytes;
}

void FollowerLanes::Clear() { lanes_ = {}; }

}  // namespace remora::hub
