#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/load/followers.h"
#include "tests/bench/load/message_pieces.h"
#include "tests/bench/load/socket_follower.h"

namespace remora::bench {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
// What may be on its way: the hub's credit keeps it to less.
constexpr int32_t kWindowBytes = 8 << 20;
constexpr uint32_t kMaxFrameBytes = 256 * 1024;

nghttp2_nv Field(absl::string_view name, absl::string_view value) {
  const auto bytes = [](absl::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

// A session over gRPC: HTTP/2 by nghttp2, gRPC's framing on top.
class LeanGrpcFollower final : public SocketFollower {
 public:
  LeanGrpcFollower(const LoadOptions& options, int index, ControlPage* page, Tally* tally,
                   std::vector<char>* read_buffer)
      : SocketFollower(options.grpc),
        follower_(options, index, page, tally),
        messages_(&follower_, tally),
        read_buffer_(read_buffer) {
    static nghttp2_session_callbacks* const callbacks = MakeCallbacks();
    nghttp2_session_client_new(&session_, callbacks, this);
    const std::array<nghttp2_settings_entry, 3> settings = {{
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kMaxFrameBytes},
    }};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
    Call(TokenOfFollower(options, index));
    Send(follower_.Hello());
  }
  ~LeanGrpcFollower() override { nghttp2_session_del(session_); }

  bool stalls() const override { return follower_.stalls(); }

  bool ReadOnce() override {
    const size_t got = Read(read_buffer_->data(), read_buffer_->size());
    const auto* bytes = reinterpret_cast<const uint8_t*>(read_buffer_->data());
    if (got == 0 || nghttp2_session_mem_recv(session_, bytes, got) != static_cast<ssize_t>(got)) {
      return false;
    }
    Flush();
    return !ended_;
  }

  void SendDue(int64_t now_ns) override {
    const std::string up = follower_.NextUp(now_ns);
    if (!up.empty()) Send(up);
  }

 private:
  static LeanGrpcFollower* Self(void* user) { return static_cast<LeanGrpcFollower*>(user); }

  static int OnData(nghttp2_session*, uint8_t, int32_t, const uint8_t* bytes, size_t size,
                    void* user) {
    Self(user)->messages_.Take(absl::string_view(reinterpret_cast<const char*>(bytes), size));
    return 0;
  }
  static int OnClose(nghttp2_session*, int32_t, uint32_t why, void* user) {
    std::fprintf(stderr, "a follower's call ended: HTTP/2 code %u\n", why);
    Self(user)->ended_ = true;
    return 0;
  }
  static ssize_t ReadUp(nghttp2_session*, int32_t, uint8_t* to, size_t room, uint32_t*,
                        nghttp2_data_source*, void* user) {
    std::string& up = Self(user)->up_;
    const size_t part = std::min(room, up.size());
    if (part == 0) return NGHTTP2_ERR_DEFERRED;
    std::memcpy(to, up.data(), part);
    up.erase(0, part);
    return static_cast<ssize_t>(part);
  }
  static nghttp2_session_callbacks* MakeCallbacks() {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) std::abort();
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    return callbacks;
  }

  void Call(const std::string& token) {
    const std::string bearer = absl::StrCat("Bearer ", token);
    const std::array<nghttp2_nv, 7> head = {Field(":method", "POST"),
                                            Field(":scheme", "http"),
                                            Field(":path", kSessionMethod),
                                            Field(":authority", "hub"),
                                            Field("content-type", "application/grpc"),
                                            Field("te", "trailers"),
                                            Field("authorization", bearer)};
    nghttp2_data_provider provider{};
    provider.read_callback = ReadUp;
    stream_ =
        nghttp2_submit_request(session_, nullptr, head.data(), head.size(), &provider, nullptr);
  }

  void Send(absl::string_view message) {
    up_.append(MessagePieces::PrefixOf(message.size()));
    up_.append(message.data(), message.size());
    nghttp2_session_resume_data(session_, stream_);
    Flush();
  }

  void Flush() {
    for (;;) {
      const uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) return;
      Write(absl::string_view(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)));
    }
  }

  Follower follower_;
  MessagePieces messages_;
  std::vector<char>* const read_buffer_;
  nghttp2_session* session_ = nullptr;
  int32_t stream_ = 0;
  std::string up_;
  bool ended_ = false;
};

}  // namespace

void FollowOverLeanGrpc(const LoadOptions& options, ControlPage* page, Tally* tally) {
  std::vector<char> read_buffer(kReadBytes);
  FollowOnSockets(options, page, tally, [&](int index) {
    return std::make_unique<LeanGrpcFollower>(options, index, page, tally, &read_buffer);
  });
}

}  // namespace remora::bench
