#include "tests/integration/disk_faults.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace remora::testing {
namespace {

constexpr const char* kPreloads =
    "/usr/lib/fiu/fiu_run_preload.so:/usr/lib/fiu/fiu_posix_preload.so";
constexpr const char* kPosixPreload = "/usr/lib/fiu/fiu_posix_preload.so";

}  // namespace

SmallDisk::SmallDisk(std::string path, int mebibytes) : path_(std::move(path)) {
  std::filesystem::create_directory(path_);
  mounted_ = mount("remora-test", path_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                   absl::StrCat("mode=0700,size=", mebibytes, "m").c_str()) == 0;
}

SmallDisk::~SmallDisk() {
  if (mounted_) umount2(path_.c_str(), MNT_DETACH);
}

void SmallDisk::Fill(uint64_t leave_bytes) const {
  const std::string name = path_ + "/filler";
  const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string bytes(64 * 1024, 'x');
  struct statvfs space {};
  while (file >= 0 && fstatvfs(file, &space) == 0) {
    const uint64_t left = uint64_t{space.f_bavail} * space.f_bsize;
    if (left <= leave_bytes) break;
    const size_t size = std::min<uint64_t>(bytes.size(), left - leave_bytes);
    if (write(file, bytes.data(), size) <= 0) break;
  }
  if (file >= 0) close(file);
}

void SmallDisk::Free() const { unlink((path_ + "/filler").c_str()); }

bool FailingCalls::available() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;  // a sanitizer goes with no other preloaded library
#else
  return std::filesystem::exists(kPosixPreload);
#endif
}

std::vector<std::string> FailingCalls::environment() const {
  return {absl::StrCat("LD_PRELOAD=", kPreloads), absl::StrCat("FIU_CTRL_FIFO=", control_path_)};
}

absl::Status FailingCalls::Fail(const Process& process, const std::string& calls, int error) const {
  return Tell(process, absl::StrCat("enable name=", calls, ",failinfo=", error));
}

absl::Status FailingCalls::Pass(const Process& process, const std::string& calls) const {
  return Tell(process, absl::StrCat("disable name=", calls));
}

absl::Status FailingCalls::Tell(const Process& process, const std::string& command) const {
  const Finished told = RunToEnd("/usr/bin/fiu-ctrl",
                                 {"-f", control_path_, "-c", command, absl::StrCat(process.pid())});
  if (told.exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("fiu-ctrl: ", told.output, told.errors));
}

}  // namespace remora::testing
