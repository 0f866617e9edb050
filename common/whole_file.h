#pragma once

// A file that is there whole or not at all: written as PATH.part, synced, then renamed. A file that
// is there already is replaced only where that is asked for; what an earlier try left as PATH.part
// always is. Thread-compatible.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_system.h"

namespace remora {

struct WholeFileOptions {
  // At Commit it takes the place of the file that is there; until then that one stays.
  bool replaces = false;
  // Synced each so many bytes, and dropped from memory: one sync of a large file holds up whoever
  // else syncs on that disk. 0: at its end alone, and it stays in memory.
  size_t sync_each_bytes = 0;
};

class WholeFile {
 public:
  // AlreadyExists: PATH is there. Else as FileSystem::OpenAppend. `files` outlives it.
  static absl::StatusOr<std::unique_ptr<WholeFile>> Create(FileSystem& files, std::string path,
                                                           const WholeFileOptions& options = {});
  // Without a Commit, nothing stays.
  ~WholeFile();
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;

  absl::Status Append(absl::string_view text);
  // Not OK: it may be there all the same, and a power cut may take it away, whatever a later sync
  // says.
  absl::Status Commit();

 private:
  WholeFile(FileSystem& files, std::string path, const WholeFileOptions& options,
            std::unique_ptr<AppendFile> part);

  absl::Status Flush();
  absl::Status Sync();
  std::string part_path() const { return path_ + ".part"; }

  FileSystem& files_;
  const std::string path_;
  const WholeFileOptions options_;
  std::unique_ptr<AppendFile> part_;  // null once committed
  std::string buffer_;
  size_t unsynced_bytes_ = 0;
};

}  // namespace remora
