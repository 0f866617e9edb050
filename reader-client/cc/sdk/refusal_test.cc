#include "reader-client/cc/sdk/refusal.h"

#include "gtest/gtest.h"

namespace remora::reader {
namespace {

TEST(Refusal, TellsAProgramWhatToDo) {
  struct Row {
    v1::RefusalReason reason;
    absl::StatusCode code;
  };
  for (const Row& c :
       {Row{v1::REFUSAL_REASON_NOT_PERMITTED, absl::StatusCode::kPermissionDenied},
        Row{v1::REFUSAL_REASON_ORIGIN_BOUND, absl::StatusCode::kPermissionDenied},
        Row{v1::REFUSAL_REASON_NO_SUCH_CASE, absl::StatusCode::kNotFound},
        Row{v1::REFUSAL_REASON_TOO_MANY, absl::StatusCode::kUnavailable},
        Row{v1::REFUSAL_REASON_DRAINING, absl::StatusCode::kUnavailable},
        Row{v1::REFUSAL_REASON_WRONG_STAGE, absl::StatusCode::kFailedPrecondition},
        Row{v1::REFUSAL_REASON_MALFORMED, absl::StatusCode::kFailedPrecondition}}) {
    v1::Refused refused;
    refused.set_reason(c.reason);
    refused.set_text("why");
    EXPECT_EQ(RefusalStatus(refused).code(), c.code) << v1::RefusalReason_Name(c.reason);
    EXPECT_EQ(RefusalStatus(refused).message(), "the hub refuses: why");
  }
}

TEST(Refusal, AFollowThatEndedMayBeTriedAgain) {
  v1::FollowEnded ended;
  ended.set_cause("the journal could not be read");
  EXPECT_TRUE(absl::IsUnavailable(FollowEndedStatus(ended)));
}

}  // namespace
}  // namespace remora::reader
