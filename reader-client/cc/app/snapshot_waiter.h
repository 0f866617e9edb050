#pragma once

// Waits for the snapshot of the one case that a command follows, or for the reason why none comes.
// Thread-safe; the observer of a client, which it outlives.

#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/link/participant_link.h"
#include "common/mutex.h"

namespace remora::reader {

class SnapshotWaiter : public LinkObserver {
 public:
  // The id that the command's follow must have.
  static constexpr uint32_t kFollowId = 1;

  // Unavailable: none in time, or the hub ended the follow. Refused: as RefusalStatus.
  absl::StatusOr<v1::Snapshot> Wait(const Clock& clock, Duration timeout);

  void OnSnapshot(const v1::Snapshot& snapshot) override;
  void OnFollowEnded(const v1::FollowEnded& ended) override;
  void OnRefused(const v1::Refused& refused) override;
  void OnEnded(const absl::Status& status) override;

 private:
  void Arrive(absl::StatusOr<v1::Snapshot> answer);

  Mutex mutex_;
  ConditionVariable changed_;
  bool arrived_ ABSL_GUARDED_BY(mutex_) = false;
  absl::StatusOr<v1::Snapshot> answer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace remora::reader
