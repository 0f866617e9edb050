// A case of an earlier run that is delivered and closed beside the present one. A plain value of
// AgentSession's.
#pragma once

#include <cstdint>
#include <string>

#include "acquisition-agent/app/spool_closer.h"
#include "acquisition-agent/spool/case_spool.h"

namespace remora::agent {

struct OldCase {
  CaseSpool* spool;
  SpoolCloser closer;
  uint32_t follow_id;
  bool following = false;
  // The hub has archived the case, and takes no more of it.
  bool archived = false;
  // Why the hub refused it last: said once.
  std::string refused = {};
};

}  // namespace remora::agent
