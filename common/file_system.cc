#include "common/file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace remora {

absl::StatusOr<std::string> FileSystem::ReadWhole(const std::string& path, uint64_t limit_bytes) {
  absl::StatusOr<std::unique_ptr<ReadFile>> file = OpenRead(path);
  if (!file.ok()) return file.status();
  const uint64_t size = (*file)->size();
  if (size > limit_bytes) {
    return absl::OutOfRangeError(
        absl::StrCat(path, ": ", size, " bytes, at most ", limit_bytes, " are read"));
  }
  return (*file)->ReadAt(0, static_cast<size_t>(size));
}

absl::Status FileSystem::CreateDirectoryDurably(const std::string& path) {
  // Those above it, the nearest first, and whether what is made in them is new.
  std::vector<std::pair<std::string, bool>> parents;
  std::string child = path;
  while (child.size() > 1 && child.back() == '/') child.pop_back();
  for (;;) {
    const size_t slash = child.rfind('/');
    std::string parent =
        slash == std::string::npos ? "." : child.substr(0, std::max<size_t>(slash, 1));
    parents.emplace_back(parent, !Exists(child));
    if (slash == std::string::npos || slash == 0) break;
    child = std::move(parent);
  }
  RETURN_IF_ERROR(CreateDirectory(path));
  for (const auto& [parent, is_new] : parents) {
    const absl::Status status = SyncDirectory(parent);
    // One that was there, and that this program may not open, is in another hand's care.
    if (!status.ok() && is_new) return status;
  }
  return absl::OkStatus();
}

}  // namespace remora
