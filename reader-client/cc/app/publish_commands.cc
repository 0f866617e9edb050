// `remora say`, `annotate`, `ack`, `baseline`: what a reader puts on record.

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/record_json.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/snapshot_waiter.h"
#include "reader-client/cc/sdk/alert_view.h"

namespace remora::reader {
namespace {

// A connection and the case that a command is about.
struct Target {
  SnapshotWaiter waiter;
  std::unique_ptr<Client> client;
  CaseId case_id;

  absl::Status Open(const Context& context, const std::string& case_name) {
    ASSIGN_OR_RETURN(client, Client::Connect(context.client, &waiter));
    ASSIGN_OR_RETURN(const v1::CaseSummary found, client->FindCase(case_name, context.timeout));
    case_id = CaseId::FromBytes(found.case_id());
    return absl::OkStatus();
  }

  absl::StatusOr<v1::Snapshot> Snapshot(const Context& context) {
    v1::Follow follow;
    follow.set_follow_id(SnapshotWaiter::kFollowId);
    follow.set_case_id(case_id.ToString());
    follow.set_delivery(v1::DELIVERY_LIVE);
    RETURN_IF_ERROR(client->Follow(follow));
    return waiter.Wait(client->clock(), context.timeout);
  }

  absl::Status Publish(const Context& context, v1::Record record) {
    ASSIGN_OR_RETURN(const RecordKey key,
                     client->Publish(case_id, std::move(record), context.timeout));
    return PrintLine(ObjectToText({{"case", case_id.Hex()}, {"id", ToText(key)}}, context.output));
  }
};

absl::Status SetReference(const std::string& text, const char* what, v1::RecordId* id) {
  if (text.empty()) return absl::OkStatus();
  const RecordKey key = RecordKeyFromText(text);
  if (key.origin_seq == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        what, " '", text,
        "' is no record id: it looks like ORIGIN/LANE/NUMBER, as `remora watch` prints it"));
  }
  *id = ToProto(key);
  return absl::OkStatus();
}

v1::Place PlaceOf(v1::Role role) {
  switch (role) {
    case v1::ROLE_TECHNOLOGIST:
    case v1::ROLE_SURGICAL_TEAM:
      return v1::PLACE_THEATRE;
    case v1::ROLE_CENTRE:
      return v1::PLACE_CENTRE;
    default:
      return v1::PLACE_READER;
  }
}

// The alert that was named, or all that call at `place`.
absl::StatusOr<std::vector<RecordKey>> Chosen(const AlertView& view, const std::string& named,
                                              v1::Place place) {
  if (named.empty()) return view.Calling(place);
  v1::RecordId id;
  RETURN_IF_ERROR(SetReference(named, "alert", &id));
  const std::optional<RecordKey> raised = view.Raised(FromProto(id));
  if (raised.has_value()) return std::vector<RecordKey>{*raised};
  return absl::NotFoundError(absl::StrCat("no alert '", named,
                                          "' in this case: `remora watch "
                                          "--lanes 0 --from-start` lists its records"));
}

// The newest finished sweep of a trace in a snapshot.
absl::StatusOr<RecordKey> NewestSweep(const v1::Snapshot& snapshot, const std::string& trace) {
  RecordKey newest;
  std::set<std::string> traces;
  for (const std::string& bytes : snapshot.records()) {
    v1::Record record;
    const absl::StatusOr<StampedRecord> walked = WalkStamped(bytes);
    if (!walked.ok() || !record.ParseFromString(bytes) || !record.has_sweep()) continue;
    traces.insert(record.sweep().trace_id());
    if (record.sweep().trace_id() == trace && !record.sweep().provisional()) {
      newest = walked->header.key();
    }
  }
  if (newest.origin_seq != 0) return newest;
  std::string known;
  for (const std::string& t : traces) absl::StrAppend(&known, known.empty() ? "" : ", ", t);
  return absl::NotFoundError(absl::StrCat("no finished sweep of '", trace,
                                          "' yet; traces: ", known.empty() ? "none" : known));
}

}  // namespace

absl::Status Say(const Context& context, const SayOptions& options) {
  v1::Record record;
  v1::Message& message = *record.mutable_message();
  message.set_kind(options.reply_to.empty() ? v1::MESSAGE_KIND_CHAT : v1::MESSAGE_KIND_READ_BACK);
  message.set_text(options.text);
  message.set_urgent(options.urgent);
  if (!options.reply_to.empty()) {
    RETURN_IF_ERROR(SetReference(options.reply_to, "--reply-to", message.mutable_in_reply_to()));
  }
  if (!options.about.empty()) {
    RETURN_IF_ERROR(SetReference(options.about, "--about", message.mutable_about()));
  }
  Target target;
  RETURN_IF_ERROR(target.Open(context, options.case_name));
  message.set_sender(target.client->welcome().display_name());
  return target.Publish(context, std::move(record));
}

absl::Status Annotate(const Context& context, const AnnotateOptions& options) {
  v1::Record record;
  v1::Annotation& annotation = *record.mutable_annotation();
  annotation.set_text(options.text);
  annotation.set_trace_id(options.trace);
  annotation.set_has_place(options.has_place);
  annotation.set_at_latency_ms(options.at_latency_ms);
  if (!options.about.empty()) {
    RETURN_IF_ERROR(SetReference(options.about, "--about", annotation.mutable_about()));
  }
  Target target;
  RETURN_IF_ERROR(target.Open(context, options.case_name));
  annotation.set_actor(target.client->welcome().display_name());
  return target.Publish(context, std::move(record));
}

absl::Status AcknowledgeAlerts(const Context& context, const AcknowledgeOptions& options) {
  Target target;
  RETURN_IF_ERROR(target.Open(context, options.case_name));
  const v1::Place place = PlaceOf(target.client->welcome().role());
  ASSIGN_OR_RETURN(const v1::Snapshot snapshot, target.Snapshot(context));
  AlertView view;
  view.Take(snapshot.state());
  ASSIGN_OR_RETURN(const std::vector<RecordKey> alerts, Chosen(view, options.alert, place));
  Table table({"alert", "action"});
  for (const RecordKey& alert : alerts) {
    v1::Record record;
    v1::AlertAction& action = *record.mutable_alert_action();
    *action.mutable_alert() = ToProto(alert);
    action.set_kind(v1::ALERT_ACTION_KIND_ACKNOWLEDGED);
    action.set_place(place);
    action.set_reason(options.reason);
    *action.mutable_seen() = ToProto(view.Newest(alert));
    action.set_actor(target.client->welcome().display_name());
    ASSIGN_OR_RETURN(const RecordKey key,
                     target.client->Publish(target.case_id, std::move(record), context.timeout));
    table.AddRow({ToText(alert), ToText(key)});
  }
  return PrintLine(table.ToText(context.output));
}

absl::Status SetBaseline(const Context& context, const BaselineOptions& options) {
  v1::BaselineKind kind;
  if (!v1::BaselineKind_Parse(absl::StrCat("BASELINE_KIND_", absl::AsciiStrToUpper(options.kind)),
                              &kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--kind '", options.kind,
                     "': pre_intubation, pre_position, post_position, pre_incision, post_exposure "
                     "or rebaseline"));
  }
  Target target;
  RETURN_IF_ERROR(target.Open(context, options.case_name));
  v1::Record record;
  v1::BaselineSet& baseline = *record.mutable_baseline_set();
  if (options.sweep.empty()) {
    ASSIGN_OR_RETURN(const v1::Snapshot snapshot, target.Snapshot(context));
    ASSIGN_OR_RETURN(const RecordKey sweep, NewestSweep(snapshot, options.trace));
    *baseline.add_sweeps() = ToProto(sweep);
  } else {
    RETURN_IF_ERROR(SetReference(options.sweep, "--sweep", baseline.add_sweeps()));
  }
  baseline.set_trace_id(options.trace);
  baseline.set_kind(kind);
  baseline.set_reason(options.reason);
  baseline.set_actor(target.client->welcome().display_name());
  return target.Publish(context, std::move(record));
}

}  // namespace remora::reader
