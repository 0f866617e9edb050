// `remora say`, `annotate`, `ack`, `baseline`: what a reader puts on record.

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/mutex.h"
#include "common/record_json.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"

namespace remora::reader {
namespace {

// Waits for one case's snapshot.
class SnapshotWaiter : public LinkObserver {
 public:
  void OnSnapshot(const v1::Snapshot& snapshot) override {
    MutexLock lock(&mutex_);
    snapshot_ = snapshot;
    arrived_ = true;
    changed_.NotifyAll();
  }

  absl::StatusOr<v1::Snapshot> Wait(const Clock& clock, Duration timeout) {
    const DeviceTime deadline = clock.Now() + timeout;
    MutexLock lock(&mutex_);
    while (!arrived_) {
      const Duration left = deadline - clock.Now();
      if (left <= Duration()) return absl::UnavailableError("the hub gave no snapshot in time");
      changed_.WaitFor(&mutex_, std::chrono::nanoseconds(left.nanoseconds()));
    }
    return snapshot_;
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;
  v1::Snapshot snapshot_ ABSL_GUARDED_BY(mutex_);
};

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
    follow.set_follow_id(1);
    follow.set_case_id(case_id.ToString());
    follow.set_delivery(v1::DELIVERY_LIVE);
    RETURN_IF_ERROR(client->Follow(follow));
    return waiter.Wait(client->clock(), context.timeout);
  }

  absl::Status Publish(const Context& context, v1::Record record) {
    ASSIGN_OR_RETURN(const RecordKey key,
                     client->Publish(case_id, std::move(record), context.timeout));
    PrintLine(ObjectToText({{"case", case_id.Hex()}, {"id", ToText(key)}}, context.output));
    return absl::OkStatus();
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

// Record ids of alerts that were raised, whose condition a person at `place` has not acknowledged.
std::vector<RecordKey> Unacknowledged(const v1::CaseState& state, v1::Place place) {
  std::set<RecordKey> acknowledged;
  for (const std::string& bytes : state.alert_actions()) {
    v1::Record record;
    if (!record.ParseFromString(bytes) || record.alert_action().place() != place) continue;
    const RecordKey alert = FromProto(record.alert_action().alert());
    switch (record.alert_action().kind()) {
      case v1::ALERT_ACTION_KIND_ACKNOWLEDGED:
      case v1::ALERT_ACTION_KIND_DISMISSED:
      case v1::ALERT_ACTION_KIND_RESOLVED:
        acknowledged.insert(alert);
        break;
      case v1::ALERT_ACTION_KIND_UNDONE:
        acknowledged.erase(alert);
        break;
      default:
        break;
    }
  }
  std::set<RecordKey> open;
  for (const std::string& bytes : state.alerts()) {
    v1::Record record;
    const absl::StatusOr<StampedRecord> walked = WalkStamped(bytes);
    if (!walked.ok() || !record.ParseFromString(bytes)) continue;
    const RecordKey alert = record.alert().has_raised_by() ? FromProto(record.alert().raised_by())
                                                           : walked->header.key();
    if (!acknowledged.contains(alert)) open.insert(alert);
  }
  return {open.begin(), open.end()};
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
  std::vector<RecordKey> alerts;
  if (options.alert.empty()) {
    ASSIGN_OR_RETURN(const v1::Snapshot snapshot, target.Snapshot(context));
    alerts = Unacknowledged(snapshot.state(), place);
  } else {
    v1::RecordId id;
    RETURN_IF_ERROR(SetReference(options.alert, "alert", &id));
    alerts.push_back(FromProto(id));
  }
  Table table({"alert", "action"});
  for (const RecordKey& alert : alerts) {
    v1::Record record;
    v1::AlertAction& action = *record.mutable_alert_action();
    *action.mutable_alert() = ToProto(alert);
    action.set_kind(v1::ALERT_ACTION_KIND_ACKNOWLEDGED);
    action.set_place(place);
    action.set_reason(options.reason);
    action.set_actor(target.client->welcome().display_name());
    ASSIGN_OR_RETURN(const RecordKey key,
                     target.client->Publish(target.case_id, std::move(record), context.timeout));
    table.AddRow({ToText(alert), ToText(key)});
  }
  PrintLine(table.ToText(context.output));
  return absl::OkStatus();
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
