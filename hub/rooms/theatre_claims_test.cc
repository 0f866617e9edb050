#include "hub/rooms/theatre_claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

const CaseId kCase = CaseId::FromBytes("the first case..");
const CaseId kOther = CaseId::FromBytes("another case....");

class TheatreClaimsTest : public ::testing::Test {
 protected:
  // Sessions are told apart by their address.
  const int first_ = 0;
  const int second_ = 0;
  TheatreClaims claims_;
};

TEST_F(TheatreClaimsTest, HeldTheatreIsRefusedToAnotherAgentWithItsHolder) {
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-1", kCase, &first_}).ok());
  const absl::Status status = claims_.Claim("OR 1", {"agent-2", kOther, &second_});
  EXPECT_TRUE(absl::IsAlreadyExists(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("agent-1"));
  EXPECT_TRUE(absl::IsAlreadyExists(claims_.CheckClaim("OR 1", "agent-2")));
  EXPECT_TRUE(claims_.CheckClaim("OR 1", "agent-1").ok());
  EXPECT_TRUE(claims_.CheckClaim("OR 2", "agent-2").ok());
}

TEST_F(TheatreClaimsTest, NewerSessionOfTheSameAgentHoldsIt) {
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-1", kCase, &first_}).ok());
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-1", kCase, &second_}).ok());
  claims_.ReleaseAll(&first_);
  ASSERT_NE(claims_.Find("OR 1"), nullptr);
  EXPECT_EQ(claims_.Find("OR 1")->session, &second_);
  claims_.ReleaseAll(&second_);
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
}

TEST_F(TheatreClaimsTest, CheckChangesNothing) {
  EXPECT_TRUE(claims_.CheckClaim("OR 1", "agent-1").ok());
  EXPECT_TRUE(claims_.CheckFree(kCase, "OR 1").ok());
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
}

TEST_F(TheatreClaimsTest, MovingTakesOnlyTheCasesOwnClaimAlong) {
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-1", kCase, &first_}).ok());
  EXPECT_TRUE(claims_.Claim("OR 2", {"agent-2", kOther, &second_}).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(claims_.CheckFree(kCase, "OR 2")));
  claims_.Move(kCase, "OR 3");
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
  EXPECT_EQ(claims_.Find("OR 3")->agent, "agent-1");
  EXPECT_EQ(claims_.Find("OR 2")->agent, "agent-2");
  claims_.Move(kCase, "OR 3");
  EXPECT_EQ(claims_.Find("OR 3")->agent, "agent-1");
}

TEST_F(TheatreClaimsTest, CaseThatIsOverHoldsNoTheatreUntilItIsReopened) {
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-1", kCase, &first_}).ok());
  claims_.Suspend(kCase);
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
  claims_.Resume(kOther, "OR 1");
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
  claims_.Resume(kCase, "OR 1");
  ASSERT_NE(claims_.Find("OR 1"), nullptr);
  EXPECT_EQ(claims_.Find("OR 1")->session, &first_);
  claims_.ReleaseAll(&first_);
  claims_.Resume(kCase, "OR 1");
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
}

TEST_F(TheatreClaimsTest, SuspendedClaimEndsWithItsSessionAndWithLeaving) {
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-1", kCase, &first_}).ok());
  claims_.Suspend(kCase);
  claims_.ReleaseAll(&first_);
  claims_.Wait({"agent-2", kCase, &second_});
  claims_.Wait({"agent-2", kCase, &second_});
  claims_.Release(&second_, kCase);
  claims_.Resume(kCase, "OR 1");
  EXPECT_EQ(claims_.Find("OR 1"), nullptr);
}

TEST_F(TheatreClaimsTest, AgentThatCameAfterTheEndHoldsTheReopenedCase) {
  claims_.Wait({"agent-1", kCase, &first_});
  claims_.Resume(kCase, "OR 1");
  ASSERT_NE(claims_.Find("OR 1"), nullptr);
  EXPECT_EQ(claims_.Find("OR 1")->agent, "agent-1");
}

TEST_F(TheatreClaimsTest, TheatreThatIsTakenMeanwhileStaysWithItsHolder) {
  claims_.Wait({"agent-1", kCase, &first_});
  EXPECT_TRUE(claims_.Claim("OR 1", {"agent-2", kOther, &second_}).ok());
  claims_.Resume(kCase, "OR 1");
  EXPECT_EQ(claims_.Find("OR 1")->agent, "agent-2");
}

}  // namespace
}  // namespace remora::hub
