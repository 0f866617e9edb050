#include "hub/identity/local_identities.h"

#include <sodium.h>
#include <sys/stat.h>

#include <cerrno>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/limits.h"
#include "common/status_macros.h"
#include "common/text_proto.h"

namespace remora::hub {
namespace {

using TokenHash = std::array<uint8_t, 32>;

// Read or written by anybody but the owner.
constexpr uint32_t kOtherBits = 077;

TokenHash Digest(absl::string_view token) {
  TokenHash hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(token.data()),
                     token.size(), nullptr, 0);
  return hash;
}

bool IsName(absl::string_view name) {
  if (name.empty() || name.size() > 64) return false;
  for (char c : name) {
    const bool allowed =
        absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '.' || c == '_' || c == '-';
    if (!allowed) return false;
  }
  return true;
}

bool ParseHash(const std::string& hex, TokenHash* hash) {
  size_t size = 0;
  return hex.size() == 2 * hash->size() &&
         sodium_hex2bin(hash->data(), hash->size(), hex.data(), hex.size(), nullptr, &size,
                        nullptr) == 0 &&
         size == hash->size();
}

absl::Status CheckIdentity(const v1::LocalIdentity& identity) {
  if (!IsName(identity.name())) {
    return absl::InvalidArgumentError("name must be 1 to 64 of a-z, 0-9, '.', '_' and '-'");
  }
  if (identity.display_name().empty() || identity.display_name().size() > kMaxDisplayNameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("display_name must have 1 to ", kMaxDisplayNameBytes, " bytes"));
  }
  if (!v1::Role_IsValid(identity.role()) || identity.role() == v1::ROLE_UNSPECIFIED ||
      identity.role() == v1::ROLE_HUB) {
    return absl::InvalidArgumentError(
        "role must be one of ROLE_AGENT, ROLE_TECHNOLOGIST, ROLE_NEUROPHYSIOLOGIST, "
        "ROLE_SURGICAL_TEAM, ROLE_CENTRE");
  }
  for (const std::string& theatre : identity.theatre()) {
    if (theatre.empty() || theatre.size() > kMaxNameBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("theatre must have 1 to ", kMaxNameBytes, " bytes"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string HashToken(absl::string_view token) {
  const TokenHash hash = Digest(token);
  std::string hex(2 * hash.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
  hex.pop_back();
  return hex;
}

absl::StatusOr<uint32_t> PosixFileMode(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    const std::string what = absl::StrCat(path, ": cannot be read");
    return errno == ENOENT ? absl::NotFoundError(what) : absl::UnavailableError(what);
  }
  return static_cast<uint32_t>(status.st_mode) & 07777;
}

absl::StatusOr<LocalIdentities> LocalIdentities::Read(FileSystem& files, const std::string& path,
                                                      const FileModeReader& mode_of) {
  ASSIGN_OR_RETURN(const uint32_t mode, mode_of(path));
  if ((mode & kOtherBits) != 0) {
    return absl::PermissionDeniedError(absl::StrFormat(
        "%s: mode %04o lets others than its owner in; run: chmod 600 %s", path, mode, path));
  }
  v1::LocalIdentities identities;
  RETURN_IF_ERROR(ReadTextProto(files, path, &identities));
  return FromProto(identities, path);
}

absl::StatusOr<LocalIdentities> LocalIdentities::FromProto(const v1::LocalIdentities& identities,
                                                           const std::string& name) {
  if (identities.identity_size() == 0) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": no identity; nobody could come in"));
  }
  if (static_cast<size_t>(identities.identity_size()) > kMaxIdentities) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": more than ", kMaxIdentities, " identities"));
  }
  LocalIdentities read;
  std::set<std::string> names;
  std::set<std::string> display_names;
  std::set<TokenHash> hashes;
  for (const v1::LocalIdentity& identity : identities.identity()) {
    const auto refuse = [&](absl::string_view what) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": identity '", identity.name(), "': ", what));
    };
    if (absl::Status status = CheckIdentity(identity); !status.ok()) {
      return refuse(status.message());
    }
    Entry entry;
    if (!ParseHash(identity.token_hash(), &entry.token_hash)) {
      return refuse("token_hash must be 64 hexadecimal digits, from `remora-hub --hash-token`");
    }
    if (!names.insert(identity.name()).second) return refuse("this name is there twice");
    if (!display_names.insert(identity.display_name()).second) {
      return refuse(absl::StrCat("another has the display_name '", identity.display_name(),
                                 "'; the record could not tell them apart"));
    }
    if (!hashes.insert(entry.token_hash).second) {
      return refuse("another has the same token_hash; give each its own token");
    }
    entry.identity = {identity.name(),
                      identity.display_name(),
                      identity.role(),
                      {identity.theatre().begin(), identity.theatre().end()}};
    read.entries_.push_back(std::move(entry));
  }
  return read;
}

absl::StatusOr<Identity> LocalIdentities::Authenticate(absl::string_view token_untrusted) {
  const bool sane = token_untrusted.size() >= kMinIdentityTokenBytes &&
                    token_untrusted.size() <= kMaxIdentityTokenBytes;
  const TokenHash hash = Digest(sane ? token_untrusted : absl::string_view());
  // All are compared, so that the time tells nothing.
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (sodium_memcmp(entry.token_hash.data(), hash.data(), hash.size()) == 0) found = &entry;
  }
  if (!sane || found == nullptr) return absl::UnauthenticatedError("the token is not known");
  return found->identity;
}

}  // namespace remora::hub
