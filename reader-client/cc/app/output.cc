#include "reader-client/cc/app/output.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace remora::reader {
namespace {

using nlohmann::ordered_json;

std::string Cell(const ordered_json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return Printable(value.get<std::string>());
  return value.dump();
}

// Code points, which is what columns are aligned by.
size_t Width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string Dump(const ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

absl::Status Write(std::FILE* out, const std::string& text) {
  errno = 0;
  if (std::fputs(text.c_str(), out) >= 0 && std::fflush(out) == 0) return absl::OkStatus();
  if (errno == EPIPE) return absl::CancelledError("nobody reads the output any more");
  return absl::ResourceExhaustedError(
      absl::StrCat("the output cannot be written: ", std::strerror(errno)));
}

}  // namespace

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
      return kExitUsage;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition:
      return kExitRefused;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitUnavailable;
    case absl::StatusCode::kDataLoss:
      return kExitVerificationFailed;
    case absl::StatusCode::kAborted:
      return kExitNotWhole;
    default:
      return kExitFailure;
  }
}

void Table::AddRow(std::vector<ordered_json> values) { rows_.push_back(std::move(values)); }

std::string Table::ToText(OutputFormat format) const {
  std::string text;
  if (format != OutputFormat::kTable) {
    ordered_json all = ordered_json::array();
    for (const auto& row : rows_) {
      ordered_json object = ordered_json::object();
      for (size_t i = 0; i < columns_.size(); ++i) object[columns_[i]] = row[i];
      if (format == OutputFormat::kNdjson) absl::StrAppend(&text, Dump(object), "\n");
      all.push_back(std::move(object));
    }
    return format == OutputFormat::kJson ? Dump(all, 2) + "\n" : text;
  }
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = Width(columns_[i]);
    for (const auto& row : rows_) width = std::max(width, Width(Cell(row[i])));
    widths.push_back(width);
  }
  const auto append = [&](auto&& cell_of) {
    std::string line;
    for (size_t i = 0; i < columns_.size(); ++i) {
      const std::string cell = cell_of(i);
      absl::StrAppend(&line, cell, std::string(widths[i] - Width(cell) + 2, ' '));
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  };
  append([&](size_t i) { return columns_[i]; });
  for (const auto& row : rows_) append([&](size_t i) { return Cell(row[i]); });
  return text;
}

std::string ObjectToText(const ordered_json& object, OutputFormat format) {
  if (format != OutputFormat::kTable) return Dump(object) + "\n";
  size_t width = 0;
  for (const auto& [name, value] : object.items()) width = std::max(width, Width(name));
  std::string text;
  for (const auto& [name, value] : object.items()) {
    absl::StrAppend(&text, name, std::string(width - Width(name) + 2, ' '), Cell(value), "\n");
  }
  return text;
}

std::string Printable(const std::string& text_untrusted) {
  std::string text = text_untrusted;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = '?';
  }
  // The C1 controls, which some terminals obey, as UTF-8 are 0xc2 0x80-0x9f.
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const auto next = static_cast<unsigned char>(text[i + 1]);
    if (static_cast<unsigned char>(text[i]) == 0xc2 && next < 0xa0) text.replace(i, 2, "?");
  }
  return text;
}

absl::Status PrintLine(const std::string& text) {
  return Write(stdout, text.empty() || text.back() != '\n' ? text + "\n" : text);
}

absl::Status ResultSequence::Add(const std::string& text) {
  const char* before = "";
  if (format_ == OutputFormat::kJson) before = begun_ ? ",\n" : "[\n";
  begun_ = true;
  // In an array, the line ends with the next one's comma or with the bracket.
  const char* after = format_ == OutputFormat::kJson ? "" : "\n";
  return Write(out_, absl::StrCat(before, absl::StripTrailingAsciiWhitespace(text), after));
}

absl::Status ResultSequence::Finish() {
  if (format_ != OutputFormat::kJson) return absl::OkStatus();
  return Write(out_, begun_ ? "\n]\n" : "[]\n");
}

bool IsReaderGone(std::FILE* out) {
  pollfd look{fileno(out), 0, 0};
  return poll(&look, 1, 0) == 1 && (look.revents & POLLERR) != 0;
}

}  // namespace remora::reader
