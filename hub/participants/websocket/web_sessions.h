#pragma once

// Cookies of the web workstation. A browser gives its token once; from then on it holds the token
// sealed (XChaCha20-Poly1305) with a key that only the hub has, and an end of life inside. So a
// cookie is opaque, nothing is kept in memory per browser, a hub that restarts with the same key
// knows its browsers again, and an identity that was removed is out at once: the token is checked
// at every use. Thread-safe.

#include <array>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/clock.h"
#include "common/file_system.h"
#include "common/random.h"

namespace remora::hub {

class WebSessions {
 public:
  using Key = std::array<uint8_t, 32>;

  // The key in the file at `path`; made there (mode 0600) where it is not. InvalidArgument: the
  // file is not a key. Otherwise as the file system says.
  static absl::StatusOr<Key> ReadOrMakeKey(FileSystem& files, const std::string& path,
                                           Random& random);

  WebSessions(const Key& key, Clock& clock, Random& random);

  // A cookie's value for `token`: URL-safe characters only.
  std::string Seal(absl::string_view identity_name, absl::string_view token);
  // The token in a cookie that this key sealed for this identity and that has not ended.
  std::optional<std::string> Open(absl::string_view identity_name,
                                  absl::string_view cookie_untrusted) const;

 private:
  const Key key_;
  Clock& clock_;
  Random& random_;
};

}  // namespace remora::hub
