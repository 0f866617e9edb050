#pragma once

// Who may come in where there is no identity provider: a text-format file (config.proto,
// LocalIdentities) that its owner alone can read, with a digest of each one's token.
//
// hub/app reads it once at start; transports call Authenticate with the bearer token of a stream.
// Immutable after Read, thread-safe.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file_system.h"
#include "hub/participants/authenticator.h"
#include "hub/participants/session.h"
#include "remora/v1/config.pb.h"

namespace remora::hub {

// A theatre team of a large house is some hundreds of people.
inline constexpr size_t kMaxIdentities = 10'000;
inline constexpr size_t kMaxDisplayNameBytes = 64;
// 32 random characters; longer than any sane token is refused before it is hashed.
inline constexpr size_t kMinIdentityTokenBytes = 32;
inline constexpr size_t kMaxIdentityTokenBytes = 512;

// BLAKE2b-256 of a token in lower-case hex, as `remora-hub --hash-token` prints it.
std::string HashToken(absl::string_view token);

// The permission bits of a file; NotFound.
using FileModeReader = std::function<absl::StatusOr<uint32_t>(const std::string& path)>;
absl::StatusOr<uint32_t> PosixFileMode(const std::string& path);

class LocalIdentities final : public Authenticator {
 public:
  // InvalidArgument: syntax (FILE:LINE:COLUMN), a name that is not 1 to 64 of a-z 0-9 . _ -, a
  // name, token or display name that occurs twice, no role, ROLE_HUB, or a hash that is not 64 hex
  // digits. PermissionDenied: others than the owner can read the file. NotFound.
  static absl::StatusOr<LocalIdentities> Read(FileSystem& files, const std::string& path,
                                              const FileModeReader& mode_of = PosixFileMode);
  // The same from a parsed message; `name` stands for the file in messages.
  static absl::StatusOr<LocalIdentities> FromProto(const v1::LocalIdentities& identities,
                                                   const std::string& name);

  // Unauthenticated unless exactly this token is known. Takes the same time whichever it is.
  absl::StatusOr<Identity> Authenticate(absl::string_view token_untrusted) override;
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Identity identity;
    std::array<uint8_t, 32> token_hash{};
  };
  std::vector<Entry> entries_;
};

}  // namespace remora::hub
