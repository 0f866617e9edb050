#pragma once

// A record archive with its thread, of low priority. Its disk may be one that hangs (a network
// that is away, under a hard mount): a call then does not return, and whoever waits for the thread
// waits as long. So nobody waits for it without a limit. Thread-safe but for its end.

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/clock.h"
#include "common/mutex.h"
#include "common/thread_executor.h"
#include "hub/archive/limits.h"
#include "hub/archive/record_archive.h"

namespace remora::hub {

class ArchiveThread {
 public:
  // `parts` without a worker. `clock` and what they name outlive it.
  ArchiveThread(const Clock& clock, RecordArchive::Parts parts);
  // Waits for the thread.
  ~ArchiveThread();

  CaseArchive& archive() { return *archive_; }
  // RecordArchive::Watch.
  void Watch(RecordArchive::OnLook on_look);
  // Since it was last known whether the folder is there. Longer than kArchiveLookInterval and some:
  // the disk hangs.
  Duration since_look() const;
  bool hangs() const { return since_look() > kArchiveHangsAfter; }
  // How long the step under way has kept the thread from the next one, as far as it was asked: to
  // be asked each kArchiveProbeInterval, by one sequence. Zero: the thread is free.
  Duration StuckFor();

  // What is under way ends soon.
  void BeginStop() { archive_->Stop(); }
  // Ends the thread, within kArchiveStopLimit. False: it hangs in a call, and uses this object and
  // all that it was given whenever that returns: nothing of it may be destroyed. May be asked
  // again.
  bool Stop();

 private:
  const Clock& clock_;
  std::unique_ptr<ThreadExecutor> worker_;
  std::unique_ptr<RecordArchive> archive_;
  std::atomic<int64_t> looked_at_ns_;
  // A task that waits for its turn since then; kNoProbe: none does.
  static constexpr int64_t kNoProbe = -1;
  std::atomic<int64_t> probed_at_ns_{kNoProbe};
  Mutex mutex_;
  ConditionVariable changed_;
  bool idle_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace remora::hub
