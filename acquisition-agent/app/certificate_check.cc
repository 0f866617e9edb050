#include "acquisition-agent/app/certificate_check.h"

#include "absl/strings/str_cat.h"
#include "common/record_seal.h"

namespace remora::agent {
namespace {

// The last number that has to be on record. Control stays in a cleared spool, so that what the hub
// has refused of it need not be.
uint64_t LastNeeded(const CaseSpool& spool, uint32_t lane) {
  uint64_t last = spool.last_seq(lane);
  while (lane < kControlLaneCount && last > 0 && spool.refused(lane).Contains(last)) --last;
  return last;
}

absl::Status CheckLane(const CaseSpool& spool, uint32_t lane, const v1::OriginLaneHead& head) {
  const uint64_t needed = LastNeeded(spool, lane);
  if (head.last_origin_seq() < needed) {
    return absl::FailedPreconditionError(absl::StrCat("lane ", lane, " is certified up to ",
                                                      head.last_origin_seq(), " of ", needed));
  }
  for (const v1::NamedGap& gap : head.gaps()) {
    for (uint64_t seq = gap.first_origin_seq();
         seq <= gap.last_origin_seq() && seq <= spool.last_seq(lane); ++seq) {
      const bool refused = lane < kControlLaneCount && gap.cause() == v1::NAMED_GAP_CAUSE_REFUSED &&
                           spool.refused(lane).Contains(seq);
      const bool gone = !spool.Holds(lane, seq) || spool.given_up(lane).Contains(seq);
      if (refused || gone) continue;
      return absl::FailedPreconditionError(
          absl::StrCat("record ", seq, " of lane ", lane, " is not on record, and is here"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckClears(const CaseSpool& spool, const v1::Certificate& certificate,
                         absl::string_view public_key) {
  if (public_key.empty()) {
    return absl::FailedPreconditionError("no key of the hub is trusted");
  }
  if (!IsSigned(spool.case_id(), certificate, public_key)) {
    return absl::FailedPreconditionError("the certificate's signature does not hold");
  }
  for (uint32_t lane = 0; lane < kLaneCount; ++lane) {
    if (LastNeeded(spool, lane) == 0) continue;
    bool named = false;
    for (const v1::OriginLaneHead& head : certificate.heads()) {
      if (head.origin() != spool.origin().bytes() || head.lane() != lane) continue;
      named = true;
      if (absl::Status status = CheckLane(spool, lane, head); !status.ok()) return status;
    }
    if (!named) {
      return absl::FailedPreconditionError(
          absl::StrCat("the certificate does not name lane ", lane, " of this spool"));
    }
  }
  return absl::OkStatus();
}

}  // namespace remora::agent
