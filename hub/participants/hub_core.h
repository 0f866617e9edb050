#pragma once

// The hub without its transports: identity comes in with Open, rooms and followers meet here. What
// hub/app makes once, and what the scenario tests drive.
//
// Sequence-bound to `executor`: Open, EndOfDrain, every Session call, the journal's callbacks and
// the core's own timer run there. Sessions must be destroyed before the core.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/clock.h"
#include "common/clock_sync.h"
#include "common/executor.h"
#include "common/random.h"
#include "common/record_seal.h"
#include "hub/journal/journal.h"
#include "hub/metrics.h"
#include "hub/participants/session.h"
#include "hub/rooms/case_archive.h"
#include "hub/rooms/retention.h"

namespace remora::hub {

// What the core is given; all outlive it.
struct HubCoreParts {
  Journal* journal = nullptr;
  Clock* clock = nullptr;
  Executor* executor = nullptr;
  Random* random = nullptr;
  HubMetrics* metrics = nullptr;
  // For Welcome, for example "remora-hub 0.1.0".
  std::string software;
  // Told of each case that cannot be restored, and why; may be null.
  std::function<void(const CaseId&, const absl::Status&)> on_damaged_case = nullptr;
  // Signs heads and certificates. Null: nothing is signed, and no case gets a certificate.
  const RecordSigner* signer = nullptr;
  // Public keys that signed before, the newest first.
  std::vector<std::string> retired_record_keys = {};
  // The executor's loop calls EndOfDrain after each turn; else it is posted where it is needed.
  bool loop_ends_drains = false;
  // Where cases go that nothing was added to for `keep_closed`. Null: no case ever leaves.
  CaseArchive* archive = nullptr;
  Duration keep_closed = {};
  // Of cases whose certificate is not complete, and not less; nothing: until it is.
  std::optional<Duration> keep_incomplete = {};
  // Of each that left, or could not, or has to stay; may be null.
  Retention::OnOutcome on_retention = nullptr;
  // Null: nothing says that the clock's UTC is right.
  const ClockSync* clock_sync = nullptr;
  // Told in Start where the journal's newest time is more than kFarAheadOfUtc after UTC, and by how
  // much: the clock is wrong now, or it was. May be null.
  std::function<void(Duration)> on_utc_behind = nullptr;
};

class HubCore final : public SessionHost {
 public:
  explicit HubCore(HubCoreParts parts);
  ~HubCore() override;
  HubCore(const HubCore&) = delete;
  HubCore& operator=(const HubCore&) = delete;

  // Reads the list of cases and starts to restore those that are not at rest; blocking only for
  // heads and rest notes. Sessions may be opened at once: what asks for a room that is not ready
  // waits for it. Call once, first, on the executor's sequence. Fails where the journal fails as a
  // whole; a damaged case refuses all who ask for it, with the reason.
  absl::Status Start();
  // True when every case that may be open has been restored, or cannot be. Who asks for a case need
  // not wait for that.
  bool restored() const;

  std::unique_ptr<Session> Open(const Identity& identity, Peer* peer) override;
  void EndOfDrain() override;

  // Refuses new sessions and new cases; what runs goes on until its stream ends. For a shutdown.
  void StartDraining();
  // Hands all that is accepted to the journal. Journal::Flush afterwards makes it durable.
  void FlushRooms();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace remora::hub
