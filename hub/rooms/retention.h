#pragma once

// When a case leaves the hub (docs/operations.md, "Keeping and forgetting").
//
//   over, certified complete, at rest, and nothing added for `keep_closed`; or, certified with
//   something missing, for `keep_incomplete`: what is missing may lie in a spool that comes back
//     --> CaseArchive::Keep --> still as it was archived? --> Journal::Purge --> off the list
//            | failed                  | no, it went on         | failed
//            '-------------------------'--> kept; tried again after kRetentionRetry
//
// How long ago a record of this life of the hub was, its own time tells, which never steps. Of one
// of an earlier life only UTC does, as it was then and is now: such a case is due when it was long
// ago by the hub's time and by UTC, which is synchronised or was there for kUtcBelievedAfter; and,
// whatever clocks say, when this life alone has kept it for `keep_closed`.
//
// One case at a time, those that failed behind the others; none at all for as long after the
// archive as a whole could not be used. Whatever ends the hub between two steps, the case is whole
// in the journal, or its archive is on disk; archived twice is fine. Sequence-bound to the hub;
// owned by the core.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/clock_sync.h"
#include "common/hub_time.h"
#include "hub/journal/journal.h"
#include "hub/metrics.h"
#include "hub/rooms/case_archive.h"
#include "hub/rooms/directory.h"

namespace remora::hub {

struct PurgedCase : Tombstone {
  // What its certificate says (v1::CertificateSummary).
  bool complete = false;
  uint64_t missing_count = 0;
};

class Retention {
 public:
  // Told of each case that was purged, and of each that could not be or has to stay, with the
  // reason, once a reason. Not of what the hub's own end has interrupted.
  using OnOutcome = std::function<void(const CaseId&, const absl::StatusOr<PurgedCase>&)>;
  // All outlive it; `on_outcome` may be null.
  struct Parts {
    Directory* directory = nullptr;
    Journal* journal = nullptr;
    CaseArchive* archive = nullptr;
    const Clock* clock = nullptr;
    const ClockSync* clock_sync = nullptr;  // null: as one that is never synchronised
    HubTimeSource* hub_time = nullptr;
    HubMetrics* metrics = nullptr;
    // Since the case's last record.
    Duration keep_closed;
    // The same of one whose certificate is not complete, and not less; nothing: until it is.
    std::optional<Duration> keep_incomplete;
    OnOutcome on_outcome;
  };
  explicit Retention(Parts parts);
  ~Retention();

  // At least each 100 ms.
  void Tick();

 private:
  // Finds the cases whose time has come.
  void Look();
  // The cases whose time has come. Says which stay though it has, since something is missing.
  std::vector<CaseId> FindDue();
  // Of a case that is due after `keep` the last record is not after this; nothing: none is.
  std::optional<HubTime> DueUntil(Duration keep) const;
  void Next();
  void Begin(const CaseId& case_id);
  void OnArchived(const CaseHead& head, absl::StatusOr<ArchivedCase> archived);
  void OnPurged(const PurgedCase& purged, const absl::Status& status);
  // `said`: of another case, for it is the archive's.
  void Fail(const CaseId& case_id, const absl::Status& why, bool said = false);

  const Parts parts_;
  // Of this life of the hub.
  const DeviceTime began_;
  const HubTime began_by_hub_time_;
  DeviceTime looked_at_;
  bool looked_ = false;
  std::deque<CaseId> due_;
  // Being archived or purged.
  std::optional<CaseId> under_way_;
  // Until then the archive is left alone.
  std::optional<DeviceTime> rests_until_;
  // What was last said of the archive as a whole; OK: it has taken a case since.
  absl::Status archive_failure_;
  // Cases that could not be purged: when to try again, and what was said.
  struct Failed {
    DeviceTime retry_at;
    absl::Status why;
  };
  std::map<CaseId, Failed> failed_;
  // Numbers that are missing of cases that stay for them, as it was said.
  std::map<CaseId, uint64_t> said_missing_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace remora::hub
