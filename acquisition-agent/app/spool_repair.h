// What is done about a spool that damage has taken records from.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "acquisition-agent/app/record_maker.h"
#include "acquisition-agent/spool/case_spool.h"
#include "common/clock.h"

namespace remora::agent {

// Device time of the newest record that can be read, and what the machine believed UTC to be; 0
// when there is none.
struct LastCapture {
  int64_t monotonic_ns = 0;
  int64_t wall_unix_ns = 0;
};
LastCapture LastCaptureOf(const CaseSpool& spool);
// Its device time.
int64_t LastTimeNs(const CaseSpool& spool);

// For records that cannot be made again: under each of their numbers of lanes 0-2, which the hub
// takes in order only, puts one that says that it was lost; bulk is given up; and each stretch is
// on record as a DataGap. Returns how many records are lost. Errors are the spool's.
absl::StatusOr<uint64_t> FillHoles(const CaseIdentity& identity, CaseSpool& spool,
                                   const Clock& clock, int64_t at_ns);

}  // namespace remora::agent
