#pragma once

// What the hub's log says of its journal, its archive and cases that leave: each when it begins,
// when it becomes another, and when it ends. Each function is called by one thread at a time.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/ids.h"
#include "common/time.h"
#include "hub/ops/event_log.h"
#include "hub/ops/prometheus_metrics.h"
#include "hub/rooms/retention.h"

namespace remora::hub {

class HubNews {
 public:
  // Both outlive it.
  HubNews(EventLog& log, PrometheusMetrics& metrics, std::string archive_directory);

  // The outcome of each transaction of the journal.
  void OnJournal(const absl::Status& status);
  // ArchiveThread::Watch and StuckFor.
  void OnArchiveLook(const absl::Status& there, uint64_t free_bytes);
  void OnArchiveStep(Duration stuck_for);
  // At the hub's end: a call of the archive's disk does not return.
  void OnArchiveHangsAtEnd();
  void OnRetention(const CaseId& case_id, const absl::StatusOr<PurgedCase>& outcome);
  void OnUtcBehind(Duration behind);
  void OnDamaged(const CaseId& case_id, const absl::Status& damage);

 private:
  EventLog& log_;
  PrometheusMetrics& metrics_;
  const std::string archive_directory_;
  absl::StatusCode journal_trouble_ = absl::StatusCode::kOk;
  std::optional<absl::Status> archive_said_;
  bool step_hangs_ = false;
};

}  // namespace remora::hub
