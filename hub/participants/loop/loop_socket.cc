#include "hub/participants/loop/loop_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace remora::hub {
namespace {

constexpr size_t kPiecesPerWrite = 64;

}  // namespace

LoopSocket::LoopSocket(SocketLoop& loop, int socket) : loop_(loop), socket_(socket) {
  fcntl(socket_, F_SETFL, fcntl(socket_, F_GETFL) | O_NONBLOCK);
}

bool LoopSocket::Watch(SocketEvents* events) {
  watch_ = loop_.Watch(socket_, events);
  return watch_.has_value();
}

void LoopSocket::SetDeferred(bool deferred) {
  if (watch_.has_value()) loop_.SetDeferred(*watch_, deferred);
}

std::optional<absl::string_view> LoopSocket::Read() {
  std::string& buffer = loop_.read_buffer();
  const ssize_t size = recv(socket_, buffer.data(), buffer.size(), 0);
  if (size > 0) return absl::string_view(buffer.data(), static_cast<size_t>(size));
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return absl::string_view();
  return std::nullopt;
}

std::optional<size_t> LoopSocket::Send(const OutputQueue& output) {
  std::array<iovec, kPiecesPerWrite> pieces;
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = output.Fill(pieces.data(), pieces.size());
  ssize_t sent;
  do {
    sent = sendmsg(socket_, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return static_cast<size_t>(sent);
  if (errno != EAGAIN) return std::nullopt;
  blocked_ = true;
  if (watch_.has_value()) loop_.WatchWritable(*watch_, true);
  return 0;
}

void LoopSocket::Unblock() {
  blocked_ = false;
  if (watch_.has_value()) loop_.WatchWritable(*watch_, false);
}

void LoopSocket::EndOutput() { shutdown(socket_, SHUT_WR); }

void LoopSocket::Close() {
  if (socket_ < 0) return;
  if (watch_.has_value()) loop_.Unwatch(*watch_);
  watch_.reset();
  close(socket_);
  socket_ = -1;
}

}  // namespace remora::hub
