// Cases that leave the hub for its archive: with a hub's core around, on a disk of the test's own.

#include "hub/archive/record_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/testing/fake_file_system.h"
#include "hub/archive/limits.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

const Duration kKeep = Duration::Seconds(3600);
constexpr char kFolder[] = "archive";

class RecordArchiveTest : public ::testing::Test {
 protected:
  RecordArchiveTest() {
    hub_.clock_sync().Set(true);
    Start();
  }
  ~RecordArchiveTest() override { archive_->Stop(); }

  std::unique_ptr<RecordArchive> Archive(const std::string& key) {
    return std::make_unique<RecordArchive>(
        RecordArchive::Parts{{&files_, &hub_.random(), kFolder, "journal.archive-id", accepts_},
                             &hub_.journal(),
                             &hub_.executor(),
                             &hub_.executor(),
                             {key}});
  }
  // The hub begins (again) with the archive as it is on disk.
  void Start() { Start(hub_.signer().public_key()); }
  void Start(const std::string& key) {
    if (archive_ != nullptr) {
      archive_->Stop();
      hub_.executor().RunFor(kArchivePause * 2);  // two lives at a time there never are
    }
    former_.push_back(std::move(archive_));  // its tasks may still wait
    archive_ = Archive(key);
    hub_.UseArchive(archive_.get(), kKeep, kKeep);
    hub_.Run();
  }
  // Goes on until the case's file has its name, and is not read back yet.
  void RunUntilCommitted(const std::string& name) {
    while (!files_.Exists(Path(name))) ASSERT_TRUE(hub_.executor().RunNext());
  }
  static std::string Path(const std::string& name) { return absl::StrCat(kFolder, "/", name); }
  // Of the archive of the only case.
  std::string Name() {
    const CaseHead head = hub_.journal().ListCases()->at(0);
    return absl::StrCat(head.case_id.Hex(), "-", head.epoch, "-", head.last_seq, ".record");
  }
  void Write(const std::string& path, const std::string& bytes) {
    auto file = files_.OpenAppend(path);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->Append(bytes).ok());
  }
  size_t cases() { return hub_.journal().ListCases()->size(); }
  std::vector<Tombstone> tombstones() { return *hub_.journal().ListTombstones(); }
  // Without the mark.
  std::vector<std::string> names() {
    std::vector<std::string> names = files_.List(kFolder).value_or(std::vector<std::string>());
    std::erase(names, kArchiveMark);
    return names;
  }
  VerifyReport Verify(const Tombstone& tombstone) {
    auto report = VerifyRecordFile(files_, absl::StrCat(kFolder, "/", tombstone.archive),
                                   {hub_.signer().public_key()});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(VerifyReport());
  }
  std::string LastFailure() const {
    return hub_.retention().empty() || hub_.retention().back().ok()
               ? ""
               : std::string(hub_.retention().back().status().message());
  }

  FakeFileSystem files_;
  HubHarness hub_;
  bool accepts_ = false;
  std::vector<std::unique_ptr<RecordArchive>> former_;
  std::unique_ptr<RecordArchive> archive_;
};

TEST_F(RecordArchiveTest, CertifiedCaseWhoseTimeHasComeIsArchivedProvedAndPurged) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  TestParticipant wall(hub_, {"centre", "Centre", v1::ROLE_CENTRE, {}});
  wall.Hello();
  v1::Follow follow;
  follow.set_follow_id(1);
  follow.set_directory(true);
  wall.Follow(follow);
  hub_.RunFor(kKeep - Duration::Seconds(60));
  EXPECT_EQ(cases(), 1u) << "not yet";
  ASSERT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases_size(), 1);
  const CaseHead head = hub_.journal().ListCases()->at(0);
  hub_.RunFor(Duration::Seconds(80));
  EXPECT_EQ(cases(), 0u);
  ASSERT_EQ(tombstones().size(), 1u);
  const Tombstone tombstone = tombstones()[0];
  EXPECT_EQ(tombstone.case_id, closed.case_id);
  EXPECT_EQ(tombstone.theatre, "OR 1");
  EXPECT_EQ(tombstone.last_seq, head.last_seq);
  EXPECT_EQ(tombstone.chain, head.chain);
  EXPECT_GT(tombstone.opened_unix_ns, 0);
  EXPECT_GE(tombstone.closed_unix_ns, tombstone.opened_unix_ns);
  EXPECT_GT(tombstone.purged_unix_ns, tombstone.closed_unix_ns);
  const VerifyReport report = Verify(tombstone);
  EXPECT_TRUE(report.ok());
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(report.record_count, head.last_seq);
  EXPECT_EQ(names(), std::vector<std::string>{tombstone.archive});
  EXPECT_EQ(hub_.metrics().counter(metric::kCasesArchived), 1u);
  EXPECT_EQ(hub_.metrics().counter(metric::kCasesPurged), 1u);
  EXPECT_EQ(hub_.metrics().gauge(metric::kCases), 0);
  hub_.RunFor(Duration::Seconds(61));
  EXPECT_TRUE(wall.Last(v1::Down::kDirectory)->directory().complete());
  EXPECT_EQ(wall.Last(v1::Down::kDirectory)->directory().cases_size(), 0) << "off the wall";
  files_.SimulatePowerCut(1);
  EXPECT_TRUE(Verify(tombstone).ok()) << "the archive was synced before the case went";
}

TEST_F(RecordArchiveTest, WhoAsksForAPurgedCaseIsToldWhereItWent) {
  ClosedCase closed = CloseCase(hub_, "OR 1", 1, 3);
  hub_.RunFor(kKeep + Duration::Seconds(30));
  ASSERT_EQ(tombstones().size(), 1u);
  const std::string archive = tombstones()[0].archive;
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    if (restarted) Start();
    TestParticipant agent(hub_, AgentIdentity());
    agent.Hello(closed.origin);
    agent.Join(closed.case_id, "OR 1");
    // Its late records, and even an opening anew.
    agent.Publish({closed.writer.WriteAs(2, BlockBody("EMG/L", 64))});
    RecordWriter anew(closed.case_id, closed.origin);
    agent.Publish({anew.Write(LifecycleBody(v1::CASE_TRANSITION_OPENED, "OR 1"))});
    agent.FollowComplete(1, closed.case_id);
    v1::Up up;
    up.mutable_history_request()->set_request_id(9);
    up.mutable_history_request()->set_case_id(closed.case_id.ToString());
    agent.SendUp(up);
    hub_.Run();
    EXPECT_FALSE(agent.closed);
    EXPECT_EQ(agent.CountOf(v1::Down::kJoined), 0);
    EXPECT_EQ(agent.CountOf(v1::Down::kAcknowledge), 0) << "nothing of it is said to be on record";
    int refused = 0;
    for (const v1::Down& down : agent.downs) {
      if (!down.has_refused()) continue;
      ++refused;
      EXPECT_EQ(down.refused().reason(), v1::REFUSAL_REASON_WRONG_STAGE);
      EXPECT_THAT(down.refused().text(), HasSubstr(archive));
      EXPECT_THAT(down.refused().text(), HasSubstr("keep it"));
    }
    EXPECT_EQ(refused, 3) << "the join, the follow, the request";
    for (const v1::Down& down : agent.downs) {
      if (!down.has_record_refused()) continue;
      EXPECT_EQ(down.record_refused().reason(), v1::REFUSAL_REASON_NO_SUCH_CASE)
          << "not for good: its sender keeps it";
    }
    EXPECT_EQ(cases(), 0u);
  }
}

TEST_F(RecordArchiveTest, CaseWithoutACertificateIsKeptAndThatIsSaidOnce) {
  hub_.set_signs(false);
  Start();
  CloseCase(hub_, "OR 1");
  hub_.RunFor(kKeep * 2);
  EXPECT_EQ(cases(), 1u);
  EXPECT_TRUE(names().empty());
  ASSERT_EQ(hub_.retention().size(), 1u);
  EXPECT_THAT(LastFailure(), HasSubstr("certificate"));
  EXPECT_EQ(hub_.metrics().gauge(metric::kCasesDue), 1);
  EXPECT_GT(hub_.metrics().counter(metric::kArchiveFailures, "reason=FAILED_PRECONDITION"), 1u);
}

TEST_F(RecordArchiveTest, FullOrFailingDiskKeepsTheCaseUntilItIsMended) {
  CloseCase(hub_, "OR 1");
  files_.SetFreeBytes(300);
  hub_.RunFor(kKeep + Duration::Seconds(30));
  EXPECT_EQ(cases(), 1u);
  EXPECT_TRUE(names().empty()) << "what is not whole is taken away";
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=RESOURCE_EXHAUSTED"), 1u);
  files_.SetFreeBytes(1 << 30);
  files_.FailSync(1, FakeFileSystem::Failure::kIoError);
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 1u);
  EXPECT_TRUE(names().empty());
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
  EXPECT_TRUE(Verify(tombstones().at(0)).ok());
}

TEST_F(RecordArchiveTest, WhatOthersNeedOfTheDiskStaysFree) {
  CloseCase(hub_, "OR 1");
  Write("other", std::string(12'000'000, 'x'));
  files_.SetFreeBytes(3'000'000);  // of 15, of which a quarter is kept
  hub_.RunFor(kKeep + Duration::Seconds(30));
  EXPECT_EQ(cases(), 1u);
  EXPECT_TRUE(names().empty());
  EXPECT_THAT(LastFailure(),
              HasSubstr("2 MB are free; 0 MB of the case are to come, and 3 MB stay"))
      << "with the figures";
  files_.SetFreeBytes(5'000'000);
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RecordArchiveTest, LargeCaseIsGivenUpAsSoonAsItIsSeenThatItDoesNotFit) {
  CloseCase(hub_, "OR 1", 6'000, 6'000);  // 1.3 MB
  Write("other", std::string(12'000'000, 'x'));
  files_.SetFreeBytes(4'800'000);
  const uint64_t before = files_.appends();
  hub_.RunFor(kKeep + Duration::Seconds(30));
  EXPECT_EQ(cases(), 1u);
  EXPECT_TRUE(names().empty());
  EXPECT_THAT(LastFailure(), HasSubstr("1 MB of the case are to come"));
  EXPECT_LT(files_.appends() - before, 10u) << "a page, and not the whole";
  files_.SetFreeBytes(8'000'000);
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RecordArchiveTest, WhatAnEarlierLifeLeftIsWrittenAnew) {
  CloseCase(hub_, "OR 1");
  const std::string name = Name();
  Start();
  hub_.RunFor(kKeep - Duration::Seconds(60));
  ASSERT_TRUE(files_.CreateDirectory(kFolder).ok());
  accepts_ = true;
  Start();
  Write(Path(name), "remora-record 1\n\nnot a record");
  Write(Path(name + ".part"), "torn");
  Write(Path("export.record.part"), "somebody else's");
  hub_.RunFor(Duration::Seconds(90));
  EXPECT_EQ(cases(), 0u) << LastFailure();
  EXPECT_TRUE(Verify(tombstones().at(0)).ok());
  EXPECT_EQ(names(), (std::vector<std::string>{name, "export.record.part"}));
}

TEST_F(RecordArchiveTest, FolderThatDidNotSyncIsNotBelievedTheSecondTime) {
  CloseCase(hub_, "OR 1");
  hub_.RunFor(kKeep + Duration::Seconds(30));
  ASSERT_EQ(cases(), 0u);
  CloseCase(hub_, "OR 2");
  hub_.RunFor(kKeep - Duration::Seconds(60));
  files_.FailSyncDirectory(1, FakeFileSystem::Failure::kIoError);
  hub_.RunFor(Duration::Seconds(90));
  ASSERT_EQ(cases(), 1u);
  EXPECT_TRUE(files_.Exists(Path(Name()))) << "it has its name, until the power goes";
  ASSERT_TRUE(files_.SyncDirectory(kFolder).ok()) << "says OK, and does nothing";
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  ASSERT_EQ(cases(), 0u);
  files_.SimulatePowerCut(1);
  for (const Tombstone& tombstone : tombstones()) EXPECT_TRUE(Verify(tombstone).ok());
}

TEST_F(RecordArchiveTest, FileThatCannotBeReadBackIsPutAsideAndWrittenAnew) {
  CloseCase(hub_, "OR 1");
  const std::string name = Name();
  for (int i = 0; i < 3; ++i) {
    RunUntilCommitted(name);
    files_.FailReads(Path(name));
    hub_.RunFor(Duration::Seconds(10));
    EXPECT_EQ(cases(), 1u);
    EXPECT_EQ(names(), std::vector<std::string>{name + ".failed"}) << "one of a case";
  }
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=UNAVAILABLE"), 3u);
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
  EXPECT_TRUE(Verify(tombstones().at(0)).ok());
}

TEST_F(RecordArchiveTest, WhatDoesNotProveItselfIsPutAsideAndNotWrittenAgainBeforeARestart) {
  CloseCase(hub_, "OR 1");
  const std::string name = Name();
  RunUntilCommitted(name);
  files_.FlipBit(Path(name), 700, 3);
  hub_.RunFor(Duration::Seconds(10));
  EXPECT_THAT(LastFailure(), HasSubstr("does not prove itself"));
  EXPECT_EQ(names(), std::vector<std::string>{name + ".failed"});
  const uint64_t written = files_.appends();
  hub_.RunFor(kRetentionRetry * 5);
  EXPECT_EQ(cases(), 1u);
  EXPECT_EQ(files_.appends(), written);
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=DATA_LOSS"), 6u);
  EXPECT_EQ(hub_.retention().size(), 1u) << "said once";
  Start();
  hub_.RunFor(kRetentionInterval * 2 + kRestAfter);
  EXPECT_EQ(cases(), 0u);
  EXPECT_TRUE(Verify(tombstones().at(0)).ok());
}

TEST_F(RecordArchiveTest, RecordOfAKeyThatTheHubDoesNotKnowIsNotPurgedAndWrittenOnce) {
  CloseCase(hub_, "OR 1");
  const std::string name = Name();
  Start(RecordSigner(RecordSigner::Seed{9}).public_key());
  hub_.RunFor(kKeep + Duration::Seconds(30));
  EXPECT_THAT(LastFailure(), HasSubstr("not trusted"));
  const uint64_t written = files_.appends();
  hub_.RunFor(kRetentionRetry * 5);
  EXPECT_EQ(cases(), 1u);
  EXPECT_EQ(names(), std::vector<std::string>{name + ".failed"});
  EXPECT_EQ(files_.appends(), written);
}

TEST_F(RecordArchiveTest, NothingIsWrittenIntoAMountPointWithoutItsDisk) {
  CloseCase(hub_, "OR 1");
  hub_.RunFor(kKeep + Duration::Seconds(30));
  ASSERT_EQ(cases(), 0u);
  const std::string first = tombstones().at(0).archive;
  const std::string mark = *files_.ReadWhole(Path(kArchiveMark), 1000);
  // As what is below the mount point looks.
  ASSERT_TRUE(files_.Remove(Path(first)).ok());
  ASSERT_TRUE(files_.Remove(Path(kArchiveMark)).ok());
  CloseCase(hub_, "OR 2");
  CloseCase(hub_, "OR 3");
  for (const bool restarted : {false, true}) {
    if (restarted) Start();
    hub_.RunFor(kKeep + kRetentionRetry);
    EXPECT_EQ(cases(), 2u);
    EXPECT_TRUE(files_.List(kFolder)->empty());
    EXPECT_THAT(LastFailure(), HasSubstr("Is its disk mounted?"));
  }
  EXPECT_EQ(hub_.retention().size(), 3u) << "not a word for each case and each try";
  Write(Path(kArchiveMark), mark);
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RecordArchiveTest, DiskThatGoesWhileACaseIsProvedKeepsTheCase) {
  CloseCase(hub_, "OR 1");
  RunUntilCommitted(Name());
  const std::string mark = *files_.ReadWhole(Path(kArchiveMark), 1000);
  ASSERT_TRUE(files_.Remove(Path(kArchiveMark)).ok());
  hub_.RunFor(Duration::Seconds(60));
  EXPECT_EQ(cases(), 1u);
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=FAILED_PRECONDITION"), 1u);
  Write(Path(kArchiveMark), mark);
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RecordArchiveTest, TwoHubsDoNotWriteIntoOneFolderAtATime) {
  CloseCase(hub_, "OR 1");
  hub_.RunFor(kKeep + Duration::Seconds(30));
  ASSERT_EQ(cases(), 0u);
  CloseCase(hub_, "OR 2");
  auto other = files_.Lock(Path(kArchiveMark));
  ASSERT_TRUE(other.ok());
  Write(Path(Name() + ".part"), "being written");
  hub_.RunFor(kKeep + Duration::Seconds(30));
  EXPECT_EQ(cases(), 1u);
  EXPECT_EQ(*files_.ReadWhole(Path(Name() + ".part"), 100), "being written");
  other->reset();
  hub_.RunFor(kRetentionRetry + kRetentionInterval);
  EXPECT_EQ(cases(), 0u);
}

TEST_F(RecordArchiveTest, EndOfTheHubIsNoFailure) {
  CloseCase(hub_, "OR 1");
  RunUntilCommitted(Name());
  archive_->Stop();
  hub_.RunFor(Duration::Seconds(60));
  EXPECT_EQ(cases(), 1u);
  EXPECT_TRUE(hub_.retention().empty());
  EXPECT_EQ(hub_.metrics().counter(metric::kArchiveFailures, "reason=CANCELLED"), 0u);
}

TEST_F(RecordArchiveTest, WhoWatchesIsToldWhetherItIsThereAndWhatIsFree) {
  std::vector<std::pair<absl::Status, uint64_t>> looks;
  archive_->Watch([&](const absl::Status& there, uint64_t free) {
    looks.push_back({there, free});
  });
  hub_.Run();
  ASSERT_EQ(looks.size(), 1u);
  EXPECT_TRUE(looks[0].first.ok()) << looks[0].first;
  EXPECT_GT(looks[0].second, uint64_t{1} << 39);
  ASSERT_TRUE(files_.Remove(Path(kArchiveMark)).ok());
  hub_.RunFor(kArchiveLookInterval);
  ASSERT_EQ(looks.size(), 2u);
  EXPECT_TRUE(absl::IsFailedPrecondition(looks[1].first));
  EXPECT_EQ(looks[1].second, 0u);
}

TEST_F(RecordArchiveTest, SomebodyInTheCaseKeepsItAndWhatComesMeanwhileIsArchivedToo) {
  ClosedCase closed = CloseCase(hub_, "OR 1", 1, 3);
  {
    TestParticipant agent(hub_, AgentIdentity());
    agent.Hello(closed.origin);
    agent.Join(closed.case_id, "OR 1");
    hub_.RunFor(kKeep * 2);
    EXPECT_EQ(cases(), 1u) << "somebody is in it";
    agent.Publish({closed.writer.WriteAs(2, BlockBody("EMG/L", 64))});
    hub_.Run();
  }
  hub_.RunFor(kKeep - Duration::Seconds(30));
  EXPECT_EQ(cases(), 1u) << "its time begins anew";
  hub_.RunFor(Duration::Seconds(180));
  EXPECT_EQ(cases(), 0u);
  EXPECT_EQ(Verify(tombstones().at(0)).certificate_index, 2u) << "with its late annex";
}

TEST_F(RecordArchiveTest, FailedPurgeLeavesTheCaseUsable) {
  const ClosedCase closed = CloseCase(hub_, "OR 1");
  hub_.RunFor(kKeep - Duration::Seconds(60));
  hub_.journal().FailCommits(absl::UnavailableError("the disk"));
  hub_.RunFor(Duration::Seconds(120));
  EXPECT_EQ(cases(), 1u);
  hub_.journal().FailCommits(absl::OkStatus());
  {
    TestParticipant reader(hub_, ReaderIdentity());
    reader.Hello();
    reader.FollowLive(1, closed.case_id);
    hub_.Run();
    EXPECT_NE(reader.Last(v1::Down::kSnapshot), nullptr);
  }
  hub_.RunFor(kRetentionRetry + kRestAfter);
  EXPECT_EQ(cases(), 0u);
}

// The power goes after any number of the hub's turns from the moment when the case's time has come.
TEST_F(RecordArchiveTest, PowerCutAtAnyStepLosesNothing) {
  int purged = 0;
  for (int turns = 0; turns < 60; ++turns) {
    SCOPED_TRACE(turns);
    CloseCase(hub_, "OR 1");
    const size_t before = tombstones().size();
    hub_.RunFor(kKeep - kRetentionInterval - Duration::Seconds(5));
    ASSERT_EQ(cases(), 1u);
    const CaseHead head = hub_.journal().ListCases()->at(0);
    const size_t outcomes = hub_.retention().size();
    while (hub_.retention().size() == outcomes && names().size() == before) {
      hub_.executor().RunNext();
    }
    for (int turn = 0; turn < turns; ++turn) hub_.executor().RunNext();
    archive_->Stop();
    files_.SimulatePowerCut(static_cast<uint64_t>(turns) + 1);
    // What the old life had posted finds its files gone.
    hub_.executor().RunFor(kArchivePause * 2);
    ASSERT_EQ(cases() + tombstones().size(), before + 1) << "whole or purged";
    if (cases() == 0) {
      ++purged;
      for (const Tombstone& tombstone : tombstones()) ASSERT_TRUE(Verify(tombstone).ok());
    } else {
      ASSERT_EQ(hub_.journal().ListCases()->at(0).last_seq, head.last_seq);
    }
    Start();
    for (const std::string& name : names()) EXPECT_FALSE(absl::EndsWith(name, ".part"));
    hub_.RunFor(kRetentionInterval * 2);
    ASSERT_EQ(cases(), 0u) << "and the next start goes on: " << LastFailure();
    ASSERT_EQ(names().size(), before + 1);
  }
  EXPECT_GT(purged, 0);
  EXPECT_LT(purged, 60);
}

}  // namespace
}  // namespace remora::hub
