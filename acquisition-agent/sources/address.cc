#include "acquisition-agent/sources/address.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

#include "acquisition-agent/sources/simulator/word_reader.h"

namespace remora::agent {
namespace {

constexpr absl::Duration kLongest = absl::Hours(24 * 3660);

// "%3F" back to "?".
absl::StatusOr<std::string> Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    int value = 0;
    if (i + 2 >= text.size() || !absl::SimpleHexAtoi(text.substr(i + 1, 2), &value) ||
        !absl::ascii_isxdigit(text[i + 1])) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", text.substr(i, 3), "\" is no escaped byte; a percent sign itself is written %25"));
    }
    out.push_back(static_cast<char>(value));
    i += 2;
  }
  return out;
}

absl::Status ParseTriggers(absl::string_view text, TriggerOptions* options) {
  using From = TriggerOptions::From;
  if (text == "auto" || text == "none") {
    options->from = text == "auto" ? From::kAuto : From::kNone;
    return absl::OkStatus();
  }
  const std::pair<absl::string_view, absl::string_view> pair =
      absl::StrSplit(text, absl::MaxSplits(':', 1));
  if (pair.first == "annotations" && !pair.second.empty()) {
    options->from = From::kAnnotations;
    options->annotation_prefix = std::string(pair.second);
    return absl::OkStatus();
  }
  if (pair.first == "channel" && !pair.second.empty()) {
    options->from = From::kChannel;
    options->channel = std::string(pair.second);
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", CleanText(text), "\" must be auto, none, annotations:PREFIX or channel:LABEL"));
}

absl::Status ParseCodes(absl::string_view text, TriggerOptions* options) {
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits(':', 1));
    int32_t code = 0;
    if (!absl::SimpleAtoi(pair.first, &code) || pair.second.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", CleanText(part), "\" must be like 1:MED R"));
    }
    options->code_labels[code] = CleanText(pair.second);
  }
  return absl::OkStatus();
}

absl::Status ParseLoop(const std::string& text, PlaybackOptions* playback) {
  int64_t rounds = 0;
  if (text == "true") {
    playback->rounds = 0;
  } else if (text == "false") {
    playback->rounds = 1;
  } else if (absl::SimpleAtoi(text, &rounds) && rounds >= 1 && rounds <= 1'000'000) {
    playback->rounds = rounds;
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", CleanText(text), "\" must be true, false or a number of rounds from 1 to 1000000"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  const size_t mark = text.find('?');
  absl::StatusOr<std::string> target = Unescape(text.substr(0, mark));
  if (!target.ok()) return target.status();
  address.target = *std::move(target);
  if (mark == absl::string_view::npos) return address;
  for (const absl::string_view part :
       absl::StrSplit(text.substr(mark + 1), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    absl::StatusOr<std::string> value = Unescape(pair.second);
    if (!value.ok()) return value.status();
    if (!address.options.emplace(std::string(pair.first), *std::move(value)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("option ", CleanText(pair.first), " is given twice"));
    }
  }
  return address;
}

void OptionReader::Take(const std::string& name,
                        const std::function<absl::Status(const std::string&)>& use) {
  known_.push_back(name);
  const auto it = left_.find(name);
  if (it == left_.end()) return;
  const absl::Status status = use(it->second);
  if (status_.ok() && !status.ok()) {
    status_ = absl::InvalidArgumentError(absl::StrCat("option ", name, ": ", status.message()));
  }
  left_.erase(it);
}

void OptionReader::TakeText(const std::string& name, std::string* text) {
  Take(name, [&](const std::string& value) {
    *text = value;
    return absl::OkStatus();
  });
}

void OptionReader::TakeTime(const std::string& name, const std::function<void(int64_t ns)>& use) {
  Take(name, [&](const std::string& text) -> absl::Status {
    absl::Duration time;
    double seconds = 0;
    if (absl::SimpleAtod(text, &seconds)) {
      time = absl::Seconds(seconds);
    } else if (!absl::ParseDuration(text, &time)) {
      time = -absl::InfiniteDuration();
    }
    if (!(time >= absl::ZeroDuration() && time <= kLongest)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", CleanText(text), "\" must be a time such as 90s, 1m30s, 1.5h, or seconds"));
    }
    use(absl::ToInt64Nanoseconds(time));
    return absl::OkStatus();
  });
}

absl::Status OptionReader::Finish() const {
  if (!status_.ok() || left_.empty()) return status_;
  const std::string name = CleanText(left_.begin()->first);
  return absl::InvalidArgumentError(absl::StrCat("there is no option \"", name, "\"",
                                                 sim::DidYouMean(name, known_),
                                                 "; there are: ", absl::StrJoin(known_, ", ")));
}

void TakeCodeOption(OptionReader* reader, TriggerOptions* options) {
  reader->Take("codes", [options](const std::string& text) { return ParseCodes(text, options); });
}

void TakeTriggerOptions(OptionReader* reader, TriggerOptions* options) {
  reader->Take("triggers", [&](const std::string& text) { return ParseTriggers(text, options); });
  TakeCodeOption(reader, options);
  reader->TakeNumber<double>("threshold", -1e9, 1e9,
                             [&](double value) { options->threshold = value; });
}

void TakeRecordingOptions(OptionReader* reader, RecordingOptions* options) {
  TakeTriggerOptions(reader, &options->read.triggers);
  reader->TakeNumber<int32_t>("block_ms", 1, 10'000,
                              [&](int32_t value) { options->read.max_block_ms = value; });
  PlaybackOptions& playback = options->playback;
  reader->TakeTime("from", [&](int64_t ns) { playback.from_ns = ns; });
  reader->TakeTime("to", [&](int64_t ns) { playback.to_ns = ns; });
  reader->Take("loop", [&](const std::string& text) { return ParseLoop(text, &playback); });
}

}  // namespace remora::agent
