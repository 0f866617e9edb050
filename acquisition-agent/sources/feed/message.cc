#include "acquisition-agent/sources/feed/message.h"

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/sources/feed/limits.h"
#include "acquisition-agent/sources/text.h"
#include "common/status_macros.h"

namespace remora::agent::feed {
namespace {

absl::Status Wrong(absl::string_view where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

absl::Status CheckText(absl::string_view where, const std::string& text, size_t least,
                       size_t most) {
  if (text.size() >= least && text.size() <= most) return absl::OkStatus();
  return Wrong(where, absl::StrCat(text.size(), " bytes; ", least, " to ", most, " are right"));
}

absl::Status CheckNumber(absl::string_view where, double value, double lowest, double highest) {
  // NaN fails it too.
  if (value >= lowest && value <= highest) return absl::OkStatus();
  return Wrong(where, absl::StrCat(value, " is not within ", lowest, " to ", highest));
}

// Above 0.
absl::Status CheckPositive(absl::string_view where, double value, double highest) {
  if (value > 0 && value <= highest) return absl::OkStatus();
  return Wrong(where, absl::StrCat(value, " is not above 0 and at most ", highest));
}

absl::Status CheckFinite(absl::string_view where, double value) {
  if (std::isfinite(value)) return absl::OkStatus();
  return Wrong(where, "is no number");
}

absl::Status CheckTime(absl::string_view where, int64_t time_ns) {
  if (time_ns > -kMaxTimeNs && time_ns < kMaxTimeNs) return absl::OkStatus();
  return Wrong(where, absl::StrCat(time_ns, " ns is no time of a device"));
}

absl::Status CheckChannel(const wire::Channel& channel, int groups) {
  RETURN_IF_ERROR(CheckText("channel label", channel.label(), 1, kMaxNameBytes));
  const std::string where = absl::StrCat("channel ", channel.label());
  RETURN_IF_ERROR(CheckText(where + " unit", channel.unit(), 0, kMaxUnitBytes));
  RETURN_IF_ERROR(CheckText(where + " prefilter", channel.prefilter(), 0, kMaxPrefilterBytes));
  RETURN_IF_ERROR(CheckText(where + " transducer", channel.transducer(), 0, kMaxPrefilterBytes));
  if (channel.rate_group_index() >= static_cast<uint32_t>(groups)) {
    return Wrong(where, absl::StrCat("rate group ", channel.rate_group_index(), " of ", groups));
  }
  const double scale = std::fabs(channel.value_per_count());
  if (!(scale >= 1 / kMaxCountScale && scale <= kMaxCountScale)) {
    return Wrong(where, "value_per_count must be finite and not 0");
  }
  if (!(std::fabs(channel.value_at_zero()) <= kMaxCountScale)) {
    return Wrong(where, "value_at_zero must be finite");
  }
  if (channel.lowest_count() >= channel.highest_count()) {
    return Wrong(where, "lowest_count must be below highest_count");
  }
  return absl::OkStatus();
}

absl::Status CheckDescribe(const wire::Describe& describe) {
  if (describe.protocol_version() == 0 || describe.minimum_version() == 0 ||
      describe.minimum_version() > describe.protocol_version()) {
    return Wrong("Describe", "protocol_version and minimum_version must be 1 or more, in order");
  }
  if (describe.minimum_version() > kProtocolVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("Describe: the device needs a listener of version ",
                     describe.minimum_version(), " or later; this is one of version ",
                     kProtocolVersion, ". Update Remora, or set the device to an older version"));
  }
  RETURN_IF_ERROR(CheckText("device", describe.device(), 1, kMaxNameBytes));
  RETURN_IF_ERROR(CheckText("serial", describe.serial(), 0, kMaxNameBytes));
  RETURN_IF_ERROR(CheckText("firmware", describe.firmware(), 0, kMaxNameBytes));
  const int groups = describe.rate_groups_size();
  if (groups > kMaxRateGroups) {
    return Wrong("Describe", absl::StrCat(groups, " rate groups; at most ", kMaxRateGroups));
  }
  if (describe.channels_size() > kMaxChannels) {
    return Wrong("Describe",
                 absl::StrCat(describe.channels_size(), " channels; at most ", kMaxChannels));
  }
  for (const wire::RateGroup& group : describe.rate_groups()) {
    RETURN_IF_ERROR(
        CheckNumber("sample_rate_hz", group.sample_rate_hz(), kMinSampleRateHz, kMaxSampleRateHz));
  }
  std::set<absl::string_view> labels;
  std::vector<int> used(static_cast<size_t>(groups));
  for (const wire::Channel& channel : describe.channels()) {
    RETURN_IF_ERROR(CheckChannel(channel, groups));
    if (!labels.insert(channel.label()).second) {
      return Wrong(absl::StrCat("channel ", channel.label()), "the label is there twice");
    }
    ++used[channel.rate_group_index()];
  }
  for (int group = 0; group < groups; ++group) {
    if (used[static_cast<size_t>(group)] == 0)
      return Wrong("Describe", absl::StrCat("rate group ", group, " has no channel"));
  }
  return absl::OkStatus();
}

size_t BytesPerSample(wire::SampleFormat format) {
  if (format == wire::SAMPLE_FORMAT_INT16) return 2;
  if (format == wire::SAMPLE_FORMAT_INT32) return 4;
  return 0;
}

absl::Status CheckSamples(const wire::Samples& samples) {
  RETURN_IF_ERROR(CheckTime("Samples first_sample_ns", samples.first_sample_ns()));
  if (samples.rate_group_index() >= static_cast<uint32_t>(kMaxRateGroups)) {
    return Wrong("Samples", absl::StrCat("rate group ", samples.rate_group_index()));
  }
  if (samples.samples_count() < 1 || samples.samples_count() > kMaxBlockSamples) {
    return Wrong("Samples",
                 absl::StrCat(samples.samples_count(), " samples; 1 to ", kMaxBlockSamples));
  }
  if (samples.first_sample_index() >= kMaxSampleIndex - kMaxBlockSamples) {
    return Wrong("Samples", "first_sample_index is beyond 2^53");
  }
  const size_t width = BytesPerSample(samples.format());
  if (width == 0) return Wrong("Samples", "format must be INT16 or INT32");
  const size_t row = size_t{samples.samples_count()} * width;
  if (samples.packed().empty() || samples.packed().size() % row != 0) {
    return Wrong("Samples",
                 absl::StrCat(samples.packed().size(), " bytes are no whole channels of ",
                              samples.samples_count(), " samples"));
  }
  return absl::OkStatus();
}

absl::Status CheckTrigger(const wire::Trigger& trigger) {
  RETURN_IF_ERROR(CheckTime("Trigger at_ns", trigger.at_ns()));
  RETURN_IF_ERROR(CheckText("Trigger label", trigger.label(), 0, kMaxNameBytes));
  RETURN_IF_ERROR(CheckText("Trigger site", trigger.site(), 0, kMaxNameBytes));
  if (trigger.has_commanded_ma())
    RETURN_IF_ERROR(CheckNumber("commanded_ma", trigger.commanded_ma(), 0, kMaxMilliamps));
  if (trigger.has_delivered_ma())
    RETURN_IF_ERROR(CheckNumber("delivered_ma", trigger.delivered_ma(), 0, kMaxMilliamps));
  if (trigger.has_commanded_v())
    RETURN_IF_ERROR(CheckNumber("commanded_v", trigger.commanded_v(), 0, kMaxVolts));
  if (trigger.has_delivered_v())
    RETURN_IF_ERROR(CheckNumber("delivered_v", trigger.delivered_v(), 0, kMaxVolts));
  if (trigger.has_rate_hz())
    RETURN_IF_ERROR(CheckPositive("rate_hz", trigger.rate_hz(), kMaxStimulusHz));
  if (trigger.has_pulse_us())
    RETURN_IF_ERROR(CheckPositive("pulse_us", trigger.pulse_us(), kMaxPulseUs));
  if (trigger.pulses_count() > kMaxPulses) {
    return Wrong("pulses_count", absl::StrCat(trigger.pulses_count(), "; at most ", kMaxPulses));
  }
  if (trigger.pulses_count() > 1) {
    return CheckPositive("pulse_interval_ms of a train", trigger.pulse_interval_ms(),
                         kMaxPulseIntervalMs);
  }
  return CheckNumber("pulse_interval_ms of one pulse", trigger.pulse_interval_ms(), 0, 0);
}

absl::Status CheckVital(const wire::Vital& vital) {
  RETURN_IF_ERROR(CheckTime("Vital at_ns", vital.at_ns()));
  RETURN_IF_ERROR(CheckText("Vital site", vital.site(), 0, kMaxNameBytes));
  RETURN_IF_ERROR(CheckText("Vital source", vital.source(), 0, kMaxNameBytes));
  const VitalRange range = RangeOf(vital.kind());
  if (vital.kind() == wire::VITAL_KIND_UNSPECIFIED) return Wrong("Vital", "its kind is not told");
  // Of a later version: its number counts, and it is passed over.
  if (!IsKnownKind(vital.kind())) return CheckFinite("Vital value", vital.value());
  return CheckNumber(absl::StrCat("Vital value in ", range.unit), vital.value(), range.lowest,
                     range.highest);
}

absl::Status CheckDrug(const wire::Drug& drug) {
  RETURN_IF_ERROR(CheckTime("Drug at_ns", drug.at_ns()));
  RETURN_IF_ERROR(CheckText("Drug drug", drug.drug(), 1, kMaxNameBytes));
  RETURN_IF_ERROR(CheckText("Drug unit", drug.unit(), 0, kMaxUnitBytes));
  RETURN_IF_ERROR(CheckText("Drug source", drug.source(), 0, kMaxNameBytes));
  if (drug.kind() == wire::DRUG_KIND_UNSPECIFIED) return Wrong("Drug", "its kind is not told");
  return CheckNumber("Drug amount", drug.amount(), 0, kMaxDrugAmount);
}

absl::Status CheckImpedance(const wire::Impedance& impedance) {
  RETURN_IF_ERROR(CheckTime("Impedance at_ns", impedance.at_ns()));
  RETURN_IF_ERROR(CheckText("Impedance electrode", impedance.electrode(), 1, kMaxNameBytes));
  if (impedance.open()) return absl::OkStatus();
  return CheckNumber("Impedance kohm", impedance.kohm(), 0, kMaxKohm);
}

absl::Status CheckHeartbeat(const wire::Heartbeat& heartbeat) {
  RETURN_IF_ERROR(CheckTime("Heartbeat told_until_ns", heartbeat.told_until_ns()));
  if (heartbeat.next_sample_index_size() > kMaxRateGroups)
    return Wrong("Heartbeat", "more sample indexes than rate groups may be");
  for (const uint64_t index : heartbeat.next_sample_index()) {
    if (index >= kMaxSampleIndex) return Wrong("Heartbeat", "a sample index beyond 2^53");
  }
  return absl::OkStatus();
}

void Clean(std::string* text) { *text = CleanText(*text); }

// Before limits are checked: Latin-1 becomes longer as UTF-8.
void CleanTexts(wire::Envelope* envelope) {
  switch (envelope->body_case()) {
    case wire::Envelope::kDescribe: {
      wire::Describe& describe = *envelope->mutable_describe();
      Clean(describe.mutable_device());
      Clean(describe.mutable_serial());
      Clean(describe.mutable_firmware());
      for (wire::Channel& channel : *describe.mutable_channels()) {
        Clean(channel.mutable_label());
        Clean(channel.mutable_unit());
        Clean(channel.mutable_prefilter());
        Clean(channel.mutable_transducer());
      }
      return;
    }
    case wire::Envelope::kTrigger:
      Clean(envelope->mutable_trigger()->mutable_label());
      return Clean(envelope->mutable_trigger()->mutable_site());
    case wire::Envelope::kImpedance:
      return Clean(envelope->mutable_impedance()->mutable_electrode());
    case wire::Envelope::kVital:
      Clean(envelope->mutable_vital()->mutable_site());
      return Clean(envelope->mutable_vital()->mutable_source());
    case wire::Envelope::kDrug:
      Clean(envelope->mutable_drug()->mutable_drug());
      Clean(envelope->mutable_drug()->mutable_unit());
      return Clean(envelope->mutable_drug()->mutable_source());
    case wire::Envelope::kNote:
      return Clean(envelope->mutable_note()->mutable_text());
    case wire::Envelope::kEnd:
      return Clean(envelope->mutable_end()->mutable_reason());
    default:
      return;
  }
}

}  // namespace

VitalRange RangeOf(wire::VitalKind kind) {
  switch (kind) {
    case wire::VITAL_KIND_MEAN_ARTERIAL_PRESSURE:
    case wire::VITAL_KIND_SYSTOLIC_PRESSURE:
    case wire::VITAL_KIND_DIASTOLIC_PRESSURE:
      return {-50, 400, "mmHg"};
    case wire::VITAL_KIND_HEART_RATE:
      return {0, 400, "1/min"};
    case wire::VITAL_KIND_OXYGEN_SATURATION:
      return {0, 100, "%"};
    case wire::VITAL_KIND_END_TIDAL_CO2:
      return {0, 200, "mmHg"};
    case wire::VITAL_KIND_CORE_TEMPERATURE:
    case wire::VITAL_KIND_LIMB_TEMPERATURE:
      return {0, 50, "degrees Celsius"};
    case wire::VITAL_KIND_HAEMOGLOBIN:
      return {0, 30, "g/dl"};
    case wire::VITAL_KIND_BISPECTRAL_INDEX:
      return {0, 100, ""};
    case wire::VITAL_KIND_ALVEOLAR_CONCENTRATION:
      return {0, 5, "MAC"};
    default:
      return {};
  }
}

bool IsKnownKind(wire::VitalKind kind) {
  const VitalRange range = RangeOf(kind);
  return range.lowest < range.highest;
}

bool IsKnownKind(wire::DrugKind kind) {
  return kind >= wire::DRUG_KIND_BOLUS && kind <= wire::DRUG_KIND_INSPIRED;
}

absl::Status CheckEnvelope(const wire::Envelope& envelope) {
  if (envelope.session_id() == 0) return Wrong("session_id", "must not be 0");
  if (envelope.seq() == 0 || envelope.seq() >= kMaxSeq)
    return Wrong("seq", "begins at 1 and counts by 1");
  RETURN_IF_ERROR(CheckTime("sent_ns", envelope.sent_ns()));
  switch (envelope.body_case()) {
    case wire::Envelope::kDescribe:
      return CheckDescribe(envelope.describe());
    case wire::Envelope::kSamples:
      return CheckSamples(envelope.samples());
    case wire::Envelope::kTrigger:
      return CheckTrigger(envelope.trigger());
    case wire::Envelope::kImpedance:
      return CheckImpedance(envelope.impedance());
    case wire::Envelope::kVital:
      return CheckVital(envelope.vital());
    case wire::Envelope::kDrug:
      return CheckDrug(envelope.drug());
    case wire::Envelope::kNote:
      RETURN_IF_ERROR(CheckTime("Note at_ns", envelope.note().at_ns()));
      return CheckText("Note text", envelope.note().text(), 1, kMaxNoteBytes);
    case wire::Envelope::kHeartbeat:
      return CheckHeartbeat(envelope.heartbeat());
    case wire::Envelope::kEnd:
      return CheckText("End reason", envelope.end().reason(), 0, kMaxReasonBytes);
    default:
      // Of a later version, which may say so with minimum_version; its number counts all the same.
      return absl::OkStatus();
  }
}

absl::StatusOr<wire::Envelope> DecodeMessage(const std::vector<std::string>& frames) {
  if (frames.size() != 2 || frames[0] != kMagic) {
    return Wrong("frames", absl::StrCat("two are right, the first \"", kMagic, "\"; this has ",
                                        frames.size()));
  }
  if (frames[1].size() > kMaxMessageBytes) {
    return Wrong("Envelope", absl::StrCat(frames[1].size(), " bytes; at most ", kMaxMessageBytes));
  }
  wire::Envelope envelope;
  if (!envelope.ParseFromString(frames[1])) {
    return Wrong("Envelope", "no Protocol Buffers message (text must be UTF-8)");
  }
  CleanTexts(&envelope);
  RETURN_IF_ERROR(CheckEnvelope(envelope));
  return envelope;
}

std::vector<std::string> EncodeMessage(const wire::Envelope& envelope) {
  return {kMagic, envelope.SerializeAsString()};
}

std::vector<int> ChannelsOf(const wire::Describe& describe, int rate_group) {
  std::vector<int> channels;
  for (int i = 0; i < describe.channels_size(); ++i) {
    if (describe.channels(i).rate_group_index() == static_cast<uint32_t>(rate_group))
      channels.push_back(i);
  }
  return channels;
}

absl::Status CheckBlock(const wire::Samples& samples, const wire::Describe& describe) {
  const auto group = static_cast<int>(samples.rate_group_index());
  if (group >= describe.rate_groups_size()) {
    return Wrong("Samples", absl::StrCat("rate group ", group, " was not described"));
  }
  const size_t expected = ChannelsOf(describe, group).size() * samples.samples_count() *
                          BytesPerSample(samples.format());
  if (samples.packed().size() != expected) {
    return Wrong("Samples", absl::StrCat("rate group ", group, ": ", samples.packed().size(),
                                         " bytes; its channels need ", expected));
  }
  const double length_ns =
      samples.samples_count() * 1e9 / describe.rate_groups(group).sample_rate_hz();
  if (samples.samples_count() > 1 && length_ns > static_cast<double>(kMaxBlockNs)) {
    return Wrong("Samples", absl::StrCat("a block of ", length_ns / 1e6, " ms; at most 1,000"));
  }
  return absl::OkStatus();
}

bool SameSignals(const wire::Describe& a, const wire::Describe& b) {
  if (a.rate_groups_size() != b.rate_groups_size() || a.channels_size() != b.channels_size())
    return false;
  for (int i = 0; i < a.rate_groups_size(); ++i) {
    if (a.rate_groups(i).sample_rate_hz() != b.rate_groups(i).sample_rate_hz()) return false;
  }
  for (int i = 0; i < a.channels_size(); ++i) {
    const wire::Channel& one = a.channels(i);
    const wire::Channel& other = b.channels(i);
    if (one.label() != other.label() || one.unit() != other.unit() ||
        one.rate_group_index() != other.rate_group_index() ||
        one.value_per_count() != other.value_per_count() ||
        one.value_at_zero() != other.value_at_zero() ||
        one.lowest_count() != other.lowest_count() ||
        one.highest_count() != other.highest_count() || one.prefilter() != other.prefilter()) {
      return false;
    }
  }
  return a.tells_stimuli() == b.tells_stimuli();
}

}  // namespace remora::agent::feed
