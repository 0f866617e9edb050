// What comes after a case is closed or abandoned, and how heads are signed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/participants/testing/closing_case.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

class AnnexTest : public ClosingTest {};

TEST_F(AnnexTest, LateAnnexOfASealedCaseIsTakenAndCertifiedWhenItIsQuiet) {
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

TEST_F(AnnexTest, SealedCaseTakesNothingOfStrangersAndNoStep) {
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

TEST_F(AnnexTest, AnnexIsCertifiedAfterARestartToo) {
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

TEST_F(AnnexTest, AnnexThatIsNeverQuietIsCertifiedInTheEndAndNotMoreThanNowAndThen) {
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

TEST_F(AnnexTest, AbandonedCaseLosesNothingOfWhatItsAgentStillHolds) {
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

TEST_F(AnnexTest, WhatMakesNoAnnexOfAnAbandonedCaseIsSignedAllTheSame) {
  Block(1);
  FromTech(LifecycleBody(v1::CASE_TRANSITION_ABANDONED, "", "the operation is called off"));
  hub_.RunFor(kAnnexQuiet + kCertificateInterval);
  CheckSeals();
  const size_t certificates = certificates_.size();
  v1::Record clock;
  clock.mutable_clock_estimate()->set_error_bound_ns(1'000);
  FromAgent(clock);
  ASSERT_EQ(LastRefusal(*agent_), "");
  agent_ = nullptr;
  tech_ = nullptr;
  hub_.RunFor(kClosedHeadInterval + kSigningPatience);
  CheckSeals();
  EXPECT_EQ(heads_.back().seq() + 1, hub_.JournalRecords(case_id_).size());
  EXPECT_EQ(certificates_.size(), certificates);
  const size_t records = hub_.JournalRecords(case_id_).size();
  hub_.RunFor(kRestAfter + Duration::Seconds(60));
  EXPECT_EQ(hub_.JournalRecords(case_id_).size(), records) << "once";
  EXPECT_EQ(hub_.metrics().gauge(metric::kRooms), 0);
}

TEST_F(AnnexTest, EndOfAClosedCaseIsSignedSoon) {
  Block(1);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  FromAgent(Total(1));
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSED));
  agent_ = nullptr;
  hub_.RunFor(Duration::Seconds(20));  // it has left
  CheckSeals();
  EXPECT_EQ(heads_.back().seq() + 1, hub_.JournalRecords(case_id_).size());
}

TEST_F(AnnexTest, RoomsSignOneAfterAnother) {
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

TEST_F(AnnexTest, HeadIsSignedEachMinuteOfACaseWithNewRecords) {
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

TEST_F(AnnexTest, HeadCoversWhatIsAcceptedThoughTheDiskIsSlow) {
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

TEST_F(AnnexTest, EachFollowerIsToldEachSignedHeadOnce) {
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

TEST_F(AnnexTest, WelcomeNamesTheKeyThatHeadsAreSignedWith) {
  const v1::Welcome& welcome = agent_->Last(v1::Down::kWelcome)->welcome();
  ASSERT_EQ(welcome.record_keys_size(), 1);
  EXPECT_EQ(welcome.record_keys(0).public_key(), hub_.signer().public_key());
  EXPECT_EQ(welcome.record_keys(0).key_id(), hub_.signer().key_id());
}

}  // namespace
}  // namespace remora::hub
