#include "acquisition-agent/sources/brainvision/markers.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

#include "acquisition-agent/sources/brainvision/header.h"
#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::brainvision {
namespace {

// "20131113161403794232": year, month, day, hour, minute, second, microseconds.
std::optional<int64_t> ParseDate(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  constexpr std::array<int, 7> kDigits = {4, 2, 2, 2, 2, 2, 6};
  std::array<int, 7> parts = {};
  for (size_t i = 0; i < kDigits.size(); ++i) {
    if (text.size() < static_cast<size_t>(kDigits[i])) return std::nullopt;
    for (int k = 0; k < kDigits[i]; ++k) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(text[k]))) return std::nullopt;
      parts[i] = parts[i] * 10 + (text[k] - '0');
    }
    text.remove_prefix(kDigits[i]);
  }
  const absl::CivilSecond civil(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]);
  // Normalised: no such day. Zeros stand for an unknown date.
  if (!text.empty() || parts[0] < 1970 || civil.month() != parts[1] || civil.day() != parts[2] ||
      civil.hour() != parts[3] || civil.minute() != parts[4] || civil.second() != parts[5] ||
      parts[0] > 2200) {
    return std::nullopt;
  }
  return absl::ToUnixNanos(absl::FromCivil(civil, absl::UTCTimeZone())) + int64_t{parts[6]} * 1000;
}

class MarkerReader {
 public:
  explicit MarkerReader(int64_t most_position) : most_position_(most_position) {}

  absl::Status Add(const Entry& entry) {
    const std::vector<std::string> fields = SplitFields(entry.value);
    int64_t position = 0;
    if (!absl::StartsWithIgnoreCase(entry.key, "Mk") || fields.size() < 3 ||
        !absl::SimpleAtoi(fields[2], &position) || position > most_position_ ||
        position < -most_position_) {
      ++skipped_;
      if (first_skipped_ == 0) first_skipped_ = entry.line;
      return absl::OkStatus();
    }
    --position;
    if (absl::EqualsIgnoreCase(fields[0], "New Segment")) {
      if (static_cast<int64_t>(out_.segments.size()) >= kMaxStretches) {
        return absl::ResourceExhaustedError(
            absl::StrCat("line ", entry.line, ": more than ", kMaxStretches, " segments"));
      }
      out_.segments.push_back(
          {position, fields.size() > 5 ? ParseDate(fields[5]) : std::optional<int64_t>()});
      return absl::OkStatus();
    }
    if (static_cast<int64_t>(out_.markers.size()) >= kMaxMarks) {
      return absl::ResourceExhaustedError(
          absl::StrCat("line ", entry.line, ": more than ", kMaxMarks, " markers"));
    }
    absl::StatusOr<int32_t> text = out_.texts.Add(TextOf(fields));
    if (!text.ok()) return text.status();
    Marker marker{position, 0, *text};
    if (fields.size() > 3 && absl::SimpleAtoi(fields[3], &marker.size)) {
      marker.size = std::clamp<int64_t>(marker.size, 0, most_position_);
    }
    out_.markers.push_back(marker);
    return absl::OkStatus();
  }

  Markers Finish() {
    std::stable_sort(
        out_.segments.begin(), out_.segments.end(),
        [](const NewSegment& a, const NewSegment& b) { return a.position < b.position; });
    if (skipped_ > 0) {
      out_.notes.push_back(
          absl::StrCat(skipped_, " lines of the marker file are no marker (the first is line ",
                       first_skipped_, "); skipped"));
    }
    return std::move(out_);
  }

 private:
  static std::string TextOf(const std::vector<std::string>& fields) {
    std::string text = fields[0];
    if (!fields[1].empty()) absl::StrAppend(&text, text.empty() ? "" : " ", fields[1]);
    int channel = 0;
    // A stimulus is everybody's.
    if (fields.size() > 4 && absl::SimpleAtoi(fields[4], &channel) && channel > 0 &&
        !absl::EqualsIgnoreCase(fields[0], "Stimulus")) {
      absl::StrAppend(&text, " (channel ", channel, ")");
    }
    return text;
  }

  const int64_t most_position_;
  Markers out_;
  int64_t skipped_ = 0;
  int64_t first_skipped_ = 0;
};

}  // namespace

absl::StatusOr<Markers> ParseMarkers(absl::string_view text, int64_t most_position) {
  absl::StatusOr<std::string> version = ParseIdentification(text, "Marker File");
  if (!version.ok()) return version.status();
  MarkerReader reader(most_position);
  absl::Status status;
  ForEachEntry(text, [&](const Entry& entry) {
    if (absl::EqualsIgnoreCase(entry.section, "Marker Infos")) status = reader.Add(entry);
    return status.ok();
  });
  if (!status.ok()) return status;
  return reader.Finish();
}

}  // namespace remora::agent::brainvision
