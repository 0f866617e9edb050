#include "acquisition-agent/sources/open.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/edf/edf_source.h"
#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/simulator_source.h"
#include "acquisition-agent/sources/simulator/word_reader.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent {
namespace {

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

struct Address {
  std::string target;
  std::map<std::string, std::string> options;
};

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
      return absl::InvalidArgumentError(absl::StrCat("option ", pair.first, " is given twice"));
    }
  }
  return address;
}

// Takes options by name; what nobody took is an error.
class OptionReader {
 public:
  explicit OptionReader(const std::map<std::string, std::string>& options) : left_(options) {}

  void Take(const std::string& name, const std::function<absl::Status(const std::string&)>& use) {
    known_.push_back(name);
    const auto it = left_.find(name);
    if (it == left_.end()) return;
    const absl::Status status = use(it->second);
    if (status_.ok() && !status.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat("option ", name, ": ", status.message()));
    }
    left_.erase(it);
  }

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

  absl::Status Finish() const {
    if (!status_.ok() || left_.empty()) return status_;
    const std::string name = CleanText(left_.begin()->first);
    return absl::InvalidArgumentError(absl::StrCat("there is no option \"", name, "\"",
                                                   sim::DidYouMean(name, known_),
                                                   "; there are: ", absl::StrJoin(known_, ", ")));
  }

 private:
  std::map<std::string, std::string> left_;
  std::vector<std::string> known_;
  absl::Status status_;
};

absl::Status ParseTriggers(absl::string_view text, edf::TriggerOptions* options) {
  using From = edf::TriggerOptions::From;
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

absl::Status ParseCodes(absl::string_view text, edf::TriggerOptions* options) {
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

absl::StatusOr<std::unique_ptr<SignalSource>> OpenEdf(const Address& address) {
  edf::EdfOptions options;
  OptionReader reader(address.options);
  reader.Take("triggers",
              [&](const std::string& text) { return ParseTriggers(text, &options.triggers); });
  reader.Take("codes",
              [&](const std::string& text) { return ParseCodes(text, &options.triggers); });
  reader.TakeNumber<double>("threshold", -1e9, 1e9,
                            [&](double value) { options.triggers.threshold = value; });
  reader.TakeNumber<int32_t>("block_ms", 1, 10'000,
                             [&](int32_t value) { options.max_block_ms = value; });
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  if (address.target.empty()) return absl::InvalidArgumentError("no file; write edf:PATH");
  absl::StatusOr<std::unique_ptr<ByteReader>> file = OpenFileByteReader(address.target);
  if (!file.ok()) return file.status();
  return edf::EdfSource::Open(*std::move(file), address.target, options);
}

absl::StatusOr<sim::Scenario> LoadScenario(const std::string& target) {
  if (target.empty()) return sim::ParseScenario(sim::ShippedScenario("quiet"), "quiet.scenario");
  if (absl::EndsWith(target, ".scenario")) {
    absl::StatusOr<std::unique_ptr<ByteReader>> file = OpenFileByteReader(target);
    if (!file.ok()) return file.status();
    if ((*file)->size_bytes() > static_cast<uint64_t>(sim::kMaxScenarioBytes)) {
      return absl::InvalidArgumentError(absl::StrCat(target, " has ", (*file)->size_bytes(),
                                                     " bytes; a scenario has at most ",
                                                     sim::kMaxScenarioBytes));
    }
    std::string text((*file)->size_bytes(), '\0');
    absl::Status status = (*file)->ReadAt(
        0, std::span<uint8_t>(reinterpret_cast<uint8_t*>(text.data()), text.size()));
    if (!status.ok()) return status;
    return sim::ParseScenario(text, target);
  }
  const absl::string_view text = sim::ShippedScenario(target);
  if (text.empty()) {
    const std::vector<std::string> names = sim::ShippedScenarioNames();
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no scenario \"", CleanText(target), "\"", sim::DidYouMean(target, names),
        "; there are: ", absl::StrJoin(names, ", "), ", or a file that ends in .scenario"));
  }
  return sim::ParseScenario(text, absl::StrCat(target, ".scenario"));
}

absl::StatusOr<std::unique_ptr<SignalSource>> OpenSimulator(const Address& address) {
  sim::SimulatorOptions options;
  OptionReader reader(address.options);
  reader.TakeNumber<int64_t>("seed", 0, int64_t{1} << 53,
                             [&](int64_t value) { options.seed = static_cast<uint64_t>(value); });
  reader.TakeNumber<double>("rate", sim::kMinSampleRateHz, sim::kMaxSampleRateHz,
                            [&](double value) { options.sample_rate_hz = value; });
  reader.TakeNumber<double>("seconds", 0.1, sim::kMaxTimeS,
                            [&](double value) { options.duration_s = value; });
  reader.TakeNumber<double>("mains_hz", 45, 65, [&](double value) { options.mains_hz = value; });
  reader.TakeNumber<int32_t>("block_ms", 1, 1000, [&](int32_t value) { options.block_ms = value; });
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  absl::StatusOr<sim::Scenario> scenario = LoadScenario(address.target);
  if (!scenario.ok()) return scenario.status();
  options.scenario = *std::move(scenario);
  options.name = absl::StrCat("sim:", address.target.empty() ? "quiet" : address.target);
  return sim::SimulatorSource::Create(std::move(options));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> OpenSource(absl::string_view uri) {
  const std::string shown = CleanText(uri);
  const auto named = [&](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("source \"", shown, "\": ", status.message()));
  };
  absl::string_view rest = uri;
  const bool edf = absl::ConsumePrefix(&rest, "edf:");
  if (!edf && !absl::ConsumePrefix(&rest, "sim:")) {
    return named(absl::InvalidArgumentError(
        "a source is edf:PATH for a recording or sim:NAME for the simulator"));
  }
  absl::StatusOr<Address> address = ParseAddress(rest);
  if (!address.ok()) return named(address.status());
  absl::StatusOr<std::unique_ptr<SignalSource>> source =
      edf ? OpenEdf(*address) : OpenSimulator(*address);
  if (source.ok()) return source;
  // Messages about what is in a file name it themselves.
  const std::string& target = address->target;
  const bool names_file =
      !target.empty() && absl::StartsWith(source.status().message(), target + ":");
  return names_file ? source.status() : named(source.status());
}

}  // namespace remora::agent
