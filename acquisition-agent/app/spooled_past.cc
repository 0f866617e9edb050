#include "acquisition-agent/app/spooled_past.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "common/record_codec.h"

namespace remora::agent {
namespace {

template <typename Take>
void ForEach(const CaseSpool& spool, uint32_t lane, Take take) {
  for (uint64_t seq = 1; seq <= spool.last_seq(lane); ++seq) {
    const absl::StatusOr<std::string> bytes = spool.Read(lane, seq);
    v1::Record record;
    if (bytes.ok() && record.ParseFromString(*bytes))
      take(&record, RecordKey{spool.origin(), lane, seq});
  }
}

}  // namespace

CasePast PastOf(const CaseSpool& spool) {
  CasePast past;
  ForEach(spool, 1, [&](v1::Record* record, const RecordKey& key) {
    if (record->has_baseline_set()) {
      past.baselines.push_back({key, std::move(*record->mutable_baseline_set())});
    } else if (record->has_phase_change()) {
      past.phase = record->phase_change().phase();
    }
  });
  std::set<uint64_t> closed;  // by people
  for (const SpooledInput& input : spool.recovered_inputs()) {
    v1::Record record;
    if (!record.ParseFromString(input.bytes)) continue;
    if (record.has_phase_change()) past.phase = record.phase_change().phase();
    if (record.has_alert_action() &&
        (record.alert_action().kind() == v1::ALERT_ACTION_KIND_RESOLVED ||
         record.alert_action().kind() == v1::ALERT_ACTION_KIND_DISMISSED)) {
      closed.insert(record.alert_action().alert().origin_seq());
    }
  }
  std::map<uint64_t, CasePast::Alert> on;  // by the record that raised it
  ForEach(spool, 0, [&](v1::Record* record, const RecordKey& key) {
    if (!record->has_alert()) return;
    const bool raised = record->alert().condition() == v1::ALERT_CONDITION_RAISED;
    const uint64_t raised_by = raised ? key.origin_seq : record->alert().raised_by().origin_seq();
    if (record->alert().condition() == v1::ALERT_CONDITION_RECOVERED ||
        closed.contains(raised_by)) {
      on.erase(raised_by);
    } else {
      on[raised_by] = {key, std::move(*record->mutable_alert())};
    }
  });
  for (auto& [raised_by, alert] : on) past.alerts.push_back(std::move(alert));
  return past;
}

}  // namespace remora::agent
