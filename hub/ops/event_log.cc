#include "hub/ops/event_log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace remora::hub {
namespace {

constexpr size_t kMaxValueBytes = 300;

class StringSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StringSink(std::string* text) : text_(text) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    text_->append(line.data(), line.size());
  }
  void flush_() override {}

 private:
  std::string* text_;
};

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// As it is where that is one plain word; otherwise quoted and escaped.
std::string Quoted(absl::string_view value) {
  const std::string cut(value.substr(0, kMaxValueBytes));
  bool plain = !cut.empty();
  for (char c : cut) plain = plain && absl::ascii_isgraph(c) && c != '"' && c != '=' && c != '\\';
  return plain ? cut : absl::StrCat("\"", absl::CEscape(cut), "\"");
}

std::shared_ptr<spdlog::logger> MakeLogger(LogLevel level, spdlog::sink_ptr sink,
                                           const char* pattern) {
  auto logger = std::make_shared<spdlog::logger>("hub", std::move(sink));
  logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  logger->set_level(ToSpdlog(level));
  logger->flush_on(spdlog::level::debug);
  return logger;
}

}  // namespace

absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view text) {
  if (text == "debug") return LogLevel::kDebug;
  if (text == "info") return LogLevel::kInfo;
  if (text == "warning") return LogLevel::kWarning;
  if (text == "error") return LogLevel::kError;
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no log level: use debug, info, warning or error"));
}

EventLog::EventLog(LogLevel level)
    : logger_(MakeLogger(level, std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                         "%Y-%m-%dT%H:%M:%S.%eZ %l %v")) {}
EventLog::EventLog(LogLevel level, std::string* text)
    : logger_(MakeLogger(level, std::make_shared<StringSink>(text), "%l %v")) {}
EventLog::~EventLog() = default;

void EventLog::Write(LogLevel level, absl::string_view event, std::initializer_list<Field> fields) {
  const spdlog::level::level_enum as = ToSpdlog(level);
  if (!logger_->should_log(as)) return;
  std::string line(event);
  for (const auto& [name, value] : fields) absl::StrAppend(&line, " ", name, "=", Quoted(value));
  logger_->log(as, "{}", line);
}

void EventLog::Debug(absl::string_view event, std::initializer_list<Field> fields) {
  Write(LogLevel::kDebug, event, fields);
}
void EventLog::Info(absl::string_view event, std::initializer_list<Field> fields) {
  Write(LogLevel::kInfo, event, fields);
}
void EventLog::Warning(absl::string_view event, std::initializer_list<Field> fields) {
  Write(LogLevel::kWarning, event, fields);
}
void EventLog::Error(absl::string_view event, std::initializer_list<Field> fields) {
  Write(LogLevel::kError, event, fields);
}

}  // namespace remora::hub
