#include "common/whole_file.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace remora {
namespace {

// Written at once: few calls, little memory.
constexpr size_t kWriteBytes = 64 * 1024;

absl::Status CheckNew(FileSystem& files, const std::string& path) {
  if (!files.Exists(path)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      absl::StrCat(path, " is there already: give another name, or remove it first"));
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WholeFile>> WholeFile::Create(FileSystem& files, std::string path) {
  RETURN_IF_ERROR(CheckNew(files, path));
  const std::string part = path + ".part";
  if (files.Exists(part)) RETURN_IF_ERROR(files.Remove(part));
  ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, files.OpenAppend(part));
  return std::unique_ptr<WholeFile>(new WholeFile(files, std::move(path), std::move(file)));
}

WholeFile::WholeFile(FileSystem& files, std::string path, std::unique_ptr<AppendFile> part)
    : files_(files), path_(std::move(path)), part_(std::move(part)) {}

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
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status WholeFile::Commit() {
  RETURN_IF_ERROR(Flush());
  RETURN_IF_ERROR(part_->Sync());
  RETURN_IF_ERROR(CheckNew(files_, path_));
  RETURN_IF_ERROR(files_.Rename(part_path(), path_));
  part_.reset();
  return files_.SyncDirectory(FolderOf(path_));
}

}  // namespace remora
