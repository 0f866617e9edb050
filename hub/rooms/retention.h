#pragma once

// When a case leaves the hub (docs/operations.md, "Keeping and forgetting").
//
//   over, certified, at rest, and nothing added for `keep_closed`
//     --> CaseArchive::Keep --> still as it was archived? --> Journal::Purge --> off the list
//            | failed                  | no, it went on         | failed
//            '-------------------------'--> kept; tried again after kRetentionRetry
//
// One case at a time; none at all for as long after the archive as a whole could not be used.
// Whatever ends the hub between two steps, the case is whole in the journal, or
// its archive is on disk; archived twice is fine. Sequence-bound to the hub; owned by the core.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/hub_time.h"
#include "hub/journal/journal.h"
#include "hub/metrics.h"
#include "hub/rooms/case_archive.h"
#include "hub/rooms/directory.h"

namespace remora::hub {

class Retention {
 public:
  // Told of each case that was purged, and of each that could not be, with the reason, once a
  // reason. Not of what the hub's own end has interrupted.
  using OnOutcome = std::function<void(const CaseId&, const absl::StatusOr<Tombstone>&)>;
  // All outlive it; `on_outcome` may be null.
  struct Parts {
    Directory* directory = nullptr;
    Journal* journal = nullptr;
    CaseArchive* archive = nullptr;
    const Clock* clock = nullptr;
    HubTimeSource* hub_time = nullptr;
    HubMetrics* metrics = nullptr;
    // Since the case's last record.
    Duration keep_closed;
    OnOutcome on_outcome;
  };
  explicit Retention(Parts parts);
  ~Retention();

  // At least each 100 ms.
  void Tick();

 private:
  // Finds the cases whose time has come.
  void Look();
  void Next();
  void Begin(const CaseId& case_id);
  void OnArchived(const CaseHead& head, absl::StatusOr<ArchivedCase> archived);
  void OnPurged(const Tombstone& tombstone, const absl::Status& status);
  void Fail(const CaseId& case_id, const absl::Status& why);

  const Parts parts_;
  DeviceTime looked_at_;
  bool looked_ = false;
  std::deque<CaseId> due_;
  // Being archived or purged.
  std::optional<CaseId> under_way_;
  // Until then the archive is left alone.
  std::optional<DeviceTime> rests_until_;
  // Cases that could not be purged: when to try again, and what was said.
  struct Failed {
    DeviceTime retry_at;
    absl::Status why;
  };
  std::map<CaseId, Failed> failed_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
