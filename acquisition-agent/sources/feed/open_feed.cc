#include "acquisition-agent/sources/feed/open_feed.h"

#include <sys/stat.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "acquisition-agent/sources/feed/address.h"
#include "acquisition-agent/sources/feed/keys.h"
#include "acquisition-agent/sources/feed/zmq_transport.h"
#include "common/status_macros.h"

namespace remora::agent::feed {
namespace {

constexpr uint32_t kOtherBits = 077;

}  // namespace

absl::StatusOr<uint32_t> ModeOfFile(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0) return static_cast<uint32_t>(status.st_mode) & 07777;
  const std::string what = absl::StrCat(path, ": cannot be read");
  return errno == ENOENT ? absl::NotFoundError(what) : absl::UnavailableError(what);
}

absl::StatusOr<std::unique_ptr<Transport>> OpenFeedTransport(FileSystem& files,
                                                             const FeedPlace& place,
                                                             std::shared_ptr<const Clock> clock,
                                                             const FileModeReader& mode_of) {
  ASSIGN_OR_RETURN(const std::vector<std::string> endpoints, ParseEndpoints(place.endpoints));
  const std::vector<std::string> key_files =
      absl::StrSplit(place.server_key_files, ',', absl::SkipWhitespace());
  if (place.key_file.empty() != key_files.empty()) {
    return absl::InvalidArgumentError(
        "key=FILE (this agent's .key_secret) and server_key=FILE (the device's .key) go together");
  }
  if (key_files.size() > 1 && key_files.size() != endpoints.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(key_files.size(), " server keys for ", endpoints.size(),
                     " devices; give one for all, or one each in the order of the devices"));
  }
  CurveKey own;
  if (!place.key_file.empty()) {
    ASSIGN_OR_RETURN(own, ReadCertificate(files, place.key_file, /*secret=*/true));
    ASSIGN_OR_RETURN(const uint32_t mode, mode_of(place.key_file));
    if ((mode & kOtherBits) != 0) {
      return absl::PermissionDeniedError(absl::StrFormat(
          "%s: mode %04o lets others than its owner read this agent's secret key; run: chmod 600 "
          "%s, and if others had access, make new keys",
          place.key_file, mode, place.key_file));
    }
  }
  std::vector<FeedAddress> addresses;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    FeedAddress address;
    address.endpoint = endpoints[i];
    if (!key_files.empty()) {
      const std::string& file = key_files[key_files.size() == 1 ? 0 : i];
      ASSIGN_OR_RETURN(const CurveKey key, ReadCertificate(files, file, /*secret=*/false));
      address.server_key = key.public_key;
    }
    addresses.push_back(std::move(address));
  }
  return OpenZmqTransport(addresses, own, std::move(clock));
}

}  // namespace remora::agent::feed
