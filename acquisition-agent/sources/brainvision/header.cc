#include "acquisition-agent/sources/brainvision/header.h"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::brainvision {
namespace {

constexpr double kPsPerUs = 1e6;

absl::Status Wrong(const Entry& entry, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("line ", entry.line, ": ", CleanText(entry.key),
                                                 "=", CleanText(entry.value), "; ", wanted));
}

// The entries of the sections that matter, each at most once.
class Entries {
 public:
  static absl::StatusOr<Entries> Read(absl::string_view text) {
    Entries entries;
    absl::Status status;
    ForEachEntry(text, [&](const Entry& entry) {
      if (entry.key.empty() || !IsOurs(entry.section)) return true;
      if (!entries.all_.emplace(Key(entry.section, entry.key), entry).second) {
        status = Wrong(entry, "it is given twice");
      }
      return status.ok();
    });
    if (!status.ok()) return status;
    return entries;
  }

  const Entry* Find(absl::string_view section, absl::string_view key) const {
    const auto it = all_.find(Key(section, key));
    return it == all_.end() ? nullptr : &it->second;
  }

 private:
  static bool IsOurs(absl::string_view section) {
    return absl::EqualsIgnoreCase(section, "Common Infos") ||
           absl::EqualsIgnoreCase(section, "Binary Infos") ||
           absl::EqualsIgnoreCase(section, "Channel Infos");
  }
  static std::string Key(absl::string_view section, absl::string_view key) {
    return absl::AsciiStrToLower(absl::StrCat(section, "\n", key));
  }
  std::map<std::string, Entry> all_;
};

// Reads the entries of one section as numbers and words, and remembers the first thing that was
// wrong.
class Section {
 public:
  Section(const Entries& entries, absl::string_view name) : entries_(entries), name_(name) {}

  const absl::Status& status() const { return status_; }
  const Entry* Find(absl::string_view key) const { return entries_.Find(name_, key); }

  // The value; an error where it is missing and needed.
  absl::string_view Text(absl::string_view key, bool needed) {
    const Entry* entry = Find(key);
    if (entry != nullptr && !entry->value.empty()) return entry->value;
    if (needed) {
      Fail(absl::InvalidArgumentError(absl::StrCat("there is no ", key, "= in [", name_, "]")));
    }
    return "";
  }

  int64_t Whole(absl::string_view key, int64_t low, int64_t high, int64_t otherwise) {
    const Entry* entry = Find(key);
    if (entry == nullptr || entry->value.empty()) return otherwise;
    int64_t value = 0;
    if (!absl::SimpleAtoi(entry->value, &value) || value < low || value > high) {
      Fail(Wrong(*entry, absl::StrCat("it must be a whole number from ", low, " to ", high)));
      return otherwise;
    }
    return value;
  }

  // The value must be one of `choices` (without regard to case); returns which, or `otherwise`
  // where there is no such entry.
  int OneOf(absl::string_view key, const std::vector<absl::string_view>& choices, int otherwise,
            absl::string_view wanted) {
    const Entry* entry = Find(key);
    if (entry == nullptr || entry->value.empty()) return otherwise;
    for (size_t i = 0; i < choices.size(); ++i) {
      if (absl::EqualsIgnoreCase(entry->value, choices[i])) return static_cast<int>(i);
    }
    Fail(Wrong(*entry, wanted));
    return otherwise;
  }

  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

 private:
  const Entries& entries_;
  const absl::string_view name_;
  absl::Status status_;
};

absl::Status ParseCommon(const Entries& entries, absl::string_view base_name, Header* header) {
  Section common(entries, "Common Infos");
  header->data_file = FileName(common.Text("DataFile", /*needed=*/true), base_name);
  header->marker_file = FileName(common.Text("MarkerFile", /*needed=*/false), base_name);
  common.OneOf("DataFormat", {"BINARY"}, 0, "only DataFormat=BINARY is read; export it as such");
  header->vectorized = common.OneOf("DataOrientation", {"MULTIPLEXED", "VECTORIZED"}, 0,
                                    "it must be MULTIPLEXED or VECTORIZED") == 1;
  common.OneOf("DataType", {"TIMEDOMAIN"}, 0,
               "only DataType=TIMEDOMAIN is read: samples, not spectra");
  if (common.OneOf("Averaged", {"NO", "YES"}, 0, "it must be YES or NO") == 1) {
    header->notes.push_back("the header says that the data are averaged segments");
  }
  header->declared_points = common.Whole("DataPoints", 0, int64_t{1} << 48, 0);
  common.Text("NumberOfChannels", /*needed=*/true);
  header->channels.resize(
      static_cast<size_t>(common.Whole("NumberOfChannels", 1, kMaxChannels, 1)));
  common.Text("SamplingInterval", /*needed=*/true);
  if (const Entry* entry = common.Find("SamplingInterval"); entry != nullptr) {
    double us = 0;
    const double shortest_us = 1e6 / kMaxRateHz;
    const double longest_us = 1e6 / kMinRateHz;
    if (!absl::SimpleAtod(entry->value, &us) || !(us >= shortest_us && us <= longest_us)) {
      common.Fail(Wrong(
          *entry, absl::StrCat("it must be microseconds from ", shortest_us, " to ", longest_us)));
    } else {
      header->interval_ps = std::llround(us * kPsPerUs);
    }
  }
  return common.status();
}

absl::Status ParseBinary(const Entries& entries, Header* header) {
  Section binary(entries, "Binary Infos");
  binary.Text("BinaryFormat", /*needed=*/true);
  header->type =
      static_cast<SampleType>(binary.OneOf("BinaryFormat", {"INT_16", "INT_32", "IEEE_FLOAT_32"}, 0,
                                           "INT_16, INT_32 and IEEE_FLOAT_32 are read"));
  header->big_endian =
      binary.OneOf("UseBigEndianOrder", {"NO", "YES"}, 0, "it must be YES or NO") == 1;
  header->data_offset_bytes = binary.Whole("DataOffset", 0, int64_t{1} << 40, 0);
  for (const char* key : {"ChannelOffset", "SegmentHeaderSize", "TrailerSize"}) {
    if (binary.Whole(key, 0, int64_t{1} << 40, 0) == 0) continue;
    binary.Fail(Wrong(*binary.Find(key),
                      "data files with gaps of bytes are not read; export it "
                      "without"));
  }
  return binary.status();
}

absl::Status ParseChannel(const Entry& entry, int number, const Header& header,
                          std::vector<std::string>* notes, Channel* channel) {
  const std::vector<std::string> fields = SplitFields(entry.value);
  channel->name = CleanText(fields[0]);
  if (channel->name.empty()) {
    channel->name = absl::StrCat("channel ", number);
    notes->push_back(absl::StrCat("line ", entry.line, ": the channel has no name; it is called \"",
                                  channel->name, "\""));
  }
  if (fields.size() > 1) channel->reference = CleanText(fields[1]);
  const std::string resolution = fields.size() > 2 ? CleanText(fields[2]) : "";
  if (resolution.empty()) {
    if (header.type != SampleType::kFloat32) {
      notes->push_back(absl::StrCat("line ", entry.line, ": no resolution for \"", channel->name,
                                    "\"; 1 unit a count is assumed"));
    }
  } else if (!absl::SimpleAtod(resolution, &channel->resolution) ||
             !std::isfinite(channel->resolution) || std::abs(channel->resolution) < 1e-30 ||
             std::abs(channel->resolution) > 1e30) {
    return Wrong(entry, absl::StrCat("the resolution \"", resolution,
                                     "\" must be a number other than 0, such as 0.1"));
  }
  channel->unit = fields.size() > 3 ? CleanText(fields[3]) : "";
  if (channel->unit.empty()) channel->unit = "\u00B5V";
  return absl::OkStatus();
}

absl::Status ParseChannels(const Entries& entries, Header* header) {
  for (size_t i = 0; i < header->channels.size(); ++i) {
    const int number = static_cast<int>(i) + 1;
    const Entry* entry = entries.Find("Channel Infos", absl::StrCat("Ch", number));
    if (entry == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("there is no Ch", number,
                                                     "= in [Channel Infos]; NumberOfChannels is ",
                                                     header->channels.size()));
    }
    absl::Status status =
        ParseChannel(*entry, number, *header, &header->notes, &header->channels[i]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

void ForEachEntry(absl::string_view text, absl::FunctionRef<bool(const Entry&)> visit) {
  Entry entry;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    absl::string_view line = absl::StripAsciiWhitespace(text.substr(0, end));
    text.remove_prefix(end == absl::string_view::npos ? text.size() : end + 1);
    ++entry.line;
    if (entry.line == 1 || line.empty() || line.front() == ';') continue;
    if (line.front() == '[' && line.back() == ']') {
      entry.section = line.substr(1, line.size() - 2);
      if (absl::EqualsIgnoreCase(entry.section, "Comment")) return;
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == absl::string_view::npos) {
      entry.key = "";
      entry.value = line;
    } else {
      entry.key = absl::StripAsciiWhitespace(line.substr(0, equals));
      entry.value = absl::StripAsciiWhitespace(line.substr(equals + 1));
    }
    if (!visit(entry)) return;
  }
}

absl::StatusOr<std::string> ParseIdentification(absl::string_view text, absl::string_view kind) {
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");  // a byte order mark
  const absl::string_view line = absl::StripAsciiWhitespace(text.substr(0, text.find('\n')));
  const size_t at = line.find(kind);
  absl::string_view rest = at == absl::string_view::npos ? "" : line.substr(at + kind.size());
  const size_t version_at = rest.find("Version");
  if (!absl::StartsWith(line, "Brain") || version_at == absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("the first line is \"", CleanText(line.substr(0, 80)),
                     "\"; it must be like \"Brain Vision Data Exchange ", kind, " Version 1.0\""));
  }
  const std::string version =
      CleanText(absl::StripAsciiWhitespace(rest.substr(version_at + 7)).substr(0, 16));
  if (version != "1" && version != "2" && !absl::StartsWith(version, "1.") &&
      !absl::StartsWith(version, "2.")) {
    return absl::InvalidArgumentError(
        absl::StrCat("it says version \"", version, "\"; versions 1.0 and 2.0 are read"));
  }
  return version;
}

std::vector<std::string> SplitFields(absl::string_view value) {
  std::vector<std::string> fields = absl::StrSplit(value, ',');
  for (std::string& field : fields) absl::StrReplaceAll({{"\\1", ","}}, &field);
  return fields;
}

std::string FileName(absl::string_view value, absl::string_view base_name) {
  return absl::StrReplaceAll(value, {{"$b", base_name}});
}

absl::StatusOr<Header> ParseHeader(absl::string_view text, absl::string_view base_name) {
  Header header;
  absl::StatusOr<std::string> version = ParseIdentification(text, "Header File");
  if (!version.ok()) return version.status();
  header.version = *std::move(version);
  absl::StatusOr<Entries> entries = Entries::Read(text);
  if (!entries.ok()) return entries.status();
  absl::Status status = ParseCommon(*entries, base_name, &header);
  if (status.ok()) status = ParseBinary(*entries, &header);
  if (status.ok()) status = ParseChannels(*entries, &header);
  if (!status.ok()) return status;
  return header;
}

}  // namespace remora::agent::brainvision
