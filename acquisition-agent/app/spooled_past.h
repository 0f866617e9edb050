// What a spool says of its case, for an analysis that begins anew in its middle. Reads lanes 0 and
// 1 whole, once, at a start: some ten thousand records of a day.
#pragma once

#include "acquisition-agent/spool/case_spool.h"
#include "acquisition-agent/surveillance/case_past.h"

namespace remora::agent {

// Records that cannot be read are passed over.
CasePast PastOf(const CaseSpool& spool);

}  // namespace remora::agent
