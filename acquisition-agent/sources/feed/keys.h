// CURVE keys of feeds, as files that CZMQ and pyzmq read and write too: a certificate NAME.key has
// the public key, NAME.key_secret both. Keys are 40 characters of Z85. Pure, but for the file
// system that is handed in.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_system.h"

namespace remora::agent::feed {

inline constexpr size_t kKeyCharacters = 40;
inline constexpr uint64_t kMaxCertificateBytes = 16 * 1024;

struct CurveKey {
  std::string public_key;
  std::string secret_key;  // empty: not in the file
};

// True for 40 characters of Z85 that stand for 32 bytes.
bool IsKey(absl::string_view text);

// The keys in a certificate's text; `name` stands for the file in messages, which never show a key.
absl::StatusOr<CurveKey> ParseCertificate(absl::string_view text, absl::string_view name);
std::string FormatCertificate(const CurveKey& key, absl::string_view whose, bool with_secret);

// From a file; `secret`: it must have a secret key.
//   kNotFound, kPermissionDenied as the file system; kInvalidArgument: no certificate
absl::StatusOr<CurveKey> ReadCertificate(FileSystem& files, const std::string& path, bool secret);

// Writes FOLDER/NAME.key and NAME.key_secret (mode 0600). AlreadyExists: one of them is there; a
// key is never replaced.
absl::Status WriteCertificates(FileSystem& files, const std::string& folder,
                               const std::string& name, const CurveKey& key);

}  // namespace remora::agent::feed
