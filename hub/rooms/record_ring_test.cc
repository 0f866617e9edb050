#include "hub/rooms/record_ring.h"

#include <gtest/gtest.h>

#include "common/random.h"
#include "common/testing/record_writer.h"
#include "hub/rooms/limits.h"
#include "hub/rooms/testing/stamped_frame.h"
#include "hub/rooms/trace_board.h"

namespace remora::hub {
namespace {

RecordFrame Frame(uint64_t seq, uint8_t lane, size_t bytes = 100) {
  RecordFrame frame;
  frame.bytes = SharedBytes(std::string(bytes, 'x'));
  frame.seq = seq;
  frame.lane = lane;
  frame.recorded_unix_ns = static_cast<int64_t>(seq) * 1'000'000'000;
  return frame;
}

std::vector<uint64_t> Visited(const RecordRing& ring, uint64_t from, bool control, bool bulk) {
  std::vector<uint64_t> seqs;
  ring.Visit(from, control, bulk, [&](const RecordFrame& frame) {
    seqs.push_back(frame.seq);
    return true;
  });
  return seqs;
}

TEST(RecordRing, VisitsBothClassesInOrder) {
  RecordRing ring(1);
  ring.Add(Frame(1, 0));
  ring.Add(Frame(2, 5));
  ring.Add(Frame(3, 1));
  ring.Add(Frame(4, 3));
  EXPECT_EQ(Visited(ring, 2, true, true), (std::vector<uint64_t>{2, 3, 4}));
  EXPECT_EQ(Visited(ring, 1, true, false), (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(Visited(ring, 1, false, true), (std::vector<uint64_t>{2, 4}));
}

TEST(RecordRing, BulkNeverPushesControlOut) {
  RecordRing ring(1);
  ring.Add(Frame(1, 0));
  uint64_t seq = 2;
  for (size_t bytes = 0; bytes < 3 * kMaxRecentBulkBytes; bytes += 4000) {
    ring.Add(Frame(seq++, 5, 4000));
  }
  EXPECT_LE(ring.bytes(), kMaxRecentBulkBytes + kMaxRecentControlBytes);
  EXPECT_TRUE(ring.Covers(1, true, false));
  EXPECT_FALSE(ring.Covers(1, true, true));
  EXPECT_TRUE(ring.Covers(seq - 10, true, true));
}

TEST(RecordRing, OldFramesLeaveWithAge) {
  RecordRing ring(1);
  for (uint64_t seq = 1; seq <= 100; ++seq) ring.Add(Frame(seq, 1));
  ring.Trim(HubTime::FromNanoseconds(100'000'000'000), Duration::Seconds(60));
  EXPECT_FALSE(ring.Covers(39, true, false));
  EXPECT_TRUE(ring.Covers(40, true, false));
}

TEST(RecordRing, OfARestoredRoomCoversOnlyWhatComes) {
  RecordRing ring(51);
  EXPECT_FALSE(ring.Covers(50, true, false));
  EXPECT_TRUE(ring.Covers(51, true, true));
}

TEST(TraceBoard, KeepsTheNewestByItsOriginsOrderNotByArrival) {
  TraceBoard board;
  BodyPeek peek;
  peek.trace_id = "SEP/R";
  const TraceKey* trace = board.Name(80, peek);
  RecordFrame live = Frame(10, 3);
  live.trace = trace;
  live.origin_seq = 9;
  board.Keep(live);
  RecordFrame late = Frame(11, 3);  // the backlog of an outage
  late.trace = trace;
  late.origin_seq = 4;
  board.Keep(late);
  ASSERT_EQ(board.Newest(1 << 20).size(), 1u);
  EXPECT_EQ(board.Newest(1 << 20)[0].seq, 10u);
}

TEST(TraceBoard, FinishedSweepEndsTheGrowingOneAndGoesFirstWhenRoomIsShort) {
  TraceBoard board;
  BodyPeek peek;
  peek.trace_id = "SEP/R";
  const auto keep = [&](uint64_t seq, uint8_t lane, bool provisional, uint32_t kind) {
    RecordFrame frame = Frame(seq, lane, 100);
    frame.trace = board.Name(kind, peek);
    frame.origin_seq = seq;
    frame.provisional = provisional;
    board.Keep(frame);
  };
  keep(1, 3, true, 80);
  keep(2, 3, false, 80);
  EXPECT_EQ(board.Newest(1 << 20).size(), 1u);
  keep(3, 3, true, 80);
  keep(4, 4, false, 96);
  EXPECT_EQ(board.Newest(1 << 20).size(), 3u);
  ASSERT_EQ(board.Newest(150).size(), 1u);
  EXPECT_EQ(board.Newest(150)[0].seq, 2u);
}

TEST(TraceBoard, HostileNumberOfTracesIsBounded) {
  TraceBoard board;
  for (size_t i = 0; i < kMaxTraces; ++i) {
    const std::string name = "t" + std::to_string(i);
    BodyPeek peek;
    peek.trace_id = name;
    ASSERT_NE(board.Name(80, peek), nullptr);
  }
  BodyPeek peek;
  peek.trace_id = "one more";
  EXPECT_EQ(board.Name(80, peek), nullptr);
  peek.trace_id = "t5";
  EXPECT_NE(board.Name(80, peek), nullptr);
}

TEST(PeekBody, ReadsTraceComponentAndProvisional) {
  const std::string sweep = SweepBody("SEP/R", 3, true).sweep().SerializeAsString();
  EXPECT_EQ(PeekBody(v1::Record::kSweep, sweep).trace_id, "SEP/R");
  EXPECT_TRUE(PeekBody(v1::Record::kSweep, sweep).provisional);
  const std::string measurement =
      MeasurementBody("SEP/L", 50, v1::MEASUREMENT_STATE_RED).measurement().SerializeAsString();
  EXPECT_EQ(PeekBody(v1::Record::kMeasurement, measurement).component, "N20-P25");
}

}  // namespace
}  // namespace remora::hub
