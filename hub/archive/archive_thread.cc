#include "hub/archive/archive_thread.h"

#include <sys/resource.h>

#include <chrono>
#include <utility>

#include "hub/archive/limits.h"

namespace remora::hub {
namespace {

// It has hours, whoever is live has not.
constexpr int kArchiveNice = 10;
constexpr int kWaits = 10;

}  // namespace

ArchiveThread::ArchiveThread(const Clock& clock, RecordArchive::Parts parts)
    : clock_(clock),
      worker_(std::make_unique<ThreadExecutor>(clock, "archive")),
      looked_at_ns_(clock.Now().nanoseconds()) {
  worker_->Post([] { setpriority(PRIO_PROCESS, 0, kArchiveNice); });  // of this thread
  parts.worker = worker_.get();
  archive_ = std::make_unique<RecordArchive>(std::move(parts));
}

ArchiveThread::~ArchiveThread() {
  archive_->Stop();
  worker_.reset();  // its tasks use the archive, whose own wait there
}

void ArchiveThread::Watch(RecordArchive::OnLook on_look) {
  archive_->Watch([this, on_look = std::move(on_look)](const absl::Status& there, uint64_t free) {
    looked_at_ns_ = clock_.Now().nanoseconds();
    on_look(there, free);
  });
}

Duration ArchiveThread::since_look() const {
  return clock_.Now() - DeviceTime::FromNanoseconds(looked_at_ns_);
}

Duration ArchiveThread::StuckFor() {
  const DeviceTime now = clock_.Now();
  const int64_t probed_at_ns = probed_at_ns_;
  if (probed_at_ns != kNoProbe) return now - DeviceTime::FromNanoseconds(probed_at_ns);
  probed_at_ns_ = now.nanoseconds();
  worker_->Post([this] { probed_at_ns_ = kNoProbe; });
  return Duration();
}

bool ArchiveThread::Stop() {
  archive_->Stop();
  worker_->Post([this] {
    MutexLock lock(&mutex_);
    idle_ = true;
    changed_.NotifyAll();
  });
  {
    MutexLock lock(&mutex_);
    // In parts: a wait may end before its time.
    const std::chrono::nanoseconds part(kArchiveStopLimit.nanoseconds() / kWaits);
    for (int i = 0; i < kWaits && !idle_; ++i) changed_.WaitFor(&mutex_, part);
    if (!idle_) return false;
  }
  worker_->Stop();
  return true;
}

}  // namespace remora::hub
