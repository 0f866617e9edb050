#include "hub/archive/archive_folder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/ids.h"
#include "common/status_macros.h"
#include "common/whole_file.h"
#include "hub/archive/limits.h"

namespace remora::hub {
namespace {

constexpr char kMarkHead[] = "remora-archive 1\nid ";
constexpr size_t kIdBytes = 16;
constexpr char kAccept[] = "(Knowing better: start once with --accept-archive.)";

bool IsMark(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, kMarkHead) || !absl::ConsumeSuffix(&text, "\n")) return false;
  return text.size() == 2 * kIdBytes && std::all_of(text.begin(), text.end(), absl::ascii_isxdigit);
}

// CASE-EPOCH-LASTSEQ.record.part: of this archive, and no export that somebody makes beside it.
bool IsOwnPart(absl::string_view name) {
  if (!absl::ConsumeSuffix(&name, ".part") || !absl::ConsumeSuffix(&name, kArchiveSuffix)) {
    return false;
  }
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '-');
  if (parts.size() != 3 || parts[0].size() != 2 * CaseId::kBytes) return false;
  return std::all_of(parts[0].begin(), parts[0].end(), absl::ascii_isxdigit) &&
         std::all_of(parts[1].begin(), parts[1].end(), absl::ascii_isdigit) &&
         std::all_of(parts[2].begin(), parts[2].end(), absl::ascii_isdigit);
}

std::string Megabytes(uint64_t bytes) { return absl::StrCat(bytes / 1'000'000, " MB"); }

}  // namespace

std::string ArchiveFolder::PathOf(absl::string_view name) const {
  return absl::StrCat(parts_.directory, "/", name);
}

absl::StatusOr<std::string> ArchiveFolder::ReadMark(const std::string& path) {
  absl::StatusOr<std::string> text = parts_.files->ReadWhole(path, kMaxArchiveMarkBytes);
  if (absl::IsNotFound(text.status())) return std::string();
  if (absl::IsOutOfRange(text.status()) || (text.ok() && !IsMark(*text))) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, " is not the mark of an archive, or damaged. ", kAccept));
  }
  return text;
}

absl::StatusOr<std::string> ArchiveFolder::Known() {
  if (parts_.id_path.empty()) return known_;
  return ReadMark(parts_.id_path);
}

absl::StatusOr<bool> ArchiveFolder::IsEmpty() {
  const absl::StatusOr<std::vector<std::string>> names = parts_.files->List(parts_.directory);
  if (absl::IsNotFound(names.status())) return true;
  RETURN_IF_ERROR(names.status());
  return std::all_of(names->begin(), names->end(), [](const std::string& name) {
    // The last: what a new ext4 has.
    return name == kArchiveMark || name == absl::StrCat(kArchiveMark, ".part") ||
           name == "lost+found";
  });
}

absl::Status ArchiveFolder::Remember(const std::string& mark) {
  known_ = mark;
  if (parts_.id_path.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::unique_ptr<WholeFile> file,
                   WholeFile::Create(*parts_.files, parts_.id_path, {.replaces = true}));
  RETURN_IF_ERROR(file->Append(mark));
  const absl::Status status = file->Commit();
  // It may be there all the same; a power cut would take it away from an archive that is in use.
  if (!status.ok() && parts_.files->Exists(parts_.id_path)) {
    parts_.files->Remove(parts_.id_path).IgnoreError();
  }
  return status;
}

// The mark first: an id without one would look as if the disk were away. Also one that is there is
// written: it may never have been synced.
absl::Status ArchiveFolder::Make(std::string mark) {
  if (mark.empty()) {
    std::string id(kIdBytes, '\0');
    parts_.random->Fill({reinterpret_cast<uint8_t*>(id.data()), id.size()});
    mark = absl::StrCat(kMarkHead, absl::BytesToHexString(id), "\n");
  }
  RETURN_IF_ERROR(parts_.files->CreateDirectoryDurably(parts_.directory));
  ASSIGN_OR_RETURN(const std::unique_ptr<WholeFile> file,
                   WholeFile::Create(*parts_.files, PathOf(kArchiveMark), {.replaces = true}));
  RETURN_IF_ERROR(file->Append(mark));
  RETURN_IF_ERROR(file->Commit());
  return Remember(mark);
}

absl::Status ArchiveFolder::Check() {
  if (parts_.accepts && !accepted_) {
    const absl::StatusOr<std::string> mark = ReadMark(PathOf(kArchiveMark));
    if (!mark.ok() && !absl::IsFailedPrecondition(mark.status())) return mark.status();
    RETURN_IF_ERROR(mark.ok() && !mark->empty() ? Remember(*mark) : Make(""));
    accepted_ = true;
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string mark, ReadMark(PathOf(kArchiveMark)));
  ASSIGN_OR_RETURN(const std::string known, Known());
  if (known.empty()) {
    if (parts_.has_purged) {
      return absl::FailedPreconditionError(
          absl::StrCat("nobody knows whether ", parts_.directory,
                       " is the archive that this journal has put cases into: ", parts_.id_path,
                       " is not there. Is the archive's disk mounted? ", kAccept));
    }
    ASSIGN_OR_RETURN(const bool empty, IsEmpty());
    if (empty) return Make(mark);
    return absl::FailedPreconditionError(
        absl::StrCat(parts_.directory, " is not the archive of this journal, which has none yet: ",
                     "an empty folder is needed. ", kAccept));
  }
  if (mark == known) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      parts_.directory, " is not the archive that this journal has put cases into: ",
      mark.empty() ? absl::StrCat("no ", kArchiveMark, " is in it. Is its disk mounted? ")
                   : "its mark is another's. ",
      kAccept));
}

absl::StatusOr<std::unique_ptr<FileLock>> ArchiveFolder::Lock() {
  ASSIGN_OR_RETURN(std::unique_ptr<FileLock> lock, parts_.files->Lock(PathOf(kArchiveMark)));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, parts_.files->List(parts_.directory));
  for (const std::string& name : names) {
    if (IsOwnPart(name)) RETURN_IF_ERROR(parts_.files->Remove(PathOf(name)));
  }
  return lock;
}

absl::StatusOr<uint64_t> ArchiveFolder::Reserve() {
  ASSIGN_OR_RETURN(const uint64_t total, parts_.files->TotalBytes(parts_.directory));
  if (total == 0) {
    return absl::UnavailableError(
        absl::StrCat(parts_.directory,
                     ": its file system does not tell how large it is, nor what "
                     "is free: no archive can be kept there"));
  }
  const uint64_t wanted =
      std::clamp(total / kArchiveReservePart, kArchiveReserveBytes, kMaxArchiveReserveBytes);
  return std::min(wanted, total / kMaxArchiveReservePart);
}

absl::Status ArchiveFolder::CheckSpace(uint64_t bytes) {
  ASSIGN_OR_RETURN(const uint64_t reserve, Reserve());
  ASSIGN_OR_RETURN(const uint64_t free, FreeBytes());
  if (free >= reserve && free - reserve >= bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(parts_.directory, ": ", Megabytes(free), " are free; ", Megabytes(bytes),
                   " of the case are to come, and ", Megabytes(reserve), " stay free"));
}

absl::StatusOr<uint64_t> ArchiveFolder::SpaceStep() {
  ASSIGN_OR_RETURN(const uint64_t reserve, Reserve());
  return std::min(kArchiveSpaceBytes, reserve / 2);
}

absl::Status ArchiveFolder::PutAside(absl::string_view name) {
  constexpr char kFailed[] = ".failed";
  const absl::string_view of_case = name.substr(0, name.find('-') + 1);
  ASSIGN_OR_RETURN(const std::vector<std::string> names, parts_.files->List(parts_.directory));
  for (const std::string& other : names) {
    if (absl::StartsWith(other, of_case) && absl::EndsWith(other, kFailed)) {
      RETURN_IF_ERROR(parts_.files->Remove(PathOf(other)));
    }
  }
  RETURN_IF_ERROR(parts_.files->Rename(PathOf(name), absl::StrCat(PathOf(name), kFailed)));
  return parts_.files->SyncDirectory(parts_.directory);
}

}  // namespace remora::hub
