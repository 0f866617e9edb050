// `remora attend`: stands in for a person, so that a rehearsal or a demonstration needs nobody.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/record_json.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/sdk/alert_view.h"
#include "reader-client/cc/sdk/delivery_latency.h"

namespace remora::reader {
namespace {

// On the client's sequence throughout.
class Attendant : public LinkObserver {
 public:
  Attendant(bool is_theatre, uint64_t screen_id) : is_theatre_(is_theatre), screen_id_(screen_id) {}

  // Set before anything is followed.
  void set_client(Client* client) { client_ = client; }

  void OnSnapshot(const v1::Snapshot& snapshot) override {
    for (const std::string& bytes : snapshot.state().clock_estimates()) Take(bytes, false);
    // What was acknowledged is known before it is looked at what calls.
    alerts_.Take(snapshot.state());
    for (const std::string& bytes : snapshot.state().alerts()) Take(bytes, false);
    for (const std::string& bytes : snapshot.state().messages()) Take(bytes, false);
    for (const std::string& bytes : snapshot.state().receipts()) Take(bytes, false);
  }
  void OnRecord(const DeliveredRecord& delivered) override {
    ++records_;
    Take(delivered.bytes, true);
  }
  void OnGap(const v1::Gap& gap) override { gaps_ += gap.count(); }
  void OnLinkCondition(v1::LinkCondition condition, Duration) override {
    if (condition == v1::LINK_CONDITION_LOST) ++links_lost_;
  }

  void TellSeen() {
    for (auto& [case_id, seen] : seen_) client_->TellSeen(case_id, &seen);
  }

  nlohmann::ordered_json Summary(size_t theatres) const {
    return {{"theatres", theatres},
            {"records", records_},
            {"alerts", alerts_.size()},
            {"acknowledged", acknowledged_},
            {"messages", messages_.size()},
            {"answers", answers_},
            {"gaps", gaps_},
            {"links_lost", links_lost_},
            {"latency_ms",
             {{"count", latency_.count()},
              {"p50", latency_.QuantileMs(0.5)},
              {"p99", latency_.QuantileMs(0.99)},
              {"clock_uncertainty", latency_.largest_bound_ms()},
              {"clock_contradictions", latency_.contradictions()},
              {"words", absl::StrCat("p50 ", latency_.QuantileText(0.5), " ms, p99 ",
                                     latency_.QuantileText(0.99), " ms")}}}};
  }

 private:
  void Take(absl::string_view bytes, bool live) {
    const absl::StatusOr<StampedRecord> stamped = WalkStamped(bytes);
    v1::Record record;
    if (!stamped.ok() || !record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      return;
    const RecordKey key = stamped->header.key();
    if (record.has_clock_estimate()) latency_.OnClockEstimate(key.origin, record.clock_estimate());
    if (live) {
      if (const std::optional<BoundedHubTime> now = client_->HubNow(); now.has_value()) {
        latency_.OnRecord(key.origin, record.captured_at(), *now);
      }
    }
    const auto seen = seen_.try_emplace(stamped->header.case_id, screen_id_, v1::SEEN_MODE_LIVE);
    if (live || record.has_clock_estimate()) seen.first->second.Show(*stamped, record);
    alerts_.Take(*stamped, record);
    if (record.has_alert()) OnAlert(*stamped, record.alert());
    if (record.has_alert_action() && asked_.erase({stamped->header.case_id, key}) > 0)
      ++acknowledged_;
    if (record.has_message()) OnMessage(stamped->header, record.message());
  }

  // Acknowledges each call once.
  void OnAlert(const StampedRecord& stamped, const v1::Alert& alert) {
    const std::optional<RecordKey> raised = alerts_.Raised(stamped.header.key());
    if (is_theatre_ || !raised.has_value()) return;
    if (!alerts_.IsOpen(*raised) || alerts_.IsAcknowledged(*raised, v1::PLACE_READER)) return;
    if (!calls_answered_.insert(alerts_.Call(*raised)).second) return;
    v1::Record action;
    *action.mutable_alert_action()->mutable_alert() = ToProto(*raised);
    action.mutable_alert_action()->set_kind(v1::ALERT_ACTION_KIND_ACKNOWLEDGED);
    action.mutable_alert_action()->set_place(v1::PLACE_READER);
    *action.mutable_alert_action()->mutable_seen() = ToProto(alerts_.Newest(*raised));
    action.mutable_alert_action()->set_actor(client_->welcome().display_name());
    const absl::StatusOr<RecordKey> sent =
        client_->PublishFromObserver(stamped.header.case_id, std::move(action));
    if (sent.ok()) asked_.insert({stamped.header.case_id, *sent});
    if (alert.alert_class() != v1::ALERT_CLASS_PHYSIOLOGICAL) return;
    v1::Record tell;
    tell.mutable_message()->set_kind(v1::MESSAGE_KIND_ALERT_CARD);
    tell.mutable_message()->set_text(absl::StrCat(alert.summary(), ". Please check."));
    tell.mutable_message()->set_urgent(alert.priority() == v1::ALERT_PRIORITY_HIGH);
    *tell.mutable_message()->mutable_about() = ToProto(*raised);
    tell.mutable_message()->set_sender(client_->welcome().display_name());
    client_->PublishFromObserver(stamped.header.case_id, std::move(tell)).IgnoreError();
  }

  void OnMessage(const RecordHeader& header, const v1::Message& message) {
    if (!messages_.insert(header.key()).second) return;
    if (message.has_in_reply_to()) ++answers_;
    if (message.sender() == client_->welcome().display_name()) return;
    for (const v1::ReceiptKind kind : {v1::RECEIPT_KIND_DELIVERED, v1::RECEIPT_KIND_READ}) {
      v1::Record receipt;
      *receipt.mutable_message_receipt()->mutable_message() = ToProto(header.key());
      receipt.mutable_message_receipt()->set_kind(kind);
      receipt.mutable_message_receipt()->set_recipient(client_->welcome().display_name());
      client_->PublishFromObserver(header.case_id, std::move(receipt)).IgnoreError();
    }
    if (!is_theatre_ || message.has_in_reply_to() || message.sender().empty()) return;
    v1::Record answer;
    answer.mutable_message()->set_kind(v1::MESSAGE_KIND_READ_BACK);
    answer.mutable_message()->set_text("Seen. Checking now.");
    *answer.mutable_message()->mutable_in_reply_to() = ToProto(header.key());
    answer.mutable_message()->set_sender(client_->welcome().display_name());
    client_->PublishFromObserver(header.case_id, std::move(answer)).IgnoreError();
  }

  const bool is_theatre_;
  const uint64_t screen_id_;
  std::map<CaseId, AsSeen> seen_;
  Client* client_ = nullptr;
  DeliveryLatency latency_;
  uint64_t records_ = 0;
  uint64_t gaps_ = 0;
  uint64_t links_lost_ = 0;
  uint64_t acknowledged_ = 0;  // on record
  uint64_t answers_ = 0;
  AlertView alerts_;
  std::set<RecordKey> calls_answered_;
  std::set<std::pair<CaseId, RecordKey>> asked_;  // not yet on record
  std::set<RecordKey> messages_;
};

// Follows each open case that is not followed yet.
absl::Status FollowNew(const Context& context, Client& client,
                       std::map<CaseId, uint32_t>* followed) {
  ASSIGN_OR_RETURN(const std::vector<v1::CaseSummary> cases, client.Cases(context.timeout));
  for (const v1::CaseSummary& summary : cases) {
    const CaseId id = CaseId::FromBytes(summary.case_id());
    if (summary.stage() != v1::CASE_STAGE_OPEN || followed->contains(id)) continue;
    v1::Follow follow;
    follow.set_follow_id(static_cast<uint32_t>(followed->size()) + 1);
    follow.set_case_id(summary.case_id());
    follow.set_delivery(v1::DELIVERY_LIVE);
    RETURN_IF_ERROR(client.Follow(follow));
    (*followed)[id] = follow.follow_id();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Attend(const Context& context, const AttendOptions& options) {
  if (options.as != "reader" && options.as != "theatre") {
    return absl::InvalidArgumentError(absl::StrCat("--as '", options.as, "': reader or theatre"));
  }
  Attendant attendant(options.as == "theatre", MakeSystemRandom()->Uint64());
  std::unique_ptr<Client> client;
  ASSIGN_OR_RETURN(client, Client::Connect(context.client, &attendant));
  client->Run([&] { attendant.set_client(client.get()); });
  const DeviceTime end = client->clock().Now() + Duration::FromSeconds(options.seconds);
  std::map<CaseId, uint32_t> followed;
  Mutex mutex;
  ConditionVariable never;
  absl::Status status;
  while (status.ok() && client->clock().Now() < end) {
    status = FollowNew(context, *client, &followed);
    client->Run([&] { attendant.TellSeen(); });
    MutexLock lock(&mutex);
    never.WaitFor(&mutex, std::chrono::milliseconds(200));
  }
  nlohmann::ordered_json summary;
  client->Run([&] { summary = attendant.Summary(followed.size()); });
  // Also after a failure: what there was until then.
  const absl::Status printed = PrintLine(ObjectToText(summary, context.output));
  return status.ok() ? printed : status;
}

}  // namespace remora::reader
