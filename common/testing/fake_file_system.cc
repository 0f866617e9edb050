#include "common/testing/fake_file_system.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/random.h"

namespace remora {
namespace {

// What a disk writes whole or not at all.
constexpr uint64_t kPageBytes = 512;

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// "/a/b" -> "/a"; "b" -> ".".
std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status NoSuchFile(const std::string& path) {
  return absl::NotFoundError(absl::StrCat(path, ": no such file or directory"));
}

absl::Status FailureStatus(FakeFileSystem::Failure failure, absl::string_view what) {
  return failure == FakeFileSystem::Failure::kNoSpace
             ? absl::ResourceExhaustedError(absl::StrCat("cannot ", what, ": no space left"))
             : absl::UnavailableError(absl::StrCat("cannot ", what, ": input/output error"));
}

bool TakeFailure(std::map<uint64_t, FakeFileSystem::Failure>* failures, uint64_t number,
                 FakeFileSystem::Failure* failure) {
  const auto it = failures->find(number);
  if (it == failures->end()) return false;
  *failure = it->second;
  failures->erase(it);
  return true;
}

}  // namespace

class FakeAppendFile : public AppendFile {
 public:
  FakeAppendFile(FakeFileSystem& files, FakeFileSystem::InodePtr inode, uint64_t generation,
                 uint64_t size)
      : files_(files), inode_(std::move(inode)), generation_(generation), size_(size) {}

  absl::Status Append(absl::string_view bytes) override {
    if (!failure_.ok()) return failure_;
    const absl::Status status = files_.Append(inode_.get(), generation_, bytes);
    if (status.ok()) size_ += bytes.size();
    if (absl::IsUnavailable(status)) failure_ = status;
    return status;
  }
  absl::Status Sync() override {
    if (!failure_.ok()) return failure_;
    const absl::Status status = files_.Sync(inode_.get(), generation_);
    if (!status.ok()) failure_ = absl::UnavailableError(status.message());
    return failure_;
  }
  uint64_t size() const override { return size_; }

 private:
  FakeFileSystem& files_;
  const FakeFileSystem::InodePtr inode_;
  const uint64_t generation_;
  uint64_t size_;
  absl::Status failure_;
};

class FakeReadFile : public ReadFile {
 public:
  FakeReadFile(FakeFileSystem& files, FakeFileSystem::InodePtr inode, uint64_t generation)
      : files_(files), inode_(std::move(inode)), generation_(generation) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t size) const override {
    MutexLock lock(&files_.mutex_);
    if (generation_ != files_.generation_) return absl::UnavailableError("the power was cut");
    if (inode_->unreadable) return FailureStatus(FakeFileSystem::Failure::kIoError, "read");
    if (offset >= inode_->now.size()) return std::string();
    return inode_->now.substr(offset, size);
  }
  uint64_t size() const override {
    MutexLock lock(&files_.mutex_);
    return inode_->now.size();
  }

 private:
  FakeFileSystem& files_;
  const FakeFileSystem::InodePtr inode_;
  const uint64_t generation_;
};

class FakeFileLock : public FileLock {
 public:
  FakeFileLock(FakeFileSystem& files, std::string path, uint64_t generation)
      : files_(files), path_(std::move(path)), generation_(generation) {}
  ~FakeFileLock() override {
    MutexLock lock(&files_.mutex_);
    if (generation_ == files_.generation_) files_.locked_.erase(path_);
  }

 private:
  FakeFileSystem& files_;
  const std::string path_;
  const uint64_t generation_;
};

void FakeFileSystem::Apply(const NameChange& change, Names* names) {
  if (!change.remove.empty()) names->erase(change.remove);
  if (!change.add.empty()) (*names)[change.add] = change.inode;
}

void FakeFileSystem::Change(NameChange change) {
  Apply(change, &names_);
  unsynced_.push_back(std::move(change));
}

bool FakeFileSystem::HasDirectory(const std::string& path) const {
  return path == "/" || path == "." || names_.count(path + "/") != 0;
}

FakeFileSystem::InodePtr FakeFileSystem::Find(const std::string& path) const {
  const auto it = names_.find(path);
  return it == names_.end() ? nullptr : it->second;
}

absl::StatusOr<std::unique_ptr<AppendFile>> FakeFileSystem::OpenAppend(const std::string& path) {
  MutexLock lock(&mutex_);
  if (!HasDirectory(ParentOf(path)) || HasDirectory(path)) return NoSuchFile(path);
  InodePtr inode = Find(path);
  if (inode == nullptr) {
    inode = std::make_shared<Inode>();
    Change({"", path, inode, ParentOf(path)});
  }
  return std::make_unique<FakeAppendFile>(*this, inode, generation_, inode->now.size());
}

absl::StatusOr<std::unique_ptr<ReadFile>> FakeFileSystem::OpenRead(const std::string& path) {
  MutexLock lock(&mutex_);
  InodePtr inode = Find(path);
  if (inode == nullptr) return NoSuchFile(path);
  return std::make_unique<FakeReadFile>(*this, std::move(inode), generation_);
}

absl::Status FakeFileSystem::Truncate(const std::string& path, uint64_t size) {
  MutexLock lock(&mutex_);
  const InodePtr inode = Find(path);
  if (inode == nullptr) return NoSuchFile(path);
  if (size > inode->now.size()) return absl::OutOfRangeError(absl::StrCat(path, ": is shorter"));
  free_bytes_ += inode->now.size() - size;
  inode->now.resize(size);
  inode->durable = inode->now;
  for (auto& [begin, end] : inode->lost) end = std::min(end, size);
  for (const auto& [begin, end] : inode->lost) {
    for (uint64_t i = begin; i < end; ++i) inode->durable[i] = '\0';
  }
  return absl::OkStatus();
}

absl::Status FakeFileSystem::Remove(const std::string& path) {
  MutexLock lock(&mutex_);
  const InodePtr inode = Find(path);
  if (inode == nullptr) return NoSuchFile(path);
  free_bytes_ += inode->now.size();
  Change({path, "", nullptr, ParentOf(path)});
  return absl::OkStatus();
}

absl::Status FakeFileSystem::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(&mutex_);
  const InodePtr inode = Find(from);
  if (inode == nullptr || !HasDirectory(ParentOf(to))) return NoSuchFile(from);
  if (from == to) return absl::OkStatus();
  if (const InodePtr replaced = Find(to)) free_bytes_ += replaced->now.size();
  Change({from, to, inode, ParentOf(to)});
  return absl::OkStatus();
}

absl::Status FakeFileSystem::RenameNew(const std::string& from, const std::string& to) {
  if (Exists(to)) return absl::AlreadyExistsError(absl::StrCat(to, " is there already"));
  return Rename(from, to);
}

absl::Status FakeFileSystem::CreateDirectory(const std::string& path) {
  const std::string whole = WithoutSlash(path);
  MutexLock lock(&mutex_);
  for (size_t end = whole.find('/', 1);; end = whole.find('/', end + 1)) {
    const std::string part = whole.substr(0, end);
    if (Find(part) != nullptr) return absl::UnavailableError(absl::StrCat(part, ": is a file"));
    if (!HasDirectory(part)) Change({"", part + "/", nullptr, ParentOf(part)});
    if (end == std::string::npos) return absl::OkStatus();
  }
}

absl::Status FakeFileSystem::SyncDirectory(const std::string& path) {
  const std::string directory = WithoutSlash(path);
  MutexLock lock(&mutex_);
  if (!HasDirectory(directory)) return NoSuchFile(path);
  Failure failure;
  const bool fails = TakeFailure(&failing_directory_syncs_, ++directory_syncs_, &failure);
  std::vector<NameChange> rest;
  for (NameChange& change : unsynced_) {
    if (change.directory == directory) {
      if (!fails) Apply(change, &durable_names_);
    } else {
      rest.push_back(std::move(change));
    }
  }
  unsynced_ = std::move(rest);
  return fails ? FailureStatus(failure, "sync the directory") : absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> FakeFileSystem::List(const std::string& path) {
  const std::string directory = WithoutSlash(path);
  MutexLock lock(&mutex_);
  if (!HasDirectory(directory)) return NoSuchFile(path);
  std::vector<std::string> entries;
  for (const auto& [name, inode] : names_) {
    const std::string whole = WithoutSlash(name);
    if (whole != directory && ParentOf(whole) == directory) {
      entries.push_back(whole.substr(whole.rfind('/') + 1));
    }
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

bool FakeFileSystem::Exists(const std::string& path) {
  const std::string name = WithoutSlash(path);
  MutexLock lock(&mutex_);
  return HasDirectory(name) || names_.count(name) != 0;
}

absl::StatusOr<uint64_t> FakeFileSystem::FreeBytes(const std::string& /*path*/) {
  MutexLock lock(&mutex_);
  return free_bytes_;
}

absl::StatusOr<uint64_t> FakeFileSystem::TotalBytes(const std::string& /*path*/) {
  MutexLock lock(&mutex_);
  uint64_t total = free_bytes_;
  for (const auto& [name, inode] : names_) {
    if (inode != nullptr) total += inode->now.size();
  }
  return total;
}

absl::StatusOr<std::unique_ptr<FileLock>> FakeFileSystem::Lock(const std::string& path) {
  MutexLock lock(&mutex_);
  if (Find(path) == nullptr) return NoSuchFile(path);
  if (!locked_.insert(path).second) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": another program holds it"));
  }
  return std::make_unique<FakeFileLock>(*this, path, generation_);
}

absl::Status FakeFileSystem::Append(Inode* inode, uint64_t generation, absl::string_view bytes) {
  MutexLock lock(&mutex_);
  if (generation != generation_) return absl::UnavailableError("the power was cut");
  Failure failure;
  if (TakeFailure(&failing_appends_, ++appends_, &failure)) {
    if (failure == Failure::kIoError) {
      inode->now.append(bytes.data(), bytes.size() / 2);
      free_bytes_ -= std::min<uint64_t>(free_bytes_, bytes.size() / 2);
    }
    return FailureStatus(failure, "append");
  }
  if (bytes.size() > free_bytes_) return FailureStatus(Failure::kNoSpace, "append");
  free_bytes_ -= bytes.size();
  inode->now.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status FakeFileSystem::Sync(Inode* inode, uint64_t generation) {
  MutexLock lock(&mutex_);
  if (generation != generation_) return absl::UnavailableError("the power was cut");
  Failure failure;
  if (TakeFailure(&failing_syncs_, ++syncs_, &failure)) {
    if (inode->now.size() > inode->durable.size()) {
      inode->lost.emplace_back(inode->durable.size(), inode->now.size());
    }
    return FailureStatus(failure, "sync");
  }
  // Only the new end: a log of megabytes is synced after each record.
  const uint64_t before = inode->durable.size();
  if (inode->now.size() >= before) {
    inode->durable.append(inode->now, before, std::string::npos);
  } else {
    inode->durable = inode->now;
  }
  for (const auto& [begin, end] : inode->lost) {
    for (uint64_t i = begin; i < end; ++i) inode->durable[i] = '\0';
  }
  return absl::OkStatus();
}

void FakeFileSystem::CutInode(Inode* inode, Random* random) {
  const uint64_t safe = inode->durable.size();
  std::string after = inode->durable;
  if (inode->now.size() > safe) {
    const bool all_lost = random->Below(4) == 0;
    after.append(inode->now, safe, all_lost ? 0 : random->Below(inode->now.size() - safe + 1));
    for (uint64_t page = safe / kPageBytes * kPageBytes; page < after.size(); page += kPageBytes) {
      const uint64_t begin = std::max(page, safe);
      const uint64_t end = std::min<uint64_t>(page + kPageBytes, after.size());
      const uint64_t fate = random->Below(4);  // 0: never written; 1: something else; else: there
      for (uint64_t i = begin; fate < 2 && i < end; ++i) {
        after[i] = fate == 0 ? '\0' : static_cast<char>(random->Below(256));
      }
    }
    for (const auto& [begin, end] : inode->lost) {
      for (uint64_t i = begin; i < std::min<uint64_t>(end, after.size()); ++i) after[i] = '\0';
    }
  }
  inode->now = after;
  inode->durable = std::move(after);
  inode->lost.clear();
}

void FakeFileSystem::SimulatePowerCut(uint64_t seed) {
  const std::unique_ptr<Random> random = MakeSeededRandom(seed);
  MutexLock lock(&mutex_);
  ++generation_;
  locked_.clear();
  const uint64_t kept = random->Below(unsynced_.size() + 1);
  for (uint64_t i = 0; i < kept; ++i) Apply(unsynced_[i], &durable_names_);
  unsynced_.clear();
  names_ = durable_names_;
  std::set<Inode*> cut;
  for (const auto& [name, inode] : names_) {
    if (inode != nullptr && cut.insert(inode.get()).second) CutInode(inode.get(), random.get());
  }
}

void FakeFileSystem::FailAppend(int nth, Failure failure) {
  REMORA_CHECK(nth >= 1, "1 is the next");
  MutexLock lock(&mutex_);
  failing_appends_[appends_ + static_cast<uint64_t>(nth)] = failure;
}

void FakeFileSystem::FailSync(int nth, Failure failure) {
  REMORA_CHECK(nth >= 1, "1 is the next");
  MutexLock lock(&mutex_);
  failing_syncs_[syncs_ + static_cast<uint64_t>(nth)] = failure;
}

void FakeFileSystem::FailSyncDirectory(int nth, Failure failure) {
  REMORA_CHECK(nth >= 1, "1 is the next");
  MutexLock lock(&mutex_);
  failing_directory_syncs_[directory_syncs_ + static_cast<uint64_t>(nth)] = failure;
}

void FakeFileSystem::FailReads(const std::string& path) {
  MutexLock lock(&mutex_);
  const InodePtr inode = Find(path);
  REMORA_CHECK(inode != nullptr, "the file is there");
  inode->unreadable = true;
}

void FakeFileSystem::SetFreeBytes(uint64_t bytes) {
  MutexLock lock(&mutex_);
  free_bytes_ = bytes;
}

void FakeFileSystem::FlipBit(const std::string& path, uint64_t offset, int bit) {
  MutexLock lock(&mutex_);
  const InodePtr inode = Find(path);
  REMORA_CHECK(inode != nullptr && offset < inode->now.size(), "the bit is there");
  inode->now[offset] = static_cast<char>(inode->now[offset] ^ (1 << bit));
  if (offset < inode->durable.size()) {
    inode->durable[offset] = static_cast<char>(inode->durable[offset] ^ (1 << bit));
  }
}

uint64_t FakeFileSystem::appends() const {
  MutexLock lock(&mutex_);
  return appends_;
}

uint64_t FakeFileSystem::syncs() const {
  MutexLock lock(&mutex_);
  return syncs_;
}

}  // namespace remora
