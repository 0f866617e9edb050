#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/bench/load/followers.h"

namespace remora::bench {
namespace {

constexpr int64_t kTickNs = 5'000'000;
constexpr size_t kReadBytes = 256 * 1024;
constexpr uint8_t kContinuation = 0, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

[[noreturn]] void Fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int ConnectTo(const std::string& address) {
  const std::vector<std::string> parts = absl::StrSplit(address, ':');
  int port = 0;
  sockaddr_in where{};
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &port) ||
      inet_pton(AF_INET, parts[0].c_str(), &where.sin_addr) != 1) {
    Fail("the hub's address");
  }
  where.sin_family = AF_INET;
  where.sin_port = htons(static_cast<uint16_t>(port));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (socket < 0 || connect(socket, reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0) {
    Fail("connect");
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket;
}

void WriteAll(int socket, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written <= 0) return;  // its end is noticed by reading
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// A client's frame: masked, with a mask of zeros.
void WriteFrame(int socket, uint8_t opcode, absl::string_view payload) {
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
  WriteAll(socket, frame);
}

class WebSocketFollower {
 public:
  WebSocketFollower(const LoadOptions& options, int index, ControlPage* page, Tally* tally)
      : follower_(options, index, page, tally), tally_(tally), socket_(ConnectTo(options.http)) {
    buffer_.resize(kReadBytes);
    WriteAll(socket_, absl::StrCat("GET /v1/stream HTTP/1.1\r\nHost: ", options.http,
                                   "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                                   "Sec-WebSocket-Version: 13\r\nAuthorization: Bearer ",
                                   TokenOfFollower(options, index), "\r\n\r\n"));
    AwaitUpgrade();
    WriteFrame(socket_, kBinary, follower_.Hello());
  }

  int socket() const { return socket_; }
  bool open() const { return open_; }
  bool stalls() const { return follower_.stalls(); }

  // Reads once and handles what is whole. False at the end of the stream.
  bool ReadOnce() {
    const ssize_t got = recv(socket_, buffer_.data() + used_, buffer_.size() - used_, 0);
    if (got <= 0) {
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
      ++tally_->ended;
      return open_ = false;
    }
    used_ += static_cast<size_t>(got);
    absl::string_view left(buffer_.data(), used_);
    while (TakeFrame(&left)) {
    }
    std::memmove(buffer_.data(), left.data(), left.size());
    used_ = left.size();
    return true;
  }

  void SendDue(int64_t now_ns) {
    const std::string up = follower_.NextUp(now_ns);
    if (!up.empty()) WriteFrame(socket_, kBinary, up);
  }

 private:
  void AwaitUpgrade() {
    std::string answer;
    char byte;
    while (answer.find("\r\n\r\n") == std::string::npos) {
      if (recv(socket_, &byte, 1, 0) != 1) Fail("WebSocket handshake");
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
      WriteFrame(socket_, kPong, payload);
    } else if (opcode == kClose) {
      std::fprintf(stderr, "a follower's WebSocket is closed by the hub\n");
    }
  }

  Follower follower_;
  Tally* const tally_;
  const int socket_;
  std::vector<char> buffer_;
  size_t used_ = 0;
  size_t wanted_ = 0;
  bool open_ = true;
};

void Watch(int epoll, int operation, WebSocketFollower* follower) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = follower;
  epoll_ctl(epoll, operation, follower->socket(), &event);
}

}  // namespace

void FollowOverWebSocket(const LoadOptions& options, ControlPage* page, Tally* tally) {
  const int epoll = epoll_create1(0);
  std::vector<std::unique_ptr<WebSocketFollower>> followers;
  for (int i = 0; i < options.subs; ++i) {
    followers.push_back(std::make_unique<WebSocketFollower>(options, i, page, tally));
    Watch(epoll, EPOLL_CTL_ADD, followers.back().get());
  }
  bool stalling = false;
  int64_t ticked = 0;
  std::vector<epoll_event> events(256);
  while (page->phase != Phase::kDone) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 5);
    for (int i = 0; i < ready; ++i) {
      auto* follower = static_cast<WebSocketFollower*>(events[i].data.ptr);
      if (!follower->ReadOnce()) Watch(epoll, EPOLL_CTL_DEL, follower);
    }
    const int64_t now = NowNs();
    if (now - ticked < kTickNs && ready > 0) continue;
    ticked = now;
    if (stalling != page->stalling) {
      stalling = page->stalling;
      for (const auto& follower : followers) {
        if (follower->stalls() && follower->open()) {
          Watch(epoll, stalling ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, follower.get());
        }
      }
    }
    for (const auto& follower : followers) {
      if (follower->open() && !(stalling && follower->stalls())) follower->SendDue(now);
    }
  }
  tally->Print();
}

}  // namespace remora::bench
