// `remora watch`: a case's records as they come, or all of them from the first on.

#include <cstdio>
#include <memory>
#include <optional>
#include <set>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/record_json.h"
#include "common/status_macros.h"
#include "reader-client/cc/app/commands.h"
#include "reader-client/cc/app/interrupt.h"
#include "reader-client/cc/app/rate.h"
#include "reader-client/cc/app/record_stream.h"
#include "reader-client/cc/app/record_words.h"

namespace remora::reader {
namespace {

// One line for people: "  42  08:41:00.123  alert  SEP ..."; UNRECORDED in place of the number.
std::string Line(const DeliveredRecord& delivered) {
  v1::Record record;
  std::string words;
  if (record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size()))) {
    words = RecordWords(record);
  }
  const RecordStamp& stamp = delivered.record.stamp;
  const std::string utc = UtcText(stamp.recorded_at.nanoseconds());
  const std::string place = stamp.unrecorded ? "UNRECORDED" : absl::StrCat(stamp.seq);
  return absl::StrFormat("%10s  %s  %-18s %s", place, utc.substr(11, 12),
                         KindName(delivered.record.header.kind), Printable(words));
}

std::string Text(const Context& context, const WatchOptions& options,
                 const DeliveredRecord& delivered) {
  if (options.raw) {
    const std::string hex = absl::BytesToHexString(delivered.bytes);
    return context.output == OutputFormat::kTable ? hex : absl::StrCat("\"", hex, "\"");
  }
  if (context.output == OutputFormat::kTable) return Line(delivered);
  return RecordToJson(delivered.record.header, &delivered.record.stamp, delivered.bytes,
                      {.samples = options.samples});
}

absl::StatusOr<v1::Follow> FollowOf(const WatchOptions& options, const std::string& case_id) {
  v1::Follow follow;
  follow.set_case_id(case_id);
  follow.set_delivery(options.from_start || options.until_head ? v1::DELIVERY_COMPLETE
                                                               : v1::DELIVERY_LIVE);
  // Until the head: all lanes are followed and filtered here, or the head itself might never come.
  if (!options.until_head) {
    for (uint32_t lane : options.lanes) follow.add_lanes(lane);
  }
  for (const std::string& trace : options.traces) follow.add_trace_ids(trace);
  if (!options.budget.empty()) {
    ASSIGN_OR_RETURN(const uint32_t budget, ParseRate(options.budget));
    follow.set_bulk_budget_bytes_per_second(budget);
  }
  return follow;
}

// What is printed as it comes is seen; a copy of the record is not.
class Screen {
 public:
  Screen(const WatchOptions& options, const CaseId& case_id, Client& client)
      : live_(!options.from_start && !options.until_head && !options.raw),
        case_id_(case_id),
        client_(client),
        seen_(MakeSystemRandom()->Uint64(), v1::SEEN_MODE_LIVE) {}

  void Show(const DeliveredRecord& delivered) {
    v1::Record record;
    if (!live_ ||
        !record.ParseFromArray(delivered.bytes.data(), static_cast<int>(delivered.bytes.size()))) {
      return;
    }
    seen_.Show(delivered.record, record);
  }
  void Tell() {
    const DeviceTime now = client_.clock().Now();
    if (!live_ || (looked_at_ && now - *looked_at_ < kLookAtSeen)) return;
    looked_at_ = now;
    client_.Run([this] { client_.TellSeen(case_id_, &seen_); });
  }

 private:
  const bool live_;
  const CaseId case_id_;
  Client& client_;
  AsSeen seen_;
  std::optional<DeviceTime> looked_at_;
};

// Prints until the time, the count, the head, the reader's or the hub's end.
absl::Status PrintRecords(const Context& context, const WatchOptions& options, uint64_t head_seq,
                          const Clock& clock, RecordStream& stream, Screen& screen) {
  const std::set<uint32_t> wanted(options.lanes.begin(), options.lanes.end());
  const DeviceTime end = clock.Now() + Duration::FromSeconds(options.seconds);
  const Interrupt interrupt;
  ResultSequence results(stdout, context.output);
  absl::Status status;
  bool over = options.until_head && head_seq == 0;
  for (uint64_t printed = 0; !over && !interrupt.asked();) {
    if (options.seconds > 0 && clock.Now() >= end) break;
    for (const std::string& change : stream.TakeLinkChanges()) {
      std::fprintf(stderr, "remora: %s\n", Printable(change).c_str());
    }
    screen.Tell();
    const std::optional<DeliveredRecord> next = stream.Next(kLook);
    if (!next.has_value()) {
      status = stream.ended();
      if (!status.ok()) break;
      if (IsReaderGone(stdout)) return absl::OkStatus();
      continue;
    }
    if (wanted.empty() || wanted.contains(next->record.header.lane)) {
      const absl::Status written = results.Add(Text(context, options, *next));
      if (absl::IsCancelled(written)) return absl::OkStatus();
      RETURN_IF_ERROR(written);
      screen.Show(*next);
      over = ++printed == options.count;
    }
    over |= options.until_head && next->record.stamp.seq >= head_seq;
  }
  const absl::Status finished = results.Finish();
  return status.ok() && !absl::IsCancelled(finished) ? finished : status;
}

}  // namespace

absl::Status Watch(const Context& context, const WatchOptions& options) {
  // What is wrong with the options is told before the hub is asked for anything.
  RETURN_IF_ERROR(FollowOf(options, "").status());
  RecordStream stream;
  ClientOptions client_options = context.client;
  client_options.shown_at_once = false;
  ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(client_options, &stream));
  ASSIGN_OR_RETURN(const v1::CaseSummary found,
                   client->FindCase(options.case_name, context.timeout));
  ASSIGN_OR_RETURN(const v1::Follow follow, FollowOf(options, found.case_id()));
  stream.Follow(follow, [link = client.get()](auto call) { link->Post(std::move(call)); });
  Screen screen(options, CaseId::FromBytes(found.case_id()), *client);
  const absl::Status status =
      PrintRecords(context, options, found.head_seq(), client->clock(), stream, screen);
  if (stream.left_out() > 0) {
    std::fprintf(stderr, "remora: the hub left out %llu records for this reader (gaps)\n",
                 static_cast<unsigned long long>(stream.left_out()));
  }
  return status;
}

}  // namespace remora::reader
