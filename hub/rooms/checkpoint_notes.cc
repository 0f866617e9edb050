#include "hub/rooms/checkpoint_notes.h"

#include "absl/strings/str_cat.h"
#include "common/wire_reader.h"
#include "common/wire_writer.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {
namespace {

// Beyond the fields of CaseState, which goes to followers too.
constexpr uint32_t kFoldVersionField = 1000;
// Of a RestNote alone.
constexpr uint32_t kSummaryField = 1001;
constexpr uint32_t kClosedField = 1002;
constexpr uint32_t kOwnerField = 1003;  // 16 bytes of the origin, then the participant

}  // namespace

std::string EncodeCheckpointNotes(const std::vector<uint64_t>& newest_bulk_seqs) {
  v1::CaseState bulk;
  for (const uint64_t seq : newest_bulk_seqs) bulk.add_newest_bulk_seq(seq);
  std::string notes = bulk.SerializeAsString();
  AppendVarintField(kFoldVersionField, kFoldVersion, &notes);
  return notes;
}

std::string EncodeRestNote(const RestNote& note) {
  std::string bytes;
  AppendVarintField(kFoldVersionField, note.fold_version, &bytes);
  AppendBytesField(kSummaryField, note.summary, &bytes);
  AppendVarintField(kClosedField, static_cast<uint64_t>(note.closed_unix_ns), &bytes);
  for (const OriginOwner& owner : note.owners) {
    AppendBytesField(kOwnerField, absl::StrCat(owner.origin.bytes(), owner.participant), &bytes);
  }
  return bytes;
}

std::optional<RestNote> DecodeRestNote(absl::string_view bytes) {
  RestNote note;
  note.fold_version = 0;
  WireReader reader(bytes);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    absl::string_view text;
    uint64_t number;
    if (!reader.ReadTag(&field, &type)) return std::nullopt;
    if (type == WireType::kBytes && (field == kSummaryField || field == kOwnerField)) {
      if (!reader.ReadBytes(&text)) return std::nullopt;
      if (field == kSummaryField) {
        note.summary = std::string(text);
        continue;
      }
      OriginOwner& owner = note.owners.emplace_back();
      if (!owner.origin.Assign(text.substr(0, OriginId::kBytes))) return std::nullopt;
      owner.participant = std::string(text.substr(OriginId::kBytes));
    } else if (type == WireType::kVarint && (field == kClosedField || field == kFoldVersionField)) {
      if (!reader.ReadVarint(&number)) return std::nullopt;
      if (field == kClosedField) {
        note.closed_unix_ns = static_cast<int64_t>(number);
      } else {
        note.fold_version = static_cast<uint32_t>(number);
      }
    } else if (!reader.Skip(type)) {
      return std::nullopt;
    }
  }
  if (note.fold_version == 0 || note.summary.empty()) return std::nullopt;
  return note;
}

uint32_t CheckpointVersion(absl::string_view checkpoint) {
  WireReader reader(checkpoint);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    uint64_t version;
    if (!reader.ReadTag(&field, &type)) return 0;
    if (field == kFoldVersionField && type == WireType::kVarint) {
      return reader.ReadVarint(&version) ? static_cast<uint32_t>(version) : 0;
    }
    if (!reader.Skip(type)) return 0;
  }
  return 0;
}

std::vector<uint64_t> NewestBulkOf(absl::string_view checkpoint) {
  std::vector<uint64_t> seqs;
  WireReader reader(checkpoint);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    absl::string_view packed;
    if (!reader.ReadTag(&field, &type)) break;
    if (field != v1::CaseState::kNewestBulkSeqFieldNumber || type != WireType::kBytes) {
      if (!reader.Skip(type)) break;
      continue;
    }
    if (!reader.ReadBytes(&packed)) break;
    WireReader numbers(packed);
    uint64_t seq;
    while (!numbers.AtEnd() && numbers.ReadFixed64(&seq)) seqs.push_back(seq);
  }
  return seqs;
}

}  // namespace remora::hub
