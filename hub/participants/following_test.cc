#include <gtest/gtest.h>

#include "hub/participants/testing/followed_case.h"

namespace remora::hub {
namespace {

TEST_F(FollowingTest, CompleteFollowGetsTheJournalsBytesInOrder) {
  for (uint32_t i = 0; i < 20; ++i) {
    agent_->Publish(Mixture(i));
    hub_.Run();
  }
  auto reader = Reader();
  reader->FollowComplete(1, case_id_);
  hub_.Run();
  for (uint32_t i = 20; i < 40; ++i) {
    agent_->Publish(Mixture(i));
    hub_.Run();
  }
  const std::vector<std::string> journal = hub_.JournalRecords(case_id_);
  ASSERT_EQ(reader->records.size(), journal.size());
  for (size_t i = 0; i < journal.size(); ++i) EXPECT_EQ(reader->records[i].bytes, journal[i]);
}

TEST_F(FollowingTest, CompleteFollowThatReadsSlowlyGetsEverythingFromTheJournal) {
  auto reader = Reader();
  reader->reads = false;
  reader->FollowComplete(1, case_id_);
  hub_.Run();
  size_t bytes = 0;
  for (uint32_t i = 0; bytes < 2 * kMaxRecentBulkBytes; ++i) {
    const std::string block = writer_.Write(BlockBody("EMG/1", i, 1500));
    bytes += block.size();
    agent_->Publish({block});
    if (i % 50 == 0) hub_.Run();
  }
  hub_.Run();
  EXPECT_EQ(hub_.metrics().gauge(metric::kFollowQueueBytes), 0);
  reader->reads = true;
  reader->wants_write = true;
  hub_.Run();
  EXPECT_EQ(reader->records.size(), hub_.JournalRecords(case_id_).size());
  EXPECT_LE(reader->largest_batch_bytes, kMaxBatchBytes);
  const std::vector<uint64_t> seqs = reader->Seqs();
  for (size_t i = 0; i < seqs.size(); ++i) ASSERT_EQ(seqs[i], i + 1);
}

TEST_F(FollowingTest, JournalThatIsClosedForATimeDelaysAFollowAndEndsItNot) {
  for (uint32_t i = 0; i < 20; ++i) {
    agent_->Publish(Mixture(i));
    hub_.Run();
  }
  hub_.RunFor(kMaxRecentAge * 2);  // nothing is recent: it must be read
  hub_.journal().FailReads(absl::UnavailableError("closed"));
  auto reader = Reader();
  reader->FollowComplete(1, case_id_);
  hub_.RunFor(Duration::Seconds(20));
  EXPECT_TRUE(reader->records.empty());
  EXPECT_EQ(reader->Last(v1::Down::kFollowEnded), nullptr);
  hub_.journal().FailReads(absl::OkStatus());
  hub_.RunFor(kMaxReadRetryDelay);
  EXPECT_EQ(reader->records.size(), hub_.JournalRecords(case_id_).size());
}

TEST_F(FollowingTest, SnapshotAndLiveMeetWithoutSeam) {
  agent_->Publish(Mixture(0));
  hub_.Run();
  hub_.journal().HoldCommits();
  agent_->Publish(Mixture(1));  // on its way when the reader joins
  hub_.Run();
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  const v1::Down* down = reader->Last(v1::Down::kSnapshot);
  ASSERT_NE(down, nullptr);
  const v1::Snapshot snapshot = down->snapshot();
  EXPECT_EQ(snapshot.cause(), "joined");
  EXPECT_EQ(snapshot.state().alerts_size(), 1);
  hub_.journal().ReleaseCommits();
  hub_.Run();
  agent_->Publish(Mixture(2));
  hub_.Run();
  // Behind the snapshot's cursor, everything of lanes 0-1 comes once; nothing before it does.
  std::vector<uint64_t> expected;
  for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
    const StampedRecord record = *WalkStamped(bytes);
    if (record.stamp.seq > snapshot.head_seq() && record.header.lane < 2) {
      expected.push_back(record.stamp.seq);
    }
  }
  std::vector<uint64_t> events;
  for (const Received& record : reader->records) {
    EXPECT_GT(record.seq(), snapshot.head_seq());
    if (record.lane() < 2) events.push_back(record.seq());
  }
  EXPECT_EQ(events, expected);
  EXPECT_EQ(reader->OfLane(3).size() + reader->OfLane(5).size(), 4u);
}

TEST_F(FollowingTest, SnapshotHasTheNewestOfEachTraceAndADigestedCursor) {
  agent_->Publish(
      {writer_.Write(SweepBody("SEP/R", 0, false)), writer_.Write(SweepBody("SEP/R", 1, false)),
       writer_.Write(SweepBody("SEP/R", 2, true)), writer_.Write(SweepBody("SEP/L", 0, false)),
       writer_.Write(EnvelopeBody("EMG/1", 0)), writer_.Write(EnvelopeBody("EMG/1", 1)),
       writer_.Write(BlockBody("EMG/1", 0)),
       writer_.Write(MeasurementBody("SEP/R", 40, v1::MEASUREMENT_STATE_RED))});
  hub_.Run();
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  const v1::Snapshot snapshot = reader->Last(v1::Down::kSnapshot)->snapshot();
  std::multiset<uint32_t> kinds;
  for (const std::string& bytes : snapshot.records()) {
    kinds.insert(WalkStamped(bytes)->header.kind);
  }
  EXPECT_EQ(kinds, (std::multiset<uint32_t>{v1::Record::kMeasurement, v1::Record::kSweep,
                                            v1::Record::kSweep, v1::Record::kSweep,
                                            v1::Record::kEnvelope}));
  const std::vector<std::string> journal = hub_.JournalRecords(case_id_);
  for (const v1::LaneCursor& lane : snapshot.cursor().lanes()) {
    if (lane.seq() == 0 || lane.seq() > journal.size()) continue;
    EXPECT_EQ(lane.digest(), RecordDigest(journal[lane.seq() - 1])) << "lane " << lane.lane();
  }
}

TEST_F(FollowingTest, AlertOvertakesTheBulkOfEveryCase) {
  auto [other_id, other_origin, other_writer, other] = OpenNewCase(hub_, "OR 2", "agent-2");
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  reader->FollowLive(2, other_id);
  hub_.Run();
  reader->ClearReceived();
  reader->reads = false;
  for (uint32_t i = 0; i < 40; ++i) {
    agent_->Publish({writer_.Write(BlockBody("EMG/1", i, 1500))});
    other->Publish({other_writer.Write(SweepBody("SEP/" + std::to_string(i), 0, false, 1500))});
  }
  hub_.Run();
  other->Publish({other_writer.Write(AlertBody("now"))});
  hub_.Run();
  ASSERT_TRUE(reader->ReadOne());
  ASSERT_FALSE(reader->records.empty());
  EXPECT_EQ(reader->records[0].lane(), 0u);
  EXPECT_EQ(reader->records[0].stamped.header.case_id, other_id);
  for (const Received& record : reader->records) EXPECT_LT(record.lane(), 2u);
}

TEST_F(FollowingTest, BulkStopsAtTheWindowUntilItIsShown) {
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  reader->ClearReceived();
  reader->shows = false;
  reader->bulk_bytes = 0;
  for (uint32_t i = 0; i < 100; ++i) {
    agent_->Publish({writer_.Write(BlockBody("EMG/1", i, 1500))});
    hub_.Run();
  }
  EXPECT_LE(reader->bulk_bytes, kFirstBulkWindowBytes);
  EXPECT_GT(reader->bulk_bytes, kFirstBulkWindowBytes / 2);
  agent_->Publish({Alert("through")});
  hub_.Run();
  EXPECT_EQ(reader->OfLane(0).size(), 1u) << "an alert needs no credit";
  const size_t before = reader->records.size();
  reader->Shown(reader->bulk_bytes);
  hub_.Run();
  EXPECT_GT(reader->records.size(), before);
}

TEST_F(FollowingTest, FollowersShareTheBytesOfWhatWasCommittedTogether) {
  std::vector<std::unique_ptr<TestParticipant>> readers;
  for (int i = 0; i < 50; ++i) {
    readers.push_back(Reader("reader-" + std::to_string(i)));
    readers.back()->FollowLive(1, case_id_);
    hub_.Run();
    readers.back()->reads = false;
  }
  std::vector<std::string> blocks;
  for (uint32_t i = 0; i < 8; ++i) blocks.push_back(writer_.Write(BlockBody("EMG/1", i)));
  agent_->Publish(blocks);
  hub_.Run();
  std::set<const char*> bytes;
  for (const auto& reader : readers) {
    WriteBatch batch = reader->session->TakeBatch(kMaxBatchBytes);
    while (!batch.empty() && batch.slices[0].view()[0] != '\x0a') {
      batch = reader->session->TakeBatch(kMaxBatchBytes);
    }
    ASSERT_EQ(batch.slices.size(), 1u) << "they lie side by side";
    EXPECT_GT(batch.bytes, 8 * blocks[0].size());
    bytes.insert(batch.slices[0].view().data());
  }
  EXPECT_EQ(bytes.size(), 1u) << "nothing is copied for a follower";
}

TEST_F(FollowingTest, WhatComesFromABacklogIsOnRecordAndNotShownAsLive) {
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  reader->ClearReceived();
  agent_->PublishBacklog(Mixture(1));
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_TRUE(std::any_of(reader->records.begin(), reader->records.end(), [](const Received& r) {
    return r.stamped.header.kind == v1::Record::kAlert;
  })) << "always told";
  for (const Received& record : reader->records) EXPECT_LT(record.lane(), 2u);
  std::set<uint32_t> lanes;
  for (const v1::Down& down : reader->downs) {
    if (!down.has_gap()) continue;
    EXPECT_EQ(down.gap().cause(), v1::GAP_CAUSE_LATE);
    EXPECT_EQ(down.gap().count(), 1u);
    lanes.insert(down.gap().lane());
  }
  EXPECT_EQ(lanes, (std::set<uint32_t>{2, 3, 4, 5}));
  auto complete = Reader("reader-2");
  complete->FollowComplete(1, case_id_);
  hub_.Run();
  EXPECT_EQ(complete->records.size(), hub_.JournalRecords(case_id_).size());
}

TEST_F(FollowingTest, WhatWaitedForItsCaseToBeOpenedIsLateOnlyIfItSaidSo) {
  auto [case_id, origin, writer, agent] = JoinNewCase(hub_, "OR 2", "agent-2");
  agent->Publish({writer.Write(BlockBody("EMG/1", 1))});
  agent->PublishBacklog({writer.Write(BlockBody("EMG/1", 2))});
  hub_.Run();
  hub_.journal().HoldCommits();
  agent->Publish({writer.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 2"))});
  hub_.Run();
  auto reader = Reader();
  reader->FollowLive(2, case_id);
  hub_.Run();
  hub_.journal().ReleaseCommits();
  hub_.RunFor(Duration::Seconds(1));
  ASSERT_EQ(reader->OfLane(5).size(), 1u);
  EXPECT_EQ(reader->OfLane(5)[0].stamped.header.origin_seq, 1u);
  ASSERT_NE(reader->Last(v1::Down::kGap), nullptr);
  EXPECT_EQ(reader->Last(v1::Down::kGap)->gap().cause(), v1::GAP_CAUSE_LATE);
  EXPECT_EQ(reader->Last(v1::Down::kGap)->gap().count(), 1u);
}

TEST_F(FollowingTest, HostileMarkOfABacklogIsNoPartOfARecord) {
  // A record may end in the same bytes as the mark.
  std::string text = "ends in the mark ";
  text += "\x58\x01";
  const std::string record = writer_.Write(AlertBody(text));
  agent_->Publish({record});
  agent_->SendBytes("\x58\x01");
  hub_.Run();
  EXPECT_FALSE(agent_->closed);
  v1::Up up;
  up.add_records(Alert("x"));
  agent_->SendBytes(up.SerializeAsString() + std::string("\x58\x02", 2));
  hub_.Run();
  EXPECT_TRUE(agent_->closed);
}

TEST_F(FollowingTest, HostileShownReportsGiveNoMoreThanTheWindow) {
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  reader->shows = false;
  reader->bulk_bytes = 0;
  reader->Shown(~uint64_t{0});
  for (uint32_t i = 0; i < 100; ++i) {
    agent_->Publish({writer_.Write(BlockBody("EMG/1", i, 1500))});
    hub_.Run();
  }
  EXPECT_LE(reader->bulk_bytes, kFirstBulkWindowBytes);
}

TEST_F(FollowingTest, SlowFollowerIsToldOfEachRecordItMissesAndIsBounded) {
  auto reader = Reader();
  reader->FollowLive(1, case_id_);
  hub_.Run();
  const uint64_t start = reader->Last(v1::Down::kSnapshot)->snapshot().head_seq() + 1;
  reader->ClearReceived();
  reader->reads = false;
  auto fast = Reader("reader-2");
  fast->FollowComplete(1, case_id_);
  hub_.Run();
  for (uint32_t i = 0; i < 600; ++i) {
    agent_->Publish(Mixture(i));
    hub_.RunFor(Duration::Milliseconds(10));
  }
  EXPECT_LT(hub_.metrics().gauge(metric::kFollowQueueBytes),
            kMaxQueuedMeasurementBytes + kMaxQueuedSweepBytes + kMaxQueuedEnvelopeBytes +
                kMaxQueuedBlockBytes);
  reader->reads = true;
  reader->wants_write = true;
  hub_.Run();
  hub_.RunFor(Duration::Seconds(1));  // gaps of lanes that have nothing else to send
  // Lanes 0-1: all of them. Lanes 2-5: each record came, or lies in a gap that counts it.
  std::set<uint64_t> got;
  for (const Received& record : reader->records) {
    EXPECT_TRUE(got.insert(record.seq()).second) << "twice";
  }
  std::array<uint64_t, kLaneCount> missing{};
  std::array<uint64_t, kLaneCount> told{};
  std::vector<v1::Gap> gaps;
  for (const v1::Down& down : reader->downs) {
    if (!down.has_gap()) continue;
    told[down.gap().lane()] += down.gap().count();
    gaps.push_back(down.gap());
  }
  for (const Received& record : fast->records) {
    if (record.seq() < start || got.contains(record.seq())) continue;
    ++missing[record.lane()];
    const bool covered = std::any_of(gaps.begin(), gaps.end(), [&](const v1::Gap& gap) {
      return gap.lane() == record.lane() && gap.from_seq() <= record.seq() &&
             record.seq() <= gap.to_seq();
    });
    EXPECT_TRUE(covered) << "lane " << record.lane() << " seq " << record.seq();
  }
  EXPECT_EQ(missing[0], 0u);
  EXPECT_EQ(missing[1], 0u);
  EXPECT_GT(missing[3], 0u);
  EXPECT_GT(missing[5], 0u);
  for (uint32_t lane = 2; lane < kLaneCount; ++lane) {
    EXPECT_EQ(told[lane], missing[lane]) << "lane " << lane;
  }
  EXPECT_LT(gaps.size(), 30u) << "coalesced";
}

}  // namespace
}  // namespace remora::hub
