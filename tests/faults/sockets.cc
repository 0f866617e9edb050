#include "tests/faults/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/check.h"
#include "common/status_macros.h"
#include "tests/faults/limits.h"

namespace remora::testing {
namespace {

constexpr uint64_t kWakeId = 0;
constexpr int kEventsAtOnce = 256;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void SetOption(int fd, int level, int name, int value) {
  setsockopt(fd, level, name, &value, sizeof(value));
}

absl::StatusOr<Descriptor> TcpSocket() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return ErrnoStatus("socket");
  // Before connecting or listening: the window's scale is agreed on then.
  SetOption(socket.get(), SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
  SetOption(socket.get(), SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
  SetOption(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return socket;
}

}  // namespace

absl::Status ErrnoStatus(const std::string& what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void Descriptor::Reset() {
  const linger now{1, 0};
  if (fd_ >= 0) setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  Close();
}

Poll::Poll() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  REMORA_CHECK(epoll_ && wake_, "a poll has its descriptors");
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = kWakeId;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
}

uint64_t Poll::Watch(int fd, Readiness* readiness) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = next_;
  REMORA_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0, "a socket can be watched");
  watched_[next_] = readiness;
  return next_++;
}

std::vector<Poll::Event> Poll::Wait(std::optional<Duration> limit) {
  epoll_event events[kEventsAtOnce];
  timespec time{};
  if (limit) {
    time.tv_sec = limit->nanoseconds() / 1'000'000'000;
    time.tv_nsec = limit->nanoseconds() % 1'000'000'000;
  }
  const int count =
      epoll_pwait2(epoll_.get(), events, kEventsAtOnce, limit ? &time : nullptr, nullptr);
  std::vector<Event> found;
  for (int i = 0; i < count; ++i) found.push_back({events[i].data.u64, events[i].events});
  return found;
}

void Poll::Note(const std::vector<Event>& events) {
  for (const Event& event : events) {
    const auto watched = watched_.find(event.id);
    if (watched == watched_.end()) continue;
    if (event.what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) watched->second->readable = true;
    if (event.what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) watched->second->writable = true;
  }
}

void Poll::Wake() {
  const uint64_t one = 1;
  REMORA_CHECK(write(wake_.get(), &one, sizeof(one)) == sizeof(one), "a poll can be woken");
}

absl::StatusOr<Descriptor> BoundSocket(int port) {
  ASSIGN_OR_RETURN(Descriptor socket, TcpSocket());
  SetOption(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  const sockaddr_in address = Loopback(port);
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoStatus(absl::StrCat("binding 127.0.0.1:", port));
  }
  return socket;
}

absl::StatusOr<int> PortOf(const Descriptor& socket) {
  sockaddr_in address{};
  socklen_t length = sizeof(address);
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return ErrnoStatus("a socket's address");
  }
  return ntohs(address.sin_port);
}

absl::Status Listen(const Descriptor& socket) {
  if (listen(socket.get(), kListenBacklog) != 0) return ErrnoStatus("listening");
  return absl::OkStatus();
}

absl::StatusOr<Descriptor> ConnectingSocket(int port) {
  ASSIGN_OR_RETURN(Descriptor socket, TcpSocket());
  const sockaddr_in address = Loopback(port);
  if (connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    return ErrnoStatus(absl::StrCat("connecting to 127.0.0.1:", port));
  }
  return socket;
}

std::optional<Descriptor> Accept(const Descriptor& listener) {
  Descriptor socket(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return std::nullopt;
  SetOption(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  return socket;
}

absl::StatusOr<Descriptor> ListeningUnixSocket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": too long for a socket's path"));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  unlink(path.c_str());
  if (!socket || bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return ErrnoStatus(path);
  }
  RETURN_IF_ERROR(Listen(socket));
  return socket;
}

}  // namespace remora::testing
