#include "tests/bench/load/socket_follower.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace remora::bench {
namespace {

// How often it is looked at what followers have to report.
constexpr int64_t kTickNs = 5'000'000;
constexpr int kTickMs = 5;

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

class Sockets {
 public:
  Sockets(Tally* tally, std::vector<std::unique_ptr<SocketFollower>> followers)
      : tally_(tally), epoll_(epoll_create1(0)), followers_(std::move(followers)) {
    for (const auto& follower : followers_) Watch(EPOLL_CTL_ADD, follower.get());
  }

  // False: nothing came.
  bool ReadReady() {
    const int ready = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), kTickMs);
    for (int i = 0; i < ready; ++i) {
      auto* follower = static_cast<SocketFollower*>(events_[static_cast<size_t>(i)].data.ptr);
      if (follower->ReadOnce()) continue;
      ++tally_->ended;
      Watch(EPOLL_CTL_DEL, follower);
      for (auto& one : followers_) {
        if (one.get() == follower) one = nullptr;
      }
    }
    return ready > 0;
  }

  void Tick(int64_t now_ns, bool stalling) {
    for (const auto& follower : followers_) {
      if (follower == nullptr) continue;
      if (stalling != stalling_ && follower->stalls()) {
        Watch(stalling ? EPOLL_CTL_DEL : EPOLL_CTL_ADD, follower.get());
      }
      if (!stalling || !follower->stalls()) follower->SendDue(now_ns);
    }
    stalling_ = stalling;
  }

 private:
  void Watch(int operation, SocketFollower* follower) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = follower;
    epoll_ctl(epoll_, operation, follower->socket(), &event);
  }

  Tally* const tally_;
  const int epoll_;
  std::vector<std::unique_ptr<SocketFollower>> followers_;  // null: its stream has ended
  std::vector<epoll_event> events_ = std::vector<epoll_event>(256);
  bool stalling_ = false;
};

}  // namespace

SocketFollower::SocketFollower(const std::string& address) : socket_(ConnectTo(address)) {}

SocketFollower::~SocketFollower() { close(socket_); }

size_t SocketFollower::Read(char* to, size_t most) {
  for (;;) {
    const ssize_t got = recv(socket_, to, most, 0);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return 0;
  }
}

void SocketFollower::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

void FollowOnSockets(const LoadOptions& options, ControlPage* page, Tally* tally,
                     const std::function<std::unique_ptr<SocketFollower>(int index)>& make) {
  std::vector<std::unique_ptr<SocketFollower>> followers;
  for (int i = 0; i < options.subs; ++i) followers.push_back(make(i));
  Sockets sockets(tally, std::move(followers));
  int64_t ticked_ns = 0;
  while (page->phase != Phase::kDone) {
    const bool came = sockets.ReadReady();
    const int64_t now = NowNs();
    if (came && now - ticked_ns < kTickNs) continue;
    ticked_ns = now;
    sockets.Tick(now, page->stalling);
  }
  tally->Print();
}

}  // namespace remora::bench
