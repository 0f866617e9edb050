#pragma once

// The archive's folder: that it is the one, that nobody else writes there, and what space is left.
//
// An empty mount point looks like an empty archive, and what is put there is hidden when the disk
// comes back. So the folder has a mark, `remora-archive`, with an id drawn at random, and the same
// stands beside the journal:
//
//   journal knows   the folder                         Check
//   none            is not there, or empty             makes mark and id
//   none            a mark and nothing else            the same with its id: a start was killed
//   an id           the same mark                      OK
//   else                                               FailedPrecondition; nothing is written
//
// `accepts`: whatever there is, once; for a person who knows. Thread-compatible.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_system.h"
#include "common/random.h"

namespace remora::hub {

inline constexpr char kArchiveMark[] = "remora-archive";
inline constexpr char kArchiveSuffix[] = ".record";

class ArchiveFolder {
 public:
  // `files` and `random` outlive it. `id_path`: beside the journal; empty: remembered for the life
  // of this object.
  struct Parts {
    FileSystem* files = nullptr;
    Random* random = nullptr;
    std::string directory;
    std::string id_path;
    bool accepts = false;
    // The journal has purged cases: where its id is not known, no folder is taken for a new one.
    bool has_purged = false;
  };
  explicit ArchiveFolder(Parts parts) : parts_(std::move(parts)) {}

  // Whether this is the archive. FailedPrecondition: it is not; else as FileSystem fails.
  absl::Status Check();
  // Against other hubs that write here; removes what an end in the middle has left.
  absl::StatusOr<std::unique_ptr<FileLock>> Lock();
  absl::StatusOr<uint64_t> FreeBytes() { return parts_.files->FreeBytes(parts_.directory); }
  // ResourceExhausted, with the figures: `bytes` more would not leave the reserve (limits.h).
  // Unavailable: the file system does not tell.
  absl::Status CheckSpace(uint64_t bytes);
  // What may be written until CheckSpace is asked again.
  absl::StatusOr<uint64_t> SpaceStep();
  // Renames a file that is not to be taken for an archive to NAME.failed, and removes what was put
  // aside of the same case before.
  absl::Status PutAside(absl::string_view name);

  FileSystem& files() const { return *parts_.files; }
  const std::string& directory() const { return parts_.directory; }
  std::string PathOf(absl::string_view name) const;

 private:
  // What a mark says; empty: it is not there.
  absl::StatusOr<std::string> ReadMark(const std::string& path);
  absl::StatusOr<std::string> Known();
  // Makes the folder's mark, a new one where `mark` is empty, and remembers it.
  absl::Status Make(std::string mark);
  absl::Status Remember(const std::string& mark);
  // Whether nothing but a mark is in the folder.
  absl::StatusOr<bool> IsEmpty();
  absl::StatusOr<uint64_t> Reserve();

  const Parts parts_;
  bool accepted_ = false;
  std::string known_;  // where there is no file for it
};

}  // namespace remora::hub
