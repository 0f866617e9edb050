#include "hub/journal/sqlite/testing/crash_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <new>
#include <utility>
#include <vector>

#include "common/mutex.h"
#include "hub/journal/sqlite/testing/vfs_layer.h"

namespace remora::hub::sqlite {
namespace {

// As the real layer says of its disks.
constexpr int kSectorBytes = 4096;

// One connection's hold on a file.
struct Handle {
  CrashVfs* owner = nullptr;
  CrashDisk::File file;
  int level = SQLITE_LOCK_NONE;
  bool has_shared_memory = false;
  uint32_t shared_slots = 0;     // bits
  uint32_t exclusive_slots = 0;  // bits
  // The name is new, and goes to the disk with the first sync.
  bool sync_directory = false;
};

struct VfsFile {
  sqlite3_file base;
  Handle* handle;
};

Handle& Of(sqlite3_file* file) { return *reinterpret_cast<VfsFile*>(file)->handle; }

std::string ParentOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

// Who has locked what, by path.
class CrashVfs::Locks {
 public:
  int Lock(Handle& handle, int level) {
    MutexLock lock(&mutex_);
    File& file = files_[handle.file.path()];
    if (level <= handle.level) return SQLITE_OK;
    if (handle.level == SQLITE_LOCK_NONE) {
      if (file.writer != nullptr && file.writer->level >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
      ++file.shared;
      handle.level = SQLITE_LOCK_SHARED;
    }
    if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
    if (file.writer != nullptr && file.writer != &handle) return SQLITE_BUSY;
    file.writer = &handle;
    if (level == SQLITE_LOCK_EXCLUSIVE && file.shared > 1) {
      handle.level = SQLITE_LOCK_PENDING;
      return SQLITE_BUSY;
    }
    handle.level = level;
    return SQLITE_OK;
  }

  void Unlock(Handle& handle, int level) {
    MutexLock lock(&mutex_);
    File& file = files_[handle.file.path()];
    if (handle.level <= level) return;
    if (file.writer == &handle) file.writer = nullptr;
    if (level == SQLITE_LOCK_NONE) --file.shared;
    handle.level = level;
  }

  bool IsReserved(Handle& handle) {
    MutexLock lock(&mutex_);
    return files_[handle.file.path()].writer != nullptr;
  }

  void volatile* Map(Handle& handle, size_t region, size_t bytes, bool extend) {
    MutexLock lock(&mutex_);
    File& file = files_[handle.file.path()];
    if (!handle.has_shared_memory) ++file.mapped;
    handle.has_shared_memory = true;
    while (extend && file.regions.size() <= region) {
      file.regions.push_back(std::make_unique<char[]>(bytes));
    }
    return region < file.regions.size() ? file.regions[region].get() : nullptr;
  }

  void Unmap(Handle& handle) {
    if (!handle.has_shared_memory) return;
    LockSlots(handle, handle.shared_slots, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
    LockSlots(handle, handle.exclusive_slots, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
    MutexLock lock(&mutex_);
    File& file = files_[handle.file.path()];
    handle.has_shared_memory = false;
    if (--file.mapped == 0) file.regions.clear();
  }

  int LockSlots(Handle& handle, uint32_t slots, int flags) {
    MutexLock lock(&mutex_);
    File& file = files_[handle.file.path()];
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    uint32_t& mine = exclusive ? handle.exclusive_slots : handle.shared_slots;
    const bool take = (flags & SQLITE_SHM_LOCK) != 0;
    slots = take ? slots & ~mine : slots & mine;
    for (int pass = 0; pass < 2; ++pass) {
      for (int slot = 0; slot < SQLITE_SHM_NLOCK; ++slot) {
        if ((slots >> slot & 1) == 0) continue;
        int& holders = file.slots[slot];  // -1: one that excludes all others
        if (pass == 1) {
          holders = take ? (exclusive ? -1 : holders + 1) : (exclusive ? 0 : holders - 1);
        } else if (take && (holders < 0 || (exclusive && holders > 0))) {
          return SQLITE_BUSY;
        }
      }
    }
    mine = take ? mine | slots : mine & ~slots;
    return SQLITE_OK;
  }

 private:
  struct File {
    int shared = 0;
    Handle* writer = nullptr;  // reserved, pending or exclusive
    int mapped = 0;
    std::vector<std::unique_ptr<char[]>> regions;
    int slots[SQLITE_SHM_NLOCK] = {};
  };

  Mutex mutex_;
  std::map<std::string, File> files_ ABSL_GUARDED_BY(mutex_);
};

namespace {

int ToResult(const absl::Status& status, int error) {
  if (status.ok()) return SQLITE_OK;
  return absl::IsResourceExhausted(status) ? SQLITE_FULL : error;
}

struct CrashFileCalls {
  static int Close(sqlite3_file* file) {
    Handle* handle = &Of(file);
    handle->owner->locks().Unmap(*handle);
    handle->owner->locks().Unlock(*handle, SQLITE_LOCK_NONE);
    delete handle;
    return SQLITE_OK;
  }
  static int Read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
    char* const begin = static_cast<char*>(to);
    const absl::StatusOr<size_t> there =
        Of(file).owner->disk().Read(Of(file).file, offset, begin, bytes);
    if (!there.ok()) return SQLITE_IOERR_READ;
    std::fill(begin + *there, begin + bytes, '\0');
    return *there == static_cast<size_t>(bytes) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int Write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
    const absl::string_view written(static_cast<const char*>(from), bytes);
    return ToResult(Of(file).owner->disk().Write(Of(file).file, offset, written),
                    SQLITE_IOERR_WRITE);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    return ToResult(Of(file).owner->disk().Truncate(Of(file).file, size), SQLITE_IOERR_TRUNCATE);
  }
  static int Sync(sqlite3_file* file, int /*flags*/) {
    Handle& handle = Of(file);
    absl::Status status = handle.owner->disk().Sync(handle.file);
    if (status.ok() && handle.sync_directory) {
      status = handle.owner->disk().SyncDirectory(ParentOf(handle.file.path()));
      handle.sync_directory = !status.ok();
    }
    return ToResult(status, SQLITE_IOERR_FSYNC);
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(Of(file).owner->disk().SizeOf(Of(file).file));
    return SQLITE_OK;
  }
  static int Lock(sqlite3_file* file, int level) {
    return Of(file).owner->locks().Lock(Of(file), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    Of(file).owner->locks().Unlock(Of(file), level);
    return SQLITE_OK;
  }
  static int CheckReservedLock(sqlite3_file* file, int* held) {
    *held = Of(file).owner->locks().IsReserved(Of(file)) ? 1 : 0;
    return SQLITE_OK;
  }
  static int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return kSectorBytes; }
  static int Characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
  static int ShmMap(sqlite3_file* file, int region, int bytes, int extend, void volatile** at) {
    *at = Of(file).owner->locks().Map(Of(file), region, bytes, extend != 0);
    return SQLITE_OK;
  }
  static int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
    const uint32_t slots = ((1u << count) - 1) << offset;
    return Of(file).owner->locks().LockSlots(Of(file), slots, flags);
  }
  // A mutex taken and given back orders all memory, and ThreadSanitizer knows it.
  static void ShmBarrier(sqlite3_file*) {
    static Mutex barrier;
    MutexLock lock(&barrier);
  }
  static int ShmUnmap(sqlite3_file* file, int /*remove*/) {
    Of(file).owner->locks().Unmap(Of(file));
    return SQLITE_OK;
  }
};

const sqlite3_io_methods kMethods = FileCalls<CrashFileCalls>();

CrashVfs* Owner(sqlite3_vfs* vfs) { return VfsLayer::OwnerOf<CrashVfs>(vfs); }

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  reinterpret_cast<VfsFile*>(file)->base.pMethods = nullptr;
  if (name == nullptr) return SQLITE_CANTOPEN;  // temporary files: the journal keeps them in memory
  bool created = false;
  const bool create = (flags & SQLITE_OPEN_CREATE) != 0;
  absl::StatusOr<CrashDisk::File> opened =
      Owner(vfs)->disk().Open(name, create ? &created : nullptr);
  if (!opened.ok()) return SQLITE_CANTOPEN;
  auto handle = std::make_unique<Handle>();
  handle->owner = Owner(vfs);
  handle->file = *std::move(opened);
  handle->sync_directory = created && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
  reinterpret_cast<VfsFile*>(file)->handle = handle.release();
  reinterpret_cast<VfsFile*>(file)->base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}
int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  absl::Status status = Owner(vfs)->disk().Remove(name);
  if (absl::IsNotFound(status)) return SQLITE_IOERR_DELETE_NOENT;
  if (status.ok() && sync_directory != 0) {
    status = Owner(vfs)->disk().SyncDirectory(ParentOf(name));
  }
  return ToResult(status, SQLITE_IOERR_DELETE);
}
int Access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* there) {
  // An empty file is none, as the real layer has it.
  const absl::StatusOr<CrashDisk::File> file = Owner(vfs)->disk().Open(name, nullptr);
  *there = file.ok() && Owner(vfs)->disk().SizeOf(*file) > 0 ? 1 : 0;
  return SQLITE_OK;
}
int FullPathname(sqlite3_vfs*, const char* name, int size, char* full) {
  sqlite3_snprintf(size, full, "%s", name);
  return SQLITE_OK;
}

}  // namespace

CrashVfs::CrashVfs(const std::string& name)
    : name_(name),
      locks_(std::make_unique<Locks>()),
      layer_(std::make_unique<VfsLayer>(
          name, this,
          VfsLayer::Calls{static_cast<int>(sizeof(VfsFile)), Open, Delete, Access, FullPathname})) {
}

CrashVfs::~CrashVfs() = default;

void CrashVfs::Attach(CrashDisk& disk) { disk_ = &disk; }

}  // namespace remora::hub::sqlite
