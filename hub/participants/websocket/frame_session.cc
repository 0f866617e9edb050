#include "hub/participants/websocket/frame_session.h"

#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "common/check.h"
#include "common/limits.h"

namespace remora::hub {
namespace {

// A frame from a server: final, binary, not masked (RFC 6455, 5.2).
std::string HeadOf(size_t bytes) {
  std::string head(1, '\x82');
  int length_bytes = 0;
  if (bytes < 126) {
    head.push_back(static_cast<char>(bytes));
  } else if (bytes <= 0xffff) {
    head.push_back(126);
    length_bytes = 2;
  } else {
    head.push_back(127);
    length_bytes = 8;
  }
  for (int i = length_bytes - 1; i >= 0; --i) head.push_back(static_cast<char>(bytes >> (8 * i)));
  return head;
}

}  // namespace

// What wslay calls.
struct FrameSession::Callbacks {
  static ssize_t Read(wslay_event_context_ptr context, uint8_t* out, size_t size, int, void* user) {
    absl::string_view& incoming = static_cast<FrameSession*>(user)->incoming_;
    if (incoming.empty()) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const size_t part = std::min(size, incoming.size());
    std::memcpy(out, incoming.data(), part);
    incoming.remove_prefix(part);
    return static_cast<ssize_t>(part);
  }

  static ssize_t Write(wslay_event_context_ptr, const uint8_t* bytes, size_t size, int,
                       void* user) {
    static_cast<FrameSession*>(user)->output_.Add(
        absl::string_view(reinterpret_cast<const char*>(bytes), size));
    return static_cast<ssize_t>(size);
  }

  static void OnFrame(wslay_event_context_ptr, const wslay_event_on_frame_recv_start_arg* frame,
                      void* user) {
    static_cast<FrameSession*>(user)->in_message_ = wslay_is_ctrl_frame(frame->opcode) == 0;
  }

  static void OnPiece(wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* piece,
                      void* user) {
    auto* self = static_cast<FrameSession*>(user);
    if (!self->in_message_ || self->is_input_over()) return;
    if (piece->data_length > kMaxMessageBytes - self->message_.size()) {
      self->Close(kMessageTooBig, "a message is at most 4 MiB");
      wslay_event_shutdown_read(self->context_);
      return;
    }
    self->message_.append(reinterpret_cast<const char*>(piece->data), piece->data_length);
  }

  static void OnMessage(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* message,
                        void* user) {
    auto* self = static_cast<FrameSession*>(user);
    switch (message->opcode) {
      case WSLAY_BINARY_FRAME:
        if (self->is_input_over()) return;
        self->handler_.OnMessage(self->message_);
        self->message_.clear();
        if (self->message_.capacity() > kMaxBatchBytes) self->message_.shrink_to_fit();
        return;
      case WSLAY_TEXT_FRAME:
        self->Close(kUnsupportedData, "binary messages only");
        wslay_event_shutdown_read(self->context_);
        return;
      case WSLAY_PING:
      case WSLAY_PONG:
        if (!self->handler_.OnControlFrame()) wslay_event_shutdown_read(self->context_);
        return;
      default:
        return;
    }
  }
};

FrameSession::FrameSession(FrameHandler& handler) : handler_(handler) {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = Callbacks::Read;
  callbacks.send_callback = Callbacks::Write;
  callbacks.on_frame_recv_start_callback = Callbacks::OnFrame;
  callbacks.on_frame_recv_chunk_callback = Callbacks::OnPiece;
  callbacks.on_msg_recv_callback = Callbacks::OnMessage;
  REMORA_CHECK(wslay_event_context_server_init(&context_, &callbacks, this) == 0, "no memory");
  // Its own buffering costs three allocations a frame.
  wslay_event_config_set_no_buffering(context_, 1);
  wslay_event_config_set_max_recv_msg_length(context_, kMaxMessageBytes);
}

FrameSession::~FrameSession() { wslay_event_context_free(context_); }

void FrameSession::Receive(absl::string_view bytes) {
  if (is_input_over()) return;
  incoming_ = bytes;
  if (wslay_event_recv(context_) != 0) wslay_event_shutdown_read(context_);
  incoming_ = {};
  FillOutput();
}

void FrameSession::SendMessage(WriteBatch batch) {
  output_.Add(HeadOf(batch.bytes));
  for (size_t i = 0; i < batch.slices.size(); ++i) {
    output_.Add(std::move(batch.slices[i]), i + 1 == batch.slices.size() ? 1 : 0);
  }
}

void FrameSession::Close(CloseCode code, absl::string_view reason) {
  wslay_event_queue_close(context_, code, reinterpret_cast<const uint8_t*>(reason.data()),
                          std::min<size_t>(reason.size(), 122));
  FillOutput();
}

void FrameSession::Ping() {
  const wslay_event_msg ping{WSLAY_PING, nullptr, 0};
  wslay_event_queue_msg(context_, &ping);
  FillOutput();
}

void FrameSession::FillOutput() {
  while (wslay_event_want_write(context_) != 0) {
    if (wslay_event_send(context_) != 0) return;
  }
}

bool FrameSession::OnSent(size_t bytes) {
  ended_.clear();
  output_.Pop(bytes, &ended_);
  return !ended_.empty();
}

bool FrameSession::is_input_over() const { return wslay_event_get_read_enabled(context_) == 0; }
bool FrameSession::peer_has_closed() const { return wslay_event_get_close_received(context_) != 0; }
int FrameSession::close_code_sent() const {
  return wslay_event_get_close_sent(context_) != 0 ? wslay_event_get_status_code_sent(context_) : 0;
}

}  // namespace remora::hub
