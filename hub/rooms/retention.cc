#include "hub/rooms/retention.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hub/rooms/limits.h"

namespace remora::hub {

namespace {

// 2025-01-01: what says that it was recorded before is of a clock that nobody had set, as of a
// machine whose battery is empty.
constexpr HubTime kNoRecordBefore = HubTime::FromNanoseconds(1'735'689'600'000'000'000);

absl::Status StaysFor(uint64_t missing_count) {
  return absl::FailedPreconditionError(
      absl::StrCat("its certificate is not complete: ",
                   missing_count > 0 ? absl::StrCat(missing_count, " numbers are missing")
                                     : "not everybody has said how much there is",
                   "; it stays until they come, or for --keep-incomplete"));
}

}  // namespace

Retention::Retention(Parts parts)
    : parts_(std::move(parts)),
      began_(parts_.clock->Now()),
      began_by_hub_time_(parts_.hub_time->Now()) {}

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
  const std::vector<CaseId> over = FindDue();
  due_.clear();
  std::map<CaseId, Failed> still_failed;
  // Behind those that were never tried, the longest ago first: one that fails again and again, and
  // has the archive rest each time, keeps no other.
  std::multimap<DeviceTime, CaseId> again;
  for (const CaseId& case_id : over) {
    const auto failed = failed_.find(case_id);
    if (failed != failed_.end()) still_failed.insert(*failed);
    if (case_id == under_way_) continue;
    if (failed == failed_.end()) {
      due_.push_back(case_id);
    } else if (failed->second.retry_at <= now) {
      again.emplace(failed->second.retry_at, case_id);
    }
  }
  for (const auto& [retry_at, case_id] : again) due_.push_back(case_id);
  failed_ = std::move(still_failed);
  parts_.metrics->Gauge(metric::kCasesDue, static_cast<double>(over.size()));
}

std::vector<CaseId> Retention::FindDue() {
  // How long a case is kept, and until when its last record was if it is due.
  struct Term {
    Duration keep;
    std::optional<HubTime> until;
  };
  const Term complete{parts_.keep_closed, DueUntil(parts_.keep_closed)};
  const Term incomplete_term =
      parts_.keep_incomplete ? Term{*parts_.keep_incomplete, DueUntil(*parts_.keep_incomplete)}
                             : Term{Duration(), std::nullopt};
  const Duration up = parts_.clock->Now() - began_;
  const auto is_due = [&](const Directory::Over& one, const Term& term) {
    if (!term.until || one.last_recorded > *term.until) return false;
    // Of an earlier life, and nobody knows when: this one counts alone.
    const bool undated =
        one.last_recorded < kNoRecordBefore && one.last_recorded < began_by_hub_time_;
    return !undated || up >= term.keep;
  };
  std::vector<CaseId> due;
  size_t incomplete_count = 0;
  std::map<CaseId, uint64_t> said_missing;
  std::vector<std::pair<CaseId, uint64_t>> to_say;
  parts_.directory->ForEachOver([&](const Directory::Over& one) {
    const v1::CertificateSummary& certificate = one.certificate;
    const bool incomplete = certificate.certificate_index() > 0 && !certificate.complete();
    incomplete_count += incomplete;
    if (is_due(one, incomplete ? incomplete_term : complete)) {
      due.push_back(one.case_id);
    } else if (incomplete && is_due(one, complete)) {
      const uint64_t missing = certificate.missing_count();
      const auto said = said_missing_.find(one.case_id);
      const bool is_said = said != said_missing_.end() && said->second == missing;
      if (!is_said) to_say.emplace_back(one.case_id, missing);
      said_missing[one.case_id] = missing;
    }
  });
  std::sort(due.begin(), due.end());
  std::sort(to_say.begin(), to_say.end());
  for (const auto& [case_id, missing] : to_say) {
    if (parts_.on_outcome) parts_.on_outcome(case_id, StaysFor(missing));
  }
  said_missing_ = std::move(said_missing);
  parts_.metrics->Gauge(metric::kCasesIncomplete, static_cast<double>(incomplete_count));
  return due;
}

std::optional<HubTime> Retention::DueUntil(Duration keep) const {
  const Duration up = parts_.clock->Now() - began_;
  const HubTime now = parts_.hub_time->Now();
  if (up >= keep) return std::max(began_by_hub_time_, now - keep);
  const bool synchronised = parts_.clock_sync != nullptr && parts_.clock_sync->IsSynchronised();
  if (!synchronised && up < kUtcBelievedAfter) return std::nullopt;
  const HubTime utc = HubTime::FromNanoseconds(parts_.clock->WallNow().nanoseconds());
  return std::min(now, utc) - keep;
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
    if (parts_.archive->is_usable()) return Fail(head.case_id, archived.status());
    rests_until_ = parts_.clock->Now() + kRetentionRetry;
    const bool said = archive_failure_ == archived.status();
    archive_failure_ = archived.status();
    return Fail(head.case_id, archived.status(), said);
  }
  archive_failure_ = absl::OkStatus();
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
  const PurgedCase purged{tombstone, summary->certificate().complete(),
                          summary->certificate().missing_count()};
  parts_.journal->Purge(tombstone, [this, alive = alive_, purged](const absl::Status& status) {
    if (*alive) OnPurged(purged, status);
  });
}

void Retention::OnPurged(const PurgedCase& purged, const absl::Status& status) {
  under_way_.reset();
  if (!status.ok()) {
    parts_.directory->EndPurge(purged.case_id, false);
    return Fail(purged.case_id, status);
  }
  parts_.directory->EndPurge(purged.case_id, true);
  failed_.erase(purged.case_id);
  parts_.metrics->Count(metric::kCasesPurged, "", 1);
  if (parts_.on_outcome) parts_.on_outcome(purged.case_id, purged);
}

void Retention::Fail(const CaseId& case_id, const absl::Status& why, bool said) {
  Failed& failed = failed_[case_id];
  said = said || failed.why == why;
  failed = {parts_.clock->Now() + kRetentionRetry, why};
  parts_.metrics->Count(metric::kArchiveFailures,
                        absl::StrCat("reason=", absl::StatusCodeToString(why.code())), 1);
  if (!said && parts_.on_outcome) parts_.on_outcome(case_id, why);
}

}  // namespace remora::hub
