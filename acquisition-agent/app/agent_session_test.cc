#include "acquisition-agent/app/agent_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/testing/theatre.h"

namespace remora::agent {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(AgentSession, TheTheatreWorksAlone) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  EXPECT_TRUE(theatre.spool->closed());
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("high raised: SEP median nerve right")));
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("recovered")));
}

TEST(AgentSession, PacesByTheSourcesTime) {
  FakeFileSystem files;
  Theatre theatre(files, Fall(), /*speed=*/2);
  theatre.Start();
  theatre.RunFor(5);
  v1::Record last;
  const uint64_t newest = theatre.spool->committed_seq(5);
  ASSERT_GT(newest, 0u);
  ASSERT_TRUE(last.ParseFromString(*theatre.spool->Read(5, newest)));
  EXPECT_NEAR(static_cast<double>(last.captured_at().monotonic_ns()) / 1e9, 10, 0.2);
}

TEST(AgentSession, KilledAnywhereItGoesOnAsIfNothingHadHappened) {
  FakeFileSystem whole_files;
  Theatre whole(whole_files, Fall());
  whole.Start();
  whole.RunToEnd();

  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    FakeFileSystem files;
    double killed_s = 0;
    for (int life = 0; life < 5; ++life) {
      Theatre theatre(files, Fall());
      theatre.Start();
      killed_s = static_cast<double>((seed * 37 + life * 53) % 60) / 10 + 0.03;
      theatre.RunFor(killed_s);
      // The session dies with its queue; the machine too, every second time.
      if (life % 2 == 1) files.SimulatePowerCut(seed * 10 + life);
    }
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunToEnd();
    EXPECT_TRUE(theatre.result.ok()) << theatre.result;
    EXPECT_EQ(theatre.session->recorder().mismatches(), 0u);
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      if (lane == 1) continue;  // has notes of the restarts as well
      EXPECT_TRUE(theatre.KeptByBaseline(lane) == whole.KeptByBaseline(lane)) << "lane " << lane;
    }
  }
}

TEST(AgentSession, ADamagedRecordIsMadeAgain) {
  FakeFileSystem files;
  std::vector<std::string> before;
  {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(20);
    before = theatre.Kept(3);
  }
  files.FlipBit("/spool/case/sweep-00000001.seg", 3000, 1);
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunToEnd();
  std::vector<std::string> after = theatre.Kept(3);
  ASSERT_GE(after.size(), before.size());
  after.resize(before.size());
  EXPECT_EQ(after, before);
}

void StartOnAShortDisk(FakeFileSystem& files, Theatre& theatre) {
  theatre.Start();
  theatre.RunFor(1);
  files.SetFreeBytes(20'000);
}

TEST(AgentSession, AShortDiskIsOnRecordInFewWordsAndItsAlertRecovers) {
  FakeFileSystem files;
  Theatre theatre(files, Fall());
  StartOnAShortDisk(files, theatre);
  theatre.RunFor(14);
  ASSERT_TRUE(theatre.spool->short_of_space());
  const Told during = WhatIsTold(theatre, "spool");
  EXPECT_EQ(during.alerts.at(v1::ALERT_CONDITION_RAISED), 1);
  EXPECT_EQ(during.alerts.count(v1::ALERT_CONDITION_RECOVERED), 0u);
  files.SetFreeBytes(uint64_t{1} << 40);
  theatre.RunFor(11);
  EXPECT_FALSE(theatre.spool->short_of_space());
  const Told after = WhatIsTold(theatre, "spool");
  // Of each of three lanes one each five seconds, not one a commit.
  ASSERT_EQ(after.gaps.count(v1::DATA_GAP_CAUSE_SPOOL_SHORT), 1u);
  EXPECT_LE(after.gaps.at(v1::DATA_GAP_CAUSE_SPOOL_SHORT), 15);
  EXPECT_EQ(after.alerts.at(v1::ALERT_CONDITION_RAISED), 1);
  EXPECT_EQ(after.alerts.at(v1::ALERT_CONDITION_RECOVERED), 1);
  theatre.RunToEnd();
  EXPECT_TRUE(theatre.result.ok()) << theatre.result;
  // Every number that is not there is on record.
  SeqRanges named;
  for (const std::string& bytes : theatre.Kept(1)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    if (!record.has_data_gap() || record.data_gap().lane() != 5) continue;
    const v1::DataGap& gap = record.data_gap();
    EXPECT_GT(gap.from_monotonic_ns(), 0);
    EXPECT_GE(gap.to_monotonic_ns(), gap.from_monotonic_ns());
    EXPECT_LE(gap.to_monotonic_ns(), record.captured_at().monotonic_ns());
    named.InsertRange(record.data_gap().first_origin_seq(), record.data_gap().last_origin_seq());
  }
  EXPECT_FALSE(named.empty());
  for (uint64_t seq = 1; seq <= theatre.spool->last_seq(5); ++seq) {
    EXPECT_NE(theatre.spool->Holds(5, seq), named.Contains(seq)) << seq;
  }
}

TEST(AgentSession, HostileADamagedNoteOfALifeBeforeIsOnRecordAsLost) {
  FakeFileSystem files;
  for (int life = 0; life < 2; ++life) {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(5);
  }
  uint64_t note = 0;
  EntryPlace place;
  {
    Theatre theatre(files, Fall());
    for (uint64_t seq = 1; seq <= theatre.spool->last_seq(1); ++seq) {
      v1::Record record;
      ASSERT_TRUE(record.ParseFromString(*theatre.spool->Read(1, seq)));
      if (absl::StrContains(record.source_note().text(), "started again")) note = seq;
    }
    ASSERT_NE(note, 0u);
    place = theatre.spool->PlaceOf(1, note);
  }
  files.FlipBit(absl::StrFormat("/spool/case/control-%08u.seg", place.segment), place.offset + 40,
                1);
  Theatre theatre(files, Fall());
  ASSERT_EQ(theatre.spool->Holes().size(), 1u);
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_TRUE(theatre.spool->Holes().empty());
  v1::Record record;
  ASSERT_TRUE(record.ParseFromString(*theatre.spool->Read(1, note)));
  EXPECT_EQ(record.data_gap().cause(), v1::DATA_GAP_CAUSE_SPOOL_DAMAGED);
  EXPECT_EQ(record.data_gap().first_origin_seq(), note);
  EXPECT_THAT(theatre.console.lines, Contains(HasSubstr("The spool was damaged")));
}

TEST(AgentSession, TheAlertOfAShortDiskGoesOnBehindARestart) {
  FakeFileSystem files;
  {
    Theatre theatre(files, Fall());
    StartOnAShortDisk(files, theatre);
    theatre.RunFor(14);
    ASSERT_EQ(WhatIsTold(theatre, "spool").alerts[v1::ALERT_CONDITION_RAISED], 1);
  }
  {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(8);
    Told told = WhatIsTold(theatre, "spool");
    EXPECT_EQ(told.alerts[v1::ALERT_CONDITION_RAISED], 1) << "not a second time";
    EXPECT_EQ(told.alerts[v1::ALERT_CONDITION_RECOVERED], 0) << "it is short still";
  }
  files.SetFreeBytes(uint64_t{1} << 40);
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunFor(8);
  Told told = WhatIsTold(theatre, "spool");
  EXPECT_EQ(told.alerts[v1::ALERT_CONDITION_RAISED], 1);
  EXPECT_EQ(told.alerts[v1::ALERT_CONDITION_RECOVERED], 1) << "nor left open";
}

TEST(AgentSession, TheAlertOfAShortDiskIsOverBeforeTheCaseIsClosed) {
  FakeFileSystem files;
  {
    Theatre theatre(files, Fall());
    StartOnAShortDisk(files, theatre);
    theatre.RunFor(29);
  }
  files.SetFreeBytes(uint64_t{1} << 40);
  Theatre theatre(files, Fall());
  theatre.Start();
  theatre.RunToEnd();  // within the time that it looks again
  EXPECT_EQ(WhatIsTold(theatre, "spool").alerts[v1::ALERT_CONDITION_RECOVERED], 1);
}

TEST(AgentSession, TheAlertOfRecordsThatDifferGoesOnBehindARestartAndRecovers) {
  FakeFileSystem files;
  PatientScript other = Fall();
  other.seed = 2;
  const auto live = [&](PatientScript script, double seconds) {
    Theatre theatre(files, std::move(script));
    theatre.Start();
    theatre.RunFor(seconds);
    return WhatIsTold(theatre, "restart").alerts;
  };
  EXPECT_THAT(live(Fall(), 12), ::testing::IsEmpty());
  using Alerts = std::map<v1::AlertCondition, int>;
  // So short that it adds nothing of its own.
  EXPECT_EQ(live(other, 0.06), (Alerts{{v1::ALERT_CONDITION_RAISED, 1}}));
  EXPECT_EQ(live(other, 0.06),
            (Alerts{{v1::ALERT_CONDITION_RAISED, 1}, {v1::ALERT_CONDITION_UPDATED, 1}}));
  EXPECT_EQ(live(Fall(), 1), (Alerts{{v1::ALERT_CONDITION_RAISED, 1},
                                     {v1::ALERT_CONDITION_UPDATED, 1},
                                     {v1::ALERT_CONDITION_RECOVERED, 1}}));
}

TEST(AgentSession, RecordsThatDifferAfterARestartAreAnAlertAndOnRecord) {
  FakeFileSystem files;
  {
    Theatre theatre(files, Fall());
    theatre.Start();
    theatre.RunFor(12);
  }
  PatientScript other = Fall();
  other.seed = 2;
  Theatre theatre(files, other);
  theatre.Start();
  theatre.RunToEnd();
  EXPECT_GT(theatre.session->recorder().mismatches(), 0u);
  EXPECT_EQ(WhatIsTold(theatre, "restart").alerts[v1::ALERT_CONDITION_RAISED], 1);
  int notes = 0;
  for (const std::string& bytes : theatre.Kept(1)) {
    v1::Record record;
    ASSERT_TRUE(record.ParseFromString(bytes));
    notes += absl::StrContains(record.source_note().text(), "differ from those on record") ? 1 : 0;
  }
  EXPECT_EQ(notes, 1);
}

}  // namespace
}  // namespace remora::agent
