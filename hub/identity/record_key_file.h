#pragma once

// The file with the key that a hub signs records with (docs/operations.md, "The record's key"):
//
//   remora-record-key 1
//   seed <64 hexadecimal digits>           the Ed25519 secret in use
//   retired <64 hexadecimal digits>        public keys that signed before, the newest first
//   check <16 hexadecimal digits>          of the lines above
//
// Used once, at a start. A file that is there is never replaced but by Rotate, and one that is not
// is made for a journal without cases alone.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file_system.h"
#include "common/random.h"
#include "common/record_seal.h"
#include "hub/identity/local_identities.h"

namespace remora::hub {

struct RecordKeys {
  RecordSigner::Seed seed{};
  // 32 bytes each, the newest first.
  std::vector<std::string> retired;
  // The file was not there.
  bool made = false;
};

// Reads the key. NotFound: there is none; nothing is made. Else as ReadOrMakeRecordKeys.
absl::StatusOr<RecordKeys> ReadRecordKeys(FileSystem& files, const std::string& path,
                                          const FileModeReader& mode_of = PosixFileMode);

// Reads the key, or makes one: whole and synced before anything is signed with it.
// PermissionDenied: others than its owner can read it. DataLoss: it is damaged. Each says what to
// do.
absl::StatusOr<RecordKeys> ReadOrMakeRecordKeys(FileSystem& files, const std::string& path,
                                                Random& random,
                                                const FileModeReader& mode_of = PosixFileMode);

// Takes a new key into use; the present one's public key is kept. NotFound: there is none.
absl::StatusOr<RecordKeys> RotateRecordKeys(FileSystem& files, const std::string& path,
                                            Random& random,
                                            const FileModeReader& mode_of = PosixFileMode);

// For people and scripts: "KEY_ID PUBLIC_KEY" a line, the one in use first.
std::string RecordKeysText(const RecordKeys& keys);

}  // namespace remora::hub
