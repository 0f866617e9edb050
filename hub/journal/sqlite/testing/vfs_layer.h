#pragma once

// What the test layers between SQLite and the disk have in common: a copy of the system's layer
// under a name of its own, with some calls of theirs.

#include <sqlite3.h>

#include <string>

namespace remora::hub::sqlite {

// Registered with SQLite for as long as it lives; outlives every connection made through it.
class VfsLayer {
 public:
  struct Calls {
    int file_bytes;  // sqlite3_vfs::szOsFile
    decltype(sqlite3_vfs::xOpen) open;
    decltype(sqlite3_vfs::xDelete) remove;
    // Null: the system's own.
    decltype(sqlite3_vfs::xAccess) access = nullptr;
    decltype(sqlite3_vfs::xFullPathname) full_path_name = nullptr;
  };
  // `owner` is what the calls get by OwnerOf.
  VfsLayer(const std::string& name, void* owner, const Calls& calls);
  ~VfsLayer();
  VfsLayer(const VfsLayer&) = delete;
  VfsLayer& operator=(const VfsLayer&) = delete;

  // The system's layer.
  static sqlite3_vfs* Real() { return sqlite3_vfs_find(nullptr); }
  template <typename Owner>
  static Owner* OwnerOf(sqlite3_vfs* vfs) {
    return static_cast<Owner*>(vfs->pAppData);
  }

 private:
  const std::string name_;
  sqlite3_vfs vfs_;
};

// The calls of a file, as static functions of `File`: with shared memory, without mapped pages.
template <typename File>
constexpr sqlite3_io_methods FileCalls() {
  sqlite3_io_methods calls{};
  calls.iVersion = 2;
  calls.xClose = File::Close;
  calls.xRead = File::Read;
  calls.xWrite = File::Write;
  calls.xTruncate = File::Truncate;
  calls.xSync = File::Sync;
  calls.xFileSize = File::FileSize;
  calls.xLock = File::Lock;
  calls.xUnlock = File::Unlock;
  calls.xCheckReservedLock = File::CheckReservedLock;
  calls.xFileControl = File::FileControl;
  calls.xSectorSize = File::SectorSize;
  calls.xDeviceCharacteristics = File::Characteristics;
  calls.xShmMap = File::ShmMap;
  calls.xShmLock = File::ShmLock;
  calls.xShmBarrier = File::ShmBarrier;
  calls.xShmUnmap = File::ShmUnmap;
  return calls;
}

}  // namespace remora::hub::sqlite
