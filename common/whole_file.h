#pragma once

// A file that is there whole or not at all: written as PATH.part, synced, then renamed. A file that
// is there already is never replaced. What an earlier try left as PATH.part is. Thread-compatible.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_system.h"

namespace remora {

class WholeFile {
 public:
  // AlreadyExists: PATH is there. Else as FileSystem::OpenAppend. `files` outlives it.
  static absl::StatusOr<std::unique_ptr<WholeFile>> Create(FileSystem& files, std::string path);
  // Without a Commit, nothing stays.
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  absl::Status Append(absl::string_view text);
  absl::Status Commit();

 private:
  WholeFile(FileSystem& files, std::string path, std::unique_ptr<AppendFile> part);

  absl::Status Flush();
  std::string part_path() const { return path_ + ".part"; }

  FileSystem& files_;
  const std::string path_;
  std::unique_ptr<AppendFile> part_;  // null once committed
  std::string buffer_;
};

}  // namespace remora
