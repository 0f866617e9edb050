#include "reader-client/cc/app/whole_record.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/interrupt.h"
#include "reader-client/cc/app/record_stream.h"

namespace remora::reader {
namespace {

// All records up to `head_seq`.
absl::Status TakeRecords(RecordStream& stream, const Clock& clock, Duration timeout,
                         uint64_t head_seq,
                         const std::function<absl::Status(const DeliveredRecord&)>& take) {
  const Interrupt interrupt;
  DeviceTime last_sign = clock.Now();
  for (uint64_t seq = 0; seq < head_seq;) {
    if (interrupt.asked()) return absl::CancelledError("ended before the record was whole");
    const std::optional<DeliveredRecord> next = stream.Next(kLook);
    const DeviceTime now = clock.Now();
    if (next.has_value()) {
      last_sign = now;
      // Comes again when it is on record.
      if (next->record.stamp.unrecorded) continue;
      seq = next->record.stamp.seq;
      RETURN_IF_ERROR(take(*next));
    } else if (!stream.ended().ok()) {
      return stream.ended();
    } else if (now - last_sign >= timeout) {
      return absl::UnavailableError(
          absl::StrCat("not whole: it stops at record ", seq, " of ", head_seq, "; try again"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadWholeRecord(
    const Context& context, const std::string& case_name,
    const std::function<absl::Status(const CaseId&, const v1::Welcome&)>& begin,
    const std::function<absl::Status(const DeliveredRecord&)>& take) {
  RecordStream stream;
  ClientOptions client_options = context.client;
  client_options.shown_at_once = false;
  ASSIGN_OR_RETURN(const std::unique_ptr<Client> client, Client::Connect(client_options, &stream));
  ASSIGN_OR_RETURN(const v1::CaseSummary found, client->FindCase(case_name, context.timeout));
  RETURN_IF_ERROR(begin(CaseId::FromBytes(found.case_id()), client->welcome()));
  v1::Follow follow;
  follow.set_case_id(found.case_id());
  follow.set_delivery(v1::DELIVERY_COMPLETE);
  stream.Follow(follow, [link = client.get()](auto call) { link->Post(std::move(call)); });
  return TakeRecords(stream, client->clock(), context.timeout, found.head_seq(), take);
}

}  // namespace remora::reader
