#include "hub/participants/testing/raw_web_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace remora::hub {

RawWebClient::RawWebClient(int port) : host_(absl::StrCat("127.0.0.1:", port)) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval timeout{10, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) Disconnect();
}

RawWebClient::~RawWebClient() { Disconnect(); }

void RawWebClient::Disconnect() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool RawWebClient::SendRaw(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(sent);
  }
  return true;
}

bool RawWebClient::Fill(size_t size) {
  char chunk[16 * 1024];
  while (buffer_.size() < size) {
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    buffer_.append(chunk, got);
  }
  return true;
}

bool RawWebClient::WaitForClose() {
  char chunk[16 * 1024];
  while (true) {
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got > 0) continue;
    return got == 0 || errno == ECONNRESET;
  }
}

std::string RawWebClient::Response::Header(absl::string_view name) const {
  for (absl::string_view line : absl::StrSplit(head, "\r\n")) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (absl::AsciiStrToLower(field.first) == name) return std::string(field.second);
  }
  return "";
}

std::optional<RawWebClient::Response> RawWebClient::ReadResponse(bool has_body) {
  size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill(buffer_.size() + 1)) return std::nullopt;
  }
  Response response;
  response.head = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  if (!absl::SimpleAtoi(absl::string_view(response.head).substr(9, 3), &response.status)) {
    return std::nullopt;
  }
  size_t length = 0;
  if (!has_body || !absl::SimpleAtoi(response.Header("content-length"), &length)) return response;
  if (!Fill(length)) return std::nullopt;
  response.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return response;
}

std::optional<RawWebClient::Response> RawWebClient::Request(absl::string_view method,
                                                            absl::string_view target,
                                                            absl::string_view headers,
                                                            absl::string_view body) {
  std::string request =
      absl::StrCat(method, " ", target, " HTTP/1.1\r\nHost: ", host_, "\r\n", headers);
  if (!body.empty()) absl::StrAppend(&request, "Content-Length: ", body.size(), "\r\n");
  absl::StrAppend(&request, "\r\n", body);
  if (!SendRaw(request)) return std::nullopt;
  return ReadResponse(method != "HEAD");
}

std::optional<RawWebClient::Response> RawWebClient::Upgrade(absl::string_view target,
                                                            absl::string_view headers) {
  return Request("GET", target,
                 absl::StrCat("Connection: Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n",
                              headers));
}

bool RawWebClient::SendFrame(int opcode, absl::string_view payload, bool final) {
  std::string frame;
  frame.push_back(static_cast<char>((final ? 0x80 : 0) | opcode));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else if (payload.size() < 65'536) {
    frame.push_back(static_cast<char>(0x80 | 126));
    for (int i = 1; i >= 0; --i) frame.push_back(static_cast<char>(payload.size() >> (8 * i)));
  } else {
    frame.push_back(static_cast<char>(0x80 | 127));
    for (int i = 7; i >= 0; --i) frame.push_back(static_cast<char>(payload.size() >> (8 * i)));
  }
  const char mask[4] = {0x12, 0x34, 0x56, 0x78};
  frame.append(mask, 4);
  for (size_t i = 0; i < payload.size(); ++i) frame.push_back(payload[i] ^ mask[i % 4]);
  return SendRaw(frame);
}

std::optional<RawWebClient::Frame> RawWebClient::ReadFrame() {
  if (!Fill(2)) return std::nullopt;
  Frame frame;
  frame.final = (buffer_[0] & 0x80) != 0;
  frame.opcode = buffer_[0] & 0x0f;
  uint64_t size = buffer_[1] & 0x7f;
  size_t header = 2;
  const size_t length_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (length_bytes > 0) {
    if (!Fill(2 + length_bytes)) return std::nullopt;
    size = 0;
    for (size_t i = 0; i < length_bytes; ++i)
      size = size << 8 | static_cast<uint8_t>(buffer_[2 + i]);
    header += length_bytes;
  }
  if (!Fill(header + size)) return std::nullopt;
  frame.payload = buffer_.substr(header, size);
  buffer_.erase(0, header + size);
  return frame;
}

int RawWebClient::Frame::close_code() const {
  if (payload.size() < 2) return 0;
  return static_cast<uint8_t>(payload[0]) << 8 | static_cast<uint8_t>(payload[1]);
}

std::optional<std::string> RawWebClient::ReadMessage() {
  while (true) {
    std::optional<Frame> frame = ReadFrame();
    if (!frame.has_value() || frame->opcode == 8) return std::nullopt;
    if (frame->opcode == 9) SendFrame(10, frame->payload);
    if (frame->opcode == 2 && frame->final) return std::move(frame->payload);
  }
}

}  // namespace remora::hub
