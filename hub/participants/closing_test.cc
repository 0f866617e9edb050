// How a case is closed: books and certificates.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/origin_seq.h"
#include "hub/participants/testing/closing_case.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

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
  FromAgent(ToldGap(2, kMaxOriginSeq));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(total({{5, kMaxOriginSeq}}));
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

}  // namespace
}  // namespace remora::hub
