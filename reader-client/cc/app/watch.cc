// `remora watch`: a case's records as they come, or all of them from the first on.

#include <cstdio>
#include <memory>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/record_json.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/record_stream.h"

namespace remora::reader {
namespace {

// How long a quiet case keeps the command from looking whether its time is over.
constexpr Duration kLook = Duration::Milliseconds(100);

// One line for people: "  42  08:41:00.123  alert  SEP ...".
std::string Line(const DeliveredRecord& delivered) {
  v1::Record record;
  std::string words;
  if (record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size()))) {
    switch (record.body_case()) {
      case v1::Record::kAlert:
        words = record.alert().summary();
        break;
      case v1::Record::kMessage:
        words = absl::StrCat(record.message().sender(), ": ", record.message().text());
        break;
      case v1::Record::kAnnotation:
        words = absl::StrCat(record.annotation().actor(), ": ", record.annotation().text());
        break;
      case v1::Record::kMeasurement: {
        const v1::Measurement& m = record.measurement();
        words = absl::StrFormat("%s %s %.2f uV (%.0f %%) %.2f ms (%+.1f %%)", m.trace_id(),
                                m.component(), m.amplitude_uv(), m.amplitude_percent_of_baseline(),
                                m.latency_ms(), m.latency_change_percent());
        break;
      }
      case v1::Record::kSweep:
        words = absl::StrCat(record.sweep().trace_id(), " n=", record.sweep().accepted_count(), "/",
                             record.sweep().requested_count(),
                             record.sweep().provisional() ? " provisional" : "");
        break;
      case v1::Record::kEmgActivity:
        words = record.emg_activity().trace_id();
        break;
      case v1::Record::kEnvelope:
        words = record.envelope().trace_id();
        break;
      case v1::Record::kSampleBlock:
        words = record.sample_block().trace_id();
        break;
      default:
        break;
    }
  }
  const RecordStamp& stamp = delivered.record.stamp;
  const std::string utc = UtcText(stamp.recorded_at.nanoseconds());
  return absl::StrFormat("%8d  %s  %-18s %s", stamp.seq, utc.substr(11, 12),
                         KindName(delivered.record.header.kind), Printable(words));
}

std::string Text(const Context& context, const WatchOptions& options,
                 const DeliveredRecord& delivered) {
  if (options.raw) return absl::BytesToHexString(delivered.bytes);
  if (context.output == OutputFormat::kTable) return Line(delivered);
  return RecordToJson(delivered.record.header, &delivered.record.stamp, delivered.bytes,
                      {.samples = options.samples});
}

}  // namespace

absl::Status Watch(const Context& context, const WatchOptions& options) {
  RecordStream stream;
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(context.client, &stream));
  ASSIGN_OR_RETURN(const v1::CaseSummary found,
                   client->FindCase(options.case_name, context.timeout));
  v1::Follow follow;
  follow.set_follow_id(1);
  follow.set_case_id(found.case_id());
  follow.set_delivery(options.from_start || options.until_head ? v1::DELIVERY_COMPLETE
                                                               : v1::DELIVERY_LIVE);
  // Until the head: all lanes are followed and filtered here, or the head itself might never come.
  if (!options.until_head) {
    for (uint32_t lane : options.lanes) follow.add_lanes(lane);
  }
  const std::set<uint32_t> wanted(options.lanes.begin(), options.lanes.end());
  RETURN_IF_ERROR(client->Follow(follow));

  const DeviceTime end = client->clock().Now() + Duration::FromSeconds(options.seconds);
  absl::Status status;
  for (uint64_t printed = 0; options.count == 0 || printed < options.count;) {
    if (options.seconds > 0 && client->clock().Now() >= end) break;
    if (options.until_head && found.head_seq() == 0) break;
    const std::optional<DeliveredRecord> next = stream.Next(kLook);
    if (!next.has_value()) {
      status = stream.ended();
      if (!status.ok()) break;
      continue;
    }
    if (wanted.empty() || wanted.contains(next->record.header.lane)) {
      PrintLine(Text(context, options, *next));
      ++printed;
    }
    if (options.until_head && next->record.stamp.seq >= found.head_seq()) break;
  }
  stream.Close();
  if (stream.left_out() > 0) {
    std::fprintf(stderr, "remora: the hub left out %llu records for this reader (gaps)\n",
                 static_cast<unsigned long long>(stream.left_out()));
  }
  return status;
}

}  // namespace remora::reader
