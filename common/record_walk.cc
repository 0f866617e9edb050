// WalkRecord and WalkStamped: see record_codec.h and docs/record.md.

#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "common/origin_seq.h"
#include "common/record_codec.h"
#include "common/wire_reader.h"

namespace remora {
namespace {

constexpr uint32_t kCaseIdField = 1;
constexpr uint32_t kOriginField = 2;
constexpr uint32_t kLaneField = 3;
constexpr uint32_t kOriginSeqField = 4;
constexpr uint32_t kCapturedAtField = 5;
constexpr uint32_t kStampField = 15;

// The stamp's bytes: tag and length of the field, then the tags of its parts.
constexpr char kStampTag = 0x7a;
constexpr char kRecordedLength = 23;
constexpr char kUnrecordedLength = 16;
constexpr size_t kUnrecordedStampBytes = 18;
constexpr char kEpochTag = 0x0d;
constexpr char kSeqTag = 0x11;
constexpr char kRecordedAtTag = 0x19;
constexpr char kUnrecordedTag = 0x20;

absl::Status Refuse(size_t at_byte, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("record, byte ", at_byte, ": ", what));
}

size_t MaxBytesOfLane(uint32_t lane) {
  if (lane < kControlLaneCount) return kMaxControlBytes;
  return lane == 3 ? kMaxSweepBytes : kMaxBlockBytes;
}

bool IsCapturedAt(absl::string_view bytes) {
  WireReader reader(bytes);
  uint32_t seen = 0;
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    uint64_t value;
    if (!reader.ReadTag(&field, &type) || type != WireType::kFixed64 || field > 3) return false;
    if (seen & (1u << field) || !reader.ReadFixed64(&value)) return false;
    seen |= 1u << field;
  }
  return true;
}

// One header field. The tag is read, and it has not come before.
absl::Status WalkHeaderField(uint32_t field, WireType type, size_t at, WireReader* reader,
                             RecordHeader* header) {
  absl::string_view bytes;
  uint64_t number = 0;
  const bool is_number = field == kLaneField || field == kOriginSeqField;
  if (type != (is_number ? WireType::kVarint : WireType::kBytes)) {
    return Refuse(at, absl::StrCat("field ", field, " has the wrong wire type"));
  }
  if (is_number ? !reader->ReadVarint(&number) : !reader->ReadBytes(&bytes)) {
    return Refuse(at, absl::StrCat("field ", field, " is truncated or its number is overlong"));
  }
  switch (field) {
    case kCaseIdField:
      if (!header->case_id.Assign(bytes)) return Refuse(at, "case_id must be 16 bytes");
      break;
    case kOriginField:
      if (!header->origin.Assign(bytes)) return Refuse(at, "origin must be 16 bytes");
      break;
    case kLaneField:
      if (number >= kLaneCount) return Refuse(at, "lane must be 0 to 5");
      header->lane = static_cast<uint32_t>(number);
      break;
    case kOriginSeqField:
      if (number > kMaxOriginSeq) return Refuse(at, "origin_seq must be at most 2^53 - 1");
      header->origin_seq = number;
      break;
    case kCapturedAtField:
      if (!IsCapturedAt(bytes)) {
        return Refuse(at, "captured_at must hold fixed64 fields 1 to 3, each at most once");
      }
      break;
  }
  return absl::OkStatus();
}

absl::Status WalkBody(uint32_t field, WireType type, size_t at, WireReader* reader,
                      RecordHeader* header) {
  if (field == kStampField) return Refuse(at, "a stamp; only the hub sets it");
  if (LaneOfKind(field) == kLaneCount) {
    return Refuse(at, absl::StrCat("field ", field, " is none of a record's"));
  }
  if (header->kind != 0) {
    return Refuse(at, absl::StrCat("a second body, field ", field, " after ", header->kind));
  }
  if (type != WireType::kBytes || !reader->ReadBytes(&header->body)) {
    return Refuse(at, absl::StrCat("body ", field, " is truncated or no message"));
  }
  header->kind = field;
  return absl::OkStatus();
}

absl::Status CheckWhole(uint32_t seen, size_t size, const RecordHeader& header) {
  if (!(seen & 1u << kCaseIdField)) return Refuse(size, "case_id is missing");
  if (!(seen & 1u << kOriginField)) return Refuse(size, "origin is missing");
  if (header.origin_seq == 0) return Refuse(size, "origin_seq is missing or 0; numbers start at 1");
  if (header.kind == 0) return Refuse(size, "no body");
  if (LaneOfKind(header.kind) != header.lane) {
    return Refuse(size, absl::StrCat("lane ", header.lane, " but body ", KindName(header.kind),
                                     ", which belongs to lane ", LaneOfKind(header.kind)));
  }
  if (size > MaxBytesOfLane(header.lane)) {
    return Refuse(size, absl::StrCat("larger than the ", MaxBytesOfLane(header.lane),
                                     " bytes that a record of lane ", header.lane, " may have"));
  }
  return absl::OkStatus();
}

template <typename T>
T ReadLittleEndian(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// The stamp at the end of `bytes`, in either canonical form; false if there is none.
bool TakeRecordedStamp(absl::string_view bytes, RecordStamp* stamp) {
  if (bytes.size() < kStampBytes) return false;
  const char* at = bytes.data() + bytes.size() - kStampBytes;
  if (at[0] != kStampTag || at[1] != kRecordedLength || at[2] != kEpochTag || at[7] != kSeqTag ||
      at[16] != kRecordedAtTag) {
    return false;
  }
  stamp->epoch = ReadLittleEndian<uint32_t>(at + 3);
  stamp->seq = ReadLittleEndian<uint64_t>(at + 8);
  stamp->recorded_at = HubTime::FromNanoseconds(ReadLittleEndian<int64_t>(at + 17));
  stamp->unrecorded = false;
  return stamp->seq != 0;
}

bool TakeUnrecordedStamp(absl::string_view bytes, RecordStamp* stamp) {
  if (bytes.size() < kUnrecordedStampBytes) return false;
  const char* at = bytes.data() + bytes.size() - kUnrecordedStampBytes;
  if (at[0] != kStampTag || at[1] != kUnrecordedLength || at[2] != kEpochTag ||
      at[7] != kRecordedAtTag || at[16] != kUnrecordedTag || at[17] != 1) {
    return false;
  }
  stamp->epoch = ReadLittleEndian<uint32_t>(at + 3);
  stamp->seq = 0;
  stamp->recorded_at = HubTime::FromNanoseconds(ReadLittleEndian<int64_t>(at + 8));
  stamp->unrecorded = true;
  return true;
}

}  // namespace

absl::StatusOr<RecordHeader> WalkRecord(absl::string_view bytes_untrusted) {
  const size_t size = bytes_untrusted.size();
  if (size > kMaxRecordBytes) return Refuse(size, "larger than any record may be");
  RecordHeader header;
  WireReader reader(bytes_untrusted);
  uint32_t seen = 0;
  while (!reader.AtEnd()) {
    const size_t at = reader.offset();
    uint32_t field;
    WireType type;
    if (!reader.ReadTag(&field, &type)) {
      return Refuse(at,
                    "no field starts here (truncated, overlong, a group, or an unknown wire type)");
    }
    absl::Status status;
    if (field > kCapturedAtField) {
      status = WalkBody(field, type, at, &reader, &header);
    } else if (seen & 1u << field) {
      status = Refuse(at, absl::StrCat("field ", field, " for the second time"));
    } else {
      seen |= 1u << field;
      status = WalkHeaderField(field, type, at, &reader, &header);
    }
    if (!status.ok()) return status;
  }
  if (absl::Status status = CheckWhole(seen, size, header); !status.ok()) return status;
  return header;
}

absl::StatusOr<StampedRecord> WalkStamped(absl::string_view bytes_untrusted) {
  StampedRecord stamped;
  // At most one form fits: behind the record before the shorter one, the longer would be truncated.
  if (TakeRecordedStamp(bytes_untrusted, &stamped.stamp)) {
    stamped.origin_bytes = bytes_untrusted.substr(0, bytes_untrusted.size() - kStampBytes);
    absl::StatusOr<RecordHeader> header = WalkRecord(stamped.origin_bytes);
    if (header.ok()) {
      stamped.header = *header;
      return stamped;
    }
    RecordStamp other;
    if (!TakeUnrecordedStamp(bytes_untrusted, &other)) return header.status();
  }
  if (!TakeUnrecordedStamp(bytes_untrusted, &stamped.stamp)) {
    return Refuse(bytes_untrusted.size(), "does not end in a canonical stamp");
  }
  stamped.origin_bytes = bytes_untrusted.substr(0, bytes_untrusted.size() - kUnrecordedStampBytes);
  absl::StatusOr<RecordHeader> header = WalkRecord(stamped.origin_bytes);
  if (!header.ok()) return header.status();
  stamped.header = *header;
  return stamped;
}

}  // namespace remora
