#include "acquisition-agent/sources/feed/description.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"

namespace remora::agent::feed {
namespace {

struct Scale {
  double per_count = 1;
  double at_zero = 0;
};

Scale ScaleOf(const wire::Channel& channel) {
  const double factor = MicrovoltsOf(channel.unit());
  const double unit = factor > 0 ? factor : 1;
  return {channel.value_per_count() * unit, channel.value_at_zero() * unit};
}

ChannelInfo MakeChannel(const wire::Channel& channel, const wire::Describe& describe,
                        int first_group) {
  const Scale scale = ScaleOf(channel);
  ChannelInfo info;
  info.label = channel.label();
  info.original_label = channel.label();
  info.is_voltage = MicrovoltsOf(channel.unit()) > 0;
  info.unit = info.is_voltage ? "uV" : channel.unit();
  const int group = static_cast<int>(channel.rate_group_index());
  info.sample_rate_hz = describe.rate_groups(group).sample_rate_hz();
  info.rate_group = first_group + group;
  info.uv_per_count = scale.per_count;
  info.uv_offset = scale.at_zero;
  info.digital_min = channel.lowest_count();
  info.digital_max = channel.highest_count();
  info.physical_min = scale.at_zero + scale.per_count * channel.lowest_count();
  info.physical_max = scale.at_zero + scale.per_count * channel.highest_count();
  info.prefilter = channel.prefilter();
  info.transducer = channel.transducer();
  return info;
}

// Two's complement, whatever the machine's order.
int32_t CountAt(const uint8_t* bytes, size_t width) {
  uint32_t bits = 0;
  for (size_t i = 0; i < width; ++i) bits |= uint32_t{bytes[i]} << (8 * i);
  if (width == 2) return static_cast<int16_t>(static_cast<uint16_t>(bits));
  return static_cast<int32_t>(bits);
}

}  // namespace

double MicrovoltsOf(absl::string_view unit) {
  if (unit == "uV" || unit == "\xC2\xB5V" || unit == "\xCE\xBCV") return 1;
  if (unit == "nV") return 1e-3;
  if (unit == "mV") return 1e3;
  if (unit == "V") return 1e6;
  return 0;
}

std::string NameOf(const wire::Describe& describe) {
  if (describe.serial().empty()) return describe.device();
  return absl::StrCat(describe.device(), " ", describe.serial());
}

SourceInfo MakeSourceInfo(const std::vector<wire::Describe>& describes, const std::string& name) {
  SourceInfo info;
  info.name = name;
  info.live = true;
  std::map<std::string, int> uses;
  for (const wire::Describe& describe : describes) {
    for (const wire::Channel& channel : describe.channels()) ++uses[channel.label()];
  }
  std::set<std::string> taken;
  for (const wire::Describe& describe : describes) {
    const int first_group = static_cast<int>(info.rate_groups.size());
    const int first_channel = static_cast<int>(info.channels.size());
    for (int group = 0; group < describe.rate_groups_size(); ++group) {
      RateGroup made;
      made.sample_rate_hz = describe.rate_groups(group).sample_rate_hz();
      for (const int k : ChannelsOf(describe, group)) made.channels.push_back(first_channel + k);
      info.rate_groups.push_back(std::move(made));
    }
    for (const wire::Channel& channel : describe.channels()) {
      ChannelInfo made = MakeChannel(channel, describe, first_group);
      if (uses[channel.label()] > 1) {
        made.label = absl::StrCat(describe.device(), ": ", channel.label());
      }
      const std::string label = made.label;
      for (int number = 2; !taken.insert(made.label).second; ++number)
        made.label = absl::StrCat(label, " #", number);
      info.channels.push_back(std::move(made));
    }
    info.notes.push_back(
        absl::StrCat(NameOf(describe), ", firmware ",
                     describe.firmware().empty() ? "not told" : describe.firmware(), ": ",
                     describe.channels_size(), " channels"));
  }
  return info;
}

std::vector<double> UnpackSamples(const wire::Samples& samples, const wire::Describe& describe) {
  const std::vector<int> channels =
      ChannelsOf(describe, static_cast<int>(samples.rate_group_index()));
  const size_t count = samples.samples_count();
  const size_t width = samples.format() == wire::SAMPLE_FORMAT_INT16 ? 2 : 4;
  const int32_t no_value =
      width == 2 ? std::numeric_limits<int16_t>::min() : std::numeric_limits<int32_t>::min();
  const auto* bytes = reinterpret_cast<const uint8_t*>(samples.packed().data());
  std::vector<double> unpacked(channels.size() * count);
  for (size_t k = 0; k < channels.size(); ++k) {
    const Scale scale = ScaleOf(describe.channels(channels[k]));
    double* out = unpacked.data() + k * count;
    for (size_t i = 0; i < count; ++i) {
      const int32_t value = CountAt(bytes + (i * channels.size() + k) * width, width);
      out[i] = value == no_value ? std::numeric_limits<double>::quiet_NaN()
                                 : scale.at_zero + scale.per_count * value;
    }
  }
  return unpacked;
}

}  // namespace remora::agent::feed
