// The address of a source taken apart, "SCHEME:TARGET?option&option", and its options read by name.
// Used by open.cc alone; pure, thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

#include "acquisition-agent/sources/playback.h"
#include "acquisition-agent/sources/read_options.h"
#include "acquisition-agent/sources/text.h"
#include "acquisition-agent/sources/triggers.h"

namespace remora::agent {

struct Address {
  std::string target;  // "%3F" is "?" again
  std::map<std::string, std::string> options;
};

// What follows the scheme.
//   kInvalidArgument  a "%" that escapes nothing, an option given twice
absl::StatusOr<Address> ParseAddress(absl::string_view text);

// Takes options by name; what nobody took is an error.
class OptionReader {
 public:
  explicit OptionReader(const std::map<std::string, std::string>& options) : left_(options) {}

  void Take(const std::string& name, const std::function<absl::Status(const std::string&)>& use);

  template <typename T>
  void TakeNumber(const std::string& name, T low, T high, const std::function<void(T)>& use) {
    Take(name, [&](const std::string& text) -> absl::Status {
      double value = 0;
      if (!absl::SimpleAtod(text, &value) || !(value >= low && value <= high) ||
          (std::is_integral_v<T> && value != static_cast<double>(static_cast<int64_t>(value)))) {
        return absl::InvalidArgumentError(absl::StrCat("\"", CleanText(text), "\" must be a ",
                                                       std::is_integral_v<T> ? "whole " : "",
                                                       "number from ", low, " to ", high));
      }
      use(static_cast<T>(value));
      return absl::OkStatus();
    });
  }

  void TakeText(const std::string& name, std::string* text);
  // "90s", "1m30s", "1.5h", or a number of seconds; from 0 to ten years.
  void TakeTime(const std::string& name, const std::function<void(int64_t ns)>& use);

  // The first thing that was wrong.
  absl::Status Finish() const;

 private:
  std::map<std::string, std::string> left_;
  std::vector<std::string> known_;
  absl::Status status_;
};

// The options that every recording has: triggers, codes, threshold, block_ms, from, to, loop.
struct RecordingOptions {
  ReadOptions read;
  PlaybackOptions playback;
};
void TakeRecordingOptions(OptionReader* reader, RecordingOptions* options);
// "codes=1:MED R,2:TIB L" alone.
void TakeCodeOption(OptionReader* reader, TriggerOptions* options);
// Of them, triggers, codes and threshold.
void TakeTriggerOptions(OptionReader* reader, TriggerOptions* options);

}  // namespace remora::agent
