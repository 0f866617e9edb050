#include "acquisition-agent/app/spool_closer.h"

#include <gtest/gtest.h>

#include <memory>

#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"

namespace remora::agent {
namespace {

class SpoolCloserTest : public testing::Test {
 protected:
  SpoolCloserTest() { Open(); }
  void Open() {
    closer_ = nullptr;
    spool_ = nullptr;
    SpoolOptions options;
    options.directory = "/spool/case";
    options.case_id = CaseId::FromBytes(std::string(16, 'c'));
    options.origin = OriginId::FromBytes(std::string(16, 'o'));
    RecoveryReport report;
    spool_ = *CaseSpool::Open(files_, options, &report);
    if (spool_->info() == nullptr) {
      CaseInfo info;
      info.boot_id = 9;
      EXPECT_TRUE(spool_->SetInfo(info).ok() && spool_->Commit().ok());
    }
    closer_ = std::make_unique<SpoolCloser>(*spool_, clock_);
  }
  void Put(v1::Record record) {
    SpoolRecorder({spool_->case_id(), spool_->origin(), 9}, *spool_, clock_, nullptr)
        .PutOnce(&record, 5);
  }
  void PutNote() {
    v1::Record note;
    note.mutable_source_note()->set_text("note");
    Put(note);
  }
  void EndSource() {
    Put(ClosingRecord(v1::CASE_TRANSITION_CLOSING, "end of the source"));
    closer_->PutTotal(5);
    ASSERT_TRUE(spool_->Close().ok() && spool_->Commit().ok());
  }
  void HubHoldsAll() {
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      if (spool_->committed_seq(lane) == 0) continue;
      SeqRanges held;
      held.InsertRange(1, spool_->committed_seq(lane));
      spool_->MarkHeld(lane, held);
    }
  }
  v1::Record Last() {
    v1::Record record;
    EXPECT_TRUE(record.ParseFromString(*spool_->Read(1, spool_->committed_seq(1))));
    return record;
  }

  FakeFileSystem files_;
  FakeClock clock_;
  std::unique_ptr<CaseSpool> spool_;
  std::unique_ptr<SpoolCloser> closer_;
};

TEST_F(SpoolCloserTest, TotalIsTheLastWordAndCountsItself) {
  PutNote();
  EndSource();
  const v1::Record total = Last();
  ASSERT_TRUE(total.has_publisher_total());
  ASSERT_EQ(total.publisher_total().lanes_size(), 1);
  EXPECT_EQ(total.publisher_total().lanes(0).lane(), 1u);
  EXPECT_EQ(total.publisher_total().lanes(0).last_origin_seq(), total.origin_seq());
}

TEST_F(SpoolCloserTest, SaysClosedOnlyWhenTheHubHasAnsweredForAllElse) {
  EndSource();
  EXPECT_FALSE(closer_->Advance());
  HubHoldsAll();
  EXPECT_FALSE(closer_->IsOver());
  EXPECT_TRUE(closer_->Advance());
  ASSERT_TRUE(spool_->Commit().ok());
  EXPECT_EQ(Last().case_lifecycle().transition(), v1::CASE_TRANSITION_CLOSED);
  EXPECT_EQ(Last().case_lifecycle().reason(), "end of the source");
  EXPECT_FALSE(closer_->IsOver()) << "not yet with the hub";
  HubHoldsAll();
  EXPECT_FALSE(closer_->Advance());
  EXPECT_TRUE(closer_->IsOver());
}

TEST_F(SpoolCloserTest, SaysTheTotalAgainWhenMoreCame) {
  EndSource();
  const uint64_t before = spool_->last_seq(1);
  PutNote();
  PutNote();
  ASSERT_TRUE(spool_->Commit().ok());
  HubHoldsAll();
  ASSERT_TRUE(closer_->Advance());
  EXPECT_EQ(spool_->last_seq(1), before + 4) << "two notes, a total, CLOSED";
}

TEST_F(SpoolCloserTest, NothingIsSaidTwiceAfterARestart) {
  EndSource();
  Open();
  HubHoldsAll();
  const uint64_t before = spool_->last_seq(1);
  ASSERT_TRUE(closer_->Advance());
  EXPECT_EQ(spool_->last_seq(1), before + 1) << "CLOSED alone: the total stands";
  ASSERT_TRUE(spool_->Commit().ok());
  Open();
  HubHoldsAll();
  EXPECT_FALSE(closer_->Advance());
  EXPECT_TRUE(closer_->IsOver());
}

TEST_F(SpoolCloserTest, CaseThatGoesOnIsNotClosed) {
  PutNote();
  ASSERT_TRUE(spool_->Commit().ok());
  HubHoldsAll();
  EXPECT_FALSE(closer_->Advance());
  EXPECT_FALSE(closer_->IsOver());
}

}  // namespace
}  // namespace remora::agent
