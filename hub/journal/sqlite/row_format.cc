#include "hub/journal/sqlite/row_format.h"

#include <sodium/crypto_generichash.h>

#include "absl/strings/str_cat.h"
#include "common/wire_reader.h"

namespace remora::hub::sqlite {
namespace {

// A digest over fixed-width numbers and, last, bytes of any length.
class Digest {
 public:
  static constexpr size_t kBytes = 8;

  Digest() { crypto_generichash_init(&state_, nullptr, 0, kHashBytes); }
  Digest& Add(uint64_t number) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    crypto_generichash_update(&state_, bytes, sizeof(bytes));
    return *this;
  }
  Digest& Add(absl::string_view bytes) {
    crypto_generichash_update(&state_, reinterpret_cast<const uint8_t*>(bytes.data()),
                              bytes.size());
    return *this;
  }
  std::string Finish() {
    uint8_t hash[kHashBytes];
    crypto_generichash_final(&state_, hash, sizeof(hash));
    return std::string(reinterpret_cast<const char*>(hash), kBytes);
  }

 private:
  static constexpr size_t kHashBytes = 32;
  crypto_generichash_state state_;
};

absl::string_view View(const std::array<uint8_t, 32>& bytes) {
  return absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

bool TakeVarint(absl::string_view* in, uint64_t* value) {
  *value = 0;
  for (int shift = 0; shift < 64 && !in->empty(); shift += 7) {
    const uint8_t byte = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    *value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace

std::string RowDigest(int64_t row_key, uint64_t after_seq, uint64_t last_seq, uint32_t count,
                      absl::string_view sealed_payload) {
  return Digest()
      .Add(static_cast<uint64_t>(row_key))
      .Add(after_seq)
      .Add(last_seq)
      .Add(count)
      .Add(sealed_payload)
      .Finish();
}

std::string HeadDigest(int64_t case_key, const CaseHead& head, uint64_t origin_lanes) {
  return Digest()
      .Add(static_cast<uint64_t>(case_key))
      .Add(head.case_id.bytes())
      .Add(head.epoch)
      .Add(head.last_seq)
      .Add(static_cast<uint64_t>(head.last_recorded_unix_ns))
      .Add(View(head.chain))
      .Add(EncodeLaneSeq(head.lane_seq))
      .Add(origin_lanes)
      .Finish();
}

std::string BlobDigest(int64_t case_key, absl::string_view place, absl::string_view blob) {
  return Digest()
      .Add(static_cast<uint64_t>(case_key))
      .Add(place.size())
      .Add(place)
      .Add(blob)
      .Finish();
}

std::string OriginRowDigest(int64_t case_key, absl::string_view place,
                            std::initializer_list<absl::string_view> columns) {
  Digest digest;
  digest.Add(static_cast<uint64_t>(case_key));
  digest.Add(place.size()).Add(place);
  for (const absl::string_view column : columns) digest.Add(column.size()).Add(column);
  return digest.Finish();
}

std::string RowPlace(RecordClass record_class, uint64_t first_seq) {
  return absl::StrCat(record_class == RecordClass::kControl ? "control/" : "bulk/", first_seq);
}

std::string CheckpointPlace(uint64_t seq) { return absl::StrCat("checkpoint/", seq); }

std::string NotePlace(uint64_t seq) { return absl::StrCat("note ", seq); }

std::string OriginPlace(const OriginId& origin, uint32_t lane) {
  return absl::StrCat("origin/", origin.Hex(), "/", lane);
}

std::string EncodeLaneSeq(const std::array<uint64_t, kLaneCount>& lane_seq) {
  std::string blob;
  blob.reserve(8 * kLaneCount);
  for (uint64_t seq : lane_seq) {
    for (int i = 0; i < 8; ++i) blob.push_back(static_cast<char>(seq >> (8 * i)));
  }
  return blob;
}

bool DecodeLaneSeq(absl::string_view blob, std::array<uint64_t, kLaneCount>* lane_seq) {
  if (blob.size() != 8 * kLaneCount) return false;
  for (size_t lane = 0; lane < kLaneCount; ++lane) {
    uint64_t seq = 0;
    for (size_t i = 0; i < 8; ++i) {
      seq |= static_cast<uint64_t>(static_cast<uint8_t>(blob[8 * lane + i])) << (8 * i);
    }
    (*lane_seq)[lane] = seq;
  }
  return true;
}

std::string EncodeCounts(const OriginLaneHeld& held) {
  std::string blob;
  for (const uint64_t count : {held.late_count, held.duplicate_count}) {
    for (int i = 0; i < 8; ++i) blob.push_back(static_cast<char>(count >> (8 * i)));
  }
  return blob + EncodeRanges(held.late);
}

bool DecodeCounts(absl::string_view blob, OriginLaneHeld* held) {
  WireReader reader(blob);
  return reader.ReadFixed64(&held->late_count) && reader.ReadFixed64(&held->duplicate_count) &&
         DecodeRanges(blob.substr(16), &held->late);
}

std::string EncodeRanges(const SeqRanges& ranges) {
  std::string blob;
  uint64_t after = 0;  // the last number of the range before
  for (const SeqRanges::Range& range : ranges.ranges()) {
    AppendVarint(range.first - after, &blob);
    AppendVarint(range.last - range.first, &blob);
    after = range.last;
  }
  return blob;
}

bool DecodeRanges(absl::string_view blob, SeqRanges* ranges) {
  *ranges = SeqRanges();
  uint64_t after = 0;
  while (!blob.empty()) {
    uint64_t gap = 0;
    uint64_t more = 0;
    if (!TakeVarint(&blob, &gap) || !TakeVarint(&blob, &more)) return false;
    // Ranges neither touch nor overflow; the first begins at 1 or later.
    if (gap < (after == 0 ? 1u : 2u) || gap > ~uint64_t{0} - after) return false;
    const uint64_t first = after + gap;
    if (more > ~uint64_t{0} - first) return false;
    after = first + more;
    ranges->InsertRange(first, after);
  }
  return true;
}

}  // namespace remora::hub::sqlite
