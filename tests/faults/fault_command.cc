#include "tests/faults/fault_command.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"
#include "tests/faults/limits.h"

namespace remora::testing {
namespace {

using Action = FaultCommand::Action;

// Words, with "64kbit/s" and "5s" taken apart.
class Words {
 public:
  explicit Words(absl::string_view text) {
    for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipWhitespace())) {
      const size_t digits = word.find_first_not_of("0123456789.");
      if (digits != absl::string_view::npos && digits > 0) {
        words_.emplace_back(word.substr(0, digits));
        words_.emplace_back(word.substr(digits));
      } else {
        words_.emplace_back(word);
      }
    }
  }
  bool empty() const { return next_ == words_.size(); }
  std::string Take() { return empty() ? "" : words_[next_++]; }
  // Takes the next word if it is this one.
  bool TakeIf(absl::string_view word) {
    if (empty() || words_[next_] != word) return false;
    ++next_;
    return true;
  }

 private:
  std::vector<std::string> words_;
  size_t next_ = 0;
};

absl::StatusOr<double> Quantity(Words& words, const std::map<std::string, double>& units) {
  const std::string number = words.Take();
  const std::string unit = words.Take();
  double value = 0;
  const auto known = units.find(unit);
  if (!absl::SimpleAtod(number, &value) || !(value >= 0 && value <= 1e9) || known == units.end()) {
    std::string names;
    for (const auto& [name, factor] : units)
      absl::StrAppend(&names, names.empty() ? "" : ", ", name);
    return absl::InvalidArgumentError(
        absl::StrCat("'", number, " ", unit, "': a number and one of ", names));
  }
  return value * known->second;
}

absl::StatusOr<Duration> Time(Words& words) {
  ASSIGN_OR_RETURN(const double seconds,
                   Quantity(words, {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}}));
  return Duration::FromSeconds(seconds);
}

absl::Status TakeValue(Words& words, FaultCommand* command) {
  switch (command->action) {
    case Action::kDelay:
    case Action::kJitter: {
      ASSIGN_OR_RETURN(command->time, Time(words));
      return absl::OkStatus();
    }
    case Action::kRate: {
      if (words.TakeIf("none")) return absl::OkStatus();
      ASSIGN_OR_RETURN(const double rate,
                       Quantity(words, {{"bit/s", 1}, {"kbit/s", 1e3}, {"Mbit/s", 1e6}}));
      if (rate < 1) return absl::InvalidArgumentError("a rate of nothing: stall, or rate none");
      command->number = static_cast<uint64_t>(rate);
      return absl::OkStatus();
    }
    case Action::kBuffer:
    case Action::kBucket: {
      ASSIGN_OR_RETURN(const double bytes,
                       Quantity(words, {{"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}}));
      command->number = static_cast<uint64_t>(bytes);
      if (command->action == Action::kBuffer && command->number < kPacketBytes) {
        return absl::InvalidArgumentError(
            absl::StrCat("a buffer holds a packet: ", kPacketBytes, " B"));
      }
      return absl::OkStatus();
    }
    case Action::kCut:
    case Action::kDrop:
      if (words.TakeIf("fin")) command->reset = false;
      words.TakeIf("rst");
      return absl::OkStatus();
    default:
      return absl::OkStatus();
  }
}

bool HasDirection(Action action) {
  return action <= Action::kBucket || action == Action::kStall || action == Action::kSwallow;
}

absl::StatusOr<FaultCommand> ParseCommand(Words& words) {
  static const auto& actions = *new std::map<std::string, Action>{
      {"delay", Action::kDelay},     {"jitter", Action::kJitter},   {"rate", Action::kRate},
      {"buffer", Action::kBuffer},   {"bucket", Action::kBucket},   {"cut", Action::kCut},
      {"drop", Action::kDrop},       {"refuse", Action::kRefuse},   {"stall", Action::kStall},
      {"swallow", Action::kSwallow}, {"reorder", Action::kReorder}, {"pass", Action::kPass},
      {"reset", Action::kReset}};
  FaultCommand command;
  if (words.TakeIf("on")) command.link = words.Take();
  const std::string name = words.Take();
  const auto known = actions.find(name);
  if (known == actions.end()) {
    std::string names;
    for (const auto& [word, action] : actions)
      absl::StrAppend(&names, names.empty() ? "" : ", ", word);
    return absl::InvalidArgumentError(absl::StrCat("'", name, "' is none of ", names));
  }
  command.action = known->second;
  RETURN_IF_ERROR(TakeValue(words, &command));
  if (HasDirection(command.action)) {
    if (words.TakeIf("up")) {
      command.down = false;
    } else if (words.TakeIf("down")) {
      command.up = false;
    }
  }
  if (words.TakeIf("for")) {
    ASSIGN_OR_RETURN(command.lasts, Time(words));
    if (command.action >= Action::kReorder || command.action == Action::kDrop) {
      return absl::InvalidArgumentError(absl::StrCat("'", name, "' does not last"));
    }
  }
  if (!words.empty())
    return absl::InvalidArgumentError(absl::StrCat("after that: '", words.Take(), "'"));
  return command;
}

}  // namespace

void FaultCommand::ApplyTo(LinkShape* shape) const {
  switch (action) {
    case Action::kDelay:
      shape->delay = time;
      break;
    case Action::kJitter:
      shape->jitter = time;
      break;
    case Action::kRate:
      shape->rate_bits_per_second = number;
      break;
    case Action::kBuffer:
      shape->buffer_bytes = number;
      break;
    case Action::kBucket:
      shape->bucket_bytes = number;
      break;
    default:
      break;
  }
}

FaultCommand FaultCommand::Restoring(const LinkShape& shape) const {
  FaultCommand command = *this;
  command.time = action == Action::kDelay ? shape.delay : shape.jitter;
  command.number = action == Action::kRate     ? shape.rate_bits_per_second
                   : action == Action::kBuffer ? shape.buffer_bytes
                                               : shape.bucket_bytes;
  return command;
}

absl::StatusOr<FaultCommand> ParseFaultCommand(absl::string_view text) {
  Words words(text);
  return ParseCommand(words);
}

absl::StatusOr<std::vector<FaultStatement>> ParseFaultScript(absl::string_view text) {
  std::vector<FaultStatement> script;
  for (const absl::string_view line : absl::StrSplit(text, absl::ByAnyChar("\n;"))) {
    Words words(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    FaultStatement statement;
    absl::Status status = absl::InvalidArgumentError("it begins with at TIME");
    if (words.TakeIf("at")) {
      absl::StatusOr<Duration> at = Time(words);
      status = at.status();
      if (at.ok()) {
        statement.at = *at;
        absl::StatusOr<FaultCommand> command = ParseCommand(words);
        status = command.status();
        if (command.ok()) statement.command = *std::move(command);
      }
    }
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", absl::StripAsciiWhitespace(line), "': ", status.message()));
    }
    if (script.size() == kMaxStatements) return absl::ResourceExhaustedError("too many statements");
    script.push_back(std::move(statement));
  }
  std::stable_sort(script.begin(), script.end(),
                   [](const auto& a, const auto& b) { return a.at < b.at; });
  return script;
}

}  // namespace remora::testing
