#include "common/record_json.h"

#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/limits.h"
#include "common/sample_codec.h"
#include "google/protobuf/descriptor.h"
#include "nlohmann/json.hpp"

namespace remora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using nlohmann::ordered_json;

constexpr double kMicrovoltDigits = 1e4;  // samples are given to 0.0001 uV

// ALERT_PRIORITY_ for AlertPriority.
std::string EnumPrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix += '_';
    prefix += absl::ascii_toupper(c);
  }
  return prefix + "_";
}

ordered_json ToJson(const Message& message, const JsonOptions& options);

ordered_json Samples(const v1::PackedSamples& packed, const JsonOptions& options) {
  ordered_json json = {{"sample_count", packed.sample_count()},
                       {"uv_per_count", packed.uv_per_count()}};
  if (!options.samples) return json;
  absl::StatusOr<std::vector<double>> microvolts = UnpackMicrovolts(packed);
  if (!microvolts.ok()) {
    json["error"] = std::string(microvolts.status().message());
    return json;
  }
  for (double& uv : *microvolts) uv = std::round(uv * kMicrovoltDigits) / kMicrovoltDigits;
  json["uv"] = *std::move(microvolts);
  return json;
}

ordered_json BytesValue(const std::string& bytes) { return absl::BytesToHexString(bytes); }

ordered_json Number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

ordered_json Value(const Message& message, const FieldDescriptor& field, int index,
                   const JsonOptions& options) {
  const Reflection& r = *message.GetReflection();
  const bool many = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return many ? r.GetRepeatedInt32(message, &field, index) : r.GetInt32(message, &field);
    case FieldDescriptor::CPPTYPE_INT64:
      return many ? r.GetRepeatedInt64(message, &field, index) : r.GetInt64(message, &field);
    case FieldDescriptor::CPPTYPE_UINT32:
      return many ? r.GetRepeatedUInt32(message, &field, index) : r.GetUInt32(message, &field);
    case FieldDescriptor::CPPTYPE_UINT64:
      return many ? r.GetRepeatedUInt64(message, &field, index) : r.GetUInt64(message, &field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Number(many ? r.GetRepeatedDouble(message, &field, index)
                         : r.GetDouble(message, &field));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Number(many ? r.GetRepeatedFloat(message, &field, index)
                         : r.GetFloat(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return many ? r.GetRepeatedBool(message, &field, index) : r.GetBool(message, &field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number =
          many ? r.GetRepeatedEnumValue(message, &field, index) : r.GetEnumValue(message, &field);
      const EnumValueDescriptor* value = field.enum_type()->FindValueByNumber(number);
      if (value == nullptr) return number;
      return EnumText(*value);
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string text =
          many ? r.GetRepeatedString(message, &field, index) : r.GetString(message, &field);
      if (field.type() == FieldDescriptor::TYPE_BYTES) return BytesValue(text);
      return text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ToJson(
          many ? r.GetRepeatedMessage(message, &field, index) : r.GetMessage(message, &field),
          options);
  }
  return nullptr;
}

ordered_json ToJson(const Message& message, const JsonOptions& options) {
  const Descriptor* type = message.GetDescriptor();
  if (type == v1::RecordId::descriptor()) {
    return ToText(FromProto(static_cast<const v1::RecordId&>(message)));
  }
  if (type == v1::PackedSamples::descriptor()) {
    return Samples(static_cast<const v1::PackedSamples&>(message), options);
  }
  ordered_json json = ordered_json::object();
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (!field->is_repeated()) {
      json[field->name()] = Value(message, *field, -1, options);
      continue;
    }
    ordered_json list = ordered_json::array();
    const int size = message.GetReflection()->FieldSize(message, field);
    for (int i = 0; i < size; ++i) list.push_back(Value(message, *field, i, options));
    json[field->name()] = std::move(list);
  }
  return json;
}

// Text in records was checked at ingest; in an agent's own records it comes from files.
std::string Dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string RecordToJson(const RecordHeader& header, const RecordStamp* stamp,
                         absl::string_view record_bytes, const JsonOptions& options) {
  ordered_json json;
  if (stamp != nullptr) {
    if (stamp->unrecorded) {
      json["unrecorded"] = true;
    } else {
      json["seq"] = stamp->seq;
    }
    json["recorded_at"] = UtcText(stamp->recorded_at.nanoseconds());
  }
  json["lane"] = header.lane;
  json["kind"] = KindName(header.kind);
  json["id"] = ToText(header.key());
  json["case"] = header.case_id.Hex();
  v1::Record record;
  if (!record.ParseFromArray(record_bytes.data(), static_cast<int>(record_bytes.size())) ||
      record.body_case() == v1::Record::BODY_NOT_SET) {
    json["body_bytes"] = header.body.size();
    return Dump(json);
  }
  json["captured_monotonic_ns"] = record.captured_at().monotonic_ns();
  const FieldDescriptor* body = record.GetDescriptor()->FindFieldByNumber(header.kind);
  json["body"] = ToJson(record.GetReflection()->GetMessage(record, body), options);
  return Dump(json);
}

std::string MessageToJson(const Message& message, const JsonOptions& options) {
  return Dump(ToJson(message, options));
}

std::string ToText(const RecordKey& key) {
  return absl::StrCat(key.origin.Hex(), "/", key.lane, "/", key.origin_seq);
}

RecordKey RecordKeyFromText(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  RecordKey key;
  if (parts.size() != 3 || parts[0].size() != 2 * OriginId::kBytes) return {};
  for (char c : parts[0]) {
    if (!absl::ascii_isxdigit(c)) return {};
  }
  if (!key.origin.Assign(absl::HexStringToBytes(parts[0])) ||
      !absl::SimpleAtoi(parts[1], &key.lane) || !absl::SimpleAtoi(parts[2], &key.origin_seq) ||
      key.lane >= kLaneCount || key.origin_seq == 0) {
    return {};
  }
  return key;
}

std::string UtcText(int64_t unix_ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixNanos(unix_ns),
                          absl::UTCTimeZone());
}

std::string EnumText(const EnumValueDescriptor& value) {
  const std::string prefix = EnumPrefix(*value.type());
  absl::string_view name = value.name();
  if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
  return absl::AsciiStrToLower(name);
}

}  // namespace remora
