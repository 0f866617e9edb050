#include "common/whole_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace remora {
namespace {

// Written at once: few calls, little memory.
constexpr size_t kWriteBytes = 64 * 1024;

absl::Status IsThere(const std::string& path) {
  return absl::AlreadyExistsError(
      absl::StrCat(path, " is there already: give another name, or remove it first"));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WholeFile>> WholeFile::Create(FileSystem& files, std::string path,
                                                             const WholeFileOptions& options) {
  if (!options.replaces && files.Exists(path)) return IsThere(path);
  const std::string part = path + ".part";
  if (files.Exists(part)) RETURN_IF_ERROR(files.Remove(part));
  ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, files.OpenAppend(part));
  return std::unique_ptr<WholeFile>(
      new WholeFile(files, std::move(path), options, std::move(file)));
}

WholeFile::WholeFile(FileSystem& files, std::string path, const WholeFileOptions& options,
                     std::unique_ptr<AppendFile> part)
    : files_(files), path_(std::move(path)), options_(options), part_(std::move(part)) {}

WholeFile::~WholeFile() {
  if (part_ == nullptr) return;
  part_.reset();
  files_.Remove(part_path()).IgnoreError();
}

absl::Status WholeFile::Append(absl::string_view text) {
  buffer_.append(text.data(), text.size());
  return buffer_.size() < kWriteBytes ? absl::OkStatus() : Flush();
}

absl::Status WholeFile::Flush() {
  RETURN_IF_ERROR(part_->Append(buffer_));
  unsynced_bytes_ += buffer_.size();
  buffer_.clear();
  if (options_.sync_each_bytes == 0 || unsynced_bytes_ < options_.sync_each_bytes) {
    return absl::OkStatus();
  }
  return Sync();
}

absl::Status WholeFile::Sync() {
  RETURN_IF_ERROR(part_->Sync());
  unsynced_bytes_ = 0;
  if (options_.sync_each_bytes > 0) part_->DropCache();
  return absl::OkStatus();
}

absl::Status WholeFile::Commit() {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(Sync());
  const absl::Status renamed =
      options_.replaces ? files_.Rename(part_path(), path_) : files_.RenameNew(part_path(), path_);
  if (absl::IsAlreadyExists(renamed)) return IsThere(path_);
  RETURN_IF_ERROR(renamed);
  part_.reset();
  return files_.SyncDirectory(FolderOf(path_));
}

}  // namespace remora
