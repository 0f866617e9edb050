#include "hub/rooms/checkpoint_notes.h"

#include "common/fold/case_fold.h"
#include "common/wire_reader.h"
#include "common/wire_writer.h"
#include "remora/v1/room.pb.h"

namespace remora::hub {
namespace {

// Beyond the fields of CaseState, which goes to followers too.
constexpr uint32_t kFoldVersionField = 1000;
constexpr uint32_t kSummaryField = 1001;
constexpr uint32_t kClosedField = 1002;

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
  AppendBytesField(kSummaryField, note.summary, &bytes);
  AppendVarintField(kClosedField, static_cast<uint64_t>(note.closed_unix_ns), &bytes);
  return bytes;
}

std::optional<RestNote> RestNoteOf(absl::string_view checkpoint) {
  if (CheckpointVersion(checkpoint) != kFoldVersion) return std::nullopt;
  std::optional<RestNote> note;
  int64_t closed_unix_ns = 0;
  WireReader reader(checkpoint);
  while (!reader.AtEnd()) {
    uint32_t field;
    WireType type;
    absl::string_view summary;
    uint64_t closed;
    if (!reader.ReadTag(&field, &type)) return std::nullopt;
    if (field == kSummaryField && type == WireType::kBytes) {
      if (!reader.ReadBytes(&summary)) return std::nullopt;
      note.emplace().summary = std::string(summary);
    } else if (field == kClosedField && type == WireType::kVarint) {
      if (!reader.ReadVarint(&closed)) return std::nullopt;
      closed_unix_ns = static_cast<int64_t>(closed);
    } else if (!reader.Skip(type)) {
      return std::nullopt;
    }
  }
  if (note) note->closed_unix_ns = closed_unix_ns;
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
