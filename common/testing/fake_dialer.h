#pragma once

// A hub's end of the stream that a test plays by hand: what the link wrote, what is delivered to
// it, when a write is done, when the stream breaks. Calls the listener on the executor, as a
// transport does. Sequence-bound to the test's thread.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/executor.h"
#include "common/link/stream.h"
#include "remora/v1/room.pb.h"

namespace remora {

class FakeDialer : public Dialer {
 public:
  explicit FakeDialer(Executor& executor) : executor_(executor) {}

  std::unique_ptr<Stream> Dial(Stream::Listener& listener) override;

  // How dials go from now on: opened at once (the default), failed with `status`, or never
  // answered.
  void OpenDials() { mode_ = Mode::kOpen; }
  void FailDials(absl::Status status) {
    mode_ = Mode::kFail;
    failure_ = std::move(status);
  }
  void IgnoreDials() { mode_ = Mode::kIgnore; }
  // False: a write stays outstanding until CompleteWrite.
  void set_completes_writes(bool completes) { completes_writes_ = completes; }

  int dials() const { return static_cast<int>(streams_.size()); }

  // All below: of the newest stream, unless `dial` (from 0) is given.
  bool IsOpen(int dial = -1) const;
  bool ClosedByLink(int dial = -1) const;
  // What the link wrote since the last call. A message that is no Up fails the test.
  std::vector<v1::Up> TakeWritten(int dial = -1);
  void CompleteWrite(int dial = -1);
  void Deliver(const v1::Down& down, int dial = -1);
  void DeliverBytes(std::string down, int dial = -1);
  // The stream ends, as when the hub dies.
  void Break(absl::Status status, int dial = -1);

 private:
  friend class FakeStream;
  enum class Mode { kOpen, kFail, kIgnore };

  // What both ends share; it stays when the link drops its stream.
  struct State {
    Stream::Listener* listener = nullptr;  // null once the link's end is gone or has ended
    bool open = false;
    bool writing = false;
    bool closed_by_link = false;
    std::vector<std::string> written;
  };

  const std::shared_ptr<State>& At(int dial) const;
  void End(const std::shared_ptr<State>& state, absl::Status status);

  Executor& executor_;
  Mode mode_ = Mode::kOpen;
  absl::Status failure_;
  bool completes_writes_ = true;
  std::vector<std::shared_ptr<State>> streams_;
};

}  // namespace remora
