#include "hub/participants/loop/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace remora::hub {
namespace {

// When the process has no file descriptors left, or may not accept, it is tried again after this.
constexpr Duration kAcceptRetry = Duration::Milliseconds(100);
// Others wait for it.
constexpr int kAcceptsAtATime = 16;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

template <typename T>
void Store(const T& address, SocketAddress* out) {
  std::memcpy(&out->storage, &address, sizeof address);
  out->size = sizeof address;
}

// False: no such address.
bool Resolve(const ListenAddress& address, SocketAddress* out) {
  if (address.is_unix()) {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    if (address.unix_path.size() >= sizeof local.sun_path) {
      errno = ENAMETOOLONG;
      return false;
    }
    std::memcpy(local.sun_path, address.unix_path.data(), address.unix_path.size());
    Store(local, out);
    return true;
  }
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(address.port);
  if (inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
    Store(v4, out);
    return true;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  errno = EINVAL;
  if (inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) != 1) return false;
  Store(v6, out);
  return true;
}

int PortOf(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return 0;
}

void RemoveOldSocket(const std::string& path) {
  struct stat found;
  if (lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) unlink(path.c_str());
}

}  // namespace

absl::Status Listener::Listen(const ListenAddress& address) {
  const auto failed = [this, &address] {
    const std::string why = std::strerror(errno);
    Close();
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address.ToString(), ": ", why));
  };
  is_unix_ = address.is_unix();
  SocketAddress where;
  if (!Resolve(address, &where)) return failed();
  if (is_unix_) RemoveOldSocket(address.unix_path);
  socket_ = socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket_ < 0) return failed();
  const int on = 1;
  if (!is_unix_) setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(socket_, reinterpret_cast<const sockaddr*>(&where.storage), where.size) != 0 ||
      listen(socket_, SOMAXCONN) != 0) {
    return failed();
  }
  port_ = PortOf(socket_);
  watch_ = loop_.Watch(socket_, this);
  if (!watch_.has_value()) return failed();
  return absl::OkStatus();
}

void Listener::OnReadable() {
  for (int i = 0; i < kAcceptsAtATime && is_open(); ++i) {
    const int accepted = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted < 0) {
      if (errno == EAGAIN) return;
      if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) continue;
      return TryAgainLater();
    }
    const int on = 1;
    if (!is_unix_) setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    on_socket_(accepted);
  }
}

// What waits for its connection would be told again at once.
void Listener::TryAgainLater() {
  loop_.Unwatch(*watch_);
  watch_.reset();
  loop_.PostAfter(kAcceptRetry, [this] { WatchAgain(); });
}

void Listener::WatchAgain() {
  if (!is_open()) return;
  watch_ = loop_.Watch(socket_, this);
  if (!watch_.has_value()) loop_.PostAfter(kAcceptRetry, [this] { WatchAgain(); });
}

void Listener::Close() {
  if (watch_.has_value()) loop_.Unwatch(*watch_);
  watch_.reset();
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

}  // namespace remora::hub
