#include "common/link/participant_link.h"

#include <utility>

#include "common/link/link_machine.h"

namespace remora {

ParticipantLink::ParticipantLink(LinkOptions options, Executor& executor, const Clock& clock,
                                 Random& random, Dialer& dialer, LinkObserver& observer)
    : machine_(std::make_unique<LinkMachine>(std::move(options), executor, clock, random, dialer,
                                             observer)) {}
ParticipantLink::~ParticipantLink() = default;

void ParticipantLink::Start() { machine_->Start(); }
void ParticipantLink::Stop() { machine_->Stop(); }
absl::Status ParticipantLink::AddFollow(const v1::Follow& follow) {
  return machine_->AddFollow(follow);
}
void ParticipantLink::CancelFollow(uint32_t follow_id) { machine_->CancelFollow(follow_id); }
v1::Cursor ParticipantLink::CursorOf(uint32_t follow_id) const {
  return machine_->CursorOf(follow_id);
}
absl::Status ParticipantLink::AddOutbox(const CaseId& case_id, const std::string& theatre,
                                        Outbox* outbox) {
  return machine_->AddOutbox(case_id, theatre, outbox);
}
void ParticipantLink::RemoveOutbox(const CaseId& case_id) { machine_->RemoveOutbox(case_id); }
void ParticipantLink::NotifyPending() { machine_->NotifyPending(); }
void ParticipantLink::MarkShown(uint64_t session, uint64_t bulk_bytes) {
  machine_->MarkShown(session, bulk_bytes);
}
absl::Status ParticipantLink::RequestHistory(const v1::HistoryRequest& request) {
  return machine_->RequestHistory(request);
}
LinkState ParticipantLink::state() const { return machine_->state(); }
v1::LinkCondition ParticipantLink::condition() const { return machine_->condition(); }
Duration ParticipantLink::age() const { return machine_->age(); }
const ClockModel& ParticipantLink::clock_model() const { return machine_->clock_model(); }
const LinkCounters& ParticipantLink::counters() const { return machine_->counters(); }

}  // namespace remora
