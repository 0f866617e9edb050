#include "common/testing/record_oracle.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "common/record_codec.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"

namespace remora {
namespace {

using google::protobuf::UnknownField;
using google::protobuf::UnknownFieldSet;

bool SameHeader(const RecordHeader& a, const RecordHeader& b) {
  return a.key() == b.key() && a.case_id == b.case_id && a.kind == b.kind && a.body == b.body;
}

// The top level as protobuf reads it, knowing no schema.
std::string CheckTopLevel(const RecordHeader& header, const std::string& stamped) {
  UnknownFieldSet fields;
  if (!fields.ParseFromString(stamped)) return "protobuf cannot parse the top level";
  std::map<int, int> count;
  for (int i = 0; i < fields.field_count(); ++i) {
    const UnknownField& field = fields.field(i);
    if (++count[field.number()] > 1) return absl::StrCat("field ", field.number(), " came twice");
    if (field.number() == 1 && field.length_delimited() != header.case_id.bytes()) return "case_id";
    if (field.number() == 2 && field.length_delimited() != header.origin.bytes()) return "origin";
    if (field.number() == 3 && field.varint() != header.lane) return "lane";
    if (field.number() == 4 && field.varint() != header.origin_seq) return "origin_seq";
    if (field.number() > 5 && field.number() != 15) {
      if (field.number() != static_cast<int>(header.kind)) return "another body";
      if (field.length_delimited() != header.body) return "body";
    }
  }
  if (fields.field_count() == 0 || fields.field(fields.field_count() - 1).number() != 15) {
    return "the stamp is not the last field";
  }
  return count[static_cast<int>(header.kind)] == 1 ? "" : "no body";
}

std::string CheckParsed(const RecordHeader& header, const RecordStamp& stamp,
                        const std::string& stamped) {
  v1::Record record;
  if (!record.ParseFromString(stamped)) return "a valid record that protobuf cannot parse";
  if (record.case_id() != header.case_id.bytes() || record.origin() != header.origin.bytes() ||
      record.lane() != header.lane || record.origin_seq() != header.origin_seq) {
    return "protobuf sees another header";
  }
  if (record.stamp().epoch() != stamp.epoch || record.stamp().seq() != stamp.seq ||
      record.stamp().recorded_unix_ns() != stamp.recorded_at.nanoseconds() ||
      record.stamp().unrecorded() != stamp.unrecorded) {
    return "protobuf sees another stamp";
  }
  const bool known =
      v1::Record::descriptor()->FindFieldByNumber(static_cast<int>(header.kind)) != nullptr;
  const auto kind = static_cast<uint32_t>(record.body_case());
  if (known) return kind == header.kind ? "" : "protobuf sees another kind";
  const UnknownFieldSet& unknown = record.GetReflection()->GetUnknownFields(record);
  if (kind != 0 || unknown.field_count() != 1 ||
      unknown.field(0).number() != static_cast<int>(header.kind) ||
      unknown.field(0).length_delimited() != header.body) {
    return "protobuf does not keep the unknown kind";
  }
  return "";
}

std::string CheckStamped(absl::string_view bytes, const RecordHeader& header, bool validated,
                         const RecordStamp& stamp) {
  std::string stamped(bytes.data(), bytes.size());
  AppendStamp(stamp, &stamped);
  if (WalkRecord(stamped).ok()) return "WalkRecord takes a stamp";
  const absl::StatusOr<StampedRecord> walked = WalkStamped(stamped);
  if (!walked.ok()) return absl::StrCat("WalkStamped: ", walked.status().message());
  if (!SameHeader(header, walked->header)) return "WalkStamped sees another header";
  if (walked->origin_bytes != bytes) return "WalkStamped sees other bytes";
  if (walked->stamp.epoch != stamp.epoch || walked->stamp.seq != stamp.seq ||
      walked->stamp.recorded_at != stamp.recorded_at ||
      walked->stamp.unrecorded != stamp.unrecorded) {
    return "WalkStamped sees another stamp";
  }
  if (std::string wrong = CheckTopLevel(header, stamped); !wrong.empty()) return wrong;
  return validated ? CheckParsed(header, stamp, stamped) : "";
}

}  // namespace

OracleVerdict CheckRecordOracle(absl::string_view bytes) {
  OracleVerdict verdict;
  // Must neither crash nor read beyond the end, whatever it says.
  static_cast<void>(WalkStamped(bytes));
  const absl::StatusOr<RecordHeader> header = WalkRecord(bytes);
  if (!header.ok()) return verdict;
  verdict.walked = true;
  v1::Record record;
  verdict.validated = ValidateBody(*header, bytes, &record).ok();
  if (verdict.validated && header->lane < kControlLaneCount &&
      header->body.size() > MaxBodyBytes(header->kind)) {
    verdict.wrong = "a valid body that is larger than its kind may be";
    return verdict;
  }
  const HubTime recorded_at = HubTime::FromNanoseconds(0x7a17'0d11'1920'017a);
  verdict.wrong = CheckStamped(bytes, *header, verdict.validated, {7, 0x19'11, recorded_at, false});
  if (verdict.wrong.empty()) {
    verdict.wrong = CheckStamped(bytes, *header, verdict.validated, {7, 0, recorded_at, true});
  }
  return verdict;
}

}  // namespace remora
