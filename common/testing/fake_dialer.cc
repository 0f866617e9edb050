#include "common/testing/fake_dialer.h"

#include "common/check.h"

namespace remora {

class FakeStream : public Stream {
 public:
  FakeStream(FakeDialer& dialer, std::shared_ptr<FakeDialer::State> state)
      : dialer_(dialer), state_(std::move(state)) {}
  ~FakeStream() override {
    if (state_->listener != nullptr) state_->closed_by_link = true;
    state_->listener = nullptr;
    state_->open = false;
  }

  void Write(std::string up) override {
    REMORA_CHECK(writable(), "one write is outstanding at a time, and only on an open stream");
    state_->written.push_back(std::move(up));
    state_->writing = true;
    if (dialer_.completes_writes_) Complete(dialer_.executor_, state_);
  }
  bool writable() const override { return state_->open && !state_->writing; }
  void Close() override {
    state_->closed_by_link = true;
    state_->open = false;
    dialer_.End(state_, absl::CancelledError("closed"));
  }

  static void Complete(Executor& executor, std::shared_ptr<FakeDialer::State> state) {
    executor.Post([state = std::move(state)] {
      state->writing = false;
      if (state->listener != nullptr && state->open) state->listener->OnWritable();
    });
  }

 private:
  FakeDialer& dialer_;
  const std::shared_ptr<FakeDialer::State> state_;
};

std::unique_ptr<Stream> FakeDialer::Dial(Stream::Listener& listener) {
  auto state = std::make_shared<State>();
  state->listener = &listener;
  streams_.push_back(state);
  if (mode_ == Mode::kFail) {
    End(state, failure_);
  } else if (mode_ == Mode::kOpen) {
    executor_.Post([state] {
      if (state->listener == nullptr || state->closed_by_link) return;
      state->open = true;
      state->listener->OnWritable();
    });
  }
  return std::make_unique<FakeStream>(*this, std::move(state));
}

const std::shared_ptr<FakeDialer::State>& FakeDialer::At(int dial) const {
  REMORA_CHECK(!streams_.empty() && dial < dials(), "this stream was dialled");
  return dial < 0 ? streams_.back() : streams_[static_cast<size_t>(dial)];
}

bool FakeDialer::IsOpen(int dial) const { return At(dial)->open; }

bool FakeDialer::ClosedByLink(int dial) const { return At(dial)->closed_by_link; }

std::vector<v1::Up> FakeDialer::TakeWritten(int dial) {
  std::vector<v1::Up> messages;
  for (const std::string& bytes : At(dial)->written) {
    REMORA_CHECK(messages.emplace_back().ParseFromString(bytes), "the link writes whole messages");
  }
  At(dial)->written.clear();
  return messages;
}

void FakeDialer::CompleteWrite(int dial) {
  REMORA_CHECK(At(dial)->writing, "a write is outstanding");
  FakeStream::Complete(executor_, At(dial));
}

void FakeDialer::Deliver(const v1::Down& down, int dial) {
  DeliverBytes(down.SerializeAsString(), dial);
}

void FakeDialer::DeliverBytes(std::string down, int dial) {
  executor_.Post([state = At(dial), bytes = SharedBytes(std::move(down))] {
    if (state->listener != nullptr && state->open) state->listener->OnMessage(bytes);
  });
}

void FakeDialer::Break(absl::Status status, int dial) {
  At(dial)->open = false;
  End(At(dial), std::move(status));
}

void FakeDialer::End(const std::shared_ptr<State>& state, absl::Status status) {
  executor_.Post([state, status = std::move(status)] {
    Stream::Listener* listener = std::exchange(state->listener, nullptr);
    if (listener != nullptr) listener->OnClosed(status);
  });
}

}  // namespace remora
