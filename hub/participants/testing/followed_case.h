#pragma once

// A case with an agent, and readers of it, for tests of follows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "hub/fanout/limits.h"
#include "hub/participants/session_limits.h"
#include "hub/participants/testing/one_case.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

class FollowingTest : public OneCaseTest {
 protected:
  std::unique_ptr<TestParticipant> Reader(const std::string& name = "reader-1") {
    auto reader = std::make_unique<TestParticipant>(hub_, ReaderIdentity(name));
    reader->Hello();
    hub_.Run();
    return reader;
  }
  std::string Alert(const std::string& text) { return writer_.Write(AlertBody(text)); }
  // One of each lane.
  std::vector<std::string> Mixture(uint32_t i) {
    return {writer_.Write(BlockBody("EMG/1", i * 64)),
            writer_.Write(EnvelopeBody("EMG/1", i)),
            writer_.Write(SweepBody("SEP/R", i, false)),
            writer_.Write(MeasurementBody("SEP/R", 90, v1::MEASUREMENT_STATE_WITHIN_LIMITS)),
            writer_.Write(PhaseBody(v1::PHASE_EXPOSURE)),
            Alert("alert " + std::to_string(i))};
  }
  v1::Cursor CursorAt(const std::vector<std::string>& journal, uint64_t seq) {
    v1::Cursor cursor;
    cursor.set_epoch(1);
    std::array<std::pair<uint64_t, uint64_t>, kLaneCount> lanes{};
    for (const std::string& bytes : journal) {
      const StampedRecord record = *WalkStamped(bytes);
      if (record.stamp.seq <= seq) {
        lanes[record.header.lane] = {record.stamp.seq, RecordDigest(bytes)};
      }
    }
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      v1::LaneCursor* at = cursor.add_lanes();
      at->set_lane(lane);
      at->set_seq(lanes[lane].first);
      at->set_digest(lanes[lane].second);
    }
    return cursor;
  }
};

}  // namespace remora::hub
