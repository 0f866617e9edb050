#include "hub/rooms/hub_pen.h"

namespace remora::hub {

std::string WriteHubRecord(const HubOrigin& hub, const CaseId& case_id, uint32_t lane,
                           uint64_t origin_seq, v1::Record body) {
  body.set_case_id(case_id.ToString());
  body.set_origin(hub.id.ToString());
  body.set_lane(lane);
  body.set_origin_seq(origin_seq);
  v1::CapturedAt* captured = body.mutable_captured_at();
  captured->set_boot_id(hub.clock->boot_id());
  captured->set_monotonic_ns(hub.clock->Now().nanoseconds());
  captured->set_wall_unix_ns(hub.clock->WallNow().nanoseconds());
  return body.SerializeAsString();
}

v1::Record TechnicalAlert(v1::AlertPriority priority, const std::string& criterion,
                          const std::string& summary) {
  v1::Record record;
  v1::Alert* alert = record.mutable_alert();
  alert->set_priority(priority);
  alert->set_kind(v1::ALERT_KIND_TECHNICAL);
  alert->set_alert_class(v1::ALERT_CLASS_TECHNICAL);
  alert->set_condition(v1::ALERT_CONDITION_RAISED);
  alert->mutable_criterion()->set_key(criterion);
  alert->mutable_criterion()->set_limits("none may occur");
  alert->mutable_criterion()->set_source("remora-hub");
  alert->set_summary(summary);
  return record;
}

}  // namespace remora::hub
