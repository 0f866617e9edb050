#include "acquisition-agent/app/spooled_past.h"

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "acquisition-agent/surveillance/alert_slot.h"
#include "common/fold/origin_clocks.h"
#include "common/record_codec.h"

namespace remora::agent {
namespace {

constexpr int64_t kUnknown = std::numeric_limits<int64_t>::max();

template <typename Take>
void ForEach(const CaseSpool& spool, uint32_t lane, Take take) {
  for (uint64_t seq = 1; seq <= spool.last_seq(lane); ++seq) {
    const absl::StatusOr<std::string> bytes = spool.Read(lane, seq);
    v1::Record record;
    if (bytes.ok() && record.ParseFromString(*bytes))
      take(&record, RecordKey{spool.origin(), lane, seq});
  }
}

struct Input {
  v1::Record record;
  std::array<uint64_t, kControlLaneCount> after;
};

std::vector<Input> InputsOf(const CaseSpool& spool) {
  std::vector<Input> inputs;
  for (const SpooledInput& spooled : spool.recovered_inputs()) {
    Input input{{}, spooled.after};
    if (input.record.ParseFromString(spooled.bytes)) inputs.push_back(std::move(input));
  }
  return inputs;
}

struct SaidPhase {
  v1::Phase phase = v1::PHASE_UNSPECIFIED;
  MadeAt made;  // of a device's
  std::optional<int64_t> recorded_unix_ns;
};

// In the order of the spool.
v1::Phase NewestOf(const std::vector<SaidPhase>& said, const OriginClocks& clocks) {
  v1::Phase phase = v1::PHASE_UNSPECIFIED;
  int64_t newest_ns = kUnknown;
  for (const SaidPhase& one : said) {
    const int64_t said_ns =
        one.recorded_unix_ns ? *one.recorded_unix_ns : clocks.HubUnixNs(one.made);
    if (said_ns != kUnknown && newest_ns != kUnknown && said_ns < newest_ns) continue;
    phase = one.phase;
    newest_ns = said_ns;
  }
  return phase;
}

void TakeEvents(const CaseSpool& spool, const std::vector<Input>& inputs, CasePast* past) {
  OriginClocks clocks;
  std::vector<SaidPhase> said;
  auto input = inputs.begin();
  const auto take_inputs_before = [&](uint64_t seq) {
    for (; input != inputs.end() && input->after[1] < seq; ++input) {
      if (!input->record.has_phase_change()) continue;
      SaidPhase& one = said.emplace_back();
      one.phase = input->record.phase_change().phase();
      const int64_t recorded_unix_ns = input->record.stamp().recorded_unix_ns();
      one.recorded_unix_ns = recorded_unix_ns > 0 ? recorded_unix_ns : kUnknown;
    }
  };
  ForEach(spool, 1, [&](v1::Record* record, const RecordKey& key) {
    if (record->has_baseline_set()) {
      past->baselines.push_back({key, std::move(*record->mutable_baseline_set())});
    } else if (record->has_clock_estimate()) {
      clocks.Put(spool.origin(), record->clock_estimate());
    } else if (record->has_phase_change()) {
      take_inputs_before(key.origin_seq);
      said.push_back({record->phase_change().phase(), MadeAtOf(*record, kUnknown), std::nullopt});
    }
  });
  take_inputs_before(kUnknown);
  past->phase = NewestOf(said, clocks);
}

struct SpooledAlert {
  CasePast::Alert alert;
  uint32_t called_episode = 0;
};
using SpooledAlerts = std::map<RecordKey, SpooledAlert>;  // by the record that raised it

void TakeAlert(const RecordKey& key, v1::Alert alert, SpooledAlerts* alerts) {
  const bool raised = alert.condition() == v1::ALERT_CONDITION_RAISED;
  const auto [it, is_first] =
      alerts->try_emplace(raised ? key : FromProto(alert.raised_by()), SpooledAlert());
  SpooledAlert& known = it->second;
  const bool beyond = alert.episode() != known.called_episode
                          ? alert.episode() > known.called_episode
                          : alert.priority() > known.alert.called;
  const bool met = alert.condition() != v1::ALERT_CONDITION_RECOVERED;
  if (is_first || (met && beyond)) {
    known.alert.called_by = key;
    known.alert.called = met ? alert.priority() : v1::ALERT_PRIORITY_UNSPECIFIED;
    known.called_episode = alert.episode();
  }
  known.alert.key = key;
  known.alert.last = std::move(alert);
}

void TakeAlerts(const CaseSpool& spool, const std::vector<Input>& inputs, CasePast* past) {
  SpooledAlerts alerts;
  ForEach(spool, 0, [&](v1::Record* record, const RecordKey& key) {
    if (record->has_alert()) TakeAlert(key, std::move(*record->mutable_alert()), &alerts);
  });
  for (const Input& input : inputs) {
    const v1::AlertAction& action = input.record.alert_action();
    if (action.kind() != v1::ALERT_ACTION_KIND_RESOLVED &&
        action.kind() != v1::ALERT_ACTION_KIND_DISMISSED) {
      continue;
    }
    // By all of its id: the hub has alerts of its own, with the same numbers.
    const auto found = alerts.find(FromProto(action.alert()));
    if (found == alerts.end()) continue;
    CasePast::Alert& alert = found->second.alert;
    if (input.after[0] >= alert.called_by.origin_seq && HadSeen(action, alert.called_by)) {
      alert.closed = true;
    }
  }
  // One that was closed is followed by another of the same condition.
  std::map<std::tuple<std::string, v1::AlertClass, std::string>, CasePast::Alert> newest;
  for (auto& [raised_by, spooled] : alerts) {
    const v1::Alert& last = spooled.alert.last;
    newest[{last.trace_id(), last.alert_class(), last.criterion().key()}] =
        std::move(spooled.alert);
  }
  for (auto& [condition, alert] : newest) {
    if (alert.is_on() || !alert.closed) past->alerts.push_back(std::move(alert));
  }
}

}  // namespace

CasePast PastOf(const CaseSpool& spool) {
  CasePast past;
  const std::vector<Input> inputs = InputsOf(spool);
  TakeEvents(spool, inputs, &past);
  TakeAlerts(spool, inputs, &past);
  return past;
}

const CasePast::Alert* LastAlertOf(const CasePast& past, absl::string_view subject) {
  for (const CasePast::Alert& alert : past.alerts) {
    if (alert.last.trace_id() == subject) return &alert;
  }
  return nullptr;
}

}  // namespace remora::agent
