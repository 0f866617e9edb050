#pragma once

// Where the hub puts whole records of cases that it is to forget, as retention.h asks for it.

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hub/journal/journal.h"

namespace remora::hub {

struct ArchivedCase {
  std::string name;  // within the archive
  uint64_t bytes = 0;
  std::array<uint8_t, 32> sha256{};
};

class CaseArchive {
 public:
  using Done = std::function<void(absl::StatusOr<ArchivedCase>)>;

  virtual ~CaseArchive() = default;
  // Puts the case's record, up to `head`, on disk, reads it back and proves it: chain, signatures,
  // newest certificate, state. `done` with OK: a power cut cannot take it away. One at a time;
  // `done` is called on the hub's sequence.
  //   DataLoss            it does not prove itself, or the journal does not give it whole; the
  //                       same records are not written again
  //   FailedPrecondition  no certificate is in it; or the archive is not there
  //   ResourceExhausted   no space, for it or for any
  //   Cancelled           the hub goes down
  //   else                as files and Journal::Read fail
  virtual void Keep(const CaseHead& head, Done done) = 0;
  // Asked after a Keep that failed. No: it was the archive that failed, and not the case; another
  // case fares no better, unless it is smaller where space is short.
  virtual bool is_usable() const { return true; }
};

}  // namespace remora::hub
