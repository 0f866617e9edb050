#pragma once

// A session (a connection with its statements) that one thread uses and another may take away:
// after an I/O error the writer closes every connection of the file, so that SQLite reads it anew.
// Thread-safe.
//
//   closed --Set--> open --TakeBack--> changing --Set--> open
//                                          |-----Close--> closed

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "common/mutex.h"

namespace remora::hub::sqlite {

template <typename Session>
class SessionSlot {
 public:
  // Each of the three waits until a Use ends.
  void Set(std::unique_ptr<Session> session) { Change(std::move(session), false); }
  void Close() { Change(nullptr, false); }
  // As Close, but a new session follows at once, or Close: uses wait for it.
  void TakeBack() { Change(nullptr, true); }

  // Calls use(session) under the slot's lock, and returns what it returns, which is constructible
  // from a Status: Unavailable when the slot is closed.
  template <typename F>
  auto Use(F use) -> decltype(use(std::declval<Session&>())) {
    MutexLock lock(&mutex_);
    while (changing_) changed_.Wait(&mutex_);
    if (session_ == nullptr) {
      return absl::UnavailableError("the journal's file is closed after an error");
    }
    return use(*session_);
  }

 private:
  void Change(std::unique_ptr<Session> session, bool changing) {
    MutexLock lock(&mutex_);
    session_ = std::move(session);
    changing_ = changing;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  ConditionVariable changed_;
  std::unique_ptr<Session> session_ ABSL_GUARDED_BY(mutex_);
  bool changing_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace remora::hub::sqlite
