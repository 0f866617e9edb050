#pragma once

// Hands the records that the link delivers, on its own sequence, to a command that waits for them.
// Bounded: where the command is slower than the hub, the link's sequence waits, and the hub holds
// back.

#include <deque>
#include <optional>

#include "common/mutex.h"
#include "reader-client/cc/sdk/client.h"

namespace remora::reader {

class RecordStream : public LinkObserver {
 public:
  void OnRecord(const DeliveredRecord& delivered) override {
    MutexLock lock(&mutex_);
    while (waiting_.size() >= kMostWaiting && !closed_) taken_.Wait(&mutex_);
    if (closed_) return;
    waiting_.push_back(delivered);
    arrived_.NotifyOne();
  }
  void OnGap(const v1::Gap& gap) override {
    MutexLock lock(&mutex_);
    left_out_ += gap.count();
  }
  void OnEnded(const absl::Status& status) override {
    MutexLock lock(&mutex_);
    ended_ = status;
    arrived_.NotifyOne();
  }

  // The next record; nothing at the timeout.
  std::optional<DeliveredRecord> Next(Duration timeout) {
    MutexLock lock(&mutex_);
    if (waiting_.empty() && ended_.ok()) {
      arrived_.WaitFor(&mutex_, std::chrono::nanoseconds(timeout.nanoseconds()));
    }
    if (waiting_.empty()) return std::nullopt;
    DeliveredRecord next = std::move(waiting_.front());
    waiting_.pop_front();
    taken_.NotifyOne();
    return next;
  }
  // The link has ended by itself.
  absl::Status ended() {
    MutexLock lock(&mutex_);
    return ended_;
  }
  uint64_t left_out() {
    MutexLock lock(&mutex_);
    return left_out_;
  }
  // Lets the link go on without this reader; call before the client is destroyed.
  void Close() {
    MutexLock lock(&mutex_);
    closed_ = true;
    waiting_.clear();
    taken_.NotifyAll();
  }

 private:
  // A second of a busy theatre; enough to keep a printing command busy.
  static constexpr size_t kMostWaiting = 256;

  Mutex mutex_;
  ConditionVariable arrived_;
  ConditionVariable taken_;
  std::deque<DeliveredRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);
  uint64_t left_out_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace remora::reader
