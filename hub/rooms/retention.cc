#include "hub/rooms/retention.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

Retention::Retention(Parts parts) : parts_(std::move(parts)) {}

Retention::~Retention() { *alive_ = false; }

void Retention::Tick() {
  const DeviceTime now = parts_.clock->Now();
  if (!looked_ || now - looked_at_ >= kRetentionInterval) {
    looked_ = true;
    looked_at_ = now;
    Look();
  }
  Next();
}

void Retention::Look() {
  const DeviceTime now = parts_.clock->Now();
  const std::vector<CaseId> over =
      parts_.directory->OverSince(parts_.hub_time->Now() - parts_.keep_closed);
  due_.clear();
  std::map<CaseId, Failed> still_failed;
  for (const CaseId& case_id : over) {
    const auto failed = failed_.find(case_id);
    const bool waits = failed != failed_.end() && now < failed->second.retry_at;
    if (!waits && case_id != under_way_) due_.push_back(case_id);
    if (failed != failed_.end()) still_failed.insert(*failed);
  }
  failed_ = std::move(still_failed);
  parts_.metrics->Gauge(metric::kCasesDue, static_cast<double>(over.size()));
}

void Retention::Next() {
  if (rests_until_ && parts_.clock->Now() < *rests_until_) return;
  rests_until_.reset();
  while (!under_way_ && !due_.empty()) {
    const CaseId case_id = due_.front();
    due_.pop_front();
    Begin(case_id);
  }
}

void Retention::Begin(const CaseId& case_id) {
  const Directory::Resting* resting = parts_.directory->Rest(case_id);
  if (resting == nullptr) return;  // somebody came
  const std::optional<v1::CaseSummary> summary = parts_.directory->Summary(case_id);
  if (!summary || summary->certificate().certificate_index() == 0) {
    return Fail(case_id, absl::FailedPreconditionError("it has no certificate"));
  }
  under_way_ = case_id;
  parts_.archive->Keep(resting->head, [this, alive = alive_, head = resting->head](
                                          absl::StatusOr<ArchivedCase> archived) {
    if (*alive) OnArchived(head, std::move(archived));
  });
}

void Retention::OnArchived(const CaseHead& head, absl::StatusOr<ArchivedCase> archived) {
  under_way_.reset();
  if (absl::IsCancelled(archived.status())) return;
  if (!archived.ok()) {
    if (!parts_.archive->is_usable()) rests_until_ = parts_.clock->Now() + kRetentionRetry;
    return Fail(head.case_id, archived.status());
  }
  parts_.metrics->Count(metric::kCasesArchived, "", 1);
  const Directory::Resting* resting = parts_.directory->Rest(head.case_id);
  const std::optional<v1::CaseSummary> summary = parts_.directory->Summary(head.case_id);
  // Somebody is in it, or it went on meanwhile: when its time has come again.
  if (resting == nullptr || !summary || resting->head.last_seq != head.last_seq ||
      resting->head.chain != head.chain) {
    return;
  }
  Tombstone tombstone;
  tombstone.case_id = head.case_id;
  tombstone.epoch = head.epoch;
  tombstone.last_seq = head.last_seq;
  tombstone.chain = head.chain;
  tombstone.theatre = summary->theatre();
  tombstone.opened_unix_ns = summary->opened_unix_ns();
  tombstone.closed_unix_ns = resting->note.closed_unix_ns;
  tombstone.purged_unix_ns = parts_.hub_time->Now().nanoseconds();
  tombstone.archive = archived->name;
  tombstone.archive_sha256 = archived->sha256;
  under_way_ = head.case_id;
  parts_.directory->BeginPurge(head.case_id);
  parts_.journal->Purge(tombstone, [this, alive = alive_, tombstone](const absl::Status& status) {
    if (*alive) OnPurged(tombstone, status);
  });
}

void Retention::OnPurged(const Tombstone& tombstone, const absl::Status& status) {
  under_way_.reset();
  if (!status.ok()) {
    parts_.directory->EndPurge(tombstone.case_id, std::nullopt);
    return Fail(tombstone.case_id, status);
  }
  parts_.directory->EndPurge(tombstone.case_id, tombstone);
  failed_.erase(tombstone.case_id);
  parts_.metrics->Count(metric::kCasesPurged, "", 1);
  if (parts_.on_outcome) parts_.on_outcome(tombstone.case_id, tombstone);
}

void Retention::Fail(const CaseId& case_id, const absl::Status& why) {
  Failed& failed = failed_[case_id];
  const bool said = failed.why == why;
  failed = {parts_.clock->Now() + kRetentionRetry, why};
  parts_.metrics->Count(metric::kArchiveFailures,
                        absl::StrCat("reason=", absl::StatusCodeToString(why.code())), 1);
  if (!said && parts_.on_outcome) parts_.on_outcome(case_id, why);
}

}  // namespace remora::hub
