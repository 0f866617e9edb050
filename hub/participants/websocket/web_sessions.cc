#include "hub/participants/websocket/web_sessions.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kMacBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kEndBytes = 8;
constexpr size_t kMaxSealedBytes = kNonceBytes + kEndBytes + kMaxBearerBytes + kMacBytes;

static_assert(std::tuple_size_v<WebSessions::Key> == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

absl::StatusOr<WebSessions::Key> WebSessions::ReadOrMakeKey(FileSystem& files,
                                                            const std::string& path,
                                                            Random& random) {
  Key key;
  if (files.Exists(path)) {
    ASSIGN_OR_RETURN(const std::string bytes, files.ReadWhole(path, 4'096));
    if (bytes.size() == key.size()) {
      std::copy(bytes.begin(), bytes.end(), key.begin());
      return key;
    }
    if (!bytes.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": a key of ", key.size(), " bytes is expected, this file has ",
                       bytes.size(), "; remove it, and browsers sign in once more"));
    }
  }
  random.Fill(key);
  ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, files.OpenAppend(path));
  RETURN_IF_ERROR(
      file->Append(absl::string_view(reinterpret_cast<const char*>(key.data()), key.size())));
  RETURN_IF_ERROR(file->Sync());
  return key;
}

WebSessions::WebSessions(const Key& key, Clock& clock, Random& random)
    : key_(key), clock_(clock), random_(random) {
  REMORA_CHECK(sodium_init() >= 0, "libsodium cannot start");
}

std::string WebSessions::Seal(absl::string_view identity_name, absl::string_view token) {
  // Wall time: a cookie outlives a restart of the machine. A clock that steps ends it early or
  // late.
  const int64_t end_ns = (clock_.WallNow() + kWebSessionLifetime).nanoseconds();
  std::string plain(kEndBytes, '\0');
  std::memcpy(plain.data(), &end_ns, kEndBytes);
  absl::StrAppend(&plain, token);

  std::string sealed(kNonceBytes + plain.size() + kMacBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(sealed.data());
  random_.Fill(std::span<uint8_t>(out, kNonceBytes));
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kNonceBytes, nullptr, Bytes(plain), plain.size(),
                                             Bytes(identity_name), identity_name.size(), nullptr,
                                             out, key_.data());
  return absl::WebSafeBase64Escape(sealed);
}

std::optional<std::string> WebSessions::Open(absl::string_view identity_name,
                                             absl::string_view cookie_untrusted) const {
  std::string sealed;
  if (cookie_untrusted.size() > 2 * kMaxSealedBytes ||
      !absl::WebSafeBase64Unescape(cookie_untrusted, &sealed) ||
      sealed.size() < kNonceBytes + kEndBytes + kMacBytes) {
    return std::nullopt;
  }
  std::string plain(sealed.size() - kNonceBytes - kMacBytes, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<unsigned char*>(plain.data()), nullptr, nullptr,
          Bytes(sealed) + kNonceBytes, sealed.size() - kNonceBytes, Bytes(identity_name),
          identity_name.size(), Bytes(sealed), key_.data()) != 0) {
    return std::nullopt;
  }
  int64_t end_ns = 0;
  std::memcpy(&end_ns, plain.data(), kEndBytes);
  if (clock_.WallNow().nanoseconds() >= end_ns) return std::nullopt;
  return plain.substr(kEndBytes);
}

}  // namespace remora::hub
