// `remora cases` and `remora case STEP`.

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/record_json.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"

namespace remora::reader {
namespace {

template <typename Enum>
std::string Word(Enum value) {
  const google::protobuf::EnumValueDescriptor* found =
      google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? absl::StrCat(static_cast<int>(value)) : EnumText(*found);
}

bool IsRunning(const v1::CaseSummary& summary) {
  return summary.stage() == v1::CASE_STAGE_OPEN || summary.stage() == v1::CASE_STAGE_SCHEDULED ||
         summary.stage() == v1::CASE_STAGE_CLOSING;
}

// A hub that does not say shows nothing that is not on disk.
std::string Recorded(const v1::CaseSummary& summary) {
  return summary.recording() == v1::RECORDING_CONDITION_UNRECORDED ? "UNRECORDED" : "yes";
}

const std::map<std::string, v1::CaseTransition>& Steps() {
  static const auto& steps = *new std::map<std::string, v1::CaseTransition>{
      {"schedule", v1::CASE_TRANSITION_SCHEDULED},
      {"open", v1::CASE_TRANSITION_OPENED},
      {"emergency", v1::CASE_TRANSITION_OPENED_EMERGENCY},
      {"move", v1::CASE_TRANSITION_MOVED},
      {"correct", v1::CASE_TRANSITION_CORRECTED},
      {"closing", v1::CASE_TRANSITION_CLOSING},
      {"close", v1::CASE_TRANSITION_CLOSED},
      {"reopen", v1::CASE_TRANSITION_REOPENED},
      {"seal", v1::CASE_TRANSITION_SEALED},
      {"abandon", v1::CASE_TRANSITION_ABANDONED}};
  return steps;
}

}  // namespace

absl::Status ListCases(const Context& context, bool all) {
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context.client, nullptr));
  ASSIGN_OR_RETURN(std::vector<v1::CaseSummary> cases, client->Cases(context.timeout));
  std::sort(cases.begin(), cases.end(), [](const auto& a, const auto& b) {
    return std::pair(a.theatre(), a.opened_unix_ns()) < std::pair(b.theatre(), b.opened_unix_ns());
  });
  Table table({"theatre", "case", "procedure", "stage", "phase", "agent_link", "recorded",
               "records", "open_alerts", "unacknowledged", "worst_alert", "last_record_at"});
  for (const v1::CaseSummary& c : cases) {
    if (!all && !IsRunning(c)) continue;
    table.AddRow({c.theatre(), CaseId::FromBytes(c.case_id()).Hex(), c.procedure(), Word(c.stage()),
                  Word(c.phase()), Word(c.agent_link()), Recorded(c), c.head_seq(),
                  c.open_alert_count(), c.unacknowledged_alert_count(), c.worst_alert(),
                  c.last_record_unix_ns() == 0
                      ? nlohmann::ordered_json(nullptr)
                      : nlohmann::ordered_json(UtcText(c.last_record_unix_ns()))});
  }
  return PrintLine(table.ToText(context.output));
}

absl::Status ChangeCase(const Context& context, const CaseStep& step) {
  const auto transition = Steps().find(step.step);
  if (transition == Steps().end()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", step.step, "' is no step of a case: ",
        absl::StrJoin(Steps(), ", ", [](std::string* out, const auto& s) { *out += s.first; })));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context.client, nullptr));
  CaseId case_id;
  v1::Record record;
  v1::CaseLifecycle& lifecycle = *record.mutable_case_lifecycle();
  lifecycle.set_transition(transition->second);
  lifecycle.set_theatre(step.theatre);
  lifecycle.set_procedure(step.procedure);
  lifecycle.set_reason(step.reason);
  if (step.with_gaps) {
    lifecycle.set_with_gaps(true);
    lifecycle.set_actor(client->welcome().display_name());
  }
  if (step.case_name.empty()) {
    case_id = CaseId::Draw(*MakeSystemRandom());
  } else {
    ASSIGN_OR_RETURN(const v1::CaseSummary found,
                     client->FindCase(step.case_name, context.timeout));
    case_id = CaseId::FromBytes(found.case_id());
  }
  if (!step.corrected_case.empty()) {
    ASSIGN_OR_RETURN(const v1::CaseSummary right,
                     client->FindCase(step.corrected_case, context.timeout));
    lifecycle.set_corrected_case_id(right.case_id());
  }
  ASSIGN_OR_RETURN(const RecordKey key, client->Publish(case_id, record, context.timeout));
  return PrintLine(ObjectToText({{"case", case_id.Hex()}, {"step", step.step}, {"id", ToText(key)}},
                                context.output));
}

}  // namespace remora::reader
