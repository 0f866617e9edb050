// How a case is closed: books, certificates, late annex, signed heads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <set>

#include "common/chain.h"
#include "common/fold/case_fold.h"
#include "common/random.h"
#include "common/record_seal.h"
#include "hub/participants/testing/core_harness.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class ClosingTest : public ::testing::Test {
 protected:
  ClosingTest()
      : case_id_(hub_.DrawCase()), origin_(hub_.DrawOrigin()), writer_(case_id_, origin_) {
    agent_ = OpenCase(hub_, case_id_, &writer_, origin_);
    tech_ = std::make_unique<TestParticipant>(hub_, TechnologistIdentity());
    tech_->Hello();
    tech_->Join(case_id_);
    hub_.Run();
    tech_writer_ = std::make_unique<RecordWriter>(case_id_, tech_->origin);
  }

  void FromAgent(const v1::Record& body) {
    agent_->Publish({writer_.Write(body)});
    hub_.Run();
  }
  void FromTech(const v1::Record& body) {
    tech_->Publish({tech_writer_->Write(body)});
    hub_.Run();
  }
  // A block under a number of its own: what is left out is missing.
  void Block(uint64_t origin_seq) {
    agent_->Publish({writer_.WriteAs(origin_seq, BlockBody("EMG/L", origin_seq * 64))});
    hub_.Run();
  }
  v1::Record Total(uint64_t lane_5) const {
    v1::Record body;
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      // Of lane 1 it counts itself.
      const uint64_t last = lane == 5   ? lane_5
                            : lane == 1 ? writer_.next(lane)
                                        : writer_.next(lane) - 1;
      if (last == 0) continue;
      v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
      total->set_lane(lane);
      total->set_last_origin_seq(last);
    }
    return body;
  }
  v1::Record WithGaps(const std::string& reason) const {
    v1::Record body = LifecycleBody(v1::CASE_TRANSITION_CLOSED, "", reason);
    body.mutable_case_lifecycle()->set_with_gaps(true);
    body.mutable_case_lifecycle()->set_actor(tech_->identity.display_name);
    return body;
  }
  v1::Record ToldGap(uint64_t first, uint64_t last) const {
    v1::Record body;
    body.mutable_data_gap()->set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
    body.mutable_data_gap()->set_origin(origin_.ToString());
    body.mutable_data_gap()->set_lane(5);
    body.mutable_data_gap()->set_first_origin_seq(first);
    body.mutable_data_gap()->set_last_origin_seq(last);
    return body;
  }
  std::string LastRefusal(const TestParticipant& participant) const {
    const v1::Down* refused = participant.Last(v1::Down::kRecordRefused);
    return refused == nullptr ? "" : refused->record_refused().text();
  }

  // All certificates and heads on record, each proved against the records before it.
  void CheckSeals() {
    certificates_.clear();
    heads_.clear();
    ChainHead chain{};
    CaseFold fold(case_id_);
    struct Lane {
      SeqRanges numbers;
      uint64_t late = 0;
    };
    std::map<std::pair<OriginId, uint32_t>, Lane> held;
    const std::string& key = hub_.signer().public_key();
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) {
      const StampedRecord stamped = *WalkStamped(bytes);
      const uint64_t seq = stamped.stamp.seq;
      v1::Record record;
      ASSERT_TRUE(record.ParseFromString(bytes));
      const auto check = [&](const auto& seal) {
        EXPECT_TRUE(IsSigned(case_id_, seal, key)) << seq;
        EXPECT_EQ(seal.seq(), seq - 1);
        EXPECT_EQ(seal.chain(), std::string(chain.begin(), chain.end())) << seq;
        EXPECT_EQ(seal.state_digest(), Blake2b256(fold.EncodeCheckpoint())) << seq;
        EXPECT_EQ(seal.fold_version(), kFoldVersion);
      };
      if (record.has_signed_head()) {
        check(record.signed_head());
        heads_.push_back(record.signed_head());
      } else if (record.has_certificate()) {
        check(record.certificate());
        EXPECT_EQ(record.certificate().record_count(), seq - 1);
        certificates_.push_back(record.certificate());
        for (const v1::OriginLaneHead& head : record.certificate().heads()) {
          const Lane& lane = held[{OriginId::FromBytes(head.origin()), head.lane()}];
          EXPECT_EQ(head.held_count(), lane.numbers.count()) << seq;
          EXPECT_EQ(head.late_count(), lane.late) << seq;
          SeqRanges all = lane.numbers;
          for (const v1::NamedGap& gap : head.gaps()) {
            all.InsertRange(gap.first_origin_seq(), gap.last_origin_seq());
          }
          EXPECT_EQ(all.contiguous(), head.last_origin_seq()) << "each number is held or named";
        }
      }
      Lane& lane = held[{stamped.header.origin, stamped.header.lane}];
      const bool bulk = stamped.header.lane >= kControlLaneCount;
      lane.late += bulk && stamped.header.origin_seq < lane.numbers.largest() ? 1 : 0;
      lane.numbers.Insert(stamped.header.origin_seq);
      chain = ExtendChain(chain, bytes);
      FoldedRecord folded;
      folded.bytes.frame = SharedBytes(bytes);
      folded.seq = seq;
      folded.recorded_unix_ns = stamped.stamp.recorded_at.nanoseconds();
      folded.lane = stamped.header.lane;
      fold.Apply(folded);
    }
  }
  const v1::OriginLaneHead* HeadOf(const v1::Certificate& certificate, uint32_t lane) const {
    for (const v1::OriginLaneHead& head : certificate.heads()) {
      if (head.origin() == origin_.bytes() && head.lane() == lane) return &head;
    }
    return nullptr;
  }
  v1::CaseStage Stage() {
    TestParticipant reader(hub_, ReaderIdentity());
    reader.Hello();
    v1::Follow follow;
    follow.set_follow_id(1);
    follow.set_directory(true);
    reader.Follow(follow);
    hub_.Run();
    summary_ = reader.Last(v1::Down::kDirectory)->directory().cases(0);
    return summary_.stage();
  }

  HubHarness hub_;
  CaseId case_id_;
  OriginId origin_;
  RecordWriter writer_;
  std::unique_ptr<TestParticipant> agent_;
  std::unique_ptr<TestParticipant> tech_;
  std::unique_ptr<RecordWriter> tech_writer_;
  std::vector<v1::Certificate> certificates_;
  std::vector<v1::SignedHead> heads_;
  v1::CaseSummary summary_;
};

TEST_F(ClosingTest, WholeCaseIsClosedWithACertificateThatNamesEachOriginAndLane) {
  for (uint64_t seq = 1; seq <= 3; ++seq) Block(seq);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(3));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  const v1::Certificate& certificate = certificates_[0];
  EXPECT_TRUE(certificate.complete());
  EXPECT_EQ(certificate.certificate_index(), 1u);
  EXPECT_EQ(certificate.late_count(), 0u);
  ASSERT_NE(HeadOf(certificate, 5), nullptr);
  EXPECT_EQ(HeadOf(certificate, 5)->last_origin_seq(), 3u);
  EXPECT_EQ(HeadOf(certificate, 5)->held_count(), 3u);
  EXPECT_TRUE(HeadOf(certificate, 5)->total_given());
  EXPECT_EQ(HeadOf(certificate, 5)->participant(), "agent-1");
  EXPECT_EQ(HeadOf(certificate, 1)->last_origin_seq(), writer_.LastKey(1).origin_seq);
  uint64_t held = 0;
  for (const v1::OriginLaneHead& head : certificate.heads()) held += head.held_count();
  EXPECT_EQ(held, certificate.record_count()) << "every record is of an origin that is named";
  EXPECT_EQ(Stage(), v1::CASE_STAGE_CLOSED);
  EXPECT_TRUE(summary_.certificate().complete());
}

TEST_F(ClosingTest, WhatIsMissingIsNamedAndTheCaseStaysClosing) {
  Block(1);
  Block(4);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(6));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("lane 5 of agent-1: 4 missing, 2-3, 5-6"));
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("wait"));
  EXPECT_EQ(Stage(), v1::CASE_STAGE_CLOSING);
  for (const uint64_t seq : {2, 3, 5, 6}) Block(seq);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_TRUE(certificates_[0].complete());
  EXPECT_EQ(HeadOf(certificates_[0], 5)->late_count(), 2u) << "2 and 3 behind 4";
  ASSERT_EQ(HeadOf(certificates_[0], 5)->late_size(), 1);
  EXPECT_EQ(HeadOf(certificates_[0], 5)->late(0).first_origin_seq(), 2u);
  EXPECT_EQ(HeadOf(certificates_[0], 5)->late(0).last_origin_seq(), 3u);
  // The step that was refused used its number up.
  ASSERT_EQ(HeadOf(certificates_[0], 1)->gaps_size(), 1);
  EXPECT_EQ(HeadOf(certificates_[0], 1)->gaps(0).cause(), v1::NAMED_GAP_CAUSE_REFUSED);
}

TEST_F(ClosingTest, PersonClosesWithNamedGapsAndAReason) {
  Block(1);
  Block(4);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(ToldGap(2, 2));
  FromAgent(Total(4));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("1 missing, 3"));
  FromTech(WithGaps(""));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("reason"));
  v1::Record other = WithGaps("disk broke");
  other.mutable_case_lifecycle()->set_actor("Somebody else");
  FromTech(other);
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("author"));
  FromTech(WithGaps("disk broke"));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_FALSE(certificates_[0].complete());
  EXPECT_EQ(certificates_[0].reason(), "disk broke");
  EXPECT_EQ(certificates_[0].actor(), tech_->identity.display_name);
  const v1::OriginLaneHead& head = *HeadOf(certificates_[0], 5);
  ASSERT_EQ(head.gaps_size(), 2);
  EXPECT_EQ(head.gaps(0).cause(), v1::NAMED_GAP_CAUSE_DATA_GAP);
  EXPECT_EQ(head.gaps(0).first_origin_seq(), 2u);
  EXPECT_EQ(head.gaps(0).data_gap().lane(), 1u);
  EXPECT_EQ(head.gaps(1).cause(), v1::NAMED_GAP_CAUSE_MISSING);
  EXPECT_EQ(head.gaps(1).last_origin_seq(), 3u);
  EXPECT_EQ(Stage(), v1::CASE_STAGE_CLOSED);
  EXPECT_EQ(summary_.certificate().missing_count(), 1u);
}

TEST_F(ClosingTest, AgentMayNotCloseWithGaps) {
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  v1::Record body = LifecycleBody(v1::CASE_TRANSITION_CLOSED, "", "because");
  body.mutable_case_lifecycle()->set_with_gaps(true);
  FromAgent(body);
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("a person"));
}

TEST_F(ClosingTest, GapsThatTheAgentToldNeedNobodysWord) {
  Block(1);
  Block(9);
  FromAgent(ToldGap(2, 5));
  FromAgent(ToldGap(4, 8));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(9));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_TRUE(certificates_[0].complete());
  const v1::OriginLaneHead& head = *HeadOf(certificates_[0], 5);
  ASSERT_EQ(head.gaps_size(), 1) << "neighbours are one";
  EXPECT_EQ(head.gaps(0).first_origin_seq(), 2u);
  EXPECT_EQ(head.gaps(0).last_origin_seq(), 8u);
  EXPECT_EQ(head.gaps(0).cause(), v1::NAMED_GAP_CAUSE_DATA_GAP);
  EXPECT_EQ(head.held_count(), 2u);
}

TEST_F(ClosingTest, ToldGapsAreKnownAfterARestartHoweverManyThereWere) {
  const uint64_t count = kMaxListed + 50;
  std::vector<std::string> records;
  for (uint64_t i = 1; i <= count; ++i) {
    records.push_back(writer_.WriteAs(2 * i, BlockBody("EMG/L", i)));
    records.push_back(writer_.Write(ToldGap(2 * i - 1, 2 * i - 1)));
  }
  agent_->Publish(records);
  hub_.RunFor(Duration::Seconds(61));  // a checkpoint
  agent_ = nullptr;
  tech_ = nullptr;
  hub_.RestartHub();
  hub_.Run();
  agent_ = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent_->Hello(origin_);
  agent_->Join(case_id_);
  hub_.Run();
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(2 * count));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_EQ(LastRefusal(*agent_), "");
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_EQ(static_cast<uint64_t>(HeadOf(certificates_[0], 5)->gaps_size()), count);
}

TEST_F(ClosingTest, AgentThatIsAwayWithoutItsTotalNeedsAPersonsWord) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  agent_ = nullptr;
  hub_.Run();
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("agent-1 is not here"));
  FromTech(WithGaps("the machine is gone"));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_FALSE(certificates_[0].complete());
  EXPECT_FALSE(HeadOf(certificates_[0], 5)->total_given());
}

TEST_F(ClosingTest, LateAnnexOfASealedCaseIsTakenAndCertifiedWhenItIsQuiet) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(3));
  FromTech(WithGaps("the link is slow"));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_SEALED));
  const size_t sealed_at = hub_.JournalRecords(case_id_).size();
  hub_.RunFor(Duration::Seconds(100));
  EXPECT_EQ(hub_.JournalRecords(case_id_).size(), sealed_at) << "nothing late, nothing written";
  Block(3);
  hub_.RunFor(Duration::Seconds(6));
  Block(2);
  Block(2);
  hub_.RunFor(Duration::Seconds(6));
  CheckSeals();
  EXPECT_EQ(certificates_.size(), 1u) << "not quiet yet";
  hub_.RunFor(Duration::Seconds(5));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 2u);
  EXPECT_EQ(certificates_[1].certificate_index(), 2u);
  EXPECT_EQ(certificates_[1].late_count(), 2u);
  EXPECT_TRUE(certificates_[1].complete());
  EXPECT_EQ(HeadOf(certificates_[1], 5)->last_origin_seq(), 3u);
  EXPECT_EQ(HeadOf(certificates_[1], 5)->late_count(), 1u);
  EXPECT_EQ(HeadOf(certificates_[1], 5)->duplicate_count(), 1u);
  hub_.RunFor(Duration::Seconds(100));
  CheckSeals();
  EXPECT_EQ(certificates_.size(), 2u);
  EXPECT_EQ(Stage(), v1::CASE_STAGE_SEALED);
}

TEST_F(ClosingTest, SealedCaseTakesNothingOfStrangersAndNoStep) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_SEALED));
  CheckSeals();
  EXPECT_EQ(heads_.back().seq() + 1, hub_.JournalRecords(case_id_).size())
      << "the step itself is signed";
  Block(2);
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("sealed")) << "beyond its total";
  FromTech(MessageBody("late", tech_->identity.display_name));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("sealed"));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "why not"));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("sealed cannot be reopened"));
  TestParticipant stranger(hub_, ReaderIdentity());
  stranger.Hello();
  stranger.Join(case_id_);
  RecordWriter writer(case_id_, stranger.origin);
  stranger.Publish({writer.Write(MessageBody("late", stranger.identity.display_name))});
  hub_.Run();
  EXPECT_THAT(LastRefusal(stranger), HasSubstr("sealed"));
}

TEST_F(ClosingTest, AnnexIsCertifiedAfterARestartToo) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(3));
  FromTech(WithGaps("the link is slow"));
  Block(3);
  Block(2);
  agent_ = nullptr;
  tech_ = nullptr;
  hub_.RestartHub();
  hub_.RunFor(Duration::Seconds(11));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 2u);
  EXPECT_EQ(certificates_[1].late_count(), 2u);
  EXPECT_EQ(HeadOf(certificates_[1], 5)->late_count(), 1u);
}

TEST_F(ClosingTest, ReopenedCaseGetsANewCertificateWhenItIsClosedAgain) {
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(0));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "bleeding"));
  Block(1);
  hub_.RunFor(Duration::Seconds(20));
  CheckSeals();
  EXPECT_EQ(certificates_.size(), 1u) << "it is open: nothing is late";
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("agent-1 has not said yet what it made: wait"))
      << "its total of the first closing counts no more";
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 2u);
  EXPECT_EQ(certificates_[1].certificate_index(), 2u);
  EXPECT_EQ(certificates_[1].late_count(), 0u);
}

class SeededClosingTest : public ClosingTest, public ::testing::WithParamInterface<uint64_t> {};

// Any order of blocks, with holes, some refused, some offered twice, late ones: what is certified
// is what is on record.
TEST_P(SeededClosingTest, BooksOfAnyHistoryAreThoseOfTheRecord) {
  const std::unique_ptr<Random> random = MakeSeededRandom(GetParam());
  const uint64_t last = 40;
  for (int i = 0; i < 60; ++i) {
    const uint64_t seq = 1 + random->Uint64() % last;
    if (random->Uint64() % 8 == 0) {
      agent_->Publish({writer_.WriteAs(seq, BlockBody("", 1))});  // without a name: refused
      hub_.Run();
    } else {
      Block(seq);
    }
  }
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(last));
  FromTech(WithGaps("seeded"));
  for (uint64_t seq = last; seq > last / 2; --seq) Block(seq);
  hub_.RunFor(Duration::Seconds(80));
  CheckSeals();
  EXPECT_GE(certificates_.size(), 1u);
}
INSTANTIATE_TEST_SUITE_P(Seeds, SeededClosingTest, ::testing::Range<uint64_t>(1, 21));

TEST_F(ClosingTest, PersonsCloseWaitsForTheTotalOfAnAgentThatIsHere) {
  Block(1);
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("agent-1 has not said yet what it made: wait"));
  FromAgent(Total(1));
  Block(2);
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("agent-1 records on"));
  EXPECT_EQ(Stage(), v1::CASE_STAGE_CLOSING);
  FromAgent(Total(2));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_TRUE(certificates_[0].complete());
}

TEST_F(ClosingTest, AgentThatComesBackWithoutItsTotalDoesNotMakeTheCaseComplete) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromTech(WithGaps("the machine is gone"));
  hub_.RunFor(Duration::Seconds(61));
  Block(2);
  hub_.RunFor(Duration::Seconds(11));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 2u);
  EXPECT_FALSE(certificates_[1].complete()) << "what it still holds nobody knows";
  EXPECT_FALSE(HeadOf(certificates_[1], 5)->total_given());
}

TEST_F(ClosingTest, TotalsAreTakenInOrderAfterARestart) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(1));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "bleeding"));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  agent_ = nullptr;
  tech_ = nullptr;
  hub_.RestartHub();
  hub_.Run();
  tech_ = std::make_unique<TestParticipant>(hub_, TechnologistIdentity());
  tech_->Hello();
  tech_->Join(case_id_);
  hub_.Run();
  tech_writer_ = std::make_unique<RecordWriter>(case_id_, tech_->origin);
  FromTech(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("agent-1 is not here and has not said"));
}

TEST_F(ClosingTest, AnnexThatIsNeverQuietIsCertifiedInTheEndAndNotMoreThanNowAndThen) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  uint64_t seq = 1;
  for (Duration waited; waited < kLongestAnnexWait * 2; waited = waited + Duration::Seconds(9)) {
    Block(++seq);
    hub_.RunFor(Duration::Seconds(9));
  }
  CheckSeals();
  EXPECT_GE(certificates_.size(), 2u);
  EXPECT_LE(certificates_.size(), 3u);
  const size_t before = certificates_.size();
  for (int i = 0; i < 8; ++i) {
    Block(++seq);
    hub_.RunFor(Duration::Seconds(15));
  }
  CheckSeals();
  EXPECT_LE(certificates_.size(), before + 3) << "one a minute";
}

TEST_F(ClosingTest, AbandonedCaseLosesNothingOfWhatItsAgentStillHolds) {
  Block(1);
  agent_ = nullptr;
  hub_.RunFor(Duration::Seconds(1));
  FromTech(LifecycleBody(v1::CASE_TRANSITION_ABANDONED, "", "the operation is called off"));
  EXPECT_EQ(LastRefusal(*tech_), "");
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_FALSE(certificates_[0].complete()) << "nobody knows what the agent holds";
  EXPECT_EQ(certificates_[0].reason(), "") << "nobody has judged it";

  agent_ = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent_->Hello(origin_);
  agent_->Join(case_id_);
  hub_.Run();
  FromAgent(MessageBody("written before it knew", agent_->identity.display_name));
  for (const uint64_t seq : {2, 3}) Block(seq);
  FromAgent(Total(3));
  Block(4);
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("the case is abandoned"));
  FromTech(MessageBody("new", tech_->identity.display_name));
  EXPECT_THAT(LastRefusal(*tech_), HasSubstr("the case is abandoned"));
  hub_.RunFor(Duration::Seconds(75));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 2u);
  EXPECT_EQ(HeadOf(certificates_[1], 5)->held_count(), 3u);
  EXPECT_EQ(HeadOf(certificates_[1], 0)->held_count(), 1u);
  EXPECT_TRUE(HeadOf(certificates_[1], 5)->total_given());
  EXPECT_TRUE(certificates_[1].complete());
}

// Each second number was given up and told so, not the ones between.
TEST_F(ClosingTest, GapsOfAVeryShortDiskFitIntoACertificate) {
  const uint64_t count = 3'000;
  std::vector<std::string> records;
  for (uint64_t i = 1; i <= count; ++i) {
    records.push_back(writer_.WriteAs(2 * i, BlockBody("EMG/L", i)));
    records.push_back(writer_.Write(ToldGap(2 * i - 1, 2 * i - 1)));
  }
  agent_->Publish(records);
  hub_.RunFor(Duration::Seconds(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(2 * count));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_EQ(LastRefusal(*agent_), "");
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_TRUE(certificates_[0].complete());
  EXPECT_EQ(static_cast<uint64_t>(HeadOf(certificates_[0], 5)->gaps_size()), count);
  EXPECT_FALSE(HeadOf(certificates_[0], 5)->gaps(0).has_data_gap());
}

TEST_F(ClosingTest, BooksThatNoCertificateCanHoldAreClosedByAPersonAndThatIsTold) {
  std::vector<std::string> records;
  for (uint64_t i = 0; i < 4'000; ++i) {
    records.push_back(writer_.WriteAs(1'000'000 + 1'000 * i, BlockBody("EMG/L", i)));
  }
  for (uint64_t i = 0; i < 2'000; ++i) {
    records.push_back(writer_.WriteAs(1'000'000 + 1'000 * i, EnvelopeBody("EMG/L", 1 + i)));
  }
  agent_->Publish(records);
  hub_.RunFor(Duration::Seconds(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("more origins or gaps than a certificate can name"));
  FromTech(WithGaps("half of it is lost"));
  EXPECT_EQ(LastRefusal(*tech_), "");
  EXPECT_EQ(Stage(), v1::CASE_STAGE_CLOSED);
  hub_.RunFor(Duration::Seconds(1));
  CheckSeals();
  EXPECT_TRUE(certificates_.empty());
  ASSERT_FALSE(heads_.empty());
  EXPECT_EQ(hub_.metrics().counter(metric::kUncertified), 1u);
  EXPECT_THAT(summary_.worst_alert(), HasSubstr("No certificate can be written"));
}

TEST_F(ClosingTest, HostileTotalsAndGapsBlockNobody) {
  const auto total = [](std::initializer_list<std::pair<uint32_t, uint64_t>> lanes) {
    v1::Record body;
    for (const auto& [lane, last] : lanes) {
      v1::LaneTotal* said = body.mutable_publisher_total()->add_lanes();
      said->set_lane(lane);
      said->set_last_origin_seq(last);
    }
    return body;
  };
  Block(1);
  for (const auto& body : {total({{0, 1'000'000'000'000}}), total({{5, 1}}), total({{1, 7'000}}),
                           total({{0, 1}, {0, 2}}), total({{6, 1}})}) {
    tech_->ClearReceived();
    FromTech(body);
    EXPECT_NE(LastRefusal(*tech_), "") << body.ShortDebugString();
  }
  FromAgent(ToldGap(2, std::numeric_limits<uint64_t>::max()));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(total({{5, std::numeric_limits<uint64_t>::max()}}));
  EXPECT_THAT(LastRefusal(*agent_), HasSubstr("more than can be on its way"));
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_EQ(Stage(), v1::CASE_STAGE_CLOSED);
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_TRUE(certificates_[0].complete());
}

TEST_F(ClosingTest, ClosedCaseWithoutACertificateGetsOneAtAStart) {
  const auto restart = [this] {
    agent_ = nullptr;
    tech_ = nullptr;
    hub_.RestartHub();
  };
  Block(1);
  hub_.set_signs(false);
  restart();
  agent_ = std::make_unique<TestParticipant>(hub_, AgentIdentity());
  agent_->Hello(origin_);
  agent_->Join(case_id_);
  hub_.Run();
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  EXPECT_EQ(LastRefusal(*agent_), "");
  CheckSeals();
  EXPECT_TRUE(certificates_.empty());
  hub_.set_signs(true);
  restart();
  hub_.RunFor(Duration::Seconds(80));
  CheckSeals();
  ASSERT_EQ(certificates_.size(), 1u);
  EXPECT_TRUE(certificates_[0].complete());
  EXPECT_EQ(certificates_[0].late_count(), 0u);
}

TEST_F(ClosingTest, EndOfAClosedCaseIsSignedSoon) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  agent_ = nullptr;
  hub_.RunFor(Duration::Seconds(20));  // it has left
  CheckSeals();
  EXPECT_EQ(heads_.back().seq() + 1, hub_.JournalRecords(case_id_).size());
}

TEST_F(ClosingTest, RoomsSignOneAfterAnother) {
  std::vector<std::unique_ptr<TestParticipant>> agents;
  std::vector<CaseId> cases;
  for (int i = 0; i < 8; ++i) {
    cases.push_back(hub_.DrawCase());
    const OriginId origin = hub_.DrawOrigin();
    RecordWriter writer(cases.back(), origin);
    const std::string number = std::to_string(i);
    agents.push_back(
        OpenCase(hub_, cases.back(), &writer, origin, "OR 2" + number, "agent-2" + number));
  }
  hub_.RunFor(kSignedHeadInterval + kSigningPatience);
  std::set<int64_t> times;
  for (const CaseId& id : cases) {
    for (const std::string& bytes : hub_.JournalRecords(id)) {
      v1::Record record;
      if (!record.ParseFromString(bytes) || !record.has_signed_head()) continue;
      EXPECT_TRUE(times.insert(record.signed_head().at_unix_ns()).second) << "two at a time";
    }
  }
  EXPECT_EQ(times.size(), cases.size());
}

TEST_F(ClosingTest, HeadIsSignedEachMinuteOfACaseWithNewRecords) {
  hub_.RunFor(Duration::Seconds(61));
  CheckSeals();
  ASSERT_EQ(heads_.size(), 1u);
  tech_ = nullptr;
  agent_ = nullptr;
  hub_.RunFor(Duration::Seconds(300));  // they are gone, and that was said
  CheckSeals();
  const size_t quiet = heads_.size();
  hub_.RunFor(Duration::Seconds(300));
  CheckSeals();
  EXPECT_EQ(heads_.size(), quiet) << "a head is not signed for the head before it";
}

TEST_F(ClosingTest, HeadCoversWhatIsAcceptedThoughTheDiskIsSlow) {
  hub_.RunFor(Duration::Seconds(59));
  hub_.journal().HoldCommits();
  FromAgent(PhaseBody(v1::PHASE_EXPOSURE));
  Block(1);
  FromAgent(PhaseBody(v1::PHASE_CLOSURE));
  hub_.RunFor(Duration::Seconds(2));
  CheckSeals();
  EXPECT_TRUE(heads_.empty()) << "a disk in order is waited for";
  hub_.RunFor(kSigningPatience);
  hub_.journal().ReleaseCommits();
  hub_.Run();
  CheckSeals();
  ASSERT_EQ(heads_.size(), 1u);
  EXPECT_GE(heads_[0].seq(), 4u);
}

TEST_F(ClosingTest, EachFollowerIsToldEachSignedHeadOnce) {
  TestParticipant reader(hub_, ReaderIdentity());
  reader.Hello();
  reader.FollowLive(1, case_id_);
  hub_.RunFor(Duration::Seconds(65));
  std::vector<uint64_t> seqs;
  for (const v1::Down& down : reader.downs) {
    for (const v1::CaseHead& head : down.heartbeat().heads()) {
      if (head.has_signed_head()) seqs.push_back(head.signed_head().seq());
    }
  }
  CheckSeals();
  ASSERT_EQ(heads_.size(), 1u);
  EXPECT_THAT(seqs, ::testing::ElementsAre(heads_[0].seq()));
}

TEST_F(ClosingTest, WelcomeNamesTheKeyThatHeadsAreSignedWith) {
  const v1::Welcome& welcome = agent_->Last(v1::Down::kWelcome)->welcome();
  ASSERT_EQ(welcome.record_keys_size(), 1);
  EXPECT_EQ(welcome.record_keys(0).public_key(), hub_.signer().public_key());
  EXPECT_EQ(welcome.record_keys(0).key_id(), hub_.signer().key_id());
}

}  // namespace
}  // namespace remora::hub
