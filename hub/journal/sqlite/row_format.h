#pragma once

// How the journal's columns are encoded (docs/journal.md, "Tables"). Pure functions.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/seq_ranges.h"
#include "hub/journal/journal.h"
#include "hub/journal/limits.h"

namespace remora::hub::sqlite {

// A row's key: case, class and first seq in one ascending number, so that the rows of a class of a
// case lie side by side in the file.
inline constexpr int64_t RowKey(int64_t case_key, RecordClass record_class, uint64_t first_seq) {
  return (case_key << 41) | (static_cast<int64_t>(record_class) << 40) |
         static_cast<int64_t>(first_seq);
}
static_assert(kMaxSeq < (uint64_t{1} << 40) && kMaxCaseKey < (int64_t{1} << 22),
              "the parts of a row's key do not overlap");
inline constexpr uint64_t FirstSeqOfKey(int64_t row_key) {
  return static_cast<uint64_t>(row_key) & kMaxSeq;
}

// Eight bytes of BLAKE2b over what a row says and holds: finds what the disk has changed, without
// the case's key.
std::string RowDigest(int64_t row_key, uint64_t after_seq, uint64_t last_seq, uint32_t count,
                      absl::string_view sealed_payload);
// `origin_lanes`: how many rows of table origins the case has.
std::string HeadDigest(int64_t case_key, const CaseHead& head, uint64_t origin_lanes);
// Of a row of table origins, over its sealed participant, both sets of ranges, and its counts.
std::string OriginRowDigest(int64_t case_key, absl::string_view place,
                            std::initializer_list<absl::string_view> columns);
std::string BlobDigest(int64_t case_key, absl::string_view place, absl::string_view blob);

// Where bytes belong: what PayloadCipher authenticates with a row or a checkpoint, and what digests
// of blobs cover.
std::string RowPlace(RecordClass record_class, uint64_t first_seq);
std::string CheckpointPlace(uint64_t seq);
std::string NotePlace(uint64_t seq);
std::string OriginPlace(const OriginId& origin, uint32_t lane);

// Six little-endian 64-bit numbers.
std::string EncodeLaneSeq(const std::array<uint64_t, kLaneCount>& lane_seq);
bool DecodeLaneSeq(absl::string_view blob, std::array<uint64_t, kLaneCount>* lane_seq);

// Two little-endian 64-bit numbers: late_count, duplicate_count; then `late` as EncodeRanges has
// it.
std::string EncodeCounts(const OriginLaneHeld& held);
bool DecodeCounts(absl::string_view blob, OriginLaneHeld* held);

// Varints: the gap to each range's first number, then its length less one.
std::string EncodeRanges(const SeqRanges& ranges);
// False unless it is what EncodeRanges makes.
bool DecodeRanges(absl::string_view blob, SeqRanges* ranges);

}  // namespace remora::hub::sqlite
