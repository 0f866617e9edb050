// Turns a body into a record's bytes: the one place of the agent that numbers and encodes.
#pragma once

#include <cstdint>
#include <string>

#include "common/ids.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

// Who makes the records of a case.
struct CaseIdentity {
  CaseId case_id;
  OriginId origin;
  // Of the source's time line: device times of one case compare, also over a restart of the agent.
  uint64_t boot_id = 0;
};

// Fills in the header of `record`, of which the body is set, and encodes it. Deterministic.
std::string EncodeRecord(const CaseIdentity& identity, uint32_t lane, uint64_t origin_seq,
                         int64_t captured_ns, int64_t wall_unix_ns, v1::Record* record);

}  // namespace remora::agent
