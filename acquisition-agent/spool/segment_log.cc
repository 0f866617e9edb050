#include "acquisition-agent/spool/segment_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "acquisition-agent/spool/limits.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

constexpr char kShedSuffix[] = ".shed";
// A name that says more is none of ours.
constexpr uint64_t kMaxShedNumber = 1'000'000'000;

}  // namespace

SegmentLog::SegmentLog(FileSystem& files, std::string directory, std::string name,
                       std::string header)
    : files_(files),
      directory_(std::move(directory)),
      name_(std::move(name)),
      header_(std::move(header)) {}

std::string SegmentLog::PathOf(uint32_t number) const {
  return absl::StrFormat("%s/%s-%08u.seg", directory_, name_, number);
}

absl::Status SegmentLog::Open(const Visitor& visitor, Damage* damage) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(directory_));
  std::vector<uint32_t> numbers;
  for (const std::string& file : names) {
    if (TakeShedFile(file)) continue;
    absl::string_view rest = file;
    uint32_t number = 0;
    if (absl::ConsumePrefix(&rest, absl::StrCat(name_, "-")) &&
        absl::ConsumeSuffix(&rest, ".seg") && absl::SimpleAtoi(rest, &number) && number > 0) {
      numbers.push_back(number);
    }
  }
  std::sort(numbers.begin(), numbers.end());
  for (size_t i = 0; i < numbers.size(); ++i) {
    RETURN_IF_ERROR(OpenSegment(numbers[i], visitor, i + 1 == numbers.size(), damage));
    next_number_ = std::max(next_number_, numbers[i] + 1);
  }
  if (numbers.empty()) return absl::OkStatus();
  // A program that was killed before it could sync has left entries that are read and may yet be
  // lost. Only the last file can be so: each is synced before the next is made.
  ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> last,
                   files_.OpenAppend(PathOf(numbers.back())));
  return last->Sync();
}

absl::Status SegmentLog::OpenSegment(uint32_t number, const Visitor& visitor, bool last,
                                     Damage* damage) {
  const std::string path = PathOf(number);
  ASSIGN_OR_RETURN(const std::string bytes,
                   files_.ReadWhole(path, kSegmentBytes + kMaxUncommittedBytes + kSegmentBytes));
  uint64_t intact_end = 0;
  uint64_t skipped = 0;
  size_t at = 0;
  while (at < bytes.size()) {
    const size_t found = FindEntry(bytes, at);
    if (found == bytes.size()) break;
    skipped += found - at;
    const Entry entry = *ParseEntry(absl::string_view(bytes).substr(found));
    const size_t entry_bytes = EntryBytes(entry);
    if (entry.type == EntryType::kSegmentHeader) {
      if (entry.payload != header_) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, ": belongs to another case or another spool; move it away"));
      }
    } else {
      visitor(entry,
              EntryPlace{number, static_cast<uint32_t>(found), static_cast<uint32_t>(entry_bytes)});
    }
    at = found + entry_bytes;
    intact_end = at;
  }
  damage->skipped_bytes += skipped;
  if (intact_end < bytes.size()) {
    // At the end of the last file this is a group that was never promised. Elsewhere it was.
    (last ? damage->torn_bytes : damage->skipped_bytes) += bytes.size() - intact_end;
    RETURN_IF_ERROR(files_.Truncate(path, intact_end));
  }
  segments_.push_back(Segment{number, intact_end});
  return absl::OkStatus();
}

absl::Status SegmentLog::StartSegment() {
  const uint32_t number = next_number_++;
  ASSIGN_OR_RETURN(active_, files_.OpenAppend(PathOf(number)));
  segments_.push_back(Segment{number, 0});
  std::string header;
  AppendEntry({.type = EntryType::kSegmentHeader, .payload = header_}, &header);
  absl::Status status = active_->Append(header);
  if (status.ok()) status = files_.SyncDirectory(directory_);
  if (!status.ok()) {
    GiveUpActive();
    return status;
  }
  // Synced with the first group: a file with nothing but a header promises nothing.
  segments_.back().bytes = header.size();
  return absl::OkStatus();
}

void SegmentLog::GiveUpActive() {
  active_.reset();
  if (segments_.empty()) return;
  const Segment& segment = segments_.back();
  reader_.reset();
  reader_segment_ = 0;
  if (segment.bytes <= kEntryHeaderBytes + header_.size()) {
    // Nothing in it was promised: a disk that stays full would leave such a file each try.
    if (files_.Remove(PathOf(segment.number)).ok()) segments_.pop_back();
    return;
  }
  // Best effort: entries that stay are found again as duplicates of those in the next file.
  files_.Truncate(PathOf(segment.number), segment.bytes).IgnoreError();
}

absl::Status SegmentLog::Write(const std::vector<std::string>& entries,
                               std::vector<EntryPlace>* places) {
  places->clear();
  if (entries.empty()) return absl::OkStatus();
  if (active_ == nullptr || segments_.back().bytes >= kSegmentBytes) {
    active_.reset();
    RETURN_IF_ERROR(StartSegment());
  }
  Segment& segment = segments_.back();
  std::string group;
  for (const std::string& entry : entries) {
    places->push_back(EntryPlace{segment.number,
                                 static_cast<uint32_t>(segment.bytes + group.size()),
                                 static_cast<uint32_t>(entry.size())});
    group.append(entry);
  }
  absl::Status status = active_->Append(group);
  if (status.ok()) status = active_->Sync();
  if (!status.ok()) {
    places->clear();
    GiveUpActive();
    return status;
  }
  segment.bytes += group.size();
  return absl::OkStatus();
}

absl::StatusOr<std::string> SegmentLog::Read(const EntryPlace& place) const {
  // A reader's size is that of the moment it was opened; the last file grows.
  if (reader_ == nullptr || reader_segment_ != place.segment ||
      reader_->size() < uint64_t{place.offset} + place.bytes) {
    ASSIGN_OR_RETURN(reader_, files_.OpenRead(PathOf(place.segment)));
    reader_segment_ = place.segment;
  }
  ASSIGN_OR_RETURN(const std::string bytes, reader_->ReadAt(place.offset, place.bytes));
  const std::optional<Entry> entry = ParseEntry(bytes);
  if (!entry || EntryBytes(*entry) != place.bytes) {
    return absl::DataLossError(
        absl::StrCat(PathOf(place.segment), ": entry at byte ", place.offset, " is damaged"));
  }
  return std::string(entry->payload);
}

uint32_t SegmentLog::OldestToShed() const {
  if (segments_.empty() || (segments_.size() == 1 && active_ != nullptr)) return 0;
  return segments_.front().number;
}

absl::Status SegmentLog::ShedOldest(uint64_t first, uint64_t last) {
  const uint32_t number = OldestToShed();
  const std::string path = PathOf(number);
  absl::Status freed;
  const std::string shed =
      absl::StrFormat("%s/%s-%08u-%u-%u%s", directory_, name_, number, first, last, kShedSuffix);
  if (last > 0 && files_.Rename(path, shed).ok()) {
    // Its numbers must be known before its bytes are gone, or they would be given out once more.
    if (absl::Status status = files_.SyncDirectory(directory_); !status.ok()) {
      files_.Rename(shed, path).IgnoreError();
      return status;
    }
    // A cut that failed may be seen and not be on the disk, or the other way round: no way back.
    freed = files_.Truncate(shed, 0);
  } else {
    RETURN_IF_ERROR(files_.Remove(path));
  }
  segments_.pop_front();
  if (reader_segment_ == number) {
    reader_.reset();
    reader_segment_ = 0;
  }
  return freed;
}

bool SegmentLog::TakeShedFile(const std::string& file) {
  absl::string_view rest = file;
  if (!absl::ConsumePrefix(&rest, absl::StrCat(name_, "-")) ||
      !absl::ConsumeSuffix(&rest, kShedSuffix)) {
    return false;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '-');
  uint32_t number = 0;
  Shed shed;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &number) ||
      !absl::SimpleAtoi(parts[1], &shed.first) || !absl::SimpleAtoi(parts[2], &shed.last) ||
      shed.first == 0 || shed.last < shed.first || shed.last > kMaxShedNumber) {
    return false;
  }
  next_number_ = std::max(next_number_, number + 1);
  shed_.push_back(shed);
  // Best effort: the power may have gone before its space was freed.
  files_.Truncate(absl::StrCat(directory_, "/", file), 0).IgnoreError();
  return true;
}

uint64_t SegmentLog::bytes() const {
  uint64_t total = 0;
  for (const Segment& segment : segments_) total += segment.bytes;
  return total;
}

}  // namespace remora::agent
