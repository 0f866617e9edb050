#include "tests/faults/control_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "common/status_macros.h"
#include "tests/faults/limits.h"

namespace remora::testing {

absl::StatusOr<std::unique_ptr<ControlSocket>> ControlSocket::Make(Poll& poll,
                                                                   const std::string& path) {
  std::unique_ptr<ControlSocket> control(new ControlSocket(poll));
  ASSIGN_OR_RETURN(control->listener_, ListeningUnixSocket(path));
  control->listener_watch_ = poll.Watch(control->listener_.get(), &control->acceptable_);
  return control;
}

ControlSocket::~ControlSocket() {
  poll_.Unwatch(listener_watch_);
  for (const auto& [watch, peer] : peers_) poll_.Unwatch(watch);
}

bool ControlSocket::Read(Peer& peer, std::vector<Line>* lines) {
  char bytes[1024];
  while (peer.ready.readable) {
    const ssize_t got = read(peer.socket.get(), bytes, sizeof(bytes));
    if (got < 0 && errno == EAGAIN) {
      peer.ready.readable = false;
      break;
    }
    if (got <= 0) return false;
    peer.input.append(bytes, static_cast<size_t>(got));
    size_t end = 0;
    while ((end = peer.input.find('\n')) != std::string::npos) {
      lines->push_back({peer.watch, peer.input.substr(0, end)});
      peer.input.erase(0, end + 1);
    }
    if (peer.input.size() > kMaxControlLineBytes) return false;
  }
  return true;
}

void ControlSocket::Answer(const Line& line, const std::string& text) {
  const auto peer = peers_.find(line.peer);
  if (peer == peers_.end()) return;
  const std::string bytes = text + "\n";
  if (send(peer->second->socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(bytes.size())) {
    poll_.Unwatch(line.peer);
    peers_.erase(peer);
  }
}

std::vector<ControlSocket::Line> ControlSocket::TakeLines() {
  while (acceptable_.readable) {
    std::optional<Descriptor> socket = Accept(listener_);
    if (!socket) {
      acceptable_.readable = false;
      break;
    }
    if (peers_.size() >= kMaxControlConnections) continue;
    auto peer = std::make_unique<Peer>();
    peer->socket = *std::move(socket);
    peer->watch = poll_.Watch(peer->socket.get(), &peer->ready);
    peers_.emplace(peer->watch, std::move(peer));
  }
  std::vector<Line> lines;
  std::erase_if(peers_, [&](const auto& entry) {
    if (Read(*entry.second, &lines)) return false;
    poll_.Unwatch(entry.first);
    return true;
  });
  return lines;
}

}  // namespace remora::testing
