// The bounded walk over bodies of lanes 3-5: the hub's hot path, so that nothing is parsed and
// nothing allocated unless something is wrong. A body is described by a table of its fields. What
// passes, protobuf parses: texts are UTF-8, and no known field comes twice or with another wire
// type.

#include <array>
#include <cmath>
#include <cstring>
#include <span>

#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "common/packed_layout.h"
#include "common/utf8.h"
#include "common/validation_rules.h"
#include "common/wire_reader.h"

namespace remora {
namespace {

enum class Rule : uint8_t {
  kText,      // UTF-8, at most `high` bytes
  kNumber,    // varint, `low` to `high`
  kNumbers,   // repeated varints, packed or not, each `low` to `high`
  kReal,      // finite double, `low` to `high`
  kFixed64,   // any
  kSamples,   // PackedSamples; all of one body have the same sample_count
  kMessage,   // `fields`
  kMessages,  // repeated `fields`
};

struct BulkField {
  uint8_t number;
  Rule rule;
  bool required;
  const char* name;
  double low;
  double high;
  std::span<const BulkField> fields = {};
};

constexpr double kAny = 1e300;  // beyond any finite quantity that occurs
constexpr double kAnyCount = 4294967295.0;
constexpr double kSmallest = 1e-12;  // "positive"

constexpr BulkField Text(uint8_t number, const char* name, bool required = false) {
  return {number, Rule::kText,          required,
          name,   required ? 1.0 : 0.0, static_cast<double>(kMaxNameBytes)};
}
constexpr BulkField Real(uint8_t number, const char* name, double low, double high,
                         bool required = false) {
  return {number, Rule::kReal, required, name, low, high};
}
constexpr BulkField Count(uint8_t number, const char* name) {
  return {number, Rule::kNumber, false, name, 0, kAnyCount};
}
constexpr BulkField Flag(uint8_t number, const char* name) {
  return {number, Rule::kNumber, false, name, 0, 1};
}
constexpr BulkField Enum(uint8_t number, const char* name, int last, bool required = false) {
  return {number, Rule::kNumber, required, name, required ? 1.0 : 0.0, static_cast<double>(last)};
}
constexpr BulkField Samples(uint8_t number, const char* name, bool required) {
  return {number, Rule::kSamples, required, name, 0, 0};
}
constexpr BulkField Monotonic(uint8_t number, const char* name) {
  return {number, Rule::kFixed64, false, name, 0, 0};
}
constexpr BulkField Quality(uint8_t number) {
  return {number, Rule::kNumbers, false, "quality", 1, v1::QualityFlag_MAX};
}

constexpr std::array kFilter = {
    Real(1, "filter.high_pass_hz", 0, kMaxSampleRateHz),
    Real(2, "filter.low_pass_hz", 0, kMaxSampleRateHz),
    BulkField{3, Rule::kNumber, false, "filter.order", 0, kMaxFilterOrder},
    Real(4, "filter.notch_hz", 0, kMaxSampleRateHz),
    Flag(5, "filter.zero_phase"),
};
constexpr std::array kStimulus = {
    Text(1, "stimulus.site"),
    Enum(2, "stimulus.side", v1::Side_MAX),
    Real(3, "stimulus.current_ma", 0, kAny),
    Real(4, "stimulus.rate_hz", 0, kAny),
    Real(5, "stimulus.pulse_us", 0, kAny),
    Real(6, "stimulus.voltage_v", 0, kAny),
    Count(7, "stimulus.pulse_count"),
    Real(8, "stimulus.pulse_interval_ms", 0, kAny),
    Real(9, "stimulus.delivered_ma", 0, kAny),
    Real(10, "stimulus.delivered_v", 0, kAny),
    Text(11, "stimulus.electrodes"),
};
constexpr std::array kMark = {
    Text(1, "marks.label"),
    Real(2, "marks.latency_ms", -kAny, kAny),
    Real(3, "marks.amplitude_uv", -kAny, kAny),
    Enum(4, "marks.confidence", v1::MarkConfidence_MAX),
    BulkField{5, Rule::kText, false, "marks.reason", 0, kMaxReasonBytes},
};
constexpr std::array kRejected = {
    Count(1, "rejected.over_amplitude_count"),
    Count(2, "rejected.clipped_count"),
    Count(3, "rejected.disconnected_count"),
    Count(4, "rejected.not_finite_count"),
    Count(5, "rejected.gap_count"),
    Count(6, "rejected.interference_count"),
};

constexpr std::array kSweep = {
    Text(1, "trace_id", true),
    Enum(2, "modality", v1::Modality_MAX, true),
    Enum(3, "side", v1::Side_MAX),
    Enum(4, "level_role", v1::LevelRole_MAX),
    Text(5, "derivation"),
    Real(6, "sample_rate_hz", kSmallest, kMaxSampleRateHz, true),
    Real(7, "first_sample_ms", -kAny, kAny),
    Samples(8, "average", true),
    Samples(9, "odd_average", false),
    Samples(10, "even_average", false),
    Count(11, "requested_count"),
    Count(12, "accepted_count"),
    BulkField{13, Rule::kMessage, false, "rejected", 0, 0, kRejected},
    Real(14, "noise_uv_rms", 0, kAny),
    Real(15, "odd_even_correlation", -1, 1),
    Flag(16, "provisional"),
    Count(17, "block_index"),
    Monotonic(18, "first_stimulus_monotonic_ns"),
    Monotonic(19, "last_stimulus_monotonic_ns"),
    BulkField{20, Rule::kMessage, false, "filter", 0, 0, kFilter},
    BulkField{21, Rule::kMessage, false, "stimulus", 0, 0, kStimulus},
    BulkField{22, Rule::kMessages, false, "marks", 0, kMaxMarks, kMark},
    Quality(23),
    Text(24, "site"),
    Count(25, "trial_index"),
    Count(26, "more_needed_count"),
    Flag(27, "decided"),
};
constexpr std::array kEnvelope = {
    Text(1, "trace_id", true),
    Enum(2, "modality", v1::Modality_MAX),
    Enum(3, "side", v1::Side_MAX),
    Monotonic(4, "started_monotonic_ns"),
    Real(5, "bin_ms", kSmallest, kAny, true),
    Samples(6, "minimum", true),
    Samples(7, "maximum", true),
    Samples(8, "rms", true),
    Quality(9),
    Samples(10, "crossing_hz", false),
    Samples(11, "centroid_hz", false),
    Samples(12, "click_count", false),
};
constexpr std::array kSampleBlock = {
    Text(1, "trace_id", true),
    Enum(2, "modality", v1::Modality_MAX),
    Enum(3, "side", v1::Side_MAX),
    Real(4, "sample_rate_hz", kSmallest, kMaxSampleRateHz, true),
    BulkField{5, Rule::kNumber, false, "first_sample_index", 0, 1.9e19},
    Monotonic(6, "started_monotonic_ns"),
    Samples(7, "samples", true),
    BulkField{8, Rule::kMessage, false, "filter", 0, 0, kFilter},
    Quality(9),
};
constexpr std::array kSpectrumSlice = {
    Text(1, "trace_id", true),
    Real(2, "first_bin_hz", 0, kMaxSampleRateHz),
    Real(3, "bin_width_hz", kSmallest, kMaxSampleRateHz, true),
    Samples(4, "power_db", true),
    Monotonic(5, "started_monotonic_ns"),
    Real(6, "window_ms", 0, kAny),
    Enum(7, "side", v1::Side_MAX),
    Enum(8, "modality", v1::Modality_MAX),
    Quality(9),
};

absl::Status Wrong(const char* name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(name, ": ", what));
}

absl::Status Truncated(const char* name) {
  return Wrong(name, "truncated, overlong, or of another wire type");
}

double AsReal(uint64_t bits) {
  double value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

absl::Status CheckNumber(const BulkField& field, uint64_t number) {
  const double value = static_cast<double>(number);
  if (value >= field.low && value <= field.high) return absl::OkStatus();
  return Wrong(field.name, absl::StrCat(number, ", want ", field.low, " to ", field.high));
}

absl::Status CheckReal(const BulkField& field, double value) {
  // Written so that NaN fails.
  if (value >= field.low && value <= field.high) return absl::OkStatus();
  return Wrong(field.name,
               absl::StrCat(value, ", want a finite number, ", field.low, " to ", field.high));
}

// Walks one body; `sample_count_` is what all its PackedSamples must have.
class BulkWalker {
 public:
  absl::Status Walk(std::span<const BulkField> fields, absl::string_view bytes);

 private:
  absl::Status WalkKnown(const BulkField& field, WireType type, WireReader* reader);
  absl::Status WalkSamples(const BulkField& field, absl::string_view bytes);
  absl::Status WalkNumbers(const BulkField& field, WireType type, WireReader* reader);

  uint32_t sample_count_ = 0;
  int marks_ = 0;
  int flags_ = 0;
};

absl::Status BulkWalker::Walk(std::span<const BulkField> fields, absl::string_view bytes) {
  WireReader reader(bytes);
  uint32_t seen = 0;
  while (!reader.AtEnd()) {
    uint32_t number;
    WireType type;
    if (!reader.ReadTag(&number, &type)) return Truncated("field");
    // Tables are dense and ascending from 1.
    if (number > fields.size()) {
      // Of a later version: skipped, as protobuf does.
      if (!reader.Skip(type)) return Truncated("unknown field");
      continue;
    }
    const BulkField& field = fields[number - 1];
    const bool repeats = field.rule == Rule::kNumbers || field.rule == Rule::kMessages;
    if (seen & 1u << number && !repeats) return Wrong(field.name, "for the second time");
    seen |= 1u << number;
    if (absl::Status status = WalkKnown(field, type, &reader); !status.ok()) return status;
  }
  for (const BulkField& field : fields) {
    if (field.required && !(seen & 1u << field.number)) return Wrong(field.name, "required");
  }
  return absl::OkStatus();
}

absl::Status BulkWalker::WalkKnown(const BulkField& field, WireType type, WireReader* reader) {
  uint64_t number;
  absl::string_view bytes;
  switch (field.rule) {
    case Rule::kNumber:
      if (type != WireType::kVarint || !reader->ReadVarint(&number)) return Truncated(field.name);
      return CheckNumber(field, number);
    case Rule::kNumbers:
      return WalkNumbers(field, type, reader);
    case Rule::kReal:
      if (type != WireType::kFixed64 || !reader->ReadFixed64(&number)) return Truncated(field.name);
      return CheckReal(field, AsReal(number));
    case Rule::kFixed64:
      if (type != WireType::kFixed64 || !reader->ReadFixed64(&number)) return Truncated(field.name);
      return absl::OkStatus();
    default:
      break;
  }
  if (type != WireType::kBytes || !reader->ReadBytes(&bytes)) return Truncated(field.name);
  if (field.rule == Rule::kSamples) return WalkSamples(field, bytes);
  if (field.rule == Rule::kText) {
    if (static_cast<double>(bytes.size()) < field.low) return Wrong(field.name, "required");
    if (static_cast<double>(bytes.size()) > field.high) {
      return Wrong(field.name, absl::StrCat("at most ", field.high, " bytes"));
    }
    return IsValidUtf8(bytes) ? absl::OkStatus() : Wrong(field.name, "not UTF-8");
  }
  if (field.rule == Rule::kMessages && ++marks_ > static_cast<int>(field.high)) {
    return Wrong(field.name, absl::StrCat("at most ", field.high, " entries"));
  }
  return Walk(field.fields, bytes);
}

absl::Status BulkWalker::WalkNumbers(const BulkField& field, WireType type, WireReader* reader) {
  uint64_t number;
  if (type == WireType::kVarint) {
    if (!reader->ReadVarint(&number)) return Truncated(field.name);
    if (++flags_ > kMaxQualityFlags) return Wrong(field.name, "too many entries");
    return CheckNumber(field, number);
  }
  absl::string_view packed;
  if (type != WireType::kBytes || !reader->ReadBytes(&packed)) return Truncated(field.name);
  WireReader numbers(packed);
  while (!numbers.AtEnd()) {
    if (!numbers.ReadVarint(&number)) return Truncated(field.name);
    if (++flags_ > kMaxQualityFlags) return Wrong(field.name, "too many entries");
    if (absl::Status status = CheckNumber(field, number); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status BulkWalker::WalkSamples(const BulkField& field, absl::string_view bytes) {
  WireReader reader(bytes);
  uint32_t seen = 0;
  uint64_t encoding = 0;
  uint64_t count = 0;
  uint64_t scale_bits = 0;
  absl::string_view packed;
  while (!reader.AtEnd()) {
    uint32_t number;
    WireType type;
    if (!reader.ReadTag(&number, &type)) return Truncated(field.name);
    if (number <= 4) {
      if (seen & 1u << number) return Wrong(field.name, "a field for the second time");
      seen |= 1u << number;
    }
    bool read = false;
    switch (number) {
      case 1:
        read = type == WireType::kVarint && reader.ReadVarint(&encoding);
        break;
      case 2:
        read = type == WireType::kVarint && reader.ReadVarint(&count);
        break;
      case 3:
        read = type == WireType::kFixed64 && reader.ReadFixed64(&scale_bits);
        break;
      case 4:
        read = type == WireType::kBytes && reader.ReadBytes(&packed);
        break;
      default:
        read = reader.Skip(type);
    }
    if (!read) return Truncated(field.name);
  }
  if (encoding != v1::SAMPLE_ENCODING_DELTA_PACKED) {
    return Wrong(field.name, "encoding must be DELTA_PACKED");
  }
  const double scale = AsReal(scale_bits);
  if (!std::isfinite(scale) || scale <= 0) {
    return Wrong(field.name, "uv_per_count must be positive and finite");
  }
  if (count > kMaxPackedSamples) return Wrong(field.name, "sample_count must be 1 to 65536");
  if (const char* wrong = CheckPackedLayout(static_cast<uint32_t>(count), packed)) {
    return Wrong(field.name, wrong);
  }
  if (sample_count_ != 0 && count != sample_count_) {
    return Wrong(field.name, "sample_count differs from the other traces of this record");
  }
  sample_count_ = static_cast<uint32_t>(count);
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateBulk(uint32_t kind, absl::string_view body) {
  BulkWalker walker;
  switch (kind) {
    case v1::Record::kSweep:
      return walker.Walk(kSweep, body);
    case v1::Record::kEnvelope:
      return walker.Walk(kEnvelope, body);
    case v1::Record::kSpectrumSlice:
      return walker.Walk(kSpectrumSlice, body);
    case v1::Record::kSampleBlock:
      return walker.Walk(kSampleBlock, body);
    default:
      return absl::OkStatus();
  }
}

}  // namespace remora
