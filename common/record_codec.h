#pragma once

// The record on the wire (docs/record.md): the one place that knows its bytes.
//
// A record is encoded once by its origin. The hub walks it (WalkRecord), appends its stamp
// (AppendStamp) and wraps it in a frame (a field 1 of Down or Up), so that a batch is a mere
// concatenation of frames. Nothing here keeps state; all functions are thread-safe.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "common/time.h"
#include "remora/v1/record.pb.h"

namespace remora {

// What the walk reads off a record without parsing its body.
struct RecordHeader {
  CaseId case_id;
  OriginId origin;
  uint32_t lane = 0;
  uint64_t origin_seq = 0;
  // The body's field number: v1::Record::kAlert and so on, or a number of a later version.
  uint32_t kind = 0;
  // The body's bytes, within the walked bytes.
  absl::string_view body;

  RecordKey key() const { return RecordKey{origin, lane, origin_seq}; }
};

struct RecordStamp {
  uint32_t epoch = 0;
  uint64_t seq = 0;  // 0 in an unrecorded one
  HubTime recorded_at;
  bool unrecorded = false;
};

// The lane that a body's field number belongs to; kLaneCount for a number that is no body's.
uint32_t LaneOfKind(uint32_t kind);
// For people and metrics: "alert", "sweep"; "kind 99" for an unknown one.
std::string KindName(uint32_t kind);

// Walks a record from outside to its last byte, as docs/record.md lists: refuses groups, truncated
// fields, unknown wire types, overlong varints, a stamp, any field that occurs twice, header fields
// that this version does not know, no body, ids that are not 16 bytes, origin_seq 0, a lane that is
// not the body's, and more bytes than the lane may have. The result's view points into `bytes`.
// InvalidArgument: the text says what and at which byte.
absl::StatusOr<RecordHeader> WalkRecord(absl::string_view bytes_untrusted);

// As WalkRecord, for a record that carries the hub's stamp as its last field.
struct StampedRecord {
  RecordHeader header;
  RecordStamp stamp;
  // The origin's bytes, without the stamp.
  absl::string_view origin_bytes;
};
absl::StatusOr<StampedRecord> WalkStamped(absl::string_view bytes_untrusted);

// Checks the body's values: its size (MaxBodyBytes), ranges, lengths, counts, required fields,
// finite numbers, UTF-8. Lanes 0-2 are parsed whole into `record`; lanes 3-5 are walked with
// bounds; `record` stays untouched. A kind that this version does not know passes. InvalidArgument:
// what is wrong, what would do.
absl::Status ValidateBody(const RecordHeader& header, absl::string_view bytes, v1::Record* record);

// Bytes that the body of a kind of lanes 0-2 may have: by what it is made of, so that nobody pads a
// receipt until it crowds others' alerts out of a case's state. The lane's limit for kinds that are
// large, or that this version does not know.
size_t MaxBodyBytes(uint32_t kind);

// The stamp as the hub's canonical suffix: field 15, fixed-width fields ascending.
void AppendStamp(const RecordStamp& stamp, std::string* bytes);
// Bytes that AppendStamp adds to a recorded record.
inline constexpr size_t kStampBytes = 25;

// Appends a frame: tag 0x0a, length, bytes. A batch (the `records` field of Up and Down) is a
// concatenation of frames.
void AppendFrame(absl::string_view record_bytes, std::string* frames);
// Takes the next frame off `frames`; InvalidArgument when it is none.
absl::StatusOr<absl::string_view> TakeFrame(absl::string_view* frames);

// First 8 bytes of BLAKE2b-256 over a record with its stamp, little endian: a cursor's digest.
uint64_t RecordDigest(absl::string_view stamped_bytes);

// protobuf writes a line to stderr for each string that is not UTF-8: a flood, if one wants it.
// Stops that for the whole process. Called by ValidateBody and whoever else parses outside input.
void SilenceProtobufLog();

// Field helpers for those who make records.
v1::RecordId ToProto(const RecordKey& key);
// The zero key unless the id is well formed.
RecordKey FromProto(const v1::RecordId& id);

}  // namespace remora
