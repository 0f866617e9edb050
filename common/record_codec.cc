#include "common/record_codec.h"

#include <sodium.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/limits.h"
#include "common/origin_seq.h"
#include "common/wire_reader.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/stubs/logging.h"

namespace remora {
namespace {

constexpr char kFrameTag = 0x0a;
constexpr int kDigestBytes = 32;

template <typename T>
void AppendFixed(char tag, T value, std::string* bytes) {
  char buffer[1 + sizeof(T)];
  buffer[0] = tag;
  std::memcpy(buffer + 1, &value, sizeof(T));
  bytes->append(buffer, sizeof(buffer));
}

}  // namespace

uint32_t LaneOfKind(uint32_t kind) {
  if (kind < 16 || kind > 127) return kLaneCount;
  if (kind < 32) return 0;
  if (kind < 64) return 1;
  return 2 + (kind - 64) / 16;
}

std::string KindName(uint32_t kind) {
  const google::protobuf::FieldDescriptor* field =
      LaneOfKind(kind) == kLaneCount
          ? nullptr
          : v1::Record::descriptor()->FindFieldByNumber(static_cast<int>(kind));
  return field != nullptr ? field->name() : absl::StrCat("kind ", kind);
}

void AppendStamp(const RecordStamp& stamp, std::string* bytes) {
  REMORA_CHECK(stamp.unrecorded == (stamp.seq == 0), "a recorded stamp, and only that, has a seq");
  bytes->append(stamp.unrecorded ? "\x7a\x10" : "\x7a\x17", 2);
  AppendFixed<uint32_t>(0x0d, stamp.epoch, bytes);
  if (!stamp.unrecorded) AppendFixed<uint64_t>(0x11, stamp.seq, bytes);
  AppendFixed<int64_t>(0x19, stamp.recorded_at.nanoseconds(), bytes);
  if (stamp.unrecorded) bytes->append("\x20\x01", 2);
}

void AppendFrame(absl::string_view record_bytes, std::string* frames) {
  char head[1 + 10];
  size_t size = 0;
  head[size++] = kFrameTag;
  uint64_t length = record_bytes.size();
  for (; length >= 0x80; length >>= 7) head[size++] = static_cast<char>(length | 0x80);
  head[size++] = static_cast<char>(length);
  frames->reserve(frames->size() + size + record_bytes.size());
  frames->append(head, size);
  frames->append(record_bytes.data(), record_bytes.size());
}

absl::StatusOr<absl::string_view> TakeFrame(absl::string_view* frames) {
  WireReader reader(frames->empty() ? *frames : frames->substr(1));
  absl::string_view record;
  if (frames->empty() || frames->front() != kFrameTag || !reader.ReadBytes(&record)) {
    return absl::InvalidArgumentError("no whole frame: want tag 0x0a, a length, and so many bytes");
  }
  frames->remove_prefix(1 + reader.offset());
  return record;
}

uint64_t RecordDigest(absl::string_view stamped_bytes) {
  static const bool initialized = sodium_init() >= 0;
  REMORA_CHECK(initialized, "libsodium starts");
  unsigned char digest[kDigestBytes];
  crypto_generichash(digest, sizeof(digest),
                     reinterpret_cast<const unsigned char*>(stamped_bytes.data()),
                     stamped_bytes.size(), nullptr, 0);
  uint64_t first;
  std::memcpy(&first, digest, sizeof(first));
  return first;
}

v1::RecordId ToProto(const RecordKey& key) {
  v1::RecordId id;
  id.set_origin(key.origin.ToString());
  id.set_lane(key.lane);
  id.set_origin_seq(key.origin_seq);
  return id;
}

RecordKey FromProto(const v1::RecordId& id) {
  RecordKey key;
  if (id.lane() >= kLaneCount || id.origin_seq() == 0 || id.origin_seq() > kMaxOriginSeq ||
      !key.origin.Assign(id.origin())) {
    return RecordKey();
  }
  key.lane = id.lane();
  key.origin_seq = id.origin_seq();
  return key;
}

void SilenceProtobufLog() {
  static const bool silenced = (google::protobuf::SetLogHandler(nullptr), true);
  static_cast<void>(silenced);
}

}  // namespace remora
