// What a spool says of its case, for whoever begins anew in its middle. Reads lanes 0 and 1 whole,
// once, at a start: some ten thousand records of a day.
#pragma once

#include "absl/strings/string_view.h"
#include "acquisition-agent/spool/case_spool.h"
#include "acquisition-agent/surveillance/case_past.h"

namespace remora::agent {

// Of what the spool held when it was opened. Records that cannot be read are passed over.
//
// An alert is closed when a person resolved or dismissed it, was taken in after its last call, and
// had that call before them: as AlertActionKind says, by the order of the spool where the person's
// record does not say what they saw. What was taken back (UNDONE) is not known here.
//
// Of two phases the one that was said later counts. A person's that comes late, since the hub was
// not reached, may be older than a device's: the hub's time of both tells, where a ClockEstimate is
// there for it; else the order of the spool.
CasePast PastOf(const CaseSpool& spool);

// The newest alert of a subject (Alert.trace_id) that has only one condition; null: there is none.
const CasePast::Alert* LastAlertOf(const CasePast& past, absl::string_view subject);

}  // namespace remora::agent
