#pragma once

// Who moves the log: one at a time, and nobody any more after a move that failed, until the file
// was closed and opened anew. A move that stops half way syncs nothing; when the sync of a later
// one fails, pages of the first count as clean, no later sync writes them, and the log alone has
// them. One more move, from where the first stopped, would let the log begin anew without them.
// Thread-safe.
#include <atomic>

namespace remora::hub::sqlite {

class LogGate {
 public:
  // False: somebody is at it, or it has failed.
  bool Enter() {
    State idle = State::kIdle;
    return state_.compare_exchange_strong(idle, State::kMoving);
  }
  void Leave(bool ok) { state_ = ok ? State::kIdle : State::kFailed; }
  bool has_failed() const { return state_ == State::kFailed; }
  // No connection is open, and the log's index is gone (SettleFiles): the log is read from its
  // beginning, and all of it is moved once more.
  void Reset() { state_ = State::kIdle; }

 private:
  enum class State { kIdle, kMoving, kFailed };
  std::atomic<State> state_{State::kIdle};
};

}  // namespace remora::hub::sqlite
