// Bytes of a peer: frames, headers and messages in any order and form. Calls are answered, so that
// the ways out are walked as well. The first byte says how the rest is cut.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "hub/participants/grpc/http2_session.h"

namespace remora::hub {
namespace {

struct Answering final : Http2Handler {
  size_t OnCall(int32_t stream, const CallHead& head) override {
    if (head.path.size() % 3 == 1) session->Finish(stream, absl::NotFoundError(head.path));
    return 100'000;
  }
  void OnMessage(int32_t stream, absl::string_view message) override {
    if (message.empty() || writing) return;
    writing = true;
    WriteBatch batch;
    batch.bytes = message.size();
    batch.slices.emplace_back(std::string(message));
    session->SendMessage(stream, std::move(batch));
  }
  void OnBadInput(int32_t stream, absl::Status why) override { session->Finish(stream, why); }
  void OnInputEnd(int32_t stream) override { session->Finish(stream, absl::OkStatus()); }
  void OnWritten(int32_t) override { writing = false; }
  void OnClosed(int32_t) override { writing = false; }

  Http2Session* session = nullptr;
  // Of any stream: a message of another is left unanswered.
  bool writing = false;
};

void Drain(Http2Session& session, size_t step) {
  session.FillOutput();
  for (int i = 0; i < 1'000 && !session.output().empty(); ++i) {
    std::array<iovec, 3> pieces;
    const size_t count = session.output().Fill(pieces.data(), pieces.size());
    size_t there = 0;
    for (size_t k = 0; k < count; ++k) there += pieces[k].iov_len;
    session.OnSent(std::min(there, step));
    session.FillOutput();
  }
}

}  // namespace
}  // namespace remora::hub

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using remora::hub::Http2Session;
  if (size == 0) return 0;
  const size_t step = 1 + data[0] * 17;
  remora::hub::Answering handler;
  Http2Session session(handler);
  handler.session = &session;
  session.Receive(NGHTTP2_CLIENT_MAGIC);
  absl::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!rest.empty()) {
    const absl::string_view part = rest.substr(0, step);
    rest.remove_prefix(part.size());
    if (!session.Receive(part)) break;
    remora::hub::Drain(session, step);
  }
  return 0;
}
