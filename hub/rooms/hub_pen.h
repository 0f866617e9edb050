#pragma once

// Writes the hub's own records of a case: presence, link states, technical alerts, timers. They
// have an origin of the hub, drawn at each of its starts, with dense numbers like everybody's.
// Sequence-bound to its room.

#include <cstdint>
#include <string>

#include "common/clock.h"
#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora::hub {

// The hub as an origin.
struct HubOrigin {
  OriginId id;
  const Clock* clock = nullptr;
};

// The bytes of a record with `body` filled in, as origin_seq `origin_seq` of lane `lane`.
std::string WriteHubRecord(const HubOrigin& hub, const CaseId& case_id, uint32_t lane,
                           uint64_t origin_seq, v1::Record body);

// A technical alert in one line, of the hub's own.
v1::Record TechnicalAlert(v1::AlertPriority priority, const std::string& criterion,
                          const std::string& summary);

}  // namespace remora::hub
