#include "acquisition-agent/sources/wfdb/header.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/text.h"
#include "acquisition-agent/sources/wfdb/samples.h"

namespace remora::agent::wfdb {
namespace {

// A line that says something, cut at white space one field after the other.
class Line {
 public:
  Line(absl::string_view text, int64_t number) : rest_(text), number_(number) {}

  absl::string_view Next() {
    rest_ = absl::StripLeadingAsciiWhitespace(rest_);
    const size_t end = std::min(rest_.find_first_of(" \t"), rest_.size());
    const absl::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return field;
  }
  absl::string_view Rest() const { return absl::StripAsciiWhitespace(rest_); }

  absl::Status Wrong(absl::string_view what, absl::string_view field,
                     absl::string_view wanted) const {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", number_, ": ", what, " is \"", CleanText(field), "\"; ", wanted));
  }

  // A whole number, which must be there.
  absl::StatusOr<int64_t> Whole(absl::string_view what, absl::string_view field, int64_t low,
                                int64_t high) const {
    int64_t value = 0;
    absl::ConsumePrefix(&field, "+");
    if (!absl::SimpleAtoi(field, &value) || value < low || value > high) {
      return Wrong(what, field, absl::StrCat("it must be a whole number from ", low, " to ", high));
    }
    return value;
  }

  int64_t number() const { return number_; }

 private:
  absl::string_view rest_;
  const int64_t number_;
};

// What is before the first of `marks` in `field`, which keeps the rest.
absl::string_view TakeUntil(absl::string_view marks, absl::string_view* field) {
  const size_t end = std::min(field->find_first_of(marks), field->size());
  const absl::string_view taken = field->substr(0, end);
  field->remove_prefix(end);
  return taken;
}

// "13:05:00" or "13:5:0.25" as nanoseconds of the day.
std::optional<int64_t> ParseTime(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, ':');
  int hours = 0;
  int minutes = 0;
  double seconds = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &hours) ||
      !absl::SimpleAtoi(parts[1], &minutes) || !absl::SimpleAtod(parts[2], &seconds) || hours < 0 ||
      hours > 23 || minutes < 0 || minutes > 59 || !(seconds >= 0 && seconds < 60)) {
    return std::nullopt;
  }
  return (int64_t{hours} * 3600 + minutes * 60) * 1'000'000'000 + std::llround(seconds * 1e9);
}

// "25/4/1989".
std::optional<absl::CivilDay> ParseDate(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  int day = 0;
  int month = 0;
  int year = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &day) ||
      !absl::SimpleAtoi(parts[1], &month) || !absl::SimpleAtoi(parts[2], &year) || year < 1 ||
      year > 9999 || day < 1 || day > 31 || month < 1 || month > 12) {
    return std::nullopt;
  }
  const absl::CivilDay date(year, month, day);
  if (date.day() != day || date.month() != month) return std::nullopt;  // normalised: no such day
  return date;
}

void ParseStart(absl::string_view time_text, absl::string_view date_text, const Line& line,
                Header* header) {
  if (time_text.empty()) return;
  const std::optional<int64_t> time_ns = ParseTime(time_text);
  const std::optional<absl::CivilDay> date = ParseDate(date_text);
  if (!time_ns || !date) {
    header->notes.push_back(absl::StrCat(
        "line ", line.number(), ": the base time \"", CleanText(time_text), "\" and date \"",
        CleanText(date_text), "\" are not HH:MM:SS and DD/MM/YYYY; the start is unknown"));
    return;
  }
  header->start_local = absl::CivilSecond(*date) + *time_ns / 1'000'000'000;
  header->start_subsecond_ns = static_cast<int32_t>(*time_ns % 1'000'000'000);
}

absl::StatusOr<int64_t> ParseRecordLine(Line line, Header* header) {
  absl::string_view name = line.Next();
  header->record = CleanText(TakeUntil("/", &name));
  if (!name.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "line ", line.number(), ": record \"", header->record, "\" has ", CleanText(name.substr(1)),
        " segments; records of several segments are not read: name the header of one segment"));
  }
  absl::StatusOr<int64_t> signals =
      line.Whole("the number of signals", line.Next(), 1, kMaxChannels);
  if (!signals.ok()) return signals.status();
  absl::string_view rate = line.Next();
  if (!rate.empty()) {
    const absl::string_view text = TakeUntil("/(", &rate);  // a counter's frequency follows
    if (!absl::SimpleAtod(text, &header->frame_rate_hz) ||
        !(header->frame_rate_hz >= kMinRateHz && header->frame_rate_hz <= kMaxRateHz)) {
      return line.Wrong("the sampling frequency", text,
                        absl::StrCat("it must be a number from ", kMinRateHz, " to ", kMaxRateHz));
    }
  } else {
    header->notes.push_back("no sampling frequency is given; 250 Hz is assumed, as WFDB does");
  }
  if (const absl::string_view frames = line.Next(); !frames.empty()) {
    absl::StatusOr<int64_t> declared =
        line.Whole("the number of samples", frames, 0, int64_t{1} << 48);
    if (!declared.ok()) return declared.status();
    header->declared_frames = *declared;
  }
  const absl::string_view time = line.Next();
  ParseStart(time, line.Next(), line, header);
  return *signals;
}

// "212", "16x4:3+512".
absl::Status ParseFormat(const Line& line, absl::string_view field, Signal* signal) {
  const absl::string_view number = TakeUntil("x:+", &field);
  if (!absl::SimpleAtoi(number, &signal->format) || FindFormat(signal->format) == nullptr) {
    return line.Wrong("the format", number,
                      "16, 24, 32, 61, 80, 160, 212, 310 and 311 are read; convert it with \"xform "
                      "-n\"");
  }
  int64_t skew = 0;
  while (!field.empty()) {
    const char mark = field.front();
    field.remove_prefix(1);
    const absl::string_view text = TakeUntil("x:+", &field);
    absl::StatusOr<int64_t> value =
        mark == 'x'   ? line.Whole("the samples per frame", text, 1, kMaxFrameSamples)
        : mark == ':' ? line.Whole("the skew", text, 0, int64_t{1} << 40)
                      : line.Whole("the byte offset", text, 0, int64_t{1} << 40);
    if (!value.ok()) return value.status();
    if (mark == 'x') signal->samples_per_frame = static_cast<int32_t>(*value);
    if (mark == ':') skew = *value;
    if (mark == '+') signal->byte_offset = *value;
  }
  // Given in samples; whole frames count, as in the WFDB library.
  signal->skew_frames = (skew + signal->samples_per_frame / 2) / signal->samples_per_frame;
  return absl::OkStatus();
}

// "200", "200(1024)/mV"; whether there was a baseline is told.
absl::StatusOr<bool> ParseGain(const Line& line, absl::string_view field, Signal* signal) {
  const absl::string_view whole = field;
  const absl::string_view gain = TakeUntil("(/", &field);
  double value = 0;
  if (!absl::SimpleAtod(gain, &value) || !std::isfinite(value) || std::abs(value) > 1e30 ||
      (value != 0 && std::abs(value) < 1e-30)) {
    return line.Wrong("the gain", whole, "it must be like 200, or 200(0)/mV");
  }
  signal->calibrated = value != 0;
  if (signal->calibrated) signal->gain = value;
  bool has_baseline = false;
  if (absl::ConsumePrefix(&field, "(")) {
    const absl::string_view text = TakeUntil(")", &field);
    if (!absl::SimpleAtod(text, &signal->baseline) || std::abs(signal->baseline) > 1e15 ||
        std::isnan(signal->baseline) || !absl::ConsumePrefix(&field, ")")) {
      return line.Wrong("the baseline", whole, "it must be a whole number in brackets: 200(0)/mV");
    }
    has_baseline = true;
  }
  if (absl::ConsumePrefix(&field, "/")) signal->unit = CleanText(field);
  if (signal->unit.empty()) signal->unit = "mV";
  return has_baseline;
}

absl::Status ParseRange(Line* line, bool has_baseline, Signal* signal) {
  // Of 32 bits, as all samples are.
  constexpr int64_t kLow = -(int64_t{1} << 31);
  constexpr int64_t kHigh = (int64_t{1} << 31) - 1;
  struct Place {
    const char* what;
    int64_t low;
    int64_t high;
    std::optional<int64_t> value;
  };
  Place places[] = {{"the ADC resolution", 0, 32, {}},
                    {"the ADC zero", kLow, kHigh, {}},
                    {"the initial value", kLow, kHigh, {}},
                    // Some writers give it without a sign.
                    {"the checksum", -32768, 65535, {}},
                    {"the block size", kLow, kHigh, {}}};
  for (Place& place : places) {
    const absl::string_view field = line->Next();
    if (field.empty()) break;
    absl::StatusOr<int64_t> value = line->Whole(place.what, field, place.low, place.high);
    if (!value.ok()) return value.status();
    place.value = *value;
  }
  signal->resolution_bits = static_cast<int>(places[0].value.value_or(0));
  signal->adc_zero = places[1].value.value_or(0);
  signal->initial_value = places[2].value;
  signal->checksum = places[3].value;
  if (!has_baseline) signal->baseline = static_cast<double>(signal->adc_zero);
  return absl::OkStatus();
}

absl::Status ParseSignalLine(Line line, Header* header) {
  Signal signal;
  signal.file = std::string(line.Next());
  if (signal.file == "-" || signal.file == "~") {
    return line.Wrong("the signal file", signal.file, "it must be the name of a file");
  }
  if (absl::Status status = ParseFormat(line, line.Next(), &signal); !status.ok()) return status;
  bool has_baseline = false;
  if (const absl::string_view gain = line.Next(); !gain.empty()) {
    absl::StatusOr<bool> parsed = ParseGain(line, gain, &signal);
    if (!parsed.ok()) return parsed.status();
    has_baseline = *parsed;
  } else {
    signal.calibrated = false;
  }
  if (absl::Status status = ParseRange(&line, has_baseline, &signal); !status.ok()) return status;
  signal.description = CleanText(line.Rest());
  if (signal.description.empty()) {
    signal.description = absl::StrCat("signal ", header->signals.size());
  }
  if (!signal.calibrated) {
    header->notes.push_back(absl::StrCat("line ", line.number(), ": \"", signal.description,
                                         "\" is not calibrated; 200 counts a ", signal.unit,
                                         " are assumed, as WFDB does"));
  }
  for (const Signal& other : header->signals) {
    if (other.file != signal.file) continue;
    if (&other != &header->signals.back() && header->signals.back().file != signal.file) {
      return line.Wrong("the signal file", signal.file,
                        "the signals of one file must follow each other");
    }
    if (other.format != signal.format || other.byte_offset != signal.byte_offset) {
      return line.Wrong("the signal file", signal.file,
                        "its signals must have the same format and byte offset");
    }
  }
  header->signals.push_back(std::move(signal));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Header> ParseHeader(absl::string_view text) {
  Header header;
  int64_t number = 0;
  int64_t signals = -1;  // the record line comes first
  for (absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    const absl::string_view stripped = absl::StripAsciiWhitespace(raw);
    if (stripped.empty()) continue;
    if (stripped.front() == '#') {
      header.comments.push_back(CleanText(stripped.substr(1)));
      continue;
    }
    if (signals < 0) {
      absl::StatusOr<int64_t> count = ParseRecordLine(Line(stripped, number), &header);
      if (!count.ok()) return count.status();
      signals = *count;
    } else if (static_cast<int64_t>(header.signals.size()) < signals) {
      absl::Status status = ParseSignalLine(Line(stripped, number), &header);
      if (!status.ok()) return status;
    }
  }
  if (signals < 0) {
    return absl::InvalidArgumentError(
        "it is empty; a WFDB header begins with a line such as \"record 1 4000 50860\"");
  }
  if (static_cast<int64_t>(header.signals.size()) < signals) {
    return absl::InvalidArgumentError(
        absl::StrCat("it promises ", signals, " signals and describes ", header.signals.size()));
  }
  int64_t frame_samples = 0;
  for (const Signal& signal : header.signals) {
    frame_samples += signal.samples_per_frame;
    if (header.frame_rate_hz * signal.samples_per_frame > kMaxRateHz) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", signal.description, "\" has ", signal.samples_per_frame,
                       " samples a frame: faster than ", kMaxRateHz, " Hz"));
    }
  }
  if (frame_samples > kMaxFrameSamples) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a frame has ", frame_samples, " samples; at most ", kMaxFrameSamples, " are read"));
  }
  return header;
}

}  // namespace remora::agent::wfdb
