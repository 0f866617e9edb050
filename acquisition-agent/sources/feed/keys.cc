#include "acquisition-agent/sources/feed/keys.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/status_macros.h"
#include "common/whole_file.h"

namespace remora::agent::feed {
namespace {

// ZeroMQ RFC 32, each the value of its place.
constexpr absl::string_view kZ85 =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

// The quoted value of a line `name = "..."`; nothing: it is another line.
std::optional<std::string> ValueOf(absl::string_view line, absl::string_view name) {
  line = absl::StripAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, name)) return std::nullopt;
  line = absl::StripAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "=")) return std::nullopt;
  line = absl::StripAsciiWhitespace(line);
  if (!absl::ConsumePrefix(&line, "\"") || !absl::ConsumeSuffix(&line, "\"")) return std::nullopt;
  return std::string(line);
}

absl::Status WriteNew(FileSystem& files, const std::string& path, const std::string& text) {
  ASSIGN_OR_RETURN(const std::unique_ptr<WholeFile> file, WholeFile::Create(files, path));
  RETURN_IF_ERROR(file->Append(text));
  return file->Commit();
}

}  // namespace

bool IsKey(absl::string_view text) {
  if (text.size() != kKeyCharacters) return false;
  for (size_t i = 0; i < text.size(); i += 5) {
    uint64_t value = 0;
    for (const char c : text.substr(i, 5)) {
      const size_t digit = kZ85.find(c);
      if (digit == absl::string_view::npos) return false;
      value = value * 85 + digit;
    }
    if (value > 0xFFFFFFFFu) return false;
  }
  return true;
}

absl::StatusOr<CurveKey> ParseCertificate(absl::string_view text, absl::string_view name) {
  CurveKey key;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    if (const auto value = ValueOf(line, "public-key")) key.public_key = *value;
    if (const auto value = ValueOf(line, "secret-key")) key.secret_key = *value;
  }
  if (!IsKey(key.public_key) || (!key.secret_key.empty() && !IsKey(key.secret_key))) {
    return absl::InvalidArgumentError(
        absl::StrCat(name,
                     ": no CURVE certificate: it has no line like public-key = \"40 characters\". "
                     "`remora-agent feed-keys DIR` makes them"));
  }
  return key;
}

std::string FormatCertificate(const CurveKey& key, absl::string_view whose, bool with_secret) {
  std::string text = absl::StrCat("#   Remora feed: ", whose,
                                  with_secret ? ", with its secret key: do not give it to anybody\n"
                                              : ", public key: give it to the other side\n",
                                  "\nmetadata\ncurve\n    public-key = \"", key.public_key, "\"\n");
  if (with_secret) absl::StrAppend(&text, "    secret-key = \"", key.secret_key, "\"\n");
  return text;
}

absl::StatusOr<CurveKey> ReadCertificate(FileSystem& files, const std::string& path, bool secret) {
  ASSIGN_OR_RETURN(const std::string text, files.ReadWhole(path, kMaxCertificateBytes));
  ASSIGN_OR_RETURN(CurveKey key, ParseCertificate(text, path));
  if (secret && key.secret_key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": has no secret key; the file that ends in .key_secret is the right one"));
  }
  return key;
}

absl::Status WriteCertificates(FileSystem& files, const std::string& folder,
                               const std::string& name, const CurveKey& key) {
  const std::string path = absl::StrCat(folder, "/", name, ".key");
  for (const char* ending : {"", "_secret"}) {
    if (files.Exists(path + ending)) {
      return absl::AlreadyExistsError(
          absl::StrCat(path, ending,
                       " is there already, and stays; take another folder, or remove it yourself"));
    }
  }
  RETURN_IF_ERROR(files.CreateDirectoryDurably(folder));
  RETURN_IF_ERROR(WriteNew(files, path + "_secret", FormatCertificate(key, name, true)));
  return WriteNew(files, path, FormatCertificate(key, name, false));
}

}  // namespace remora::agent::feed
