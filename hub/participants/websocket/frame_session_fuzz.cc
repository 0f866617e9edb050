// Frames of a peer, in any form and cut anywhere. Messages are answered, some close the session.
// The first byte says how the rest is cut.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "hub/participants/websocket/frame_session.h"

namespace remora::hub {
namespace {

struct Answering final : FrameHandler {
  void OnMessage(absl::string_view message) override {
    if (message.empty()) return session->Close(FrameSession::kPolicyViolation, "nothing said");
    WriteBatch batch;
    batch.bytes = message.size();
    batch.slices.emplace_back(std::string(message));
    session->SendMessage(std::move(batch));
  }
  bool OnControlFrame() override {
    session->Ping();
    return ++control_frames < 100;
  }

  FrameSession* session = nullptr;
  int control_frames = 0;
};

void Drain(FrameSession& session, size_t step) {
  for (int i = 0; i < 1'000 && !session.output().empty(); ++i) {
    std::array<iovec, 3> pieces;
    const size_t count = session.output().Fill(pieces.data(), pieces.size());
    size_t there = 0;
    for (size_t k = 0; k < count; ++k) there += pieces[k].iov_len;
    session.OnSent(std::min(there, step));
  }
}

}  // namespace
}  // namespace remora::hub

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = 1 + data[0] * 17;
  remora::hub::Answering handler;
  remora::hub::FrameSession session(handler);
  handler.session = &session;
  absl::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!rest.empty() && !session.is_input_over()) {
    const absl::string_view part = rest.substr(0, step);
    rest.remove_prefix(part.size());
    session.Receive(part);
    remora::hub::Drain(session, step);
  }
  return 0;
}
