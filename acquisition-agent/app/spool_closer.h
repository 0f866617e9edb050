// Brings a case whose source is over to its close (docs/certificate.md): says what the spool made,
// and CLOSED only when the hub has answered for everything else, so that the hub need not refuse
// it. It is over when a certificate clears the spool.
//
//   CLOSING in the spool, PublisherTotal --all settled--> PublisherTotal if more came, CLOSED
//                                                           |    ^
//                                     certificate <---------'    '-- refused: again, after a while
//
// What was said is read back from the spool: a program that is started again says nothing twice.
// Sequence-bound to the agent's sequence; spool and clock outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "acquisition-agent/app/limits.h"
#include "acquisition-agent/spool/case_spool.h"
#include "common/clock.h"
#include "common/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

class SpoolCloser {
 public:
  SpoolCloser(CaseSpool& spool, const Clock& clock) : spool_(spool), clock_(clock) {}

  // Says the last number of each lane, unless that was said and nothing but steps of the case's
  // life came since; `again`: all the same, since the hub counts only what is said behind the
  // newest CLOSING. Waits for a commit.
  void PutTotal(int64_t at_ns, bool again = false);
  // Says CLOSED when it is time to. True: something waits for a commit, and then for the hub.
  bool Advance();
  // A step of the case's life that is on record, whoever made it.
  void OnStep(v1::CaseTransition step);
  // One of the case. FailedPrecondition: it does not clear the spool, and why (CheckClears).
  absl::Status OnCertificate(const v1::Certificate& certificate, absl::string_view public_key);
  // The source is over, a certificate clears the spool, and nothing was written since.
  bool IsOver() const;

 private:
  using Total = std::array<uint64_t, kLaneCount>;
  // Reads back what was said since CLOSING.
  void LookBack();
  Total TotalNow() const;
  void Put(v1::Record* record, int64_t at_ns);

  CaseSpool& spool_;
  const Clock& clock_;
  Total said_{};
  std::string reason_;
  bool looked_back_ = false;
  // Of the newest CLOSED of our own, in lane 1; 0: none was said.
  uint64_t closed_seq_ = 0;
  // Somebody else has closed the case.
  bool closed_by_other_ = false;
  Duration retry_delay_ = kFirstCloseRetry;
  std::optional<DeviceTime> retry_at_;
  // What the spool held when a certificate cleared it.
  std::optional<Total> cleared_;
};

}  // namespace remora::agent
