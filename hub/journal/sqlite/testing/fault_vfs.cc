#include "hub/journal/sqlite/testing/fault_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <new>

#include "absl/strings/match.h"
#include "hub/journal/sqlite/testing/vfs_layer.h"

namespace remora::hub::sqlite {
namespace {

constexpr uint64_t kSectorBytes = 512;

struct FaultFile {
  sqlite3_file base;
  FaultVfs* owner;
  std::string* path;
  sqlite3_file* real;  // behind this, in the same block
};

FaultFile* Of(sqlite3_file* file) { return reinterpret_cast<FaultFile*>(file); }
sqlite3_file* Real(sqlite3_file* file) { return Of(file)->real; }

struct FaultFileCalls {
  static int Close(sqlite3_file* file) {
    const int result = Real(file)->pMethods->xClose(Real(file));
    delete Of(file)->path;
    return result;
  }
  static int Read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
    const int result = Real(file)->pMethods->xRead(Real(file), to, bytes, offset);
    if (result != SQLITE_OK) return result;
    return Of(file)
        ->owner->AfterRead({static_cast<const char*>(to), static_cast<size_t>(bytes)})
        .result;
  }
  static int Write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
    const std::string written(static_cast<const char*>(from), bytes);
    const FaultVfs::Verdict verdict =
        Of(file)->owner->BeforeWrite(*Of(file)->path, offset, written);
    int result = SQLITE_OK;
    if (verdict.do_it) {
      const int count = verdict.half ? bytes / 2 : bytes;
      result = Real(file)->pMethods->xWrite(Real(file), from, count, offset);
    }
    return verdict.result != SQLITE_OK ? verdict.result : result;
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    const FaultVfs::Verdict verdict = Of(file)->owner->BeforeTruncate(*Of(file)->path, size);
    if (verdict.result != SQLITE_OK) return verdict.result;
    return Real(file)->pMethods->xTruncate(Real(file), size);
  }
  static int Sync(sqlite3_file* file, int flags) {
    const FaultVfs::Verdict verdict = Of(file)->owner->BeforeSync(*Of(file)->path);
    if (verdict.result != SQLITE_OK) return verdict.result;
    return Real(file)->pMethods->xSync(Real(file), flags);
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Real(file)->pMethods->xFileSize(Real(file), size);
  }
  static int Lock(sqlite3_file* file, int level) {
    return Real(file)->pMethods->xLock(Real(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return Real(file)->pMethods->xUnlock(Real(file), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* held) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), held);
  }
  static int FileControl(sqlite3_file* file, int op, void* argument) {
    return Real(file)->pMethods->xFileControl(Real(file), op, argument);
  }
  static int SectorSize(sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  }
  static int Characteristics(sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  }
  static int ShmMap(sqlite3_file* file, int page, int bytes, int extend, void volatile** at) {
    return Real(file)->pMethods->xShmMap(Real(file), page, bytes, extend, at);
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
  }
  static void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return Real(file)->pMethods->xShmUnmap(Real(file), remove);
  }
};

const sqlite3_io_methods kMethods = FileCalls<FaultFileCalls>();

FaultVfs* Owner(sqlite3_vfs* vfs) { return VfsLayer::OwnerOf<FaultVfs>(vfs); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultFile* fault_file = Of(file);
  fault_file->base.pMethods = nullptr;
  fault_file->owner = Owner(vfs);
  fault_file->real = reinterpret_cast<sqlite3_file*>(fault_file + 1);
  sqlite3_vfs* real = Owner(vfs)->real();
  if (Owner(vfs)->IsReadOnly()) {
    flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
  }
  const int result = real->xOpen(real, name, fault_file->real, flags, out_flags);
  if (fault_file->real->pMethods == nullptr) return result;
  fault_file->path = new std::string(name == nullptr ? "" : name);
  fault_file->base.pMethods = &kMethods;
  if (result == SQLITE_OK && name != nullptr) Owner(vfs)->Opened(name);
  return result;
}
int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  sqlite3_vfs* real = Owner(vfs)->real();
  if (Owner(vfs)->BeforeTruncate(name, 0).result != SQLITE_OK) return SQLITE_IOERR_DELETE;
  Owner(vfs)->Deleted(name);
  return real->xDelete(real, name, sync_directory);
}

}  // namespace

FaultVfs::FaultVfs(const std::string& name)
    : name_(name),
      real_(VfsLayer::Real()),
      layer_(std::make_unique<VfsLayer>(
          name, this,
          VfsLayer::Calls{static_cast<int>(sizeof(FaultFile)) + real_->szOsFile, Open, Delete})) {}

FaultVfs::~FaultVfs() = default;

void FaultVfs::Arm(Fault fault, uint64_t at, bool for_ever) {
  MutexLock lock(&mutex_);
  fault_ = fault;
  at_ = at;
  for_ever_ = for_ever || fault == Fault::kPowerCut;
  calls_ = 0;
  hit_ = false;
}

bool FaultVfs::hit() const {
  MutexLock lock(&mutex_);
  return hit_;
}

bool FaultVfs::IsReadOnly() const {
  MutexLock lock(&mutex_);
  return hit_ && fault_ == Fault::kReadOnly;
}

void FaultVfs::FailReadsOf(const std::string& marker) {
  MutexLock lock(&mutex_);
  bad_marker_ = marker;
}

uint64_t FaultVfs::failed_reads() const {
  MutexLock lock(&mutex_);
  return failed_reads_;
}

uint64_t FaultVfs::reads() const {
  MutexLock lock(&mutex_);
  return reads_;
}

FaultVfs::Verdict FaultVfs::AfterRead(absl::string_view bytes) {
  MutexLock lock(&mutex_);
  ++reads_;
  if (bad_marker_.empty() || !absl::StrContains(bytes, bad_marker_)) return {};
  ++failed_reads_;
  return {SQLITE_IOERR_READ, true, false};
}

void FaultVfs::HoldSyncs() {
  MutexLock lock(&mutex_);
  holding_ = true;
}

void FaultVfs::ReleaseSyncs() {
  MutexLock lock(&mutex_);
  holding_ = false;
  changed_.NotifyAll();
}

void FaultVfs::WaitForHeldSync() {
  MutexLock lock(&mutex_);
  while (held_ == 0) changed_.Wait(&mutex_);
}

bool FaultVfs::Strikes(bool is_sync) {
  if (fault_ == Fault::kNone) return false;
  if (fault_ != Fault::kPowerCut && is_sync != (fault_ == Fault::kSyncError)) return false;
  ++calls_;
  const bool strikes = calls_ == at_ || (calls_ > at_ && for_ever_);
  hit_ = hit_ || strikes;
  return strikes;
}

FaultVfs::Verdict FaultVfs::BeforeWrite(const std::string& path, uint64_t offset,
                                        const std::string& bytes) {
  MutexLock lock(&mutex_);
  Verdict verdict;
  if (Strikes(false)) {
    verdict.result = fault_ == Fault::kNoSpace ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    verdict.do_it = fault_ == Fault::kTornWrite || fault_ == Fault::kLateError;
    verdict.half = fault_ == Fault::kTornWrite;
  }
  if (verdict.do_it) {
    files_[path].since.push_back(
        {false, offset, verdict.half ? bytes.substr(0, bytes.size() / 2) : bytes});
  }
  return verdict;
}

FaultVfs::Verdict FaultVfs::BeforeTruncate(const std::string& path, uint64_t size) {
  MutexLock lock(&mutex_);
  if (Strikes(false)) return {SQLITE_IOERR_TRUNCATE, false, false};
  files_[path].since.push_back({true, size, ""});
  return {};
}

FaultVfs::Verdict FaultVfs::BeforeSync(const std::string& path) {
  MutexLock lock(&mutex_);
  ++held_;
  changed_.NotifyAll();
  while (holding_) changed_.Wait(&mutex_);
  --held_;
  if (Strikes(true)) return {SQLITE_IOERR_FSYNC, false, false};
  FileState& file = files_[path];
  for (const Change& change : file.since) Apply(change, &file.synced);
  file.since.clear();
  return {};
}

void FaultVfs::Opened(const std::string& path) {
  MutexLock lock(&mutex_);
  const auto [it, first] = files_.try_emplace(path);
  if (!first) return;
  std::ifstream file(path, std::ios::binary);
  it->second.synced.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void FaultVfs::Deleted(const std::string& path) {
  MutexLock lock(&mutex_);
  files_.erase(path);
}

void FaultVfs::Apply(const Change& change, std::string* file) {
  if (change.truncate) {
    file->resize(change.offset);
    return;
  }
  const uint64_t end = change.offset + change.bytes.size();
  if (file->size() < end) file->resize(end);
  std::copy(change.bytes.begin(), change.bytes.end(), file->begin() + change.offset);
}

std::map<std::string, std::string> FaultVfs::ImageAfterPowerCut(Random& random) const {
  MutexLock lock(&mutex_);
  std::map<std::string, std::string> image;
  for (const auto& [path, file] : files_) {
    std::string& bytes = image[path];
    bytes = file.synced;
    for (Change change : file.since) {
      const uint64_t fate = random.Below(3);
      if (fate == 0) continue;
      if (fate == 1 && !change.truncate) {
        const uint64_t sectors = change.bytes.size() / kSectorBytes;
        change.bytes.resize(kSectorBytes * random.Below(sectors + 1));
        if (change.bytes.empty()) continue;
      }
      Apply(change, &bytes);
    }
  }
  return image;
}

}  // namespace remora::hub::sqlite
