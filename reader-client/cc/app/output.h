#pragma once

// What the command line prints, and how it ends. Results go to standard output in one of three
// forms; everything for people only goes to standard error.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "reader-client/cc/sdk/client.h"

namespace remora::reader {

enum class OutputFormat { kTable, kJson, kNdjson };

// Part of the contract with scripts.
enum ExitCode {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 2,
  kExitRefused = 3,
  kExitNotFound = 4,
  kExitUnavailable = 5,
  kExitVerificationFailed = 6,
  kExitNotWhole = 7,
};
ExitCode ExitCodeOf(const absl::Status& status);

// What every command gets.
struct Context {
  ClientOptions client;
  OutputFormat output = OutputFormat::kTable;
  Duration timeout = Duration::Seconds(10);
};

// Rows of one table. Prints as aligned columns; as one JSON array of objects; or as an object a
// line.
class Table {
 public:
  explicit Table(std::vector<std::string> columns) : columns_(std::move(columns)) {}
  // As many values as columns; strings, numbers or null.
  void AddRow(std::vector<nlohmann::ordered_json> values);
  std::string ToText(OutputFormat format) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::vector<nlohmann::ordered_json>> rows_;
};

// One result as an object: "name  value" lines, or JSON.
std::string ObjectToText(const nlohmann::ordered_json& object, OutputFormat format);

// Text from records on a terminal: control characters, which could move the cursor or change the
// title, become '?'.
std::string Printable(const std::string& text_untrusted);

// Prints to standard output, with a line end. ResourceExhausted: it could not be written.
absl::Status PrintLine(const std::string& text);

// Results that come one by one. JSON is one document all the same: an array, closed by Finish.
class ResultSequence {
 public:
  // `out` outlives it.
  ResultSequence(std::FILE* out, OutputFormat format) : out_(out), format_(format) {}
  // Cancelled: nobody reads any more (a closed pipe): end quietly. ResourceExhausted: the output
  // cannot be written. `text` is a JSON value unless the format is a table.
  absl::Status Add(const std::string& text);
  absl::Status Finish();

 private:
  std::FILE* const out_;
  const OutputFormat format_;
  bool begun_ = false;
};

// Whether `out` is a pipe that nobody reads any more: found without writing to it.
bool IsReaderGone(std::FILE* out);

}  // namespace remora::reader
