#include "acquisition-agent/sources/edf/annotations.h"

#include "absl/strings/ascii.h"

#include "acquisition-agent/sources/edf/limits.h"

namespace remora::agent::edf {
namespace {

constexpr char kTextEnd = '\x14';
constexpr char kDurationMark = '\x15';

// What stands before the first text: the time of the list. Empty if it is none.
std::optional<TimedText> ParseHead(absl::string_view head) {
  TimedText list;
  const size_t mark = head.find(kDurationMark);
  if (mark != absl::string_view::npos) {
    const absl::string_view duration = head.substr(mark + 1);
    head = head.substr(0, mark);
    // Some writers leave the mark without a number: no duration.
    if (!duration.empty()) {
      list.duration_ns = ParseOnset(duration, /*needs_sign=*/false);
      if (!list.duration_ns || *list.duration_ns < 0) return std::nullopt;
    }
  }
  const std::optional<int64_t> onset = ParseOnset(head, /*needs_sign=*/true);
  if (!onset) return std::nullopt;
  list.onset_ns = *onset;
  return list;
}

enum class Outcome { kRead, kNoList, kStopped };

// One stretch without NULs.
Outcome ParseStretch(absl::string_view stretch, absl::FunctionRef<bool(const TimedText&)> visit) {
  const size_t head_end = stretch.find(kTextEnd);
  if (head_end == absl::string_view::npos || stretch.back() != kTextEnd) return Outcome::kNoList;
  std::optional<TimedText> list = ParseHead(stretch.substr(0, head_end));
  if (!list) return Outcome::kNoList;
  absl::string_view rest = stretch.substr(head_end + 1);
  while (!rest.empty()) {
    const size_t end = rest.find(kTextEnd);
    list->text = rest.substr(0, end);
    if (!visit(*list)) return Outcome::kStopped;
    rest.remove_prefix(end + 1);
  }
  return Outcome::kRead;
}

}  // namespace

std::optional<int64_t> ParseOnset(absl::string_view text, bool needs_sign) {
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  } else if (needs_sign) {
    return std::nullopt;
  }
  int64_t value_ns = 0;
  int64_t unit_ns = 1'000'000'000;
  bool digits = false;
  bool point = false;
  for (const char c : text) {
    if (c == '.') {
      if (point) return std::nullopt;
      point = true;
      continue;
    }
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    digits = true;
    if (point) {
      unit_ns /= 10;
      value_ns += unit_ns * (c - '0');
    } else {
      value_ns = value_ns * 10 + unit_ns * (c - '0');
    }
    if (value_ns > kMaxRecordingNs) return std::nullopt;
  }
  if (!digits) return std::nullopt;
  return negative ? -value_ns : value_ns;
}

int32_t ParseAnnotations(std::span<const uint8_t> bytes,
                         absl::FunctionRef<bool(const TimedText&)> visit) {
  int32_t malformed = 0;
  absl::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!rest.empty()) {
    const size_t end = rest.find('\0');
    const absl::string_view stretch = rest.substr(0, end);
    if (!stretch.empty()) {
      const Outcome outcome = ParseStretch(stretch, visit);
      if (outcome == Outcome::kStopped) break;
      if (outcome == Outcome::kNoList) ++malformed;
    }
    if (end == absl::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return malformed;
}

}  // namespace remora::agent::edf
