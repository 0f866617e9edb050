// Brings a case whose source is over to its close (docs/certificate.md): says what the spool made,
// and CLOSED only when the hub has answered for everything else, so that the hub need not refuse
// it.
//
//   CLOSING in the spool, PublisherTotal --all settled--> PublisherTotal if more came, CLOSED
//
// What was said is read back from the spool: a program that is started again says nothing twice.
// Sequence-bound to the agent's sequence; spool and clock outlive it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "acquisition-agent/spool/case_spool.h"
#include "common/clock.h"
#include "common/limits.h"
#include "remora/v1/record.pb.h"

namespace remora::agent {

class SpoolCloser {
 public:
  SpoolCloser(CaseSpool& spool, const Clock& clock) : spool_(spool), clock_(clock) {}

  // Says the last number of each lane, unless that was said and nothing but steps of the case's
  // life came since. Waits for a commit.
  void PutTotal(int64_t at_ns);
  // Says CLOSED when it is time to. True: something waits for a commit, and then for the hub.
  bool Advance();
  // CLOSED was said, and the hub has answered for everything.
  bool IsOver();

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
  bool closed_said_ = false;
};

}  // namespace remora::agent
