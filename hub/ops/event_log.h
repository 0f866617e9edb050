#pragma once

// The hub's log: one line an event, to standard error, for a person or journald.
//
//   2026-11-21T22:51:12.123Z info started grpc=127.0.0.1:7443 http=127.0.0.1:8080
//
// Who a participant is, what a message says, and tokens never go in here. Values are escaped, so
// that no input can forge a line or reach a terminal. Thread-safe.

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace spdlog {
class logger;
}

namespace remora::hub {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
// "debug", "info", "warning", "error". InvalidArgument.
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text);

class EventLog {
 public:
  using Field = std::pair<absl::string_view, std::string>;

  // To standard error.
  explicit EventLog(LogLevel level);
  // To `text`, for tests: lines without their time.
  EventLog(LogLevel level, std::string* text);
  ~EventLog();

  void Debug(absl::string_view event, std::initializer_list<Field> fields = {});
  void Info(absl::string_view event, std::initializer_list<Field> fields = {});
  void Warning(absl::string_view event, std::initializer_list<Field> fields = {});
  void Error(absl::string_view event, std::initializer_list<Field> fields = {});

 private:
  void Write(LogLevel level, absl::string_view event, std::initializer_list<Field> fields);
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace remora::hub
