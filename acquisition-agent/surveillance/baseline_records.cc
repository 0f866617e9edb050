#include "acquisition-agent/surveillance/baseline_records.h"

#include <string>

#include "common/sha256.h"

namespace remora::agent {

v1::BaselineKind BaselineKindIn(v1::Phase phase) {
  switch (phase) {
    case v1::PHASE_PLANNED:
    case v1::PHASE_IN_ROOM:
    case v1::PHASE_PRE_INTUBATION:
      return v1::BASELINE_KIND_PRE_INTUBATION;
    case v1::PHASE_INDUCTION:
    case v1::PHASE_PRE_POSITION:
      return v1::BASELINE_KIND_PRE_POSITION;
    case v1::PHASE_POSITIONING:
    case v1::PHASE_POST_POSITION:
      return v1::BASELINE_KIND_POST_POSITION;
    // Where nobody says how far the operation is, it has not begun.
    case v1::PHASE_UNSPECIFIED:
    case v1::PHASE_PRE_INCISION:
      return v1::BASELINE_KIND_PRE_INCISION;
    default:
      return v1::BASELINE_KIND_POST_EXPOSURE;
  }
}

void Seal(v1::BaselineSet* set) {
  set->clear_digest();
  Sha256 hash;
  hash.Add(set->SerializeAsString());
  const Sha256::Sum sum = hash.Finish();
  set->set_digest(std::string(sum.begin(), sum.end()));
}

}  // namespace remora::agent
