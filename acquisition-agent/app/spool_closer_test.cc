#include "acquisition-agent/app/spool_closer.h"

#include <gtest/gtest.h>

#include <memory>

#include "acquisition-agent/app/dry_run.h"
#include "acquisition-agent/app/spool_recorder.h"
#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/record_seal.h"
#include "common/testing/fake_clock.h"

namespace remora::agent {
namespace {

class SpoolCloserTest : public testing::Test {
 protected:
  SpoolCloserTest() { Open(); }
  void Open() {
    closer_ = nullptr;
    spool_ = nullptr;
    spool_ = OpenSpool(files_);
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
  // All of lane 1 up to it is on record, and it is refused.
  void HubRefuses(uint64_t seq) {
    SeqRanges held;
    held.InsertRange(1, seq - 1);
    spool_->MarkHeld(1, held);
    SeqRanges refused;
    refused.Insert(seq);
    spool_->MarkRefused(1, refused);
  }
  // That all that is committed is on record.
  absl::Status Certify() {
    v1::Certificate certificate;
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      if (spool_->committed_seq(lane) == 0) continue;
      v1::OriginLaneHead* head = certificate.add_heads();
      head->set_origin(spool_->origin().ToString());
      head->set_lane(lane);
      head->set_last_origin_seq(spool_->committed_seq(lane));
    }
    signer_.Sign(spool_->case_id(), &certificate);
    return closer_->OnCertificate(certificate, signer_.public_key());
  }
  v1::Record Last() {
    v1::Record record;
    EXPECT_TRUE(record.ParseFromString(*spool_->Read(1, spool_->committed_seq(1))));
    return record;
  }

  const RecordSigner signer_{RecordSigner::Seed{1}};
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
  EXPECT_FALSE(closer_->IsOver()) << "the hub holds all, and has certified nothing";
  ASSERT_TRUE(Certify().ok());
  EXPECT_TRUE(closer_->IsOver());
  PutNote();
  EXPECT_FALSE(closer_->IsOver()) << "more came";
  ASSERT_TRUE(spool_->Commit().ok());
  EXPECT_FALSE(closer_->IsOver()) << "which is not certified";
}

TEST_F(SpoolCloserTest, RefusedCloseIsSaidAgainWithItsTotalAfterAWhile) {
  EndSource();
  HubHoldsAll();
  ASSERT_TRUE(closer_->Advance());
  ASSERT_TRUE(spool_->Commit().ok());
  uint64_t closed = spool_->last_seq(1);
  for (const Duration delay : {kFirstCloseRetry, kFirstCloseRetry * 2}) {
    HubRefuses(closed);
    EXPECT_FALSE(closer_->IsOver());
    EXPECT_FALSE(closer_->Advance()) << "not at once";
    clock_.Advance(delay - Duration::Milliseconds(1));
    EXPECT_FALSE(closer_->Advance());
    clock_.Advance(Duration::Milliseconds(1));
    EXPECT_TRUE(closer_->Advance());
    ASSERT_TRUE(spool_->Commit().ok());
    EXPECT_EQ(spool_->last_seq(1), closed + 2) << "a total, and CLOSED";
    EXPECT_EQ(Last().case_lifecycle().transition(), v1::CASE_TRANSITION_CLOSED);
    closed = spool_->last_seq(1);
  }
  HubHoldsAll();
  clock_.Advance(kLongestCloseRetry);
  EXPECT_FALSE(closer_->Advance()) << "it was taken";
}

TEST_F(SpoolCloserTest, RefusedCloseIsSaidAgainAfterARestartToo) {
  EndSource();
  HubHoldsAll();
  ASSERT_TRUE(closer_->Advance());
  ASSERT_TRUE(spool_->Commit().ok());
  const uint64_t closed = spool_->last_seq(1);
  Open();
  HubRefuses(closed);
  EXPECT_FALSE(closer_->Advance());
  clock_.Advance(kFirstCloseRetry);
  EXPECT_TRUE(closer_->Advance());
}

TEST_F(SpoolCloserTest, CaseThatAPersonClosedNeedsNoStepOfOurs) {
  EndSource();
  HubHoldsAll();
  closer_->OnStep(v1::CASE_TRANSITION_CLOSED);
  EXPECT_FALSE(closer_->Advance());
  EXPECT_FALSE(closer_->IsOver());
  ASSERT_TRUE(Certify().ok());
  EXPECT_TRUE(closer_->IsOver());
}

TEST_F(SpoolCloserTest, TotalIsSaidAgainForWhoeverClosesAnew) {
  EndSource();
  const uint64_t before = spool_->last_seq(1);
  closer_->PutTotal(5);
  EXPECT_EQ(spool_->last_seq(1), before);
  closer_->PutTotal(5, /*again=*/true);
  EXPECT_EQ(spool_->last_seq(1), before + 1);
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
  EXPECT_FALSE(closer_->IsOver()) << "the certificate is asked for again";
  ASSERT_TRUE(Certify().ok());
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
