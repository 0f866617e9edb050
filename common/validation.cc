// ValidateBody, and what every body of lanes 0-2 shares: its size, finite numbers, known enums,
// lengths, counts, references, packed samples, stimuli. Found by reflection, so that a new field is
// never forgotten.

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "common/origin_seq.h"
#include "common/packed_layout.h"
#include "common/record_codec.h"
#include "common/utf8.h"
#include "common/validation_rules.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace remora {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Hashes, signatures and ids; packed samples are checked on their own.
constexpr size_t kMaxPlainBytes = 128;

absl::Status Wrong(const FieldDescriptor& field, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(field.containing_type()->name(), ".", field.name(), ": ", what));
}

// By what the field is for: words of people, words that explain, or a name.
size_t MaxTextBytes(const FieldDescriptor& field) {
  static constexpr std::array<absl::string_view, 3> kTexts = {"text", "summary", "comment"};
  static constexpr std::array<absl::string_view, 20> kExplanations = {
      "reason",   "limits",       "source",  "finding", "procedure",       "cause",
      "test",     "words",        "seen_on", "missing", "kept_by",         "choice",
      "factor",   "factor_words", "imaging", "context", "separating_test", "remedial_step",
      "findings", "response_then"};
  const auto is_in = [&field](const auto& names) {
    return std::find(names.begin(), names.end(), field.name()) != names.end();
  };
  if (is_in(kTexts)) return kMaxTextBytes;
  return is_in(kExplanations) ? kMaxReasonBytes : kMaxNameBytes;
}

absl::Status CheckText(const FieldDescriptor& field, const std::string& text) {
  if (field.type() == FieldDescriptor::TYPE_BYTES) {
    if (text.size() <= kMaxPlainBytes) return absl::OkStatus();
    return Wrong(field, absl::StrCat("at most ", kMaxPlainBytes, " bytes"));
  }
  const size_t limit = MaxTextBytes(field);
  if (text.size() > limit) return Wrong(field, absl::StrCat("at most ", limit, " bytes"));
  // The parser refuses it already; this does not rest on how it was built.
  if (!IsValidUtf8(text)) return Wrong(field, "not UTF-8");
  return absl::OkStatus();
}

absl::Status CheckRecordId(const FieldDescriptor& field, const v1::RecordId& id) {
  if (id.origin().size() != OriginId::kBytes) return Wrong(field, "origin must be 16 bytes");
  if (id.lane() >= kLaneCount) return Wrong(field, "lane must be 0 to 5");
  if (id.origin_seq() == 0) return Wrong(field, "origin_seq starts at 1");
  if (id.origin_seq() > kMaxOriginSeq) return Wrong(field, "origin_seq: at most 2^53 - 1");
  return absl::OkStatus();
}

absl::Status CheckPacked(const FieldDescriptor& field, const v1::PackedSamples& samples) {
  if (samples.encoding() != v1::SAMPLE_ENCODING_DELTA_PACKED) {
    return Wrong(field, "encoding must be DELTA_PACKED");
  }
  if (!std::isfinite(samples.uv_per_count()) || samples.uv_per_count() <= 0) {
    return Wrong(field, "uv_per_count must be positive and finite");
  }
  const char* wrong = CheckPackedLayout(samples.sample_count(), samples.packed());
  return wrong == nullptr ? absl::OkStatus() : Wrong(field, wrong);
}

// As in a sweep (validation_bulk.cc).
absl::Status CheckStimulus(const FieldDescriptor& field, const v1::StimulusSetting& stimulus) {
  for (const double quantity :
       {stimulus.current_ma(), stimulus.rate_hz(), stimulus.pulse_us(), stimulus.voltage_v(),
        stimulus.pulse_interval_ms(), stimulus.delivered_ma(), stimulus.delivered_v()}) {
    if (quantity < 0) return Wrong(field, "nothing of a stimulus is negative");
  }
  return absl::OkStatus();
}

absl::Status CheckShared(const Message& message, int depth);

absl::Status CheckSubmessage(const FieldDescriptor& field, const Message& message, int depth) {
  const google::protobuf::Descriptor* type = message.GetDescriptor();
  if (type == v1::RecordId::descriptor()) {
    return CheckRecordId(field, static_cast<const v1::RecordId&>(message));
  }
  if (type == v1::PackedSamples::descriptor()) {
    return CheckPacked(field, static_cast<const v1::PackedSamples&>(message));
  }
  if (type == v1::StimulusSetting::descriptor()) {
    absl::Status status = CheckStimulus(field, static_cast<const v1::StimulusSetting&>(message));
    if (!status.ok()) return status;
  }
  return CheckShared(message, depth + 1);
}

absl::Status CheckEnum(const FieldDescriptor& field, int number) {
  if (field.enum_type()->FindValueByNumber(number) != nullptr) return absl::OkStatus();
  return Wrong(field, absl::StrCat(number, " is none of ", field.enum_type()->name()));
}

absl::Status CheckFinite(const FieldDescriptor& field, double number) {
  return std::isfinite(number) ? absl::OkStatus() : Wrong(field, "not a finite number");
}

absl::Status CheckSingular(const Message& message, const FieldDescriptor& field, int depth) {
  const Reflection& reflection = *message.GetReflection();
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return CheckFinite(field, reflection.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return CheckFinite(field, reflection.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return CheckEnum(field, reflection.GetEnumValue(message, &field));
    case FieldDescriptor::CPPTYPE_STRING:
      return CheckText(field, reflection.GetStringReference(message, &field, &scratch));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return CheckSubmessage(field, reflection.GetMessage(message, &field), depth);
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckRepeated(const Message& message, const FieldDescriptor& field, int depth) {
  const Reflection& reflection = *message.GetReflection();
  const int count = reflection.FieldSize(message, &field);
  if (count > kMaxRepeatedEntries) {
    return Wrong(field, absl::StrCat("at most ", kMaxRepeatedEntries, " entries"));
  }
  std::string scratch;
  for (int i = 0; i < count; ++i) {
    absl::Status status;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_DOUBLE:
        status = CheckFinite(field, reflection.GetRepeatedDouble(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_FLOAT:
        status = CheckFinite(field, reflection.GetRepeatedFloat(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        status = CheckEnum(field, reflection.GetRepeatedEnumValue(message, &field, i));
        break;
      case FieldDescriptor::CPPTYPE_STRING:
        status =
            CheckText(field, reflection.GetRepeatedStringReference(message, &field, i, &scratch));
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        status = CheckSubmessage(field, reflection.GetRepeatedMessage(message, &field, i), depth);
        break;
      default:
        break;
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Every field of `message` that is set, and of the messages in it.
absl::Status CheckShared(const Message& message, int depth) {
  if (depth > kMaxNesting) return absl::InvalidArgumentError("messages nested too deeply");
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    absl::Status status = field->is_repeated() ? CheckRepeated(message, *field, depth)
                                               : CheckSingular(message, *field, depth);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

size_t MaxBodyBytes(uint32_t kind) {
  switch (kind) {
    case v1::Record::kMessageReceipt:
    case v1::Record::kLinkState:
    case v1::Record::kPhaseChange:
    case v1::Record::kInputTaken:
    case v1::Record::kPresence:
    case v1::Record::kFocus:
    case v1::Record::kHandover:
    case v1::Record::kExportMade:
    case v1::Record::kDataGap:
    case v1::Record::kClockEstimate:
    case v1::Record::kTimerFired:
    case v1::Record::kBacklogReviewed:
    case v1::Record::kPublisherTotal:
    case v1::Record::kPositionChange:
      return kMaxNamesBodyBytes;
    case v1::Record::kAlertAction:
    case v1::Record::kUnrecordedInterval:
    case v1::Record::kSignedHead:
    case v1::Record::kEmgActivity:
    case v1::Record::kDrugGiven:
    case v1::Record::kStimulusChange:
    case v1::Record::kTrainOfFour:
    case v1::Record::kSpectralEdge:
    case v1::Record::kMappingContact:
    case v1::Record::kRelation:
    case v1::Record::kEegActivity:
    case v1::Record::kMappingResult:
    case v1::Record::kEscalation:
      return kMaxReasonBodyBytes;
    case v1::Record::kMessage:
    case v1::Record::kRequest:
    case v1::Record::kAlarmLatency:
    case v1::Record::kCaseLifecycle:
    case v1::Record::kAnnotation:
    case v1::Record::kNecessityFinding:
    case v1::Record::kSourceNote:
    case v1::Record::kVitals:
    case v1::Record::kMeasurement:
      return kMaxTextBodyBytes;
    default:
      return kMaxControlBytes;
  }
}

absl::Status ValidateControl(uint32_t kind, const v1::Record& record) {
  const FieldDescriptor* field =
      v1::Record::descriptor()->FindFieldByNumber(static_cast<int>(kind));
  if (field == nullptr) return absl::OkStatus();
  const Message& body = record.GetReflection()->GetMessage(record, field);
  if (absl::Status status = CheckShared(body, 0); !status.ok()) return status;
  return CheckRequired(kind, record);
}

absl::Status ValidateBody(const RecordHeader& header, absl::string_view bytes, v1::Record* record) {
  if (header.lane >= kControlLaneCount) return ValidateBulk(header.kind, header.body);
  if (const size_t limit = MaxBodyBytes(header.kind); header.body.size() > limit) {
    return absl::InvalidArgumentError(absl::StrCat(KindName(header.kind), ": a body of ",
                                                   header.body.size(), " bytes; at most ", limit));
  }
  SilenceProtobufLog();
  if (!record->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::InvalidArgumentError(
        absl::StrCat(KindName(header.kind), ": the body is malformed, or a text is not UTF-8"));
  }
  return ValidateControl(header.kind, *record);
}

}  // namespace remora
