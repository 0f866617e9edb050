#include "hub/ops/operations_observer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace remora::hub {
namespace {

absl::string_view NameOf(Transport transport) {
  return transport == Transport::kGrpc ? "grpc" : "websocket";
}

absl::string_view NameOf(TransportRefusal refusal) {
  switch (refusal) {
    case TransportRefusal::kUnauthenticated:
      return "unauthenticated";
    case TransportRefusal::kOrigin:
      return "origin";
    case TransportRefusal::kTooManySessions:
      return "too_many_sessions";
    case TransportRefusal::kDraining:
      return "draining";
    case TransportRefusal::kTooLarge:
      return "too_large";
    case TransportRefusal::kFlood:
      return "flood";
    case TransportRefusal::kTimeout:
      return "timeout";
  }
  return "other";
}

std::string NameOf(v1::Role role) {
  absl::string_view name = v1::Role_Name(role);
  absl::ConsumePrefix(&name, "ROLE_");
  return absl::AsciiStrToLower(name);
}

absl::string_view TransportLabel(Transport transport) {
  return transport == Transport::kGrpc ? "transport=grpc" : "transport=websocket";
}

}  // namespace

void OperationsObserver::OnSessionOpened(Transport transport, v1::Role role) {
  metrics_.Count("remora_sessions_opened_total",
                 absl::StrCat(TransportLabel(transport), ",role=", NameOf(role)), 1);
  metrics_.AddToGauge("remora_sessions_open", TransportLabel(transport), 1);
  log_.Info("session-opened",
            {{"transport", std::string(NameOf(transport))}, {"role", NameOf(role)}});
}

void OperationsObserver::OnSessionClosed(Transport transport, v1::Role role,
                                         const absl::Status& status) {
  const std::string code = absl::AsciiStrToLower(absl::StatusCodeToString(status.code()));
  metrics_.Count("remora_sessions_closed_total",
                 absl::StrCat(TransportLabel(transport), ",status=", code), 1);
  metrics_.AddToGauge("remora_sessions_open", TransportLabel(transport), -1);
  // The status's text may repeat input: only its code is said.
  log_.Info(
      "session-closed",
      {{"transport", std::string(NameOf(transport))}, {"role", NameOf(role)}, {"status", code}});
}

bool OperationsObserver::MaySayRefusal(int* unsaid) {
  const DeviceTime now = clock_.Now();
  MutexLock lock(&mutex_);
  if (now - second_start_ >= Duration::Seconds(1)) {
    second_start_ = now;
    lines_ = 0;
  }
  if (lines_ >= kMaxRefusalLinesPerSecond) {
    ++unsaid_;
    return false;
  }
  ++lines_;
  *unsaid = unsaid_;
  unsaid_ = 0;
  return true;
}

void OperationsObserver::OnRefused(Transport transport, TransportRefusal refusal) {
  metrics_.Count("remora_transport_refused_total",
                 absl::StrCat(TransportLabel(transport), ",reason=", NameOf(refusal)), 1);
  int unsaid = 0;
  if (!MaySayRefusal(&unsaid)) return;
  log_.Warning("participant-refused", {{"transport", std::string(NameOf(transport))},
                                       {"reason", std::string(NameOf(refusal))},
                                       {"not_logged_before", absl::StrCat(unsaid)}});
}

void OperationsObserver::OnMessageReceived(Transport transport, size_t bytes) {
  const absl::string_view label = TransportLabel(transport);
  metrics_.Count("remora_transport_messages_total", label, 1);
  metrics_.Count("remora_transport_received_bytes_total", label, bytes);
}

void OperationsObserver::OnBatchWritten(Transport transport, size_t slices, size_t bytes) {
  const absl::string_view label = TransportLabel(transport);
  metrics_.Count("remora_transport_batches_total", label, 1);
  metrics_.Count("remora_transport_written_slices_total", label, slices);
  metrics_.Count("remora_transport_written_bytes_total", label, bytes);
}

void OperationsObserver::OnHttpResponse(int status_code) {
  metrics_.Count("remora_http_responses_total", absl::StrCat("code=", status_code), 1);
}

void OperationsObserver::OnDrain(int events, Duration busy) {
  metrics_.Count("remora_sequence_events_total", "", events);
  metrics_.ObserveSeconds("remora_sequence_turn_seconds", busy.seconds());
}

}  // namespace remora::hub
