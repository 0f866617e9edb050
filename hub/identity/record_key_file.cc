#include "hub/identity/record_key_file.h"

#include <algorithm>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "common/status_macros.h"

namespace remora::hub {
namespace {

constexpr uint64_t kMaxKeyFileBytes = 64 * 1024;
constexpr uint32_t kOtherBits = 077;
constexpr absl::string_view kMark = "remora-record-key 1";

std::string Encode(const RecordKeys& keys) {
  std::string text =
      absl::StrCat(kMark, "\nseed ",
                   absl::BytesToHexString(absl::string_view(
                       reinterpret_cast<const char*>(keys.seed.data()), keys.seed.size())),
                   "\n");
  for (const std::string& retired : keys.retired) {
    absl::StrAppend(&text, "retired ", absl::BytesToHexString(retired), "\n");
  }
  return absl::StrCat(text, "check ", KeyIdOf(text), "\n");
}

bool TakeKey(absl::string_view hex, std::string* key) {
  if (hex.size() != 2 * kPublicKeyBytes ||
      hex.find_first_not_of("0123456789abcdef") != absl::string_view::npos) {
    return false;
  }
  *key = absl::HexStringToBytes(hex);
  return true;
}

// Nothing unless it is what Encode makes.
bool Decode(absl::string_view text, RecordKeys* keys) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (lines.size() < 2 || lines[0] != kMark) return false;
  bool has_seed = false;
  for (const absl::string_view line : lines) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, ' ');
    std::string key;
    if (parts.first == "seed" && TakeKey(parts.second, &key)) {
      std::copy(key.begin(), key.end(), keys->seed.begin());
      has_seed = true;
    } else if (parts.first == "retired" && TakeKey(parts.second, &key)) {
      keys->retired.push_back(key);
    }
  }
  return has_seed && Encode(*keys) == text;
}

// Under another name until it is whole.
absl::Status Write(FileSystem& files, const std::string& path, const RecordKeys& keys) {
  const std::string draft = path + ".new";
  if (files.Exists(draft)) RETURN_IF_ERROR(files.Remove(draft));
  ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, files.OpenAppend(draft));
  RETURN_IF_ERROR(file->Append(Encode(keys)));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(files.Rename(draft, path));
  const size_t slash = path.rfind('/');
  return files.SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
}

}  // namespace

absl::StatusOr<RecordKeys> ReadRecordKeys(FileSystem& files, const std::string& path,
                                          const FileModeReader& mode_of) {
  RecordKeys keys;
  if (!files.Exists(path)) {
    return absl::NotFoundError(absl::StrCat(
        path,
        ": there is no key that signs records. Is it the right --journal? The hub makes the "
        "key at its first start"));
  }
  ASSIGN_OR_RETURN(const uint32_t mode, mode_of(path));
  if ((mode & kOtherBits) != 0) {
    return absl::PermissionDeniedError(
        absl::StrFormat("%s: mode %04o lets others than its owner read the key that signs records; "
                        "run: chmod 600 %s, and if others had access, remora-hub "
                        "--rotate-record-key",
                        path, mode, path));
  }
  ASSIGN_OR_RETURN(const std::string text, files.ReadWhole(path, kMaxKeyFileBytes));
  if (!Decode(text, &keys)) {
    return absl::DataLossError(absl::StrCat(
        path,
        ": the key that signs records is damaged; put it back from a backup, or move it away "
        "to begin with a new one (whoever verifies will have to be told)"));
  }
  return keys;
}

absl::StatusOr<RecordKeys> ReadOrMakeRecordKeys(FileSystem& files, const std::string& path,
                                                Random& random, const FileModeReader& mode_of) {
  if (files.Exists(path)) return ReadRecordKeys(files, path, mode_of);
  RecordKeys keys;
  random.Fill(keys.seed);
  keys.made = true;
  RETURN_IF_ERROR(Write(files, path, keys));
  return keys;
}

absl::StatusOr<RecordKeys> RotateRecordKeys(FileSystem& files, const std::string& path,
                                            Random& random, const FileModeReader& mode_of) {
  ASSIGN_OR_RETURN(RecordKeys keys, ReadRecordKeys(files, path, mode_of));
  keys.retired.insert(keys.retired.begin(), RecordSigner(keys.seed).public_key());
  random.Fill(keys.seed);
  RETURN_IF_ERROR(Write(files, path, keys));
  return keys;
}

std::string RecordKeysText(const RecordKeys& keys) {
  std::vector<std::string> all = {RecordSigner(keys.seed).public_key()};
  all.insert(all.end(), keys.retired.begin(), keys.retired.end());
  std::string text;
  for (const std::string& key : all) {
    absl::StrAppend(&text, KeyIdOf(key), " ", absl::BytesToHexString(key), "\n");
  }
  return text;
}

}  // namespace remora::hub
