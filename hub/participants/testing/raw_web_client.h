#pragma once

// A blocking HTTP and WebSocket client for tests, over a plain socket: it can send what no browser
// would. Every read gives up after 10 s.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace remora::hub {

class RawWebClient {
 public:
  // Connects to 127.0.0.1.
  explicit RawWebClient(int port);
  ~RawWebClient();
  RawWebClient(const RawWebClient&) = delete;
  RawWebClient& operator=(const RawWebClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  // "127.0.0.1:PORT".
  const std::string& host() const { return host_; }
  bool SendRaw(absl::string_view bytes);
  void Disconnect();
  // True when the server has closed the connection (after whatever it still sends).
  bool WaitForClose();

  struct Response {
    int status = 0;
    std::string head;
    std::string body;
    // "" where it is not there; `name` in lower case.
    std::string Header(absl::string_view name) const;
  };
  // `headers`: lines, each with its line end.
  std::optional<Response> Request(absl::string_view method, absl::string_view target,
                                  absl::string_view headers = "", absl::string_view body = "");
  // Reads one response.
  std::optional<Response> ReadResponse(bool has_body = true);

  // Sends an upgrade request; the response tells whether frames may follow.
  std::optional<Response> Upgrade(absl::string_view target, absl::string_view headers);
  struct Frame {
    bool final = false;
    int opcode = 0;  // 1 text, 2 binary, 8 close, 9 ping, 10 pong
    std::string payload;
    // Of a close frame; 0 where it has none.
    int close_code() const;
  };
  bool SendFrame(int opcode, absl::string_view payload, bool final = true);
  std::optional<Frame> ReadFrame();
  // Sends a binary message, and reads the next one (pings are answered on the way).
  bool SendMessage(absl::string_view payload) { return SendFrame(2, payload); }
  std::optional<std::string> ReadMessage();

 private:
  // Until `buffer_` has `size` bytes.
  bool Fill(size_t size);

  int fd_ = -1;
  std::string host_;
  std::string buffer_;
};

}  // namespace remora::hub
