#include "reader-client/cc/sdk/refusal.h"

#include "absl/strings/str_cat.h"

namespace remora::reader {

absl::Status RefusalStatus(v1::RefusalReason reason, const std::string& text) {
  const std::string words = absl::StrCat("the hub refuses: ", text);
  switch (reason) {
    case v1::REFUSAL_REASON_NOT_PERMITTED:
    case v1::REFUSAL_REASON_ORIGIN_BOUND:
      return absl::PermissionDeniedError(words);
    case v1::REFUSAL_REASON_NO_SUCH_CASE:
      return absl::NotFoundError(words);
    case v1::REFUSAL_REASON_TOO_MANY:
    case v1::REFUSAL_REASON_DRAINING:
      return absl::UnavailableError(words);
    default:
      return absl::FailedPreconditionError(words);
  }
}

absl::Status RefusalStatus(const v1::Refused& refused) {
  return RefusalStatus(refused.reason(), refused.text());
}

absl::Status FollowEndedStatus(const v1::FollowEnded& ended) {
  return absl::UnavailableError(absl::StrCat("the hub ended this: ", ended.cause()));
}

}  // namespace remora::reader
