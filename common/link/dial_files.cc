#include "common/link/dial_files.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace remora {
namespace {

// A chain of certificates is some 10 KiB; a system's whole trust 250.
constexpr uint64_t kMaxDialFileBytes = 512 * 1024;

absl::StatusOr<std::string> ReadOptional(FileSystem& files, const std::string& path) {
  if (path.empty()) return std::string();
  return files.ReadWhole(path, kMaxDialFileBytes);
}

absl::Status ReadPem(FileSystem& files, const char* what, const std::string& path,
                     std::string* pem) {
  ASSIGN_OR_RETURN(*pem, ReadOptional(files, path));
  if (path.empty() || absl::StrContains(*pem, "-----BEGIN ")) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(what, " ", path, ": holds no PEM text"));
}

}  // namespace

absl::Status ReadDialFiles(FileSystem& files, const DialFiles& from, GrpcDialerOptions* dial) {
  if (!from.tls && !(from.ca.empty() && from.certificate.empty() && from.key.empty())) {
    return absl::InvalidArgumentError("certificates and keys are of use with --tls alone");
  }
  if (from.certificate.empty() != from.key.empty()) {
    return absl::InvalidArgumentError("a certificate and its key come together");
  }
  ASSIGN_OR_RETURN(const std::string token, ReadOptional(files, from.token));
  dial->token = std::string(absl::StripAsciiWhitespace(token));
  if (dial->token.empty() && !from.token.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the token file ", from.token, ": is empty"));
  }
  dial->tls = from.tls;
  RETURN_IF_ERROR(
      ReadPem(files, "the authority's certificates", from.ca, &dial->root_certificates_pem));
  RETURN_IF_ERROR(
      ReadPem(files, "the own certificate", from.certificate, &dial->client_certificate_pem));
  return ReadPem(files, "the own key", from.key, &dial->client_key_pem);
}

}  // namespace remora
