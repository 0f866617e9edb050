#pragma once

// What the hub's core counts. The core calls it on the hub's sequence; ops implements it with
// prometheus-cpp, tests with a map. Names are Prometheus's own (`remora_hub_records_total`), units
// last. A label is one `key=value` at most: what is counted stays bounded.

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace remora::hub {

// Thread-compatible: sequence-bound to the hub.
class HubMetrics {
 public:
  virtual ~HubMetrics() = default;
  // A counter goes up by `by`. `label` may be empty.
  virtual void Count(absl::string_view name, absl::string_view label, uint64_t by) = 0;
  // A gauge is set.
  virtual void Gauge(absl::string_view name, double value) = 0;
  // A histogram takes a value in seconds.
  virtual void ObserveSeconds(absl::string_view name, double seconds) = 0;
};

// The names that the core uses, so that implementation and dashboards can list them.
namespace metric {
// Counters.
inline constexpr char kRecordsAccepted[] = "remora_hub_records_accepted_total";  // lane
inline constexpr char kRecordsDuplicate[] = "remora_hub_records_duplicate_total";
inline constexpr char kRecordsRefused[] = "remora_hub_records_refused_total";    // reason
inline constexpr char kMessagesRefused[] = "remora_hub_messages_refused_total";  // reason
inline constexpr char kDeliveries[] = "remora_hub_deliveries_total";
inline constexpr char kDeliveredBytes[] = "remora_hub_delivered_bytes_total";
inline constexpr char kGapRecords[] = "remora_hub_gap_records_total";  // cause
inline constexpr char kSnapshots[] = "remora_hub_snapshots_total";     // cause
inline constexpr char kRecordsShownUnrecorded[] = "remora_hub_records_shown_unrecorded_total";
inline constexpr char kUnrecordedNotKept[] = "remora_hub_unrecorded_not_kept_total";
// Nobody will be asked to look through them.
inline constexpr char kIntervalsForgotten[] = "remora_hub_unreviewed_intervals_forgotten_total";
inline constexpr char kUncertified[] = "remora_hub_certificates_not_written_total";
inline constexpr char kJournalFailures[] = "remora_hub_journal_failures_total";
inline constexpr char kCasesArchived[] = "remora_hub_cases_archived_total";
inline constexpr char kCasesPurged[] = "remora_hub_cases_purged_total";
inline constexpr char kArchiveFailures[] = "remora_hub_archive_failures_total";  // reason
// Gauges.
inline constexpr char kFollows[] = "remora_hub_follows";
inline constexpr char kSessions[] = "remora_hub_sessions";
inline constexpr char kRooms[] = "remora_hub_rooms";
inline constexpr char kCases[] = "remora_hub_cases";
inline constexpr char kRoomsFailed[] = "remora_hub_rooms_journal_failed";
inline constexpr char kRoomsUnrecorded[] = "remora_hub_rooms_unrecorded";
inline constexpr char kRoomsDamaged[] = "remora_hub_rooms_damaged";
inline constexpr char kCasesUnreadable[] = "remora_hub_cases_unreadable";
inline constexpr char kCasesDue[] = "remora_hub_cases_due";
inline constexpr char kCasesIncomplete[] = "remora_hub_cases_incomplete";
inline constexpr char kFollowQueueBytes[] = "remora_hub_follow_queue_bytes";
inline constexpr char kUncommittedBytes[] = "remora_hub_uncommitted_bytes";
inline constexpr char kOldestUncommittedSeconds[] = "remora_hub_oldest_uncommitted_seconds";
// Histograms.
inline constexpr char kCommitSeconds[] = "remora_hub_journal_commit_seconds";
}  // namespace metric

// Counts nothing.
class NoMetrics final : public HubMetrics {
 public:
  void Count(absl::string_view, absl::string_view, uint64_t) override {}
  void Gauge(absl::string_view, double) override {}
  void ObserveSeconds(absl::string_view, double) override {}
};

// Keeps everything, for tests.
class FakeMetrics final : public HubMetrics {
 public:
  void Count(absl::string_view name, absl::string_view label, uint64_t by) override {
    counters_[{std::string(name), std::string(label)}] += by;
  }
  void Gauge(absl::string_view name, double value) override { gauges_[std::string(name)] = value; }
  void ObserveSeconds(absl::string_view name, double) override { ++observed_[std::string(name)]; }

  uint64_t counter(absl::string_view name, absl::string_view label = "") const {
    auto it = counters_.find({std::string(name), std::string(label)});
    return it == counters_.end() ? 0 : it->second;
  }
  double gauge(absl::string_view name) const {
    auto it = gauges_.find(std::string(name));
    return it == gauges_.end() ? 0 : it->second;
  }
  uint64_t observed(absl::string_view name) const {
    auto it = observed_.find(std::string(name));
    return it == observed_.end() ? 0 : it->second;
  }

 private:
  std::map<std::pair<std::string, std::string>, uint64_t> counters_;
  std::map<std::string, double> gauges_;
  std::map<std::string, uint64_t> observed_;
};

}  // namespace remora::hub
