#include "hub/participants/session_context.h"

#include <algorithm>

namespace remora::hub {

void SessionContext::Refuse(v1::RefusalReason reason, absl::string_view text, uint32_t follow_id,
                            absl::string_view case_id, uint32_t request_id) {
  v1::Down down;
  v1::Refused* refused = down.mutable_refused();
  refused->set_reason(reason);
  refused->set_text(std::string(text));
  refused->set_follow_id(follow_id);
  refused->set_case_id(std::string(case_id));
  refused->set_request_id(request_id);
  services.metrics->Count(metric::kMessagesRefused, "reason=" + v1::RefusalReason_Name(reason), 1);
  Send(down);
}

void SessionContext::RefuseCase(const absl::Status& why, uint32_t follow_id,
                                absl::string_view case_id, uint32_t request_id) {
  // Of a purged case no later try gets more; of a journal that cannot be read, it does.
  if (!absl::IsFailedPrecondition(why)) {
    return Refuse(
        absl::IsNotFound(why) ? v1::REFUSAL_REASON_NO_SUCH_CASE : v1::REFUSAL_REASON_TOO_MANY,
        why.message(), follow_id, case_id, request_id);
  }
  services.directory->ExplainPurged(
      CaseId::FromBytes(case_id), [this, alive = alive_, follow_id, of = std::string(case_id),
                                   request_id](const absl::Status& explained) {
        if (!*alive) return;
        Refuse(v1::REFUSAL_REASON_WRONG_STAGE, explained.message(), follow_id, of, request_id);
      });
}

bool SessionContext::MayEnter(const std::string& theatre) const {
  return identity.theatres.empty() || theatre.empty() ||
         std::find(identity.theatres.begin(), identity.theatres.end(), theatre) !=
             identity.theatres.end();
}

}  // namespace remora::hub
