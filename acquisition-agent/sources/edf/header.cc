#include "acquisition-agent/sources/edf/header.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "acquisition-agent/sources/edf/limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::edf {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;

// A field of the header: its text, where it stands, what it is called.
struct Field {
  absl::string_view text;
  int64_t at_byte = 0;
  std::string name;
};

std::string Quoted(const Field& field) {
  return absl::StrCat(field.name, " at byte ", field.at_byte, " is \"", CleanText(field.text),
                      "\"");
}

absl::Status FieldError(const Field& field, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat(Quoted(field), "; ", wanted));
}

// Spaces pad a field; NUL bytes do in files of careless writers.
absl::string_view Trimmed(absl::string_view text) {
  const auto is_pad = [](char c) { return c == ' ' || c == '\0' || c == '\t'; };
  while (!text.empty() && is_pad(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_pad(text.front())) text.remove_prefix(1);
  return text;
}

// A decimal number as the format allows it, with a decimal comma tolerated.
absl::StatusOr<double> ParseNumber(const Field& field, std::vector<std::string>* notes) {
  std::string text(Trimmed(field.text));
  const bool plausible = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
           absl::string_view("+-.,eE").find(c) != absl::string_view::npos;
  });
  if (std::count(text.begin(), text.end(), ',') == 1 && !absl::StrContains(text, ".")) {
    std::replace(text.begin(), text.end(), ',', '.');
    notes->push_back(absl::StrCat(Quoted(field), ": a decimal comma, read as a point"));
  }
  double value = 0;
  if (!plausible || !absl::SimpleAtod(text, &value) || !std::isfinite(value)) {
    return FieldError(field, "it must be a decimal number such as -3276.8");
  }
  return value;
}

absl::StatusOr<int64_t> ParseInteger(const Field& field, int64_t low, int64_t high,
                                     std::vector<std::string>* notes) {
  const auto wanted = [&] {
    return absl::StrCat("it must be a whole number from ", low, " to ", high);
  };
  absl::StatusOr<double> number = ParseNumber(field, notes);
  if (!number.ok()) return FieldError(field, wanted());
  if (*number != std::floor(*number) || *number < static_cast<double>(low) ||
      *number > static_cast<double>(high)) {
    return FieldError(field, wanted());
  }
  return static_cast<int64_t>(*number);
}

// "dd.mm.yy" or "hh.mm.ss" into three numbers; other separators are tolerated.
std::optional<std::array<int, 3>> ParseTriple(absl::string_view text) {
  const std::vector<absl::string_view> parts =
      absl::StrSplit(Trimmed(text), absl::ByAnyChar(".:/-"));
  if (parts.size() != 3) return std::nullopt;
  std::array<int, 3> out = {};
  for (int i = 0; i < 3; ++i) {
    const absl::string_view part = absl::StripAsciiWhitespace(parts[i]);
    if (part.empty() || part.size() > 2 || !absl::SimpleAtoi(part, &out[i]) || out[i] < 0) {
      return std::nullopt;
    }
  }
  return out;
}

// "Startdate 24-JAN-2020 ..." : EDF+ gives the year there in full.
std::optional<absl::CivilDay> PlusStartDate(absl::string_view recording) {
  const std::vector<absl::string_view> words = absl::StrSplit(recording, ' ', absl::SkipEmpty());
  if (words.size() < 2 || words[0] != "Startdate") return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(words[1], '-');
  constexpr std::array<absl::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                         "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  int day = 0;
  int year = 0;
  if (parts.size() != 3 || parts[2].size() != 4 || !absl::SimpleAtoi(parts[0], &day) ||
      !absl::SimpleAtoi(parts[2], &year)) {
    return std::nullopt;
  }
  for (int month = 1; month <= 12; ++month) {
    if (!absl::EqualsIgnoreCase(parts[1], kMonths[month - 1])) continue;
    const absl::CivilDay date(year, month, day);
    if (date.day() != day || date.month() != month) return std::nullopt;  // normalised: no such day
    return date;
  }
  return std::nullopt;
}

void ParseStart(Header* header) {
  const std::optional<std::array<int, 3>> date = ParseTriple(header->start_date_text);
  const std::optional<std::array<int, 3>> time = ParseTriple(header->start_time_text);
  std::optional<absl::CivilDay> day;
  if (date) {
    const auto [d, m, yy] = *date;
    const absl::CivilDay civil(yy >= 85 ? 1900 + yy : 2000 + yy, m, d);
    if (civil.day() == d && civil.month() == m) day = civil;
  }
  if (header->continuity != Continuity::kPlain) {
    if (const std::optional<absl::CivilDay> plus = PlusStartDate(header->recording)) {
      if (day && *day != *plus && day->year() % 100 == plus->year() % 100) {
        header->notes.push_back(
            absl::StrCat("the start date at byte 168 (", header->start_date_text,
                         ") and the one of EDF+ at byte 88 differ; the latter is taken"));
      }
      day = plus;
    }
  }
  const bool time_fits = time && (*time)[0] < 24 && (*time)[1] < 60 && (*time)[2] < 60;
  if (!day || !time_fits) {
    header->notes.push_back(
        absl::StrCat("the start date \"", header->start_date_text, "\" at byte 168 or time \"",
                     header->start_time_text,
                     "\" at byte 176 is not dd.mm.yy and hh.mm.ss; the start is unknown"));
    return;
  }
  header->start_local =
      absl::CivilSecond(day->year(), day->month(), day->day(), (*time)[0], (*time)[1], (*time)[2]);
}

absl::Status ParseVersion(absl::string_view version, Header* header) {
  if (version == absl::string_view("\xFF"
                                   "BIOSEMI",
                                   8)) {
    header->format = Format::kBdf;
    return absl::OkStatus();
  }
  if (Trimmed(version) == "0") {
    header->format = Format::kEdf;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the first 8 bytes are \"", CleanText(version),
                   "\"; an EDF recording begins with \"0\" and 7 spaces, a BDF recording with byte "
                   "255 and \"BIOSEMI\""));
}

void ParseReserved(Header* header) {
  const absl::string_view text = header->reserved;
  if (absl::StartsWith(text, "EDF+C") || absl::StartsWith(text, "BDF+C")) {
    header->continuity = Continuity::kContinuous;
  } else if (absl::StartsWith(text, "EDF+D") || absl::StartsWith(text, "BDF+D")) {
    header->continuity = Continuity::kDiscontinuous;
  } else if (!text.empty() && text != "24BIT") {
    header->notes.push_back(
        absl::StrCat("the reserved field at byte 192 is \"", text,
                     "\", which is no known variant; read as a plain recording"));
  }
}

// The bytes of the header as fields. `bytes` holds all of it.
class FieldReader {
 public:
  FieldReader(absl::string_view bytes, int signals) : bytes_(bytes), signals_(signals) {}

  Field Fixed(int64_t at, int64_t length, std::string name) const {
    return {bytes_.substr(at, length), at, std::move(name)};
  }
  // Field of signal `i` in the column that begins `column` bytes into a signal's 256 and is
  // `length` wide: the format stores all labels, then all transducers, and so on.
  Field OfSignal(int i, int64_t column, int64_t length, absl::string_view name) const {
    const int64_t at = kFixedHeaderBytes + column * signals_ + length * i;
    return {bytes_.substr(at, length), at, absl::StrCat(name, " of signal ", i + 1)};
  }

 private:
  absl::string_view bytes_;
  int signals_;
};

absl::Status ParseDigitalRange(const FieldReader& fields, int i, const Header& header,
                               Signal* signal, std::vector<std::string>* notes) {
  const int64_t limit = header.format == Format::kEdf ? int64_t{1} << 15 : int64_t{1} << 23;
  const Field low = fields.OfSignal(i, 120, 8, "the digital minimum");
  const Field high = fields.OfSignal(i, 128, 8, "the digital maximum");
  absl::StatusOr<int64_t> min = ParseInteger(low, -limit, limit - 1, notes);
  if (!min.ok()) return min.status();
  absl::StatusOr<int64_t> max = ParseInteger(high, -limit, limit - 1, notes);
  if (!max.ok()) return max.status();
  signal->digital_min = static_cast<int32_t>(*min);
  signal->digital_max = static_cast<int32_t>(*max);
  if (*min >= *max) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(low), ", the maximum is ", *max, "; the minimum must be smaller"));
  }
  return absl::OkStatus();
}

absl::Status ParsePhysicalRange(const FieldReader& fields, int i, Signal* signal,
                                std::vector<std::string>* notes) {
  const Field low = fields.OfSignal(i, 104, 8, "the physical minimum");
  absl::StatusOr<double> min = ParseNumber(low, notes);
  if (!min.ok()) return min.status();
  absl::StatusOr<double> max =
      ParseNumber(fields.OfSignal(i, 112, 8, "the physical maximum"), notes);
  if (!max.ok()) return max.status();
  signal->physical_min = *min;
  signal->physical_max = *max;
  if (*min == *max) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(low), ", as is the maximum; they must differ"));
  }
  if (!std::isfinite(*max - *min) || signal->gain() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(low), "; the range up to ", *max, " cannot be scaled"));
  }
  return absl::OkStatus();
}

absl::Status ParseSignal(const FieldReader& fields, int i, Header* header, Signal* signal) {
  signal->label = CleanText(fields.OfSignal(i, 0, 16, "the label").text);
  signal->transducer = CleanText(fields.OfSignal(i, 16, 80, "the transducer").text);
  signal->dimension = CleanText(fields.OfSignal(i, 96, 8, "the dimension").text);
  signal->prefilter = CleanText(fields.OfSignal(i, 136, 80, "the prefilter").text);
  const absl::string_view annotations =
      header->format == Format::kEdf ? "EDF Annotations" : "BDF Annotations";
  signal->is_annotations = signal->label == annotations;
  if (signal->is_annotations && header->continuity == Continuity::kPlain) {
    header->notes.push_back(
        absl::StrCat("signal ", i + 1, " is \"", annotations,
                     "\" though byte 192 does not say EDF+; read as annotations"));
  }

  const Field count = fields.OfSignal(i, 216, 8, "the number of samples per record");
  absl::StatusOr<int64_t> samples =
      ParseInteger(count, 0, kMaxRecordBytes / header->bytes_per_sample(), &header->notes);
  if (!samples.ok()) return samples.status();
  signal->samples_per_record = static_cast<int32_t>(*samples);
  if (signal->is_annotations) return absl::OkStatus();  // their ranges mean nothing

  const absl::Status has_samples =
      *samples > 0 ? absl::OkStatus() : FieldError(count, "it has no samples to read");
  for (const absl::Status& status :
       {has_samples, ParseDigitalRange(fields, i, *header, signal, &header->notes),
        ParsePhysicalRange(fields, i, signal, &header->notes)}) {
    if (status.ok() || !signal->problem.empty()) continue;
    signal->problem = std::string(status.message());
    header->notes.push_back(
        absl::StrCat("channel \"", signal->label, "\" is left out: ", signal->problem));
  }
  return absl::OkStatus();
}

absl::Status ParseSignals(const FieldReader& fields, int signals, Header* header) {
  for (int i = 0; i < signals; ++i) {
    Signal signal;
    if (absl::Status status = ParseSignal(fields, i, header, &signal); !status.ok()) return status;
    signal.record_offset_bytes = header->record_bytes;
    header->record_bytes += int64_t{signal.samples_per_record} * header->bytes_per_sample();
    if (header->record_bytes > kMaxRecordBytes) {
      return FieldError(fields.OfSignal(i, 216, 8, "the number of samples per record"),
                        absl::StrCat("with it a record is more than ", kMaxRecordBytes, " bytes"));
    }
    const bool has_samples = !signal.is_annotations && signal.problem.empty();
    if (has_samples && header->record_duration_ns == 0) {
      return FieldError(
          fields.Fixed(244, 8, "the record duration"),
          absl::StrCat("it can be 0 only where all signals are annotations; \"", signal.label,
                       "\" has ", signal.samples_per_record, " samples a record"));
    }
    if (has_samples && signal.samples_per_record > header->record_duration_ns) {
      return FieldError(fields.OfSignal(i, 216, 8, "the number of samples per record"),
                        "that is more than 1 sample a nanosecond");
    }
    header->signals.push_back(std::move(signal));
  }
  if (header->record_bytes == 0) {
    return absl::InvalidArgumentError(
        "no signal has any samples (the last number of each signal's header)");
  }
  return absl::OkStatus();
}

// What the file's size says about the records.
absl::Status CountRecords(uint64_t file_bytes, Header* header) {
  const int64_t body_bytes = static_cast<int64_t>(file_bytes) - header->header_bytes;
  const int64_t whole = body_bytes / header->record_bytes;
  const int64_t rest = body_bytes % header->record_bytes;
  header->records = whole;
  header->partial_record_bytes = rest;
  const int64_t declared = header->declared_records;
  if (declared < 0) {
    header->notes.push_back(absl::StrCat(
        "the number of records at byte 236 is -1 (the recorder did not close the file); ",
        "its size makes it ", whole));
  } else if (whole < declared) {
    header->notes.push_back(
        absl::StrCat("the header promises ", declared, " records, the file holds ", whole));
  } else if (whole > declared || rest > 0) {
    header->records = declared;
    header->partial_record_bytes = 0;
    header->notes.push_back(
        absl::StrCat("after the ", declared, " records of the header there are ",
                     body_bytes - declared * header->record_bytes, " more bytes; not read"));
  }
  if (whole < declared || declared < 0) {
    if (rest > 0) {
      header->notes.push_back(absl::StrCat("the last record is cut off: ", rest, " of ",
                                           header->record_bytes, " bytes"));
    }
  }
  const int64_t claimed = std::max(header->records, declared) + 1;
  if (header->record_duration_ns > 0 && claimed > kMaxRecordingNs / header->record_duration_ns) {
    return absl::InvalidArgumentError(absl::StrCat(
        claimed - 1, " records (byte 236) of ", header->record_duration_ns / 1e9,
        " s (byte 244) are more than ", kMaxRecordingNs / kNsPerSecond / 86'400, " days"));
  }
  return absl::OkStatus();
}

absl::Status ParseFixed(const FieldReader& fields, Header* header) {
  header->patient = CleanText(fields.Fixed(8, 80, "").text);
  header->recording = CleanText(fields.Fixed(88, 80, "").text);
  header->start_date_text = CleanText(fields.Fixed(168, 8, "").text);
  header->start_time_text = CleanText(fields.Fixed(176, 8, "").text);
  header->reserved = CleanText(fields.Fixed(192, 44, "").text);
  ParseReserved(header);
  ParseStart(header);

  absl::StatusOr<int64_t> records =
      ParseInteger(fields.Fixed(236, 8, "the number of records"), -1, 99'999'999, &header->notes);
  if (!records.ok()) return records.status();
  header->declared_records = *records;

  const Field duration_field = fields.Fixed(244, 8, "the record duration");
  absl::StatusOr<double> duration_s = ParseNumber(duration_field, &header->notes);
  if (!duration_s.ok()) return duration_s.status();
  if (*duration_s < 0 || *duration_s > 99'999'999 || (*duration_s > 0 && *duration_s < 1e-6)) {
    return FieldError(duration_field, "it must be 0, or seconds from 0.000001 to 99999999");
  }
  header->record_duration_ns = std::llround(*duration_s * 1e9);
  return absl::OkStatus();
}

// Notes repeat in a file that is odd throughout.
void TrimNotes(std::vector<std::string>* notes) {
  if (notes->size() <= kMaxNotes) return;
  const size_t more = notes->size() - kMaxNotes;
  notes->resize(kMaxNotes);
  notes->push_back(absl::StrCat("and ", more, " more remarks on the header"));
}

}  // namespace

absl::StatusOr<Header> ReadHeader(const ByteReader& file) {
  if (file.size_bytes() < kFixedHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the file is ", file.size_bytes(), " bytes; an EDF or BDF header alone has at least 256"));
  }
  std::string bytes(kFixedHeaderBytes, '\0');
  const auto read = [&](uint64_t from) {
    return file.ReadAt(from, std::span<uint8_t>(reinterpret_cast<uint8_t*>(bytes.data()) + from,
                                                bytes.size() - from));
  };
  if (absl::Status status = read(0); !status.ok()) return status;

  Header header;
  const absl::string_view fixed = bytes;
  if (absl::Status status = ParseVersion(fixed.substr(0, 8), &header); !status.ok()) return status;
  const FieldReader fixed_fields(fixed, 0);
  if (absl::Status status = ParseFixed(fixed_fields, &header); !status.ok()) return status;
  absl::StatusOr<int64_t> signals = ParseInteger(
      fixed_fields.Fixed(252, 4, "the number of signals"), 1, kMaxSignals, &header.notes);
  if (!signals.ok()) return signals.status();

  header.header_bytes = kFixedHeaderBytes + *signals * kSignalHeaderBytes;
  const Field length_field = fixed_fields.Fixed(184, 8, "the header length");
  absl::StatusOr<int64_t> length = ParseInteger(length_field, 0, 99'999'999, &header.notes);
  if (!length.ok() || *length != header.header_bytes) {
    return FieldError(
        length_field,
        absl::StrCat("for ", *signals, " signals (byte 252) it must be ", header.header_bytes));
  }
  if (file.size_bytes() < static_cast<uint64_t>(header.header_bytes)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the file ends at byte ", file.size_bytes(), ", inside the header; for ",
                     *signals, " signals that has ", header.header_bytes, " bytes"));
  }
  bytes.resize(static_cast<size_t>(header.header_bytes));
  if (absl::Status status = read(kFixedHeaderBytes); !status.ok()) return status;
  const int count = static_cast<int>(*signals);
  if (absl::Status status = ParseSignals(FieldReader(bytes, count), count, &header); !status.ok())
    return status;
  if (absl::Status status = CountRecords(file.size_bytes(), &header); !status.ok()) return status;
  TrimNotes(&header.notes);
  return header;
}

}  // namespace remora::agent::edf
