// What a hub writes of any history of a case, whoever verifies finds right: the hub's books and the
// verifier's are two tellings of the same rules (docs/certificate.md).

#include <gtest/gtest.h>

#include "absl/strings/str_join.h"
#include "common/random.h"
#include "common/verify/record_verifier.h"
#include "hub/participants/testing/core_harness.h"

namespace remora::testing {
namespace {

using hub::HubHarness;
using hub::TestParticipant;

class VerifiedRecordTest : public ::testing::TestWithParam<uint64_t> {
 protected:
  VerifiedRecordTest()
      : hub_(GetParam()),
        random_(MakeSeededRandom(GetParam())),
        case_id_(hub_.DrawCase()),
        origin_(hub_.DrawOrigin()),
        tech_origin_(hub_.DrawOrigin()),
        writer_(case_id_, origin_),
        tech_writer_(case_id_, tech_origin_) {
    agent_ = OpenCase(hub_, case_id_, &writer_, origin_);
    JoinTechnologist();
  }

  void JoinTechnologist() {
    tech_ = std::make_unique<TestParticipant>(hub_, hub::TechnologistIdentity());
    tech_->Hello(tech_origin_);
    tech_->Join(case_id_);
    hub_.Run();
  }
  void Restart() {
    agent_ = nullptr;
    tech_ = nullptr;
    hub_.RestartHub();
    hub_.Run();
    agent_ = std::make_unique<TestParticipant>(hub_, hub::AgentIdentity());
    agent_->Hello(origin_);
    agent_->Join(case_id_);
    JoinTechnologist();
  }
  void FromAgent(const v1::Record& body) {
    agent_->Publish({writer_.Write(body)});
    hub_.Run();
  }
  void FromTech(const v1::Record& body) {
    tech_->Publish({tech_writer_.Write(body)});
    hub_.Run();
  }
  void Close(bool with_gaps) {
    v1::Record step = LifecycleBody(v1::CASE_TRANSITION_CLOSED, "", with_gaps ? "as it is" : "");
    step.mutable_case_lifecycle()->set_with_gaps(with_gaps);
    step.mutable_case_lifecycle()->set_actor(tech_->identity.display_name);
    FromTech(step);
  }
  void Total() {
    v1::Record body;
    for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
      const uint64_t last = lane == 5   ? largest_
                            : lane == 1 ? writer_.next(lane)
                                        : writer_.next(lane) - 1;
      v1::LaneTotal* total = body.mutable_publisher_total()->add_lanes();
      total->set_lane(lane);
      total->set_last_origin_seq(last);
    }
    FromAgent(body);
  }
  void TellGap(uint64_t first, uint64_t last) {
    v1::Record body;
    body.mutable_data_gap()->set_cause(v1::DATA_GAP_CAUSE_SPOOL_SHORT);
    body.mutable_data_gap()->set_lane(5);
    body.mutable_data_gap()->set_first_origin_seq(first);
    body.mutable_data_gap()->set_last_origin_seq(last);
    FromAgent(body);
  }
  // Blocks in any order, some refused, some twice, some told as lost, with talk between.
  void Work(int steps) {
    for (int i = 0; i < steps; ++i) {
      const uint64_t seq = 1 + random_->Below(60);
      switch (random_->Below(8)) {
        case 0:
          agent_->Publish({writer_.WriteAs(seq, BlockBody("", 1))});  // without a name: refused
          break;
        case 1:
          TellGap(seq, seq + random_->Below(3));
          break;
        case 2:
          FromTech(MessageBody("m", tech_->identity.display_name));
          break;
        case 3:
          FromAgent(AlertBody("SEP"));
          break;
        case 4:
          hub_.RunFor(Duration::Seconds(1 + static_cast<int64_t>(random_->Below(40))));
          break;
        default:
          agent_->Publish({writer_.WriteAs(seq, BlockBody("EMG/L", seq * 64))});
          largest_ = std::max(largest_, seq);
          break;
      }
      hub_.Run();
    }
  }
  VerifyReport Verify() {
    RecordVerifier verifier(case_id_, {hub_.signer().public_key()});
    for (const std::string& bytes : hub_.JournalRecords(case_id_)) verifier.Take(bytes);
    return verifier.Finish();
  }
  void ExpectProved(const char* when) {
    const VerifyReport report = Verify();
    EXPECT_TRUE(report.ok()) << when << ": " << absl::StrJoin(report.findings, "; ");
  }

  HubHarness hub_;
  std::unique_ptr<Random> random_;
  CaseId case_id_;
  OriginId origin_;
  OriginId tech_origin_;
  RecordWriter writer_;
  RecordWriter tech_writer_;
  std::unique_ptr<TestParticipant> agent_;
  std::unique_ptr<TestParticipant> tech_;
  uint64_t largest_ = 0;
};

TEST_P(VerifiedRecordTest, ClosedReopenedAnnexedAndRestartedItIsProved) {
  Work(40);
  if (random_->Below(2) == 0) Restart();
  Work(20);
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  if (random_->Below(4) != 0) Total();
  Close(/*with_gaps=*/true);
  hub_.RunFor(Duration::Seconds(30));
  ExpectProved("closed");
  EXPECT_TRUE(Verify().IsWhole());
  EXPECT_GT(Verify().certificate_index, 0u);
  Work(10);
  hub_.RunFor(Duration::Seconds(700));
  ExpectProved("annexed");
  FromTech(LifecycleBody(v1::CASE_TRANSITION_REOPENED, "", "bleeding"));
  Work(20);
  if (random_->Below(2) == 0) Restart();
  FromAgent(LifecycleBody(v1::CASE_TRANSITION_CLOSING));
  Total();
  Close(/*with_gaps=*/true);
  if (random_->Below(2) == 0) Restart();
  Work(10);
  FromTech(LifecycleBody(v1::CASE_TRANSITION_SEALED));
  hub_.RunFor(Duration::Seconds(700));
  ExpectProved("sealed");
  EXPECT_TRUE(Verify().IsWhole());
  EXPECT_GE(Verify().certificates, 2u);
}

TEST_P(VerifiedRecordTest, AbandonedAndRestartedItIsProved) {
  Work(30);
  FromTech(LifecycleBody(v1::CASE_TRANSITION_ABANDONED, "", "called off"));
  if (random_->Below(2) == 0) Restart();
  Work(20);
  Total();
  hub_.RunFor(Duration::Seconds(700));
  ExpectProved("abandoned");
  EXPECT_TRUE(Verify().IsWhole());
}

INSTANTIATE_TEST_SUITE_P(Seeds, VerifiedRecordTest, ::testing::Range<uint64_t>(1, 31));

}  // namespace
}  // namespace remora::testing
