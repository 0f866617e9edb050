#include "common/file_system.h"

#include "absl/strings/str_cat.h"

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

}  // namespace remora
