#include "hub/rooms/record_ring.h"

#include <gtest/gtest.h>

#include <set>

#include "common/random.h"
#include "common/testing/record_writer.h"
#include "common/testing/sample_records.h"
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

// The key under which a record of `body` waits for a slow follower.
const TraceKey* KeyOf(TraceBoard* board, const v1::Record& body) {
  const auto kind = static_cast<uint32_t>(body.body_case());
  const auto* field = v1::Record::descriptor()->FindFieldByNumber(body.body_case());
  const std::string bytes = body.GetReflection()->GetMessage(body, field).SerializeAsString();
  return board->Name(kind, PeekBody(kind, bytes));
}

// Checks that `change` makes another thing of the sample of `kind`, of the same trace.
template <typename Change>
void ExpectApart(v1::Record::BodyCase kind, const char* what, Change change) {
  SCOPED_TRACE(what);
  TraceBoard board;
  v1::Record record = SampleRecord(kind);
  const TraceKey* key = KeyOf(&board, record);
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(KeyOf(&board, record), key);
  change(record);
  const TraceKey* other = KeyOf(&board, record);
  ASSERT_NE(other, nullptr);
  EXPECT_NE(other->index, key->index);
  EXPECT_EQ(other->trace_id, key->trace_id);
}

TEST(TraceBoard, TwoThingsOfOneTraceWaitBesideEachOther) {
  using R = v1::Record;
  ExpectApart(R::kStimulusThreshold, "screw",
              [](R& r) { r.mutable_stimulus_threshold()->set_level("L5 left"); });
  ExpectApart(R::kStimulusThreshold, "side",
              [](R& r) { r.mutable_stimulus_threshold()->set_side(v1::SIDE_RIGHT); });
  ExpectApart(R::kStimulusThreshold, "modality", [](R& r) {
    r.mutable_stimulus_threshold()->set_modality(v1::MODALITY_DIRECT_NERVE_STIMULATION);
  });
  ExpectApart(R::kMappingContact, "contact",
              [](R& r) { r.mutable_mapping_contact()->set_contact_index(4); });
  ExpectApart(R::kMappingContact, "side of the stimulus",
              [](R& r) { r.mutable_mapping_contact()->set_side(v1::SIDE_LEFT); });
  ExpectApart(R::kMappingContact, "modality", [](R& r) {
    r.mutable_mapping_contact()->set_modality(v1::MODALITY_MAP_CORTICAL_STIMULATION);
  });
  ExpectApart(R::kMappingResult, "method",
              [](R& r) { r.mutable_mapping_result()->set_method(v1::MAPPING_METHOD_GRADIENT); });
  ExpectApart(R::kMappingResult, "modality",
              [](R& r) { r.mutable_mapping_result()->set_modality(v1::MODALITY_MAP_MIDLINE); });
  ExpectApart(R::kMappingResult, "side",
              [](R& r) { r.mutable_mapping_result()->set_side(v1::SIDE_LEFT); });
  ExpectApart(R::kMeasurement, "site of the stimulus",
              [](R& r) { r.mutable_measurement()->set_site("L5 left"); });
  ExpectApart(R::kTrainOfFour, "muscle of the limb",
              [](R& r) { r.mutable_train_of_four()->set_trace_id("TOF/L/ADM"); });
  ExpectApart(R::kTrainOfFour, "side",
              [](R& r) { r.mutable_train_of_four()->set_side(v1::SIDE_RIGHT); });
  ExpectApart(R::kSweep, "twitch of a train", [](R& r) { r.mutable_sweep()->set_site("T3"); });
  ExpectApart(R::kEegActivity, "stimulated site",
              [](R& r) { r.mutable_eeg_activity()->set_site("G14-G15"); });
  ExpectApart(R::kEmgActivity, "silence",
              [](R& r) { r.mutable_emg_activity()->set_kind(v1::EMG_ACTIVITY_KIND_SILENCE); });
  ExpectApart(R::kEmgActivity, "train with a name",
              [](R& r) { r.mutable_emg_activity()->set_train_pattern(v1::TRAIN_PATTERN_A); });
  ExpectApart(R::kEmgActivity, "shivering", [](R& r) {
    r.mutable_emg_activity()->set_artefact_class(v1::ARTEFACT_CLASS_SHIVERING);
  });
}

// All four twitches go to a slow link; a snapshot has one sweep a trace, as before.
TEST(TraceBoard, TwitchesOfATrainWaitBesideEachOtherAndTheLastStandsForThem) {
  TraceBoard board;
  std::set<uint32_t> indices;
  for (uint64_t train = 0; train < 2; ++train) {
    for (uint64_t twitch = 1; twitch <= 4; ++twitch) {
      v1::Record record = SweepBody("TRAIN_OF_FOUR/L/APB", 3, false);
      record.mutable_sweep()->set_site("T" + std::to_string(twitch));
      RecordFrame frame = Frame(4 * train + twitch, 3);
      frame.kind = v1::Record::kSweep;
      frame.trace = KeyOf(&board, record);
      frame.origin_seq = frame.seq;
      ASSERT_NE(frame.trace, nullptr);
      indices.insert(frame.trace->index);
      board.Keep(frame);
    }
  }
  EXPECT_EQ(indices.size(), 4u);
  ASSERT_EQ(board.Newest(1 << 20).size(), 1u);
  EXPECT_EQ(board.Newest(1 << 20)[0].seq, 8u);
}

TEST(TraceBoard, NewerRecordOfTheSameThingTakesItsPlace) {
  TraceBoard board;
  v1::Record threshold = SampleRecord(v1::Record::kStimulusThreshold);
  const TraceKey* key = KeyOf(&board, threshold);
  threshold.mutable_stimulus_threshold()->set_repeat_index(2);
  threshold.mutable_stimulus_threshold()->set_threshold_ma(9);
  EXPECT_EQ(KeyOf(&board, threshold), key);
  v1::Record activity = SampleRecord(v1::Record::kEmgActivity);
  key = KeyOf(&board, activity);
  activity.mutable_emg_activity()->set_started_monotonic_ns(99);
  EXPECT_EQ(KeyOf(&board, activity), key);
}

// However many things a sender makes of one trace, none is refused, and none takes a trace's place.
TEST(TraceBoard, HostileNumberOfPartsGoesByItsTrace) {
  TraceBoard board;
  v1::Record contact = SampleRecord(v1::Record::kMappingContact);
  std::set<uint32_t> indices;
  for (uint32_t i = 1; i <= kMaxTraceParts + 100; ++i) {
    contact.mutable_mapping_contact()->set_contact_index(UINT32_MAX - i);
    const TraceKey* key = KeyOf(&board, contact);
    ASSERT_NE(key, nullptr);
    indices.insert(key->index);
  }
  EXPECT_EQ(indices.size(), kMaxTraceParts + 1);
  for (size_t i = 1; i < kMaxTraces; ++i) {
    const std::string name = "t" + std::to_string(i);
    BodyPeek peek;
    peek.trace_id = name;
    ASSERT_NE(board.Name(v1::Record::kSweep, peek), nullptr);
  }
  contact.mutable_mapping_contact()->set_strip("one more");
  EXPECT_EQ(KeyOf(&board, contact), nullptr);
  v1::Record threshold = SampleRecord(v1::Record::kStimulusThreshold);
  threshold.mutable_stimulus_threshold()->set_level(std::string(kMaxNameBytes + 1, 'L'));
  TraceBoard other;
  EXPECT_NE(KeyOf(&other, threshold), nullptr);
}

TEST(PeekBody, HostileBytesOfLane2AreReadAsFarAsTheyGo) {
  for (const v1::Record& sample : SampleRecords()) {
    if (sample.lane() != 2) continue;
    const auto kind = static_cast<uint32_t>(sample.body_case());
    const auto* field = v1::Record::descriptor()->FindFieldByNumber(sample.body_case());
    const std::string good = sample.GetReflection()->GetMessage(sample, field).SerializeAsString();
    const std::string whole(PeekBody(kind, good).trace_id);
    EXPECT_FALSE(whole.empty()) << kind;
    for (size_t cut = 0; cut < good.size(); ++cut) {
      const std::string start = good.substr(0, cut);
      const absl::string_view trace = PeekBody(kind, start).trace_id;
      EXPECT_TRUE(trace.empty() || trace == whole) << kind << " at " << cut;
    }
    for (size_t at = 0; at < good.size(); ++at) {
      std::string wrong = good;
      wrong[at] = static_cast<char>(wrong[at] ^ 0x85);
      const BodyPeek peek = PeekBody(kind, wrong);
      EXPECT_LE(peek.trace_id.size() + peek.component.size() + peek.part.size(), wrong.size());
    }
  }
  // The number of a contact as text, and the level of a screw as a number.
  EXPECT_FALSE(PeekBody(v1::Record::kMappingContact,
                        "\x0a\x01"
                        "A\x12\x01"
                        "7")
                   .has_part());
  EXPECT_FALSE(PeekBody(v1::Record::kStimulusThreshold,
                        "\x0a\x01"
                        "A\x18\x07")
                   .has_part());
}

}  // namespace
}  // namespace remora::hub
