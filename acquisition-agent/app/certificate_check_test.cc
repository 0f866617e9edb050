#include "acquisition-agent/app/certificate_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "acquisition-agent/spool/testing/spool_case.h"
#include "common/record_seal.h"

namespace remora::agent {
namespace {

using testing::HasSubstr;

// A spool with four records in lane 1 and five blocks.
class CertificateCheckTest : public testing::Test {
 protected:
  CertificateCheckTest() {
    spool_ = OpenSpool(files_);
    for (uint64_t seq = 1; seq <= 4; ++seq) {
      EXPECT_TRUE(spool_->AppendRecord(1, seq, seq, "event").ok());
    }
    for (uint64_t seq = 1; seq <= 5; ++seq) {
      EXPECT_TRUE(spool_->AppendRecord(5, seq, 0, "block").ok());
    }
    EXPECT_TRUE(spool_->Commit().ok());
    Head(1, 4);
    Head(5, 5);
  }
  v1::OriginLaneHead* Head(uint32_t lane, uint64_t last) {
    v1::OriginLaneHead* head = certificate_.add_heads();
    head->set_origin(spool_->origin().ToString());
    head->set_lane(lane);
    head->set_last_origin_seq(last);
    return head;
  }
  void Gap(int head, uint64_t first, uint64_t last, v1::NamedGapCause cause) {
    v1::NamedGap* gap = certificate_.mutable_heads(head)->add_gaps();
    gap->set_first_origin_seq(first);
    gap->set_last_origin_seq(last);
    gap->set_cause(cause);
  }
  static SeqRanges One(uint64_t seq) {
    SeqRanges one;
    one.Insert(seq);
    return one;
  }
  absl::Status Check() {
    signer_.Sign(spool_->case_id(), &certificate_);
    return CheckClears(*spool_, certificate_, signer_.public_key());
  }

  FakeFileSystem files_;
  std::unique_ptr<CaseSpool> spool_;
  v1::Certificate certificate_;
  RecordSigner signer_{RecordSigner::Seed{1}};
};

TEST_F(CertificateCheckTest, WholeRecordClears) { EXPECT_TRUE(Check().ok()) << Check(); }

TEST_F(CertificateCheckTest, HostileOtherKeyOrChangedWordClearsNothing) {
  ASSERT_TRUE(Check().ok());
  const RecordSigner other{RecordSigner::Seed{2}};
  EXPECT_FALSE(CheckClears(*spool_, certificate_, other.public_key()).ok());
  EXPECT_FALSE(CheckClears(*spool_, certificate_, "").ok());
  certificate_.set_seq(certificate_.seq() + 1);
  EXPECT_FALSE(CheckClears(*spool_, certificate_, signer_.public_key()).ok());
}

TEST_F(CertificateCheckTest, LastNumberMustBeNamed) {
  certificate_.mutable_heads(1)->set_last_origin_seq(4);
  EXPECT_THAT(std::string(Check().message()), HasSubstr("lane 5 is certified up to 4 of 5"));
  certificate_.mutable_heads()->RemoveLast();
  EXPECT_THAT(std::string(Check().message()), HasSubstr("does not name lane 5"));
}

TEST_F(CertificateCheckTest, GapThatTheSpoolStillHoldsClearsNothingWhateverItsCause) {
  for (const v1::NamedGapCause cause :
       {v1::NAMED_GAP_CAUSE_MISSING, v1::NAMED_GAP_CAUSE_DATA_GAP, v1::NAMED_GAP_CAUSE_REFUSED}) {
    certificate_.mutable_heads(1)->clear_gaps();
    Gap(1, 2, 3, cause);
    spool_->MarkRefused(5, One(2));
    spool_->MarkRefused(5, One(3));
    EXPECT_THAT(std::string(Check().message()), HasSubstr("record 2 of lane 5")) << cause;
  }
}

TEST_F(CertificateCheckTest, GapOfWhatIsGoneHereTooClears) {
  spool_->GiveUp(5, 2, 3);
  Gap(1, 2, 3, v1::NAMED_GAP_CAUSE_DATA_GAP);
  EXPECT_TRUE(Check().ok()) << Check();
}

TEST_F(CertificateCheckTest, RefusedControlStaysHereAndNeedNotBeOnRecord) {
  spool_->MarkRefused(1, One(2));
  spool_->MarkRefused(1, One(4));
  Gap(0, 2, 2, v1::NAMED_GAP_CAUSE_REFUSED);
  certificate_.mutable_heads(0)->set_last_origin_seq(3);
  EXPECT_TRUE(Check().ok()) << Check();
  certificate_.mutable_heads(0)->mutable_gaps(0)->set_cause(v1::NAMED_GAP_CAUSE_MISSING);
  EXPECT_FALSE(Check().ok());
}

TEST_F(CertificateCheckTest, HostileGapWithoutEndIsNotWalkedThrough) {
  spool_->GiveUp(5, 2, 3);
  Gap(1, 2, ~uint64_t{0}, v1::NAMED_GAP_CAUSE_MISSING);
  EXPECT_FALSE(Check().ok());
}

}  // namespace
}  // namespace remora::agent
