#include "reader-client/cc/app/snapshot_waiter.h"

#include <utility>

#include "reader-client/cc/sdk/refusal.h"

namespace remora::reader {

absl::StatusOr<v1::Snapshot> SnapshotWaiter::Wait(const Clock& clock, Duration timeout) {
  const DeviceTime deadline = clock.Now() + timeout;
  MutexLock lock(&mutex_);
  while (!arrived_) {
    const Duration left = deadline - clock.Now();
    if (left <= Duration()) return absl::UnavailableError("the hub gave no snapshot in time");
    changed_.WaitFor(&mutex_, std::chrono::nanoseconds(left.nanoseconds()));
  }
  return answer_;
}

void SnapshotWaiter::Arrive(absl::StatusOr<v1::Snapshot> answer) {
  MutexLock lock(&mutex_);
  if (arrived_ && !answer.ok()) return;
  answer_ = std::move(answer);
  arrived_ = true;
  changed_.NotifyAll();
}

void SnapshotWaiter::OnSnapshot(const v1::Snapshot& snapshot) { Arrive(snapshot); }

void SnapshotWaiter::OnFollowEnded(const v1::FollowEnded& ended) {
  if (ended.follow_id() == kFollowId) Arrive(FollowEndedStatus(ended));
}

void SnapshotWaiter::OnRefused(const v1::Refused& refused) {
  if (refused.follow_id() == kFollowId) Arrive(RefusalStatus(refused));
}

void SnapshotWaiter::OnEnded(const absl::Status& status) { Arrive(status); }

}  // namespace remora::reader
