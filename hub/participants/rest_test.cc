// Cases that are over leave memory, and nobody can tell.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/chain.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/case_archive.h"
#include "hub/rooms/checkpoint_notes.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

const Duration kUntilRest = kRestAfter + kPresenceGrace * 2 + Duration::Seconds(1);

// Keeps nothing, and counts what it was to keep.
class KeptArchive final : public CaseArchive {
 public:
  void Keep(const CaseHead&, Done done) override {
    ++kept;
    done(absl::UnavailableError("no disk"));
  }
  int kept = 0;
};

class RestTest : public ::testing::Test {
 protected:
  double rooms() { return hub_.metrics().gauge(metric::kRooms); }
  double cases() { return hub_.metrics().gauge(metric::kCases); }
  std::vector<std::string> Directory() {
    TestParticipant reader(hub_, CentreIdentity());
    reader.Hello();
    reader.FollowDirectory(1);
    hub_.Run();
    std::vector<std::string> summaries;
    for (const v1::CaseSummary& summary : reader.Last(v1::Down::kDirectory)->directory().cases()) {
      summaries.push_back(summary.SerializeAsString());
    }
    std::sort(summaries.begin(), summaries.end());
    return summaries;
  }
  v1::Certificate NewestCertificate(const CaseId& case_id) {
    v1::Certificate newest;
    for (const std::string& bytes : hub_.JournalRecords(case_id)) {
      v1::Record record;
      EXPECT_TRUE(record.ParseFromString(bytes));
      if (record.has_certificate()) newest = record.certificate();
    }
    return newest;
  }

  // A case that is open, whose agent has left.
  CaseId OpenOne(const std::string& theatre) { return OpenNewCase(hub_, theatre).case_id; }

  // As if a build with another fold had put it to rest.
  void ChangeFold(const CaseId& case_id) {
    Checkpoint checkpoint = hub_.journal().Restore(case_id)->checkpoint;
    std::optional<RestNote> note = DecodeRestNote(checkpoint.note);
    ASSERT_TRUE(note);
    note->fold_version = kFoldVersion + 1;
    hub_.journal().SaveCheckpoint(case_id, {checkpoint.seq, "other", EncodeRestNote(*note)});
  }

  HubHarness hub_;
};

TEST_F(RestTest, ClosedCaseLeavesMemoryAndComesBackTheSame) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kPresenceGrace * 2);
  const v1::Snapshot shown = SnapshotOf(hub_, closed.case_id);
  const std::vector<std::string> listed = Directory();
  EXPECT_EQ(rooms(), 1);
  hub_.RunFor(kUntilRest);
  EXPECT_EQ(rooms(), 0);
  EXPECT_EQ(cases(), 1);
  EXPECT_EQ(hub_.journal().releases(closed.case_id), 1u);
  EXPECT_EQ(Directory(), listed);
  const v1::Snapshot again = SnapshotOf(hub_, closed.case_id);
  EXPECT_EQ(rooms(), 1) << "somebody looks";
  EXPECT_EQ(again.state().SerializeAsString(), shown.state().SerializeAsString());
  EXPECT_EQ(again.cursor().SerializeAsString(), shown.cursor().SerializeAsString());
  ASSERT_EQ(again.records_size(), shown.records_size());
  for (int i = 0; i < shown.records_size(); ++i) EXPECT_EQ(again.records(i), shown.records(i));
  EXPECT_TRUE(again.state().summary().certificate().complete());
  hub_.RunFor(kUntilRest);
  EXPECT_EQ(rooms(), 0) << "nobody looks any more";
}

TEST_F(RestTest, CaseStaysInMemoryWhileItIsOpenOrSomebodyIsInIt) {
  OpenOne("OR 2");
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, closed.case_id);
  hub_.RunFor(kUntilRest * 2);
  EXPECT_EQ(rooms(), 2);
  v1::Up up;
  up.mutable_cancel_follow()->set_follow_id(1);
  reader.SendUp(up);
  hub_.RunFor(kRestAfter - Duration::Seconds(5));
  EXPECT_EQ(rooms(), 2) << "not at once";
  hub_.RunFor(kUntilRest);
  EXPECT_EQ(rooms(), 1) << "the open one";
}

TEST_F(RestTest, LateAnnexOfACaseAtRestIsTakenAndCertified) {
  ClosedCase closed = CloseCase(hub_, "OR 1", 1, 3);
  hub_.RunFor(kUntilRest);
  ASSERT_EQ(rooms(), 0);
  TestParticipant agent(hub_, AgentIdentity());
  agent.Hello(closed.origin);
  agent.Join(closed.case_id, "OR 1");
  hub_.Run();
  const v1::Down* joined = agent.Last(v1::Down::kJoined);
  ASSERT_NE(joined, nullptr);
  ASSERT_GT(joined->joined().held_size(), 0) << "it is told what is held";
  for (const uint64_t seq : {2, 3}) {
    agent.Publish({closed.writer.WriteAs(seq, BlockBody("EMG/L", seq * 64))});
  }
  hub_.RunFor(kAnnexQuiet + kCertificateInterval);
  const v1::Certificate certificate = NewestCertificate(closed.case_id);
  EXPECT_EQ(certificate.certificate_index(), 2u);
  EXPECT_TRUE(certificate.complete());
  EXPECT_EQ(certificate.late_count(), 2u);
}

TEST_F(RestTest, CaseWhoseAnnexWaitsForItsCertificateIsNotPutToRest) {
  ClosedCase closed = CloseCase(hub_, "OR 1", 1, 400);
  TestParticipant agent(hub_, AgentIdentity());
  agent.Hello(closed.origin);
  agent.Join(closed.case_id, "OR 1");
  hub_.Run();
  // A source that is never quiet, until it leaves.
  for (uint64_t seq = 2; seq < 200; ++seq) {
    agent.Publish({closed.writer.WriteAs(seq, BlockBody("EMG/L", seq * 64))});
    hub_.RunFor(Duration::Seconds(1));
  }
  agent.Leave(closed.case_id);
  hub_.RunFor(kUntilRest);
  EXPECT_EQ(NewestCertificate(closed.case_id).certificate_index(), 2u);
  hub_.RunFor(kUntilRest);
  EXPECT_EQ(rooms(), 0);
}

TEST_F(RestTest, HubOfManyClosedCasesHoldsNoneOfThemInMemoryAndStartsWithoutReadingThem) {
  constexpr int kMany = 40;
  std::vector<CaseId> closed;
  for (int i = 0; i < kMany; ++i)
    closed.push_back(CloseCase(hub_, "OR " + std::to_string(i)).case_id);
  hub_.RunFor(kUntilRest);
  EXPECT_EQ(rooms(), 0);
  EXPECT_EQ(cases(), kMany);
  const std::vector<std::string> listed = Directory();
  ASSERT_EQ(listed.size(), static_cast<size_t>(kMany));
  hub_.journal().FailReads(absl::UnavailableError("nobody is to read"));
  hub_.RestartHub();
  hub_.Run();
  EXPECT_TRUE(hub_.core().restored());
  EXPECT_EQ(rooms(), 0);
  EXPECT_EQ(cases(), kMany);
  EXPECT_EQ(Directory(), listed);
  hub_.journal().FailReads(absl::OkStatus());
  EXPECT_TRUE(SnapshotOf(hub_, closed[7]).state().summary().certificate().complete());
  EXPECT_EQ(rooms(), 1);
}

TEST_F(RestTest, OriginOfACaseAtRestStaysItsParticipantsAfterAStart) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  ASSERT_EQ(rooms(), 0);
  hub_.RestartHub();
  TestParticipant thief(hub_, AgentIdentity("thief"));
  thief.Hello(closed.origin);
  TestParticipant owner(hub_, AgentIdentity());
  owner.Hello(closed.origin);
  hub_.Run();
  EXPECT_TRUE(thief.closed);
  EXPECT_FALSE(owner.closed);
  EXPECT_EQ(rooms(), 0);
}

// Its numbers are used up, and nothing of it is on record: the head stays where it was.
TEST_F(RestTest, OriginOfWhichAllWasRefusedInACaseAtRestStaysItsParticipantsAfterAStart) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  ASSERT_EQ(rooms(), 0);
  const uint64_t last_seq = hub_.journal().ListCases()->at(0).last_seq;
  OriginId origin;
  {
    TestParticipant reader(hub_, ReaderIdentity());
    reader.Hello();
    origin = reader.origin;
    reader.Join(closed.case_id);
    hub_.Run();
    RecordWriter writer(closed.case_id, origin);
    reader.Publish({writer.Write(AlertBody("I am no agent"))});
    hub_.Run();
    EXPECT_EQ(reader.CountOf(v1::Down::kRecordRefused), 1);
  }
  hub_.RunFor(kUntilRest);
  ASSERT_EQ(rooms(), 0);
  ASSERT_EQ(hub_.journal().ListCases()->at(0).last_seq, last_seq);
  hub_.RestartHub();
  TestParticipant thief(hub_, ReaderIdentity("thief"));
  thief.Hello(origin);
  hub_.Run();
  EXPECT_TRUE(thief.closed);
}

TEST_F(RestTest, CasesFoldedByAnotherBuildAreListedAtOnceAndFoldedAnewBehindEveryOther) {
  std::vector<CaseId> closed;
  for (int i = 0; i < 5; ++i) closed.push_back(CloseCase(hub_, "OR " + std::to_string(i)).case_id);
  hub_.RunFor(kUntilRest);
  ASSERT_EQ(rooms(), 0);
  const CaseId open_id = OpenOne("OR live");
  const std::vector<std::string> listed = Directory();
  for (const CaseId& case_id : closed) ChangeFold(case_id);
  hub_.journal().HoldRestores();
  const size_t before = hub_.journal().restores_begun().size();
  hub_.RestartHub();
  hub_.Run();
  const auto begun = [&] {
    std::vector<CaseId> all = hub_.journal().restores_begun();
    return std::vector<CaseId>(all.begin() + static_cast<ptrdiff_t>(before), all.end());
  };
  EXPECT_EQ(begun(), std::vector<CaseId>{open_id});
  EXPECT_FALSE(hub_.core().restored());
  ASSERT_TRUE(hub_.journal().ReleaseOneRestore());
  hub_.Run();
  EXPECT_TRUE(hub_.core().restored()) << "those that are over hold nobody up";
  EXPECT_EQ(Directory().size(), listed.size());
  EXPECT_EQ(begun().size(), 2u) << "one at a time";
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, closed[1]);
  hub_.Run();
  ASSERT_EQ(begun().size(), 3u) << "one that is asked for does not wait for it";
  EXPECT_EQ(begun().back(), closed[1]);
  hub_.journal().ReleaseRestores();
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot), 1);
  EXPECT_EQ(begun().size(), 6u);
  EXPECT_EQ(rooms(), 2) << "the open one and the one that was asked for";
  for (const CaseId& case_id : closed) {
    const auto note = DecodeRestNote(hub_.journal().Restore(case_id)->checkpoint.note);
    EXPECT_EQ(note && note->is_current(), case_id != closed[1]);
  }
}

TEST_F(RestTest, CaseFoldedByAnotherBuildIsNotPurgedBeforeItIsFoldedAnew) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  ChangeFold(closed.case_id);
  KeptArchive archive;
  hub_.journal().HoldRestores();
  hub_.UseArchive(&archive, Duration::Seconds(1));
  hub_.RunFor(kRetentionInterval * 3);
  EXPECT_EQ(archive.kept, 0);
  hub_.journal().ReleaseRestores();
  hub_.RunFor(kRetentionInterval * 3);
  EXPECT_EQ(archive.kept, 1);
}

TEST_F(RestTest, CaseAtRestOnADiskThatSeeksHoldsUpNoOther) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  auto [open_id, origin, writer, agent] = OpenNewCase(hub_, "OR live");
  TestParticipant live(hub_, ReaderIdentity("reader-2"));
  live.Hello();
  live.FollowLive(1, open_id);
  hub_.journal().HoldRestores();
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, closed.case_id);
  hub_.RunFor(Duration::Seconds(1));
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot), 0);
  EXPECT_EQ(reader.CountOf(v1::Down::kRefused), 0);
  live.ClearReceived();
  agent->Publish({writer.Write(AlertBody("meanwhile"))});
  hub_.Run();
  EXPECT_EQ(live.OfLane(0).size(), 1u);
  EXPECT_EQ(Directory().size(), 2u) << "it stays on the list";
  hub_.journal().ReleaseRestores();
  hub_.Run();
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot), 1);
}

TEST_F(RestTest, CaseAtRestThatCannotBeReadAtPresentIsGivenOnceItCan) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  hub_.journal().FailReads(absl::UnavailableError("the file is closed"));
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, closed.case_id);
  hub_.RunFor(Duration::Seconds(20));
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot) + reader.CountOf(v1::Down::kRefused), 0);
  hub_.journal().FailReads(absl::OkStatus());
  hub_.RunFor(kMaxRestoreRetryDelay);
  EXPECT_EQ(reader.CountOf(v1::Down::kSnapshot), 1);
}

// A bad sector under one case: everybody else has a list, a hub that is ready, and their cases.
TEST_F(RestTest, CasesThatCannotBeReadHoldUpNoOtherAndAreTriedAgain) {
  std::vector<CaseId> bad;
  for (size_t i = 0; i < kMaxRestoresUnderWay + 1; ++i) {
    bad.push_back(OpenOne("OR " + std::to_string(i)));
    hub_.journal().FailReadsOf(bad.back(), absl::UnavailableError("disk I/O error"));
  }
  hub_.RunFor(Duration::Seconds(1));
  const CaseId good = OpenOne("OR 99");
  hub_.RestartHub();
  hub_.RunFor(kUnreadableAfter / 2);
  EXPECT_FALSE(hub_.core().restored());
  TestParticipant waits(hub_, ReaderIdentity());
  waits.Hello();
  waits.FollowLive(1, bad[0]);
  hub_.RunFor(kUnreadableAfter * 3);
  EXPECT_TRUE(hub_.core().restored());
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesUnreadable), static_cast<double>(bad.size()));
  EXPECT_EQ(hub_.metrics().gauge(metric::kRoomsDamaged), 0);
  EXPECT_EQ(rooms(), 1);
  EXPECT_FALSE(Directory().empty());
  EXPECT_GT(SnapshotOf(hub_, good).head_seq(), 0u);
  ASSERT_NE(waits.Last(v1::Down::kRefused), nullptr);
  EXPECT_EQ(waits.Last(v1::Down::kRefused)->refused().reason(), v1::REFUSAL_REASON_TOO_MANY)
      << "to be asked for again";
  waits.FollowLive(2, bad[1]);
  hub_.Run();
  EXPECT_EQ(waits.CountOf(v1::Down::kRefused), 2) << "at once";
  for (const CaseId& case_id : bad) hub_.journal().FailReadsOf(case_id, absl::OkStatus());
  hub_.RunFor(kUnreadableRetry * 2);
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesUnreadable), 0);
  EXPECT_EQ(Directory().size(), bad.size() + 1);
  EXPECT_GT(SnapshotOf(hub_, bad[0]).head_seq(), 0u);
}

TEST_F(RestTest, CaseAtRestThatCannotBeReadIsRefusedInTimeAndStaysOnTheList) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  const std::vector<std::string> listed = Directory();
  hub_.journal().FailReadsOf(closed.case_id, absl::UnavailableError("disk I/O error"));
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, closed.case_id);
  hub_.RunFor(kUnreadableAfter * 2);
  EXPECT_EQ(reader.CountOf(v1::Down::kRefused), 1);
  EXPECT_EQ(Directory(), listed);
  EXPECT_EQ(rooms(), 0);
  hub_.journal().FailReadsOf(closed.case_id, absl::OkStatus());
  hub_.RunFor(kUnreadableRetry);
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesUnreadable), 0);
  EXPECT_GT(SnapshotOf(hub_, closed.case_id).head_seq(), 0u);
}

TEST_F(RestTest, CaseFoldedByAnotherBuildThatCannotBeReadIsFoldedAnewOnceItCan) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  ChangeFold(closed.case_id);
  hub_.journal().FailReadsOf(closed.case_id, absl::UnavailableError("disk I/O error"));
  hub_.RestartHub();
  hub_.RunFor(kUnreadableAfter * 2);
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesUnreadable), 1);
  EXPECT_EQ(Directory().size(), 1u) << "as its note says";
  hub_.journal().FailReadsOf(closed.case_id, absl::OkStatus());
  hub_.RunFor(kUnreadableRetry * 2);
  const std::optional<RestNote> note =
      DecodeRestNote(hub_.journal().Restore(closed.case_id)->checkpoint.note);
  ASSERT_TRUE(note);
  EXPECT_TRUE(note->is_current());
  EXPECT_EQ(rooms(), 0);
}

TEST_F(RestTest, CaseThatWentOnAfterItRestedIsRestoredAtAStart) {
  ClosedCase closed = CloseCase(hub_, "OR 1", 1, 3);
  hub_.RunFor(kUntilRest);
  {
    TestParticipant agent(hub_, AgentIdentity());
    agent.Hello(closed.origin);
    agent.Join(closed.case_id, "OR 1");
    hub_.Run();
    agent.Publish({closed.writer.WriteAs(2, BlockBody("EMG/L", 64))});
    hub_.Run();
  }
  hub_.RestartHub();
  hub_.RunFor(kAnnexQuiet + Duration::Seconds(1));
  EXPECT_EQ(rooms(), 1);
  EXPECT_EQ(NewestCertificate(closed.case_id).certificate_index(), 2u);
}

TEST_F(RestTest, HistoryOfACaseAtRestIsGiven) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  ASSERT_EQ(rooms(), 0);
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  v1::Up up;
  up.mutable_history_request()->set_request_id(9);
  up.mutable_history_request()->set_case_id(closed.case_id.ToString());
  up.mutable_history_request()->set_from_seq(1);
  up.mutable_history_request()->set_to_seq(4);
  reader.SendUp(up);
  hub_.Run();
  EXPECT_EQ(reader.CountOf(v1::Down::kRefused), 0);
  ASSERT_NE(reader.Last(v1::Down::kHistoryPage), nullptr);
}

TEST_F(RestTest, CaseAtRestWhoseRecordsAreDamagedSaysSoToWhoAsks) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kUntilRest);
  hub_.journal().Damage(closed.case_id);
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, closed.case_id);
  hub_.Run();
  ASSERT_NE(reader.Last(v1::Down::kRefused), nullptr);
  EXPECT_THAT(reader.Last(v1::Down::kRefused)->refused().text(), HasSubstr("not what was written"));
  EXPECT_EQ(hub_.damaged().size(), 1u);
}

TEST_F(RestTest, CaseAtRestThatIsFoundDamagedLeavesTheListOfThoseToo) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  const ClosedCase sound = CloseCase(hub_, "OR 2");
  hub_.RunFor(kUntilRest);
  TestParticipant wall(hub_, {"centre", "Centre", v1::ROLE_CENTRE, {}});
  wall.Hello();
  v1::Follow follow;
  follow.set_follow_id(1);
  follow.set_directory(true);
  wall.Follow(follow);
  hub_.Run();
  ASSERT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases_size(), 2);
  hub_.journal().Damage(closed.case_id);
  EXPECT_EQ(SnapshotOf(hub_, closed.case_id).state().summary().theatre(), "");
  hub_.RunFor(Duration::Seconds(61));
  const v1::DirectoryUpdate& update = wall.Last(v1::Down::kDirectory)->directory();
  EXPECT_TRUE(update.complete());
  ASSERT_EQ(update.cases_size(), 1);
  EXPECT_EQ(update.cases(0).case_id(), sound.case_id.ToString());
  EXPECT_EQ(Directory().size(), 1u) << "as who comes later sees it";
}

}  // namespace
}  // namespace remora::hub
