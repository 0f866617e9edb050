#pragma once

// A gRPC call, in bare frames of HTTP/2, of a peer that asks one empty thing and allows not a byte
// of an answer: no library's client does that.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/time.h"

namespace remora::hub {

class NoWindowCall {
 public:
  NoWindowCall(int port, absl::string_view method) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
    std::string head;
    AppendField(":method", "POST", &head);
    AppendField(":scheme", "http", &head);
    AppendField(":path", method, &head);
    AppendField(":authority", "hub", &head);
    AppendField("content-type", "application/grpc", &head);
    const std::string no_window("\0\x04\0\0\0\0", 6);  // SETTINGS_INITIAL_WINDOW_SIZE 0
    const std::string bytes =
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Frame(kSettings, 0, 0, no_window) +
        Frame(kHeaders, kEndHeaders, 1, head) + Frame(kData, 0, 1, std::string(5, '\0'));
    [[maybe_unused]] const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  ~NoWindowCall() { ::close(socket_); }
  NoWindowCall(const NoWindowCall&) = delete;
  NoWindowCall& operator=(const NoWindowCall&) = delete;

  // The hub breaks it off by RST_STREAM. False: it does not, in so long.
  bool IsReset(Duration timeout) {
    pollfd readable{socket_, POLLIN, 0};
    char bytes[4096];
    while (::poll(&readable, 1, static_cast<int>(timeout.milliseconds())) > 0) {
      const ssize_t size = ::recv(socket_, bytes, sizeof(bytes), 0);
      if (size <= 0) return false;
      heard_.append(bytes, static_cast<size_t>(size));
      if (TakeFrames()) return true;
    }
    return false;
  }

 private:
  static constexpr char kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kEndHeaders = 4;
  static constexpr size_t kFrameHead = 9;

  static std::string Frame(char type, char flags, uint8_t stream, const std::string& payload) {
    std::string frame;
    for (int shift = 16; shift >= 0; shift -= 8) {
      frame.push_back(static_cast<char>(payload.size() >> shift));
    }
    frame.append({type, flags, 0, 0, 0, static_cast<char>(stream)});
    return frame + payload;
  }
  // A literal field of HPACK; both are short.
  static void AppendField(absl::string_view name, absl::string_view value, std::string* out) {
    out->push_back(0);
    for (const absl::string_view part : {name, value}) {
      out->push_back(static_cast<char>(part.size()));
      out->append(part.data(), part.size());
    }
  }
  bool TakeFrames() {
    while (heard_.size() >= kFrameHead) {
      size_t size = 0;
      for (int i = 0; i < 3; ++i) size = size << 8 | static_cast<uint8_t>(heard_[i]);
      if (heard_.size() < kFrameHead + size) return false;
      const bool reset = heard_[3] == kReset;
      heard_.erase(0, kFrameHead + size);
      if (reset) return true;
    }
    return false;
  }

  const int socket_;
  std::string heard_;
};

}  // namespace remora::hub
