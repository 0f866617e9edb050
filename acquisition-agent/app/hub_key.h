// The hub's public key as this theatre first met it: only what it has signed clears a spool.
//
//   FOLDER/hub-key           32 bytes, written at the first Welcome that names a key
//
// A hub that comes with another key is not believed, and nothing is cleared while it is there: a
// person who knows why removes the file (docs/operations.md). Sequence-bound to the agent's
// sequence.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_system.h"
#include "remora/v1/link.pb.h"
#include "remora/v1/room.pb.h"

namespace remora::agent {

class HubKey {
 public:
  // Reads what was kept. DataLoss: it is damaged. `files` outlives it.
  static absl::StatusOr<HubKey> Open(FileSystem& files, const std::string& folder);

  // Whether it names a key, and one that can be.
  static bool IsShownIn(const v1::Welcome& welcome);
  // Keeps the key in use at the first time. FailedPrecondition: the hub has another one now. Other
  // errors: it could not be kept. A hub that names no key changes nothing.
  absl::Status OnWelcome(const v1::Welcome& welcome);
  // What clears a spool. Empty: none is known, or the hub has another one now.
  absl::string_view key() const { return changed_ ? absl::string_view() : key_; }

 private:
  HubKey(FileSystem& files, const std::string& folder) : files_(&files), folder_(folder) {}
  absl::Status Keep(const std::string& key);

  FileSystem* files_;
  std::string folder_;
  std::string key_;
  bool changed_ = false;
};

}  // namespace remora::agent
