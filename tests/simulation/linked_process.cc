#include "tests/simulation/linked_process.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace remora::simulation {

LinkedProcess::LinkedProcess(Context& context, const Plan& plan, const std::string& display_name,
                             v1::Role role)
    : context_(context),
      process_(context.loop, plan.id, plan.name, plan.clock),
      random_(MakeSeededRandom(Mix(plan.seed, plan.id))),
      port_(process_, *context.hub, *context.tap, context.counters,
            {plan.name, display_name, role, {}}, plan.link, plan.speaks, context.planted,
            Mix(plan.seed, plan.id + 1000)),
      watch_(context, process_),
      acks_(context, plan.name),
      name_(plan.name),
      speaks_all_(plan.speaks == Speaks::kAll) {}

void LinkedProcess::MakeLink(LinkOptions options) {
  options.origin = origin_;
  link_ = std::make_unique<ParticipantLink>(std::move(options), process_, process_.clock(),
                                            *random_, port_, *this);
}

std::unique_ptr<FollowChecker> LinkedProcess::CheckedFollow(const v1::Follow& follow) {
  auto checker = std::make_unique<FollowChecker>(
      context_.oracle, follow, !speaks_all_,
      [this](const std::string& what) { context_.fail(name_ + ": " + what); });
  if (!link_->AddFollow(follow).ok()) context_.fail("the link takes no follow");
  return checker;
}

void LinkedProcess::NoteJoined() {
  context_.Log(name_ + " is joined");
  joined_session_ = link_->counters().sessions;
}

std::string LinkedProcess::LackOfSession() const {
  if (!is_up()) return name_ + " is down";
  if (link_->state() != LinkState::kLive || !port_.IsConnected()) return name_ + " has no session";
  return "";
}

bool LinkedProcess::IsRefusedAsPurged(const v1::Refused& refused, const CaseId& case_id) {
  context_.counters.Add("refused: " + v1::RefusalReason_Name(refused.reason()), 1);
  context_.Log(name_ + " is refused: " + refused.text());
  const Oracle::Case* one = context_.oracle.Find(case_id);
  return refused.reason() == v1::REFUSAL_REASON_WRONG_STAGE && one != nullptr && one->purged;
}

bool LinkedProcess::CheckRecorded(const DeliveredRecord& delivered) {
  if (delivered.record.stamp.unrecorded) return false;
  watch_.CheckLatency(*link_, delivered.record.stamp.recorded_at.nanoseconds());
  return true;
}

void LinkedProcess::OnState(LinkState state) {
  if (state == LinkState::kLive) context_.Log(name_ + " has a session");
  if (state == LinkState::kWaiting) context_.Log(name_ + " has lost its session");
}

void LinkedProcess::OnRecordRefused(const v1::RecordRefused& refused) {
  context_.counters.Add("record refused: " + v1::RefusalReason_Name(refused.reason()), 1);
  context_.Log(absl::StrCat(name_, "'s record ", refused.lane(), "/", refused.origin_seq(),
                            " is refused: ", refused.text()));
}

void LinkedProcess::OnLinkCondition(v1::LinkCondition condition, Duration) {
  watch_.OnCondition(*link_, condition);
}

}  // namespace remora::simulation
