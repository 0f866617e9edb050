#pragma once

// What the hub folds, signs and certifies, held against the records themselves. Pure functions.

#include <string>

#include "common/verify/record_verifier.h"
#include "hub/journal/journal.h"
#include "remora/v1/room.pb.h"
#include "tests/simulation/oracle.h"

namespace remora::simulation {

// In words what is wrong; empty: nothing, or it is of a journal that is no more.
std::string CheckSnapshotState(const CaseId& case_id, const Oracle::Case& truth,
                               const v1::Snapshot& snapshot);
std::string CheckCheckpoint(const CaseId& case_id, const Oracle::Case& truth,
                            const hub::Checkpoint& checkpoint);

// As `remora verify` does it.
VerifyReport Verify(const CaseId& case_id, const Oracle::Case& truth,
                    const std::string& public_key);

// The file that an archive of the case holds, byte for byte.
std::string ArchiveOf(const CaseId& case_id, const Oracle::Case& truth,
                      const std::string& public_key);

// How far a case has come to its end.
struct CaseEnd {
  bool closed = false;
  // By a certificate behind the newest CLOSED.
  bool certified = false;
};
CaseEnd EndOf(const Oracle::Case& truth);

}  // namespace remora::simulation
