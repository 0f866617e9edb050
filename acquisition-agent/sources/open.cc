#include "acquisition-agent/sources/open.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "acquisition-agent/sources/address.h"
#include "acquisition-agent/sources/brainvision/brainvision_source.h"
#include "acquisition-agent/sources/byte_reader.h"
#include "acquisition-agent/sources/edf/edf_source.h"
#include "acquisition-agent/sources/feed/feed_source.h"
#include "acquisition-agent/sources/feed/open_feed.h"
#include "acquisition-agent/sources/lsl/lsl_source.h"
#include "acquisition-agent/sources/playback.h"
#include "acquisition-agent/sources/simulator/limits.h"
#include "acquisition-agent/sources/simulator/scenario.h"
#include "acquisition-agent/sources/simulator/simulator_source.h"
#include "acquisition-agent/sources/simulator/word_reader.h"
#include "acquisition-agent/sources/text.h"
#include "acquisition-agent/sources/wfdb/wfdb_source.h"
#include "common/clock.h"
#include "common/file_system.h"

namespace remora::agent {
namespace {

using Source = absl::StatusOr<std::unique_ptr<SignalSource>>;

// A recording of any format: `open_file` reads it once its file is open.
Source OpenRecordingFile(const Address& address, const RecordingOptions& options,
                         absl::string_view example,
                         const std::function<Source(std::unique_ptr<ByteReader> file)>& open_file) {
  if (address.target.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no file; write ", example));
  }
  return PlaybackSource::Open(
      [path = address.target, open_file]() -> Source {
        absl::StatusOr<std::unique_ptr<ByteReader>> file = OpenFileByteReader(path);
        if (!file.ok()) return file.status();
        return open_file(*std::move(file));
      },
      options.playback);
}

Source OpenEdf(const Address& address) {
  RecordingOptions options;
  OptionReader reader(address.options);
  TakeRecordingOptions(&reader, &options);
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  return OpenRecordingFile(
      address, options, "edf:PATH",
      [path = address.target, read = options.read](std::unique_ptr<ByteReader> file) -> Source {
        return edf::EdfSource::Open(std::move(file), path, read);
      });
}

Source OpenBrainVision(const Address& address) {
  RecordingOptions options;
  options.read.triggers.annotation_prefix = brainvision::kStimulusPrefix;
  OptionReader reader(address.options);
  TakeRecordingOptions(&reader, &options);
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  return OpenRecordingFile(
      address, options, "brainvision:PATH.vhdr",
      [path = address.target, read = options.read](std::unique_ptr<ByteReader> file) -> Source {
        return brainvision::OpenBrainVision(*file, FilesBeside(path), path, read);
      });
}

Source OpenWfdb(const Address& address) {
  RecordingOptions options;
  std::string annotator;
  OptionReader reader(address.options);
  TakeRecordingOptions(&reader, &options);
  reader.TakeText("annotator", &annotator);
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  wfdb::WfdbOptions wfdb_options;
  wfdb_options.read = options.read;
  if (!annotator.empty()) wfdb_options.annotator = annotator;
  return OpenRecordingFile(
      address, options, "wfdb:PATH.hea",
      [path = address.target, wfdb_options](std::unique_ptr<ByteReader> file) -> Source {
        return wfdb::OpenWfdb(*file, FilesBeside(path), path, wfdb_options);
      });
}

Source OpenLsl(const Address& address) {
  lsl::LslOptions options;
  std::string library;
  OptionReader reader(address.options);
  reader.TakeText("type", &options.type);
  TakeTriggerOptions(&reader, &options.triggers);
  reader.TakeTime("wait", [&](int64_t ns) { options.wait_s = static_cast<double>(ns) / 1e9; });
  reader.TakeNumber<int32_t>("hold_ms", 0, 10'000, [&](int32_t value) { options.hold_ms = value; });
  reader.TakeNumber<int32_t>("gap_ms", 1, 10'000, [&](int32_t value) { options.gap_ms = value; });
  reader.TakeText("library", &library);
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  if (address.target.empty() && options.type.empty()) {
    return absl::InvalidArgumentError("no stream; write lsl:NAME, or lsl:?type=EEG");
  }
  options.names = absl::StrSplit(address.target, ',', absl::SkipEmpty());
  absl::StatusOr<lsl::LslApi> api =
      lsl::LoadLsl(library.empty() ? lsl::LibraryNames() : std::vector<std::string>{library});
  if (!api.ok()) return api.status();
  return lsl::LslSource::Open(*std::move(api), absl::StrCat("lsl:", address.target), options,
                              *MakeSystemClock());
}

absl::StatusOr<sim::Scenario> LoadScenario(const std::string& target) {
  if (target.empty()) return sim::ParseScenario(sim::ShippedScenario("quiet"), "quiet.scenario");
  if (absl::EndsWith(target, ".scenario")) {
    absl::StatusOr<std::unique_ptr<ByteReader>> file = OpenFileByteReader(target);
    if (!file.ok()) return file.status();
    absl::StatusOr<std::string> text = ReadWhole(**file, sim::kMaxScenarioBytes, target);
    if (!text.ok()) return absl::InvalidArgumentError(text.status().message());
    return sim::ParseScenario(*text, target);
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

Source OpenSimulator(const Address& address) {
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

Source OpenFeed(const Address& address) {
  feed::FeedPlace place;
  feed::FeedOptions options;
  options.name = absl::StrCat("feed:", address.target);
  place.endpoints = address.target;
  const auto file_to = [](std::string* to) {
    return [to](const std::string& text) {
      *to = text;
      return text.empty() ? absl::InvalidArgumentError("needs a FILE") : absl::OkStatus();
    };
  };
  OptionReader reader(address.options);
  reader.Take("key", file_to(&place.key_file));
  reader.Take("server_key", file_to(&place.server_key_files));
  TriggerOptions triggers;
  TakeCodeOption(&reader, &triggers);
  reader.TakeNumber<double>("wait_s", 0.1, feed::kMaxOpenWaitS,
                            [&](double value) { options.wait = Duration::FromSeconds(value); });
  reader.TakeNumber<double>("seconds", 0.1, sim::kMaxTimeS,
                            [&](double value) { options.run_for = Duration::FromSeconds(value); });
  if (absl::Status status = reader.Finish(); !status.ok()) return status;
  options.code_labels = std::move(triggers.code_labels);
  const std::unique_ptr<FileSystem> files = MakePosixFileSystem();
  const std::shared_ptr<const Clock> clock = MakeSystemClock();
  absl::StatusOr<std::unique_ptr<feed::Transport>> transport =
      feed::OpenFeedTransport(*files, place, clock);
  if (!transport.ok()) return transport.status();
  return feed::FeedSource::Open(*std::move(transport), clock, options);
}

struct Scheme {
  absl::string_view prefix;
  Source (*open)(const Address& address);
};
constexpr std::array<Scheme, 6> kSchemes = {{{"edf:", OpenEdf},
                                             {"brainvision:", OpenBrainVision},
                                             {"wfdb:", OpenWfdb},
                                             {"lsl:", OpenLsl},
                                             {"feed:", OpenFeed},
                                             {"sim:", OpenSimulator}}};

}  // namespace

absl::StatusOr<std::unique_ptr<SignalSource>> OpenSource(absl::string_view uri) {
  const std::string shown = CleanText(uri);
  const auto named = [&](const absl::Status& status) {
    return absl::Status(status.code(), absl::StrCat("source \"", shown, "\": ", status.message()));
  };
  for (const Scheme& scheme : kSchemes) {
    absl::string_view rest = uri;
    if (!absl::ConsumePrefix(&rest, scheme.prefix)) continue;
    absl::StatusOr<Address> address = ParseAddress(rest);
    if (!address.ok()) return named(address.status());
    Source source = scheme.open(*address);
    if (source.ok()) return source;
    // Messages about what is in a file name it themselves.
    const std::string& target = address->target;
    const bool names_file =
        !target.empty() && absl::StartsWith(source.status().message(), target + ":");
    return names_file ? source.status() : named(source.status());
  }
  return named(absl::InvalidArgumentError(
      "a source is edf:PATH, brainvision:PATH.vhdr or wfdb:PATH.hea for a recording, lsl:NAME for "
      "a stream, feed:ENDPOINT for a device, or sim:NAME for the simulator"));
}

}  // namespace remora::agent
