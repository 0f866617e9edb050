#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/bench/load/followers.h"
#include "tests/bench/load/socket_follower.h"

namespace remora::bench {
namespace {

constexpr size_t kReadBytes = 256 * 1024;
constexpr uint8_t kContinuation = 0, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

// A client's frame: masked, with a mask of zeros.
std::string FrameOf(uint8_t opcode, absl::string_view payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 126));
    frame.push_back(static_cast<char>(payload.size() >> 8));
    frame.push_back(static_cast<char>(payload.size()));
  }
  frame.append(4, '\0');
  frame.append(payload.data(), payload.size());
  return frame;
}

class WebSocketFollower final : public SocketFollower {
 public:
  WebSocketFollower(const LoadOptions& options, int index, ControlPage* page, Tally* tally)
      : SocketFollower(options.http), follower_(options, index, page, tally), buffer_(kReadBytes) {
    Write(absl::StrCat("GET /v1/stream HTTP/1.1\r\nHost: ", options.http,
                       "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                       "Sec-WebSocket-Version: 13\r\nAuthorization: Bearer ",
                       TokenOfFollower(options, index), "\r\n\r\n"));
    AwaitUpgrade();
    Write(FrameOf(kBinary, follower_.Hello()));
  }

  bool stalls() const override { return follower_.stalls(); }

  bool ReadOnce() override {
    const size_t got = Read(buffer_.data() + used_, buffer_.size() - used_);
    if (got == 0) return false;
    used_ += got;
    absl::string_view left(buffer_.data(), used_);
    while (TakeFrame(&left)) {
    }
    std::memmove(buffer_.data(), left.data(), left.size());
    used_ = left.size();
    return true;
  }

  void SendDue(int64_t now_ns) override {
    const std::string up = follower_.NextUp(now_ns);
    if (!up.empty()) Write(FrameOf(kBinary, up));
  }

 private:
  void AwaitUpgrade() {
    std::string answer;
    char byte;
    while (answer.find("\r\n\r\n") == std::string::npos) {
      if (recv(socket(), &byte, 1, 0) != 1) {
        std::perror("WebSocket handshake");
        std::exit(1);
      }
      answer.push_back(byte);
    }
    if (answer.find(" 101 ") == std::string::npos) {
      std::fprintf(stderr, "WebSocket handshake: %s\n", answer.c_str());
      std::exit(1);
    }
  }

  bool TakeFrame(absl::string_view* left) {
    if (left->size() < 2) return false;
    const auto* bytes = reinterpret_cast<const uint8_t*>(left->data());
    size_t length = bytes[1] & 0x7f;
    size_t header = 2;
    const size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (left->size() < header + more) return false;
    if (more > 0) length = 0;
    for (size_t i = 0; i < more; ++i) length = length << 8 | bytes[header + i];
    header += more;
    if (header + length > buffer_.size()) {  // a snapshot: views into the buffer end here
      wanted_ = header + length;
    }
    if (left->size() < header + length) {
      if (wanted_ > buffer_.size()) Grow(left);
      return false;
    }
    Handle(bytes[0] & 0x0f, left->substr(header, length));
    left->remove_prefix(header + length);
    return true;
  }

  void Grow(absl::string_view* left) {
    std::vector<char> larger(wanted_);
    std::memcpy(larger.data(), left->data(), left->size());
    buffer_.swap(larger);
    *left = absl::string_view(buffer_.data(), left->size());
  }

  void Handle(uint8_t opcode, absl::string_view payload) {
    if (opcode == kBinary || opcode == kContinuation) {
      follower_.OnDown(payload);
    } else if (opcode == kPing) {
      Write(FrameOf(kPong, payload));
    } else if (opcode == kClose) {
      std::fprintf(stderr, "a follower's WebSocket is closed by the hub\n");
    }
  }

  Follower follower_;
  std::vector<char> buffer_;
  size_t used_ = 0;
  size_t wanted_ = 0;
};

}  // namespace

void FollowOverWebSocket(const LoadOptions& options, ControlPage* page, Tally* tally) {
  FollowOnSockets(options, page, tally, [&](int index) {
    return std::make_unique<WebSocketFollower>(options, index, page, tally);
  });
}

}  // namespace remora::bench
