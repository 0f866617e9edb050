#include "hub/app/hub_news.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "hub/archive/limits.h"

namespace remora::hub {

HubNews::HubNews(EventLog& log, PrometheusMetrics& metrics, std::string archive_directory)
    : log_(log), metrics_(metrics), archive_directory_(std::move(archive_directory)) {}

void HubNews::OnJournal(const absl::Status& status) {
  if (status.code() == journal_trouble_) return;
  journal_trouble_ = status.code();
  if (status.ok()) {
    log_.Info("journal-writes-again");
  } else {
    log_.Error("journal-failed", {{"why", status.ToString()}});
  }
}

void HubNews::OnArchiveLook(const absl::Status& there, uint64_t free_bytes) {
  metrics_.Gauge("remora_archive_there", there.ok() ? 1 : 0);
  metrics_.Gauge("remora_archive_disk_free_bytes", static_cast<double>(free_bytes));
  if (archive_said_ == there) return;
  archive_said_ = there;
  if (there.ok()) {
    log_.Info("archive-there", {{"directory", archive_directory_}});
  } else {
    log_.Warning("archive-not-there", {{"why", std::string(there.message())}});
  }
}

void HubNews::OnArchiveStep(Duration stuck_for) {
  metrics_.Gauge("remora_archive_step_stuck_seconds", stuck_for.seconds());
  const bool hangs = stuck_for > kArchiveStepHangsAfter;
  if (hangs == step_hangs_) return;
  step_hangs_ = hangs;
  if (hangs) {
    log_.Warning("archive-step-hangs",
                 {{"directory", archive_directory_},
                  {"why", "its disk has not answered a call for 10 s. Nobody waits for it"}});
  } else {
    log_.Info("archive-goes-on", {{"directory", archive_directory_}});
  }
}

void HubNews::OnArchiveHangsAtEnd() {
  log_.Warning("archive-hangs", {{"directory", archive_directory_}});
}

void HubNews::OnRetention(const CaseId& case_id, const absl::StatusOr<PurgedCase>& outcome) {
  if (!outcome.ok()) {
    log_.Warning("case-not-purged",
                 {{"case", case_id.Hex()}, {"why", std::string(outcome.status().message())}});
    return;
  }
  const absl::string_view sha256(reinterpret_cast<const char*>(outcome->archive_sha256.data()),
                                 outcome->archive_sha256.size());
  log_.Info("case-purged", {{"case", case_id.Hex()},
                            {"archive", outcome->archive},
                            {"sha256", absl::BytesToHexString(sha256)},
                            {"records", absl::StrCat(outcome->last_seq)},
                            {"complete", outcome->complete ? "yes" : "no"},
                            {"missing", absl::StrCat(outcome->missing_count)}});
}

void HubNews::OnUtcBehind(Duration behind) {
  log_.Warning("clock-behind-journal",
               {{"hours", absl::StrCat(static_cast<int64_t>(behind.seconds()) / 3600)},
                {"why",
                 "UTC is so far before the journal's newest time: the clock is wrong now, or it "
                 "was when that was written. Times on the record go on from there"}});
}

void HubNews::OnDamaged(const CaseId& case_id, const absl::Status& damage) {
  log_.Error(absl::IsUnavailable(damage) ? "case-unreadable" : "case-damaged",
             {{"case", case_id.Hex()}, {"why", std::string(damage.message())}});
}

}  // namespace remora::hub
