#include <gtest/gtest.h>

#include <set>

#include "common/fold/case_fold.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/folded_frame.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

class RestoreTest : public ::testing::Test {
 protected:
  void PublishSome(TestParticipant& agent, RecordWriter& writer, int count) {
    for (int i = 0; i < count; ++i) {
      const uint32_t n = static_cast<uint32_t>(i);
      agent.Publish(
          {writer.Write(AlertBody("alert " + std::to_string(i), v1::ALERT_PRIORITY_MEDIUM)),
           writer.Write(PhaseBody(v1::PHASE_EXPOSURE)),
           writer.Write(MeasurementBody(
               "SEP/R", 50 + i % 50,
               i % 7 ? v1::MEASUREMENT_STATE_WITHIN_LIMITS : v1::MEASUREMENT_STATE_AMBER)),
           writer.Write(EmgActivityBody("EMG/1", i)),
           writer.Write(SweepBody("SEP/R", n, i % 2 == 0)), writer.Write(BlockBody("EMG/1", n))});
      hub_.RunFor(Duration::Milliseconds(200));
    }
  }

  HubHarness hub_;
};

TEST_F(RestoreTest, RestartedHubShowsTheSameCaseAndGoesOnWithoutSeam) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  PublishSome(*agent, writer, 30);
  agent.reset();
  const std::vector<std::string> before = hub_.JournalRecords(case_id);
  const v1::Snapshot shown = SnapshotOf(hub_, case_id);
  hub_.RestartHub();
  hub_.Run();
  EXPECT_TRUE(hub_.core().restored());
  const v1::Snapshot again = SnapshotOf(hub_, case_id);
  EXPECT_EQ(again.state().SerializeAsString(), shown.state().SerializeAsString());
  ASSERT_EQ(again.records_size(), shown.records_size());
  for (int i = 0; i < shown.records_size(); ++i) EXPECT_EQ(again.records(i), shown.records(i));
  EXPECT_EQ(again.cursor().SerializeAsString(), shown.cursor().SerializeAsString());

  agent = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent->Hello(origin);
  agent->Join(case_id, "OR 1");
  hub_.Run();
  agent->Publish({writer.Write(AlertBody("after"))});
  hub_.Run();
  EXPECT_EQ(agent->CountOf(v1::Down::kRecordRefused), 0);
  const std::vector<std::string> after = hub_.JournalRecords(case_id);
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(WalkStamped(after[i])->stamp.seq, i + 1);
    if (i < before.size()) {
      EXPECT_EQ(after[i], before[i]);
    }
  }
}

TEST_F(RestoreTest, CheckpointAndTailGiveTheSameStateAsFoldingFromTheFirstRecord) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  PublishSome(*agent, writer, 20);
  hub_.RunFor(kCheckpointInterval);
  PublishSome(*agent, writer, 20);
  const CaseRestore restore = *hub_.journal().Restore(case_id);
  ASSERT_GT(restore.checkpoint.seq, 0u);
  ASSERT_LT(restore.checkpoint.seq, restore.head.last_seq);
  CaseFold whole(case_id);
  CaseFold resumed(case_id);
  ASSERT_TRUE(resumed.Restore(restore.checkpoint.state).ok());
  for (const std::string& bytes : hub_.JournalRecords(case_id)) {
    const StampedRecord stamped = *WalkStamped(bytes);
    const RecordFrame frame = StampedFrame(std::string(stamped.origin_bytes), stamped.stamp.seq,
                                           stamped.stamp.recorded_at.nanoseconds());
    whole.Apply(ToFolded(frame));
    if (frame.seq > restore.checkpoint.seq) resumed.Apply(ToFolded(frame));
  }
  EXPECT_EQ(resumed.EncodeCheckpoint(), whole.EncodeCheckpoint());
}

TEST_F(RestoreTest, SnapshotHasTheNewestOfASlowTraceThatLiesFarBack) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  agent->Publish({writer.Write(SweepBody("MEP/TA L", 1, false))});
  for (uint32_t i = 0; i < 2 * kRestoreBulkRecords; ++i) {
    agent->Publish({writer.Write(BlockBody("EMG/1", i))});
    if (i % 100 == 0) hub_.Run();
  }
  hub_.RunFor(kCheckpointInterval);
  agent.reset();
  const v1::Snapshot shown = SnapshotOf(hub_, case_id);
  hub_.RestartHub();
  hub_.Run();
  const v1::Snapshot again = SnapshotOf(hub_, case_id);
  ASSERT_EQ(again.records_size(), shown.records_size());
  v1::Record sweep;
  ASSERT_TRUE(sweep.ParseFromString(again.records(0)));
  EXPECT_EQ(sweep.sweep().trace_id(), "MEP/TA L");
}

TEST_F(RestoreTest, DamagedCheckpointCostsOnlyALongerFold) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  PublishSome(*agent, writer, 10);
  agent.reset();
  const v1::Snapshot shown = SnapshotOf(hub_, case_id);
  const uint64_t last_seq = hub_.journal().Restore(case_id)->head.last_seq;
  hub_.journal().SaveCheckpoint(case_id, {last_seq, "no checkpoint"});
  hub_.RestartHub();
  hub_.Run();
  EXPECT_EQ(SnapshotOf(hub_, case_id).state().SerializeAsString(),
            shown.state().SerializeAsString());
}

TEST_F(RestoreTest, WhoAsksForARoomThatIsBeingRestoredWaitsForIt) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  PublishSome(*agent, writer, 5);
  agent.reset();
  hub_.RestartHub();
  EXPECT_FALSE(hub_.core().restored());
  TestParticipant early(hub_, AgentIdentity());
  early.Hello(origin);
  early.Join(case_id, "OR 1");
  early.FollowComplete(1, case_id);
  EXPECT_EQ(early.CountOf(v1::Down::kJoined), 0);
  hub_.Run();
  EXPECT_EQ(early.CountOf(v1::Down::kJoined), 1);
  EXPECT_EQ(early.Last(v1::Down::kJoined)->joined().stage(), v1::CASE_STAGE_OPEN);
  EXPECT_FALSE(early.records.empty());
}

TEST_F(RestoreTest, HubTimeNeverGoesBehindTheJournal) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  agent.reset();
  hub_.clock().StepWall(Duration::Seconds(-3600));
  hub_.RestartHub();
  hub_.Run();
  agent = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent->Hello(origin);
  agent->Join(case_id, "OR 1");
  hub_.Run();
  agent->Publish({writer.Write(AlertBody("after"))});
  hub_.Run();
  int64_t last_ns = 0;
  for (const std::string& bytes : hub_.JournalRecords(case_id)) {
    const int64_t at_ns = WalkStamped(bytes)->stamp.recorded_at.nanoseconds();
    EXPECT_GE(at_ns, last_ns);
    last_ns = at_ns;
  }
}

TEST_F(RestoreTest, DamagedCaseRefusesWithItsReasonAndHarmsNoOther) {
  const CaseId damaged = hub_.DrawCase();
  const CaseId good = hub_.DrawCase();
  const OriginId origin = hub_.DrawOrigin();
  for (const CaseId& case_id : {damaged, good}) {
    RecordWriter writer(case_id, origin);
    OpenCase(hub_, case_id, &writer, origin, case_id == good ? "OR 1" : "OR 2");
  }
  hub_.journal().Damage(damaged);
  hub_.RestartHub();
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_TRUE(hub_.core().restored());
  EXPECT_EQ(hub_.metrics().gauge(metric::kRoomsDamaged), 1);
  ASSERT_EQ(hub_.damaged().size(), 1u);
  EXPECT_EQ(hub_.damaged()[0], damaged);
  TestParticipant agent(hub_, AgentIdentity());
  agent.Hello(origin);
  agent.Join(damaged, "OR 2");
  agent.FollowLive(1, damaged);
  v1::Up history;
  history.mutable_history_request()->set_request_id(9);
  history.mutable_history_request()->set_case_id(damaged.ToString());
  agent.SendUp(history);
  hub_.Run();
  ASSERT_EQ(agent.CountOf(v1::Down::kRefused), 3);
  EXPECT_EQ(agent.CountOf(v1::Down::kJoined), 0);
  EXPECT_NE(agent.downs[1].refused().text().find("not what was written"), std::string::npos)
      << agent.downs[1].refused().text();
  EXPECT_EQ(agent.Last(v1::Down::kRefused)->refused().request_id(), 9u);
  EXPECT_FALSE(agent.closed);
  agent.Join(good, "OR 1");
  hub_.Run();
  EXPECT_EQ(agent.CountOf(v1::Down::kJoined), 1);
}

TEST_F(RestoreTest, CaseWhoseRecordsAreDamagedRefusesToo) {
  const CaseId case_id = OpenNewCase(hub_).case_id;
  hub_.RestartHub();
  hub_.journal().Damage(case_id);  // after its head was read
  hub_.Run();
  EXPECT_TRUE(hub_.core().restored());
  EXPECT_EQ(hub_.damaged().size(), 1u);
}

TEST_F(RestoreTest, JournalThatIsBusyOrClosedForATimeOnlyDelaysTheRestore) {
  const CaseId case_id = OpenNewCase(hub_).case_id;
  for (const absl::Status& trouble :
       {absl::ResourceExhaustedError("reads wait"), absl::UnavailableError("closed")}) {
    hub_.RestartHub();
    hub_.journal().FailReads(trouble);
    hub_.RunFor(Duration::Seconds(20));
    EXPECT_FALSE(hub_.core().restored());
    hub_.journal().FailReads(absl::OkStatus());
    hub_.RunFor(kMaxRestoreRetryDelay);
    EXPECT_TRUE(hub_.core().restored());
    EXPECT_EQ(SnapshotOf(hub_, case_id).state().summary().stage(), v1::CASE_STAGE_OPEN);
  }
}

TEST_F(RestoreTest, RestoresOfManyCasesAreBounded) {
  std::vector<CaseId> cases;
  for (size_t i = 0; i < 3 * kMaxRestoresUnderWay; ++i) {
    cases.push_back(OpenNewCase(hub_, "OR " + std::to_string(i)).case_id);
  }
  hub_.RestartHub();
  hub_.Run();
  EXPECT_TRUE(hub_.core().restored());
  EXPECT_EQ(hub_.journal().most_reads_waiting(), kMaxRestoresUnderWay);
  EXPECT_EQ(SnapshotOf(hub_, cases.back()).state().summary().stage(), v1::CASE_STAGE_OPEN);
}

TEST_F(RestoreTest, NewestCasesAreRestoredFirstAndThoseAskedForBeforeThem) {
  std::vector<CaseId> cases;
  for (size_t i = 0; i < 2 * kMaxRestoresUnderWay; ++i) {
    cases.push_back(OpenNewCase(hub_, "OR " + std::to_string(i)).case_id);
    // The link of each is told to be lost before the next begins.
    hub_.RunFor(kUnsupervisedAfter * 2);
  }
  hub_.journal().HoldRestores();
  const size_t before = hub_.journal().restores_begun().size();
  hub_.RestartHub();
  hub_.Run();
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, cases[3]);
  const auto begun = [&](size_t index) {
    const std::vector<CaseId> all = hub_.journal().restores_begun();
    return all.size() > before + index ? all[before + index] : CaseId();
  };
  for (size_t i = 0; i < kMaxRestoresUnderWay; ++i)
    EXPECT_EQ(begun(i), cases[cases.size() - 1 - i]);
  EXPECT_EQ(begun(kMaxRestoresUnderWay), cases[3]) << "beside them";
  EXPECT_EQ(begun(kMaxRestoresUnderWay + 1), CaseId()) << "no more at a time";
  hub_.journal().ReleaseOneRestore();
  hub_.Run();
  EXPECT_EQ(begun(kMaxRestoresUnderWay + 1), cases[cases.size() - 1 - kMaxRestoresUnderWay]);
  hub_.journal().ReleaseRestores();
  hub_.Run();
  EXPECT_TRUE(hub_.core().restored());
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot), 1);
  EXPECT_EQ(hub_.journal().restores_begun().size(), before + cases.size()) << "each once";
}

TEST_F(RestoreTest, OriginStaysItsParticipantsAndTheHubsStayItsOwn) {
  auto [case_id, origin, writer, agent] = OpenNewCase(hub_);
  hub_.RunFor(Duration::Seconds(1));  // presence, of the hub's own origin
  std::set<OriginId> origins;
  for (const std::string& bytes : hub_.JournalRecords(case_id)) {
    origins.insert(WalkStamped(bytes)->header.origin);
  }
  ASSERT_EQ(origins.size(), 2u);
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    if (restarted) {
      agent.reset();
      hub_.RestartHub();
    }
    for (const OriginId& taken : origins) {
      TestParticipant thief(hub_, AgentIdentity("thief"));
      thief.Hello(taken);
      hub_.Run();
      EXPECT_TRUE(thief.closed);
    }
    TestParticipant owner(hub_, AgentIdentity());
    owner.Hello(origin);
    hub_.Run();
    EXPECT_FALSE(owner.closed);
  }
}

TEST_F(RestoreTest, LeavingAndJoiningAgainMeanwhileIsOneJoinAndOneFollow) {
  const CaseId case_id = OpenNewCase(hub_).case_id;
  hub_.RunFor(kPresenceGrace * 2);
  hub_.RestartHub();
  const auto presences = [&] {
    int count = 0;
    for (const std::string& bytes : hub_.JournalRecords(case_id)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      count += record.presence().participant() == "reader-1";
    }
    return count;
  };
  {
    TestParticipant early(hub_, ReaderIdentity());
    early.Hello();
    v1::Up cancel;
    cancel.mutable_cancel_follow()->set_follow_id(1);
    for (int i = 0; i < 2; ++i) {
      early.Join(case_id);
      early.FollowLive(1, case_id);
      if (i > 0) break;
      early.Leave(case_id);
      early.SendUp(cancel);
    }
    hub_.RunFor(Duration::Seconds(1));
    EXPECT_EQ(early.CountOf(v1::Down::kJoined), 1);
    EXPECT_EQ(early.CountOf(v1::Down::kSnapshot), 1);
    EXPECT_EQ(presences(), 1);
  }
  hub_.RunFor(kPresenceGrace * 2);
  EXPECT_EQ(presences(), 2) << "it has left";
}

}  // namespace
}  // namespace remora::hub
