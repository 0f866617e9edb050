#include "reader-client/cc/app/gap_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/record_json.h"
#include "reader-client/cc/app/limits.h"
#include "reader-client/cc/app/output.h"
#include "reader-client/cc/app/record_words.h"

namespace remora::reader {
namespace {

constexpr size_t kDateAndTime = 19;  // of 2026-01-31T08:41:00.000Z
constexpr size_t kDate = 11;         // with the T

std::string TimeText(int64_t unix_ns) {
  std::string text = UtcText(unix_ns).substr(0, kDateAndTime);
  text[kDate - 1] = ' ';
  return text;
}

// "2026-01-31 08:41:00 to 08:41:25"
std::string TimesText(const ListedGap& gap) {
  if (gap.from_unix_ns == 0 && gap.to_unix_ns == 0) return "-";
  if (gap.from_unix_ns == 0) return "before " + TimeText(gap.to_unix_ns);
  if (gap.to_unix_ns == 0) return "after " + TimeText(gap.from_unix_ns);
  const std::string from = TimeText(gap.from_unix_ns);
  const std::string to = TimeText(gap.to_unix_ns);
  const bool same_day = from.substr(0, kDate) == to.substr(0, kDate);
  return absl::StrCat(from, " to ", same_day ? to.substr(kDate) : to);
}

// An origin is a session of its participant: the first digits tell them apart.
constexpr size_t kOriginDigits = 8;

nlohmann::ordered_json TimeOrNull(int64_t unix_ns) {
  return unix_ns == 0 ? nlohmann::ordered_json() : nlohmann::ordered_json(UtcText(unix_ns));
}

const char* ReasonKey(GapReason reason) {
  switch (reason) {
    case GapReason::kMissing:
      return "missing";
    case GapReason::kGivenUp:
      return "given_up";
    case GapReason::kRefused:
      return "refused";
    case GapReason::kLate:
      return "late";
  }
  return "";
}

}  // namespace

std::string GapTable(const std::vector<ListedGap>& gaps) {
  if (gaps.empty()) return "";
  Table table({"whose", "origin", "what", "numbers", "records", "why", "made between (UTC)"});
  const size_t shown = std::min(gaps.size(), kMaxListedGaps);
  for (size_t i = 0; i < shown; ++i) {
    const ListedGap& gap = gaps[i];
    table.AddRow({gap.participant.empty() ? "the hub" : gap.participant,
                  gap.origin.Hex().substr(0, kOriginDigits), LaneWord(gap.lane),
                  NumbersText(gap.first, gap.last), gap.count(), ReasonWords(gap.reason, gap.cause),
                  TimesText(gap)});
  }
  std::string text = table.ToText(OutputFormat::kTable);
  if (gaps.size() > shown) {
    absl::StrAppend(&text, "and ", gaps.size() - shown, " more, in --output json\n");
  }
  return text;
}

nlohmann::ordered_json GapsToJson(const std::vector<ListedGap>& gaps) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ListedGap& gap : gaps) {
    list.push_back({{"participant", Printable(gap.participant)},
                    {"origin", gap.origin.Hex()},
                    {"lane", gap.lane},
                    {"what", LaneWord(gap.lane)},
                    {"first", gap.first},
                    {"last", gap.last},
                    {"reason", ReasonKey(gap.reason)},
                    {"why", ReasonWords(gap.reason, gap.cause)},
                    {"made_after", TimeOrNull(gap.from_unix_ns)},
                    {"made_before", TimeOrNull(gap.to_unix_ns)}});
  }
  return list;
}

}  // namespace remora::reader
