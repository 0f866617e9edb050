#include "acquisition-agent/sources/lsl/streams.h"

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "acquisition-agent/sources/recording_limits.h"
#include "acquisition-agent/sources/text.h"

namespace remora::agent::lsl {
namespace {

constexpr uint32_t kMostFound = 64;
// How much liblsl keeps for us; then it drops the oldest, and we see a gap.
constexpr int32_t kBufferedS = 60;
constexpr double kAnswerS = 5;
constexpr double kLookAroundS = 1;

std::string Text(const char* text) { return text == nullptr ? "" : CleanText(text); }

// Stream infos as they were found; destroyed with this.
class Found {
 public:
  explicit Found(const LslApi& api) : api_(api) {}
  Found(const Found&) = delete;
  Found& operator=(const Found&) = delete;
  ~Found() {
    for (uint32_t i = 0; i < count_; ++i) api_.destroy_streaminfo(infos_[i]);
  }

  void All(double wait_s) { Keep(api_.resolve_all(infos_.data(), kMostFound, wait_s)); }
  void ByProperty(const char* property, const std::string& value, double wait_s) {
    Keep(api_.resolve_byprop(infos_.data(), kMostFound, property, value.c_str(), 1, wait_s));
  }
  uint32_t count() const { return count_; }
  StreamInfo operator[](uint32_t i) const { return infos_[i]; }

 private:
  // A negative number is an error of the library's; nothing was found then.
  void Keep(int32_t count) {
    count_ = count > 0 ? std::min(static_cast<uint32_t>(count), kMostFound) : 0;
  }

  const LslApi& api_;
  std::array<StreamInfo, kMostFound> infos_ = {};
  uint32_t count_ = 0;
};

std::string WhatIsThere(const LslApi& api) {
  Found all(api);
  all.All(kLookAroundS);
  if (all.count() == 0) return "no stream is there at all; is it started, and on this network?";
  std::vector<std::string> shown;
  for (uint32_t i = 0; i < all.count(); ++i) {
    shown.push_back(absl::StrCat(Text(api.get_name(all[i])), " (", Text(api.get_type(all[i])),
                                 ", on ", Text(api.get_hostname(all[i])), ")"));
  }
  return absl::StrCat("there are: ", absl::StrJoin(shown, ", "));
}

// Units as LSL's metadata spells them.
std::optional<double> MicrovoltsOf(const std::string& unit) {
  const std::string lower = absl::AsciiStrToLower(unit);
  if (absl::StartsWith(lower, "microvolt")) return 1.0;
  if (absl::StartsWith(lower, "millivolt")) return 1e3;
  if (absl::StartsWith(lower, "nanovolt")) return 1e-3;
  if (lower == "volt" || lower == "volts") return 1e6;
  return MicrovoltsPer(unit);
}

bool IsNoSignal(const std::string& type) {
  for (const char* other :
       {"trigger", "trig", "stim", "stimulus", "sti", "markers", "counter", "misc", "battery"}) {
    if (absl::EqualsIgnoreCase(type, other)) return true;
  }
  return false;
}

void SetScale(const OpenStream& stream, double uv_per_unit, ChannelInfo* channel) {
  if (stream.format != kInt16 && stream.format != kInt8) return SetFloatRange(channel);
  channel->uv_per_count = uv_per_unit;
  channel->digital_min = stream.format == kInt16 ? -32768 : -128;
  channel->digital_max = stream.format == kInt16 ? 32767 : 127;
  channel->physical_min = uv_per_unit * channel->digital_min;
  channel->physical_max = uv_per_unit * channel->digital_max;
}

void DescribeChannels(const LslApi& api, StreamInfo info, OpenStream* stream) {
  XmlElement element = api.child(api.child(api.get_desc(info), "channels"), "channel");
  int without_unit = 0;
  for (int32_t i = 0; i < stream->channel_count; ++i) {
    const bool described = element != nullptr && api.empty(element) == 0;
    const auto field = [&](const char* name) {
      return described ? Text(api.child_value_n(element, name)) : std::string();
    };
    ChannelInfo channel;
    channel.original_label = field("label");
    if (channel.original_label.empty()) {
      channel.original_label = absl::StrCat(stream->name, " ", i + 1);
    }
    const std::string unit = field("unit");
    channel.is_voltage = unit.empty() ? !IsNoSignal(field("type")) : MicrovoltsOf(unit).has_value();
    if (unit.empty() && channel.is_voltage) ++without_unit;
    channel.unit = channel.is_voltage ? "uV" : unit;
    channel.sample_rate_hz = stream->rate_hz;
    stream->uv_per_unit.push_back(channel.is_voltage ? MicrovoltsOf(unit).value_or(1.0) : 1.0);
    SetScale(*stream, stream->uv_per_unit.back(), &channel);
    stream->channels.push_back(std::move(channel));
    if (described) element = api.next_sibling_n(element, "channel");
  }
  if (without_unit > 0) {
    stream->notes.push_back(absl::StrCat("stream ", stream->name, " gives no unit for ",
                                         without_unit, " channels; microvolts are assumed"));
  }
}

absl::Status Describe(const LslApi& api, OpenStream* stream) {
  int32_t error = 0;
  const StreamInfo info = api.get_fullinfo(stream->inlet(), kAnswerS, &error);
  if (info == nullptr || error != 0) {
    if (info != nullptr) api.destroy_streaminfo(info);
    return absl::UnavailableError(absl::StrCat("stream ", stream->name, " does not answer within ",
                                               kAnswerS, " s (error ", error, " of liblsl)"));
  }
  stream->type = Text(api.get_type(info));
  stream->host = Text(api.get_hostname(info));
  stream->channel_count = api.get_channel_count(info);
  stream->rate_hz = api.get_nominal_srate(info);
  stream->format = api.get_channel_format(info);
  absl::Status status;
  if (stream->channel_count < 1 || stream->channel_count > kMaxChannels) {
    status = absl::InvalidArgumentError(absl::StrCat("stream ", stream->name, " has ",
                                                     stream->channel_count, " channels; from 1 to ",
                                                     kMaxChannels, " are read"));
  } else if (stream->rate_hz != 0 &&
             !(stream->rate_hz >= kMinRateHz && stream->rate_hz <= kMaxRateHz)) {
    status = absl::InvalidArgumentError(absl::StrCat("stream ", stream->name, " says ",
                                                     stream->rate_hz, " Hz; from ", kMinRateHz,
                                                     " to ", kMaxRateHz, " are read"));
  } else if (stream->has_samples()) {
    DescribeChannels(api, info, stream);
  }
  api.destroy_streaminfo(info);
  return status;
}

absl::StatusOr<std::unique_ptr<OpenStream>> Open(const LslApi& api, StreamInfo info) {
  const std::string name = Text(api.get_name(info));
  const Inlet inlet = api.create_inlet(info, kBufferedS, 0, /*recover=*/1);
  if (inlet == nullptr) {
    return absl::UnavailableError(absl::StrCat("stream ", name, ": liblsl opens no inlet for it"));
  }
  auto stream = std::make_unique<OpenStream>(api, inlet);
  stream->name = name;
  if (absl::Status status = Describe(api, stream.get()); !status.ok()) return status;
  int32_t error = 0;
  stream->correction_s = api.time_correction(inlet, kAnswerS, &error);
  if (error == 0 && std::isfinite(stream->correction_s)) api.open_stream(inlet, kAnswerS, &error);
  if (error != 0 || !std::isfinite(stream->correction_s)) {
    return absl::UnavailableError(absl::StrCat("stream ", name, " does not answer within ",
                                               kAnswerS, " s (error ", error, " of liblsl)"));
  }
  return stream;
}

absl::StatusOr<std::unique_ptr<OpenStream>> FindAndOpen(const LslApi& api, const std::string& name,
                                                        const std::string& type, double wait_s) {
  Found found(api);
  found.ByProperty(name.empty() ? "type" : "name", name.empty() ? type : name, wait_s);
  std::vector<StreamInfo> fits;
  for (uint32_t i = 0; i < found.count(); ++i) {
    if (type.empty() || type == Text(api.get_type(found[i]))) fits.push_back(found[i]);
  }
  const std::string what =
      name.empty() ? absl::StrCat("of type ", CleanText(type))
                   : absl::StrCat("called ", CleanText(name),
                                  type.empty() ? "" : absl::StrCat(" of type ", CleanText(type)));
  if (fits.empty()) {
    return absl::NotFoundError(
        absl::StrCat("no stream ", what, " within ", wait_s, " s; ", WhatIsThere(api)));
  }
  if (fits.size() > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat(fits.size(), " streams are ", what, ": ",
                     absl::StrJoin(fits, ", ",
                                   [&](std::string* out, StreamInfo info) {
                                     absl::StrAppend(out, Text(api.get_name(info)), " on ",
                                                     Text(api.get_hostname(info)));
                                   }),
                     "; only one can be meant"));
  }
  return Open(api, fits[0]);
}

}  // namespace

absl::StatusOr<std::vector<std::unique_ptr<OpenStream>>> OpenStreams(
    const LslApi& api, const std::vector<std::string>& names, const std::string& type,
    double wait_s) {
  std::vector<std::unique_ptr<OpenStream>> streams;
  for (const std::string& name : names.empty() ? std::vector<std::string>{""} : names) {
    absl::StatusOr<std::unique_ptr<OpenStream>> stream = FindAndOpen(api, name, type, wait_s);
    if (!stream.ok()) return stream.status();
    streams.push_back(*std::move(stream));
  }
  return streams;
}

}  // namespace remora::agent::lsl
