// The reader against recordings of other makers, whose contents were worked out with independent
// tools
// (../shared/data/edf_bdf_readers, ../shared/data/hybrid_sep_alarm).
#include <sodium.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "acquisition-agent/sources/edf/edf_source.h"
#include "gtest/gtest.h"

namespace remora::agent::edf {
namespace {

using Json = nlohmann::json;

std::filesystem::path DataFolder() {
  if (const char* folder = std::getenv("REMORA_DATA")) return folder;
  const char* source = std::getenv("REMORA_SOURCE_DIR");
  return std::filesystem::path(source != nullptr ? source : ".") / "../shared/data";
}

Json ReadJson(const std::filesystem::path& path) {
  std::ifstream in(path);
  return Json::parse(in, nullptr, /*allow_exceptions=*/false);
}

std::unique_ptr<EdfSource> OpenFile(const std::filesystem::path& path,
                                    const EdfOptions& options = {}) {
  auto file = OpenFileByteReader(path.string());
  EXPECT_TRUE(file.ok()) << file.status();
  if (!file.ok()) return nullptr;
  auto source = EdfSource::Open(*std::move(file), path.filename().string(), options);
  EXPECT_TRUE(source.ok()) << source.status();
  return source.ok() ? *std::move(source) : nullptr;
}

struct Contents {
  std::vector<std::vector<double>> samples;  // by channel
  std::vector<StimulusTrigger> triggers;
  std::vector<SourceEvent> events;
  int gaps = 0;
};

Contents ReadAll(EdfSource* source) {
  Contents out;
  out.samples.resize(source->info().channels.size());
  while (true) {
    absl::StatusOr<Item> item = source->Next();
    EXPECT_TRUE(item.ok()) << item.status();
    if (!item.ok() || std::holds_alternative<EndOfSource>(*item)) return out;
    if (auto* block = std::get_if<SampleBlock>(&*item)) {
      const std::vector<int>& channels = source->info().rate_groups[block->rate_group].channels;
      for (int k = 0; k < static_cast<int>(channels.size()); ++k) {
        std::vector<double>& all = out.samples[channels[k]];
        all.insert(all.end(), block->channel(k).begin(), block->channel(k).end());
      }
    }
    if (auto* trigger = std::get_if<StimulusTrigger>(&*item)) out.triggers.push_back(*trigger);
    if (auto* event = std::get_if<SourceEvent>(&*item)) out.events.push_back(*event);
    if (std::holds_alternative<Gap>(*item)) ++out.gaps;
  }
}

std::string Sha256OfCounts(const ChannelInfo& channel, const std::vector<double>& samples) {
  std::vector<uint8_t> bytes;
  bytes.reserve(samples.size() * 4);
  for (const double sample : samples) {
    const uint32_t count = static_cast<uint32_t>(channel.CountOf(sample));
    for (int b = 0; b < 4; ++b) bytes.push_back(static_cast<uint8_t>(count >> (8 * b)));
  }
  std::array<uint8_t, crypto_hash_sha256_BYTES> digest = {};
  crypto_hash_sha256(digest.data(), bytes.data(), bytes.size());
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<char*>(digest.data()), digest.size()));
}

void ExpectClose(double found, double wanted, double scale, const std::string& what) {
  EXPECT_NEAR(found, wanted, 1e-9 * std::abs(scale) + 6e-10 * std::max(1.0, std::abs(wanted)))
      << what;
}

void CompareSignal(const Json& wanted, const Signal& signal, const ChannelInfo& channel,
                   const std::vector<double>& samples_uv) {
  const std::string label = wanted["label"];
  EXPECT_EQ(channel.original_label, label);
  EXPECT_EQ(signal.dimension, wanted["dim"].get<std::string>()) << label;
  EXPECT_NEAR(channel.sample_rate_hz, wanted["fs_hz"].get<double>(), 1e-9) << label;
  EXPECT_EQ(signal.samples_per_record, wanted["samples_per_record"].get<int>()) << label;
  EXPECT_EQ(signal.physical_min, wanted["pmin"].get<double>()) << label;
  EXPECT_EQ(signal.physical_max, wanted["pmax"].get<double>()) << label;
  EXPECT_EQ(signal.digital_min, wanted["dmin"].get<double>()) << label;
  EXPECT_EQ(signal.digital_max, wanted["dmax"].get<double>()) << label;
  ASSERT_EQ(static_cast<int64_t>(samples_uv.size()), wanted["n"].get<int64_t>()) << label;
  EXPECT_EQ(Sha256OfCounts(channel, samples_uv),
            wanted["digital_sha256_le_int32"].get<std::string>())
      << label;

  const double uv_per_unit = MicrovoltsPer(signal.dimension).value_or(1.0);
  std::vector<double> physical;
  int64_t digital_sum = 0;
  long double sum = 0;
  double low = INFINITY;
  double high = -INFINITY;
  for (const double sample : samples_uv) {
    digital_sum += channel.CountOf(sample);
    physical.push_back(sample / uv_per_unit);
    sum += physical.back();
    low = std::min(low, physical.back());
    high = std::max(high, physical.back());
  }
  const double mean = static_cast<double>(sum / physical.size());
  long double squares = 0;
  for (const double value : physical) squares += (value - mean) * (value - mean);
  const double std = std::sqrt(static_cast<double>(squares / physical.size()));
  const double scale = std::max(std::abs(low), std::abs(high));
  EXPECT_EQ(digital_sum, wanted["digital_sum"].get<int64_t>()) << label;
  ExpectClose(mean, wanted["phys_mean"], scale, label + " mean");
  ExpectClose(std, wanted["phys_std"], scale, label + " std");
  ExpectClose(low, wanted["phys_min"], scale, label + " min");
  ExpectClose(high, wanted["phys_max"], scale, label + " max");
  for (int i = 0; i < 3; ++i)
    ExpectClose(physical[i], wanted["first3"][i], scale, label + " first");
  ExpectClose(physical.back(), wanted["last"], scale, label + " last");
}

void CompareFile(const std::string& name, const Json& wanted, const std::filesystem::path& path) {
  SCOPED_TRACE(name);
  EdfOptions options;
  options.triggers.from = TriggerOptions::From::kNone;
  std::unique_ptr<EdfSource> source = OpenFile(path, options);
  ASSERT_NE(source, nullptr);
  const Header& header = source->header();
  EXPECT_EQ(header.format == Format::kEdf ? "EDF" : "BDF", wanted["kind"].get<std::string>());
  EXPECT_EQ(header.reserved, wanted["reserved"].get<std::string>());
  EXPECT_EQ(header.patient, wanted["patient"].get<std::string>());
  EXPECT_EQ(header.recording, wanted["recording"].get<std::string>());
  EXPECT_EQ(header.start_date_text, wanted["startdate"].get<std::string>());
  EXPECT_EQ(header.start_time_text, wanted["starttime"].get<std::string>());
  const std::vector<std::string> date = absl::StrSplit(header.start_date_text, '.');
  const std::vector<std::string> time = absl::StrSplit(header.start_time_text, '.');
  EXPECT_EQ(header.start_local,
            absl::CivilSecond(2000 + std::stoi(date[2]), std::stoi(date[1]), std::stoi(date[0]),
                              std::stoi(time[0]), std::stoi(time[1]), std::stoi(time[2])));
  EXPECT_EQ(header.records, wanted["n_records"].get<int64_t>());
  EXPECT_NEAR(header.record_duration_ns / 1e9, wanted["record_duration_s"].get<double>(), 1e-9);
  ASSERT_EQ(header.signals.size(), wanted["n_signals"].get<size_t>());
  const Json& onset = wanted["first_record_onset_s"];
  EXPECT_NEAR(source->first_onset_ns() / 1e9, onset.is_null() ? 0.0 : onset.get<double>(), 1e-9);

  const Contents contents = ReadAll(source.get());
  EXPECT_EQ(contents.gaps, 0);
  int channel = 0;
  for (size_t i = 0; i < header.signals.size(); ++i) {
    const Json& signal = wanted["signals"][i];
    EXPECT_EQ(header.signals[i].is_annotations, signal.value("annotations", false));
    if (header.signals[i].is_annotations) continue;
    CompareSignal(signal, header.signals[i], source->info().channels[channel],
                  contents.samples[channel]);
    ++channel;
  }
  EXPECT_EQ(channel, static_cast<int>(contents.samples.size()));

  const Json& annotations = wanted["annotations"];
  ASSERT_EQ(contents.events.size(), annotations.size());
  for (size_t i = 0; i < annotations.size(); ++i) {
    EXPECT_NEAR((contents.events[i].time_ns + source->first_onset_ns()) / 1e9,
                annotations[i]["onset"].get<double>(), 1e-8);
    const Json& duration = annotations[i]["duration"];
    EXPECT_NEAR(contents.events[i].duration_ns / 1e9,
                duration.is_null() ? 0.0 : duration.get<double>(), 1e-9);
    EXPECT_EQ(contents.events[i].text, annotations[i]["text"].get<std::string>());
  }
}

TEST(Recordings, ReadAsTheirReferenceSays) {
  const std::filesystem::path folder = DataFolder() / "edf_bdf_readers";
  const Json reference = ReadJson(folder / "reference.json");
  if (!reference.is_object()) GTEST_SKIP() << "skipped: no data";
  int files = 0;
  for (const auto& [name, wanted] : reference["files"].items()) {
    CompareFile(name, wanted, folder / name);
    ++files;
  }
  EXPECT_GE(files, 9);
  RecordProperty("files", files);
}

TEST(Recordings, LabelsThatOccurTwiceAreToldApart) {
  const std::filesystem::path path =
      DataFolder() / "edf_bdf_readers/mne-python/duplicate_channel_labels.edf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "skipped: no data";
  std::unique_ptr<EdfSource> source = OpenFile(path);
  ASSERT_NE(source, nullptr);
  EXPECT_EQ(source->info().channels[0].label, "EEG F1-Ref");
  EXPECT_EQ(source->info().channels[2].label, "EEG F1-Ref #2");
  EXPECT_EQ(source->info().channels[2].original_label, "EEG F1-Ref");
}

TEST(Recordings, StimuliComeTheSameFromAnnotationsAndFromTheTriggerChannel) {
  const std::filesystem::path folder = DataFolder() / "hybrid_sep_alarm";
  std::ifstream csv(folder / "stimuli.csv");
  if (!csv) GTEST_SKIP() << "skipped: no data";
  std::vector<int64_t> wanted_ns;
  std::string line;
  std::getline(csv, line);
  while (std::getline(csv, line)) wanted_ns.push_back(std::stoll(line) * 250'000);  // 4 kHz
  ASSERT_EQ(wanted_ns.size(), 1641u);

  EdfOptions from_channel;
  from_channel.triggers.from = TriggerOptions::From::kChannel;
  from_channel.triggers.channel = "TRIG";
  for (const EdfOptions& options : {EdfOptions{}, from_channel}) {
    std::unique_ptr<EdfSource> source = OpenFile(folder / "hybrid_sep.edf", options);
    ASSERT_NE(source, nullptr);
    const Contents contents = ReadAll(source.get());
    ASSERT_EQ(contents.triggers.size(), 1641u);
    for (size_t i = 0; i < wanted_ns.size(); ++i) {
      ASSERT_NEAR(contents.triggers[i].time_ns, wanted_ns[i], 1000) << "stimulus " << i;
    }
    const bool annotated = options.triggers.from == TriggerOptions::From::kAuto;
    EXPECT_EQ(contents.triggers[0].label, annotated ? "MED R" : "");
    EXPECT_EQ(contents.triggers[0].rate_hz.value_or(0), annotated ? 4.7 : 0);
    EXPECT_EQ(contents.events.size(), annotated ? 2u : 1643u);
  }
}

}  // namespace
}  // namespace remora::agent::edf
