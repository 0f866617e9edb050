#include "hub/journal/sqlite/testing/vfs_layer.h"

#include "common/check.h"

namespace remora::hub::sqlite {

VfsLayer::VfsLayer(const std::string& name, void* owner, const Calls& calls)
    : name_(name), vfs_(*Real()) {
  vfs_.szOsFile = calls.file_bytes;
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = owner;
  vfs_.xOpen = calls.open;
  vfs_.xDelete = calls.remove;
  if (calls.access != nullptr) vfs_.xAccess = calls.access;
  if (calls.full_path_name != nullptr) vfs_.xFullPathname = calls.full_path_name;
  REMORA_CHECK(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK, "SQLite takes a layer");
}

VfsLayer::~VfsLayer() { sqlite3_vfs_unregister(&vfs_); }

}  // namespace remora::hub::sqlite
