#include "acquisition-agent/app/hub_key.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "acquisition-agent/spool/entry.h"
#include "common/record_seal.h"
#include "common/status_macros.h"

namespace remora::agent {
namespace {

std::string PathIn(const std::string& folder) { return absl::StrCat(folder, "/hub-key"); }

}  // namespace

absl::StatusOr<HubKey> HubKey::Open(FileSystem& files, const std::string& folder) {
  HubKey pinned(files, folder);
  if (!files.Exists(PathIn(folder))) return pinned;
  ASSIGN_OR_RETURN(const std::string bytes, files.ReadWhole(PathIn(folder), 4096));
  const std::optional<Entry> entry = ParseEntry(bytes);
  if (!entry || entry->payload.size() != kPublicKeyBytes) {
    return absl::DataLossError(absl::StrCat(
        PathIn(folder), ": is damaged. Remove it, and the key of the hub that is met next counts"));
  }
  pinned.key_ = std::string(entry->payload);
  return pinned;
}

absl::Status HubKey::Keep(const std::string& key) {
  // Under another name until it is whole.
  const std::string draft = PathIn(folder_) + ".new";
  if (files_->Exists(draft)) RETURN_IF_ERROR(files_->Remove(draft));
  std::string bytes;
  AppendEntry({.type = EntryType::kInfo, .payload = key}, &bytes);
  ASSIGN_OR_RETURN(const std::unique_ptr<AppendFile> file, files_->OpenAppend(draft));
  RETURN_IF_ERROR(file->Append(bytes));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(files_->Rename(draft, PathIn(folder_)));
  RETURN_IF_ERROR(files_->SyncDirectory(folder_));
  key_ = key;
  return absl::OkStatus();
}

bool HubKey::IsShownIn(const v1::Welcome& welcome) {
  return !welcome.record_keys().empty() &&
         welcome.record_keys(0).public_key().size() == kPublicKeyBytes;
}

absl::Status HubKey::OnWelcome(const v1::Welcome& welcome) {
  if (!IsShownIn(welcome)) return absl::OkStatus();
  const std::string& in_use = welcome.record_keys(0).public_key();
  if (key_.empty()) return Keep(in_use);
  changed_ = in_use != key_;
  if (!changed_) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("The hub signs with another key (", KeyIdOf(in_use), ") than before (",
                   KeyIdOf(key_), "): no spool is cleared. If that is right, remove ",
                   PathIn(folder_), " and start the agent again"));
}

}  // namespace remora::agent
