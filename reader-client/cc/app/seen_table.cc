#include "reader-client/cc/app/seen_table.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "common/record_json.h"

namespace remora::reader {
namespace {

using Json = nlohmann::ordered_json;

template <typename Enum>
std::string Word(Enum value) {
  const google::protobuf::EnumValueDescriptor* found =
      google::protobuf::GetEnumDescriptor<Enum>()->FindValueByNumber(value);
  return found == nullptr ? absl::StrCat(static_cast<int>(value)) : EnumText(*found);
}

// In s; null where it was not known.
Json Seconds(double ms, double later_ms = 0) {
  if (ms < 0) return nullptr;
  return absl::StrFormat("%.1f", (ms + later_ms) / 1e3);
}

Json OldestTrace(const v1::ViewSeen& view) {
  double oldest = -1;
  for (const v1::SeenTrace& trace : view.traces()) oldest = std::max(oldest, trace.age_ms());
  return Seconds(oldest);
}

}  // namespace

absl::StatusOr<int64_t> ParseSeenTime(absl::string_view text, int64_t day_unix_ns) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  absl::Time time;
  std::string error;
  const std::string day = absl::FormatTime("%Y-%m-%d", absl::FromUnixNanos(day_unix_ns), utc);
  if (absl::ParseTime("%Y-%m-%dT%H:%M:%E*S", text, utc, &time, &error) ||
      absl::ParseTime("%Y-%m-%dT%H:%M:%E*S", absl::StrCat(day, "T", text), utc, &time, &error)) {
    return absl::ToUnixNanos(time);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--at '", text, "': a time in UTC, like 08:41:00 or 2026-01-31T08:41:00"));
}

Table SeenOverTime(const std::vector<SeenView>& views) {
  Table table({"at", "actor", "screen", "mode", "link", "link_age_s", "acquisition_age_s",
               "response_age_s", "oldest_trace_s", "traces", "control_seq", "unrecorded"});
  for (const SeenView& seen : views) {
    const v1::ViewSeen& v = seen.view;
    table.AddRow({UtcText(seen.recorded_unix_ns), v.actor(),
                  absl::StrFormat("%016x", v.screen_id()), Word(v.mode()), Word(v.link()),
                  Seconds(v.link_age_ms()), Seconds(v.acquisition_age_ms()),
                  Seconds(v.response_age_ms()), OldestTrace(v), v.traces_size(), v.control_seq(),
                  v.unrecorded()});
  }
  return table;
}

Table SeenAt(const std::vector<SeenView>& views, int64_t at_unix_ns) {
  std::map<std::pair<std::string, uint64_t>, const SeenView*> newest;
  for (const SeenView& seen : views) {
    if (seen.recorded_unix_ns > at_unix_ns) continue;
    newest[{seen.view.actor(), seen.view.screen_id()}] = &seen;
  }
  Table table({"actor", "screen", "mode", "link", "trace", "record", "age_s", "said"});
  for (const auto& entry : newest) {
    const SeenView* const seen = entry.second;
    const int64_t later_ns = at_unix_ns - seen->recorded_unix_ns;
    if (later_ns > kSeenHoldsNs) continue;
    const v1::ViewSeen& v = seen->view;
    const double later_ms = static_cast<double>(later_ns) / 1e6;
    const auto row = [&](Json trace, Json record, Json age) {
      table.AddRow({v.actor(), absl::StrFormat("%016x", v.screen_id()), Word(v.mode()),
                    Word(v.link()), std::move(trace), std::move(record), std::move(age),
                    UtcText(seen->recorded_unix_ns)});
    };
    if (v.traces().empty()) row(nullptr, nullptr, nullptr);
    for (const v1::SeenTrace& trace : v.traces()) {
      row(trace.trace_id(), ToText(FromProto(trace.newest())), Seconds(trace.age_ms(), later_ms));
    }
  }
  return table;
}

}  // namespace remora::reader
