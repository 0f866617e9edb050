#include "hub/participants/grpc/http2_session.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/check.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

constexpr size_t kPrefixBytes = 5;
// What HTTP/2 counts for a header field besides its name and value (RFC 9113, 6.5.2).
constexpr size_t kFieldOverhead = 32;

absl::string_view View(const uint8_t* bytes, size_t size) {
  return absl::string_view(reinterpret_cast<const char*>(bytes), size);
}

nghttp2_nv Field(absl::string_view name, absl::string_view value) {
  const auto bytes = [](absl::string_view text) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

nghttp2_option* MakeOptions() {
  nghttp2_option* options = nullptr;
  REMORA_CHECK(nghttp2_option_new(&options) == 0, "no memory");
  // "Bearer " and no token is refused with words, not as a broken stream.
  nghttp2_option_set_no_rfc9113_leading_and_trailing_ws_validation(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  return options;
}

uint32_t LengthOf(absl::string_view prefix) {
  uint32_t length = 0;
  for (size_t i = 1; i < kPrefixBytes; ++i) length = length << 8 | static_cast<uint8_t>(prefix[i]);
  return length;
}

std::string PrefixOf(size_t bytes) {
  std::string prefix(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) {
    prefix.push_back(static_cast<char>(bytes >> shift));
  }
  return prefix;
}

// gRPC's percent-encoding of a status message.
std::string EncodeMessage(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '%') {
      out.push_back(c);
    } else {
      absl::StrAppend(
          &out, "%",
          absl::AsciiStrToUpper(absl::StrCat(absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2))));
    }
  }
  return out;
}

// "application/grpc", with a format or a parameter behind it; "application/grpc-web" is another.
bool IsGrpc(absl::string_view content_type) {
  return absl::ConsumePrefix(&content_type, "application/grpc") &&
         (content_type.empty() || content_type[0] == '+' || content_type[0] == ';');
}

}  // namespace

struct Http2Session::Stream {
  int32_t id = 0;
  CallHead head;
  size_t head_bytes = 0;
  // A message of which not all has come, with its prefix.
  std::string partial;
  size_t max_message = 0;
  bool bad = false;

  // The message that is being sent: its prefix, and its slices from `slice` and `offset` on.
  std::string prefix;
  std::vector<SharedBytes> slices;
  size_t slice = 0;
  size_t offset = 0;
  size_t left = 0;  // of prefix and slices
  bool answered = false;
  bool deferred = false;
  bool finishing = false;
  std::string status_code;
  std::string status_message;
  bool input_ended = false;
};

// What nghttp2 calls.
struct Http2Session::Callbacks {
  static Stream* StreamOf(nghttp2_session* session, int32_t id) {
    return static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int OnBeginHeaders(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    auto* self = static_cast<Http2Session*>(user);
    auto stream = std::make_unique<Stream>();
    stream->id = frame->hd.stream_id;
    nghttp2_session_set_stream_user_data(session, stream->id, stream.get());
    self->streams_[frame->hd.stream_id] = std::move(stream);
    return 0;
  }

  static int OnHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t, void*) {
    Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->head_bytes += name_size + value_size + kFieldOverhead;
    if (stream->head_bytes > kMaxHeaderBytes) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const absl::string_view key = View(name, name_size);
    std::string text(View(value, value_size));
    if (key == ":path")
      stream->head.path = std::move(text);
    else if (key == "content-type")
      stream->head.content_type = std::move(text);
    else if (key == "authorization")
      stream->head.authorizations.push_back(std::move(text));
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    auto* self = static_cast<Http2Session*>(user);
    if (frame->hd.type == NGHTTP2_SETTINGS) self->greeted_ = true;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      self->ping_under_way_ = false;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      if (IsGrpc(stream->head.content_type)) {
        stream->max_message = self->handler_.OnCall(stream->id, stream->head);
      } else {
        self->RefuseType(*stream);
      }
    }
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      stream->input_ended = true;
      self->handler_.OnInputEnd(stream->id);
    }
    return 0;
  }

  static int OnData(nghttp2_session* session, uint8_t, int32_t id, const uint8_t* bytes,
                    size_t size, void* user) {
    Stream* stream = StreamOf(session, id);
    if (stream != nullptr) static_cast<Http2Session*>(user)->TakeData(*stream, View(bytes, size));
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t, void* user) {
    auto* self = static_cast<Http2Session*>(user);
    const auto it = self->streams_.find(id);
    if (it == self->streams_.end()) return 0;
    const std::unique_ptr<Stream> gone = std::move(it->second);
    self->streams_.erase(it);
    self->DropPartial(*gone);
    self->handler_.OnClosed(id);
    return 0;
  }

  static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    // The call is over for the peer, whatever it still wanted to send.
    if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
      return 0;
    }
    const Stream* stream = StreamOf(session, frame->hd.stream_id);
    if (stream != nullptr && !stream->input_ended) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  // How much of the message goes into the next frame.
  static ssize_t ReadLength(nghttp2_session*, uint8_t, int32_t, int32_t connection_window,
                            int32_t stream_window, uint32_t max_frame, void*) {
    return std::min<ssize_t>(
        {connection_window, stream_window, max_frame, static_cast<ssize_t>(kMaxBatchBytes)});
  }

  static ssize_t Read(nghttp2_session* session, int32_t id, uint8_t*, size_t length,
                      uint32_t* flags, nghttp2_data_source* source, void*) {
    auto* stream = static_cast<Stream*>(source->ptr);
    if (stream->left > 0) {
      *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
      return static_cast<ssize_t>(std::min(length, stream->left));
    }
    if (!stream->finishing) {
      stream->deferred = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const std::array<nghttp2_nv, 2> trailers = {Field("grpc-status", stream->status_code),
                                                Field("grpc-message", stream->status_message)};
    nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
    return 0;
  }

  static int SendData(nghttp2_session*, nghttp2_frame*, const uint8_t* frame_head, size_t length,
                      nghttp2_data_source* source, void* user) {
    auto* self = static_cast<Http2Session*>(user);
    auto* stream = static_cast<Stream*>(source->ptr);
    // The same frame comes again when there is room: the library would move all streams at once.
    if (self->output_.bytes() >= kMaxOutputBytes) return NGHTTP2_ERR_WOULDBLOCK;
    constexpr size_t kFrameHeadBytes = 9;
    self->output_.Add(View(frame_head, kFrameHeadBytes));
    stream->left -= length;
    if (!stream->prefix.empty()) {
      const size_t part = std::min(length, stream->prefix.size());
      self->output_.Add(absl::string_view(stream->prefix).substr(0, part));
      stream->prefix.erase(0, part);
      length -= part;
    }
    while (length > 0) {
      const SharedBytes& slice = stream->slices[stream->slice];
      const size_t part = std::min(length, slice.size() - stream->offset);
      const bool ends = stream->left == 0 && part == length;
      self->output_.Add(slice.Part(stream->offset, part), ends ? stream->id : 0);
      length -= part;
      stream->offset += part;
      if (stream->offset < slice.size()) continue;
      ++stream->slice;
      stream->offset = 0;
    }
    if (stream->left == 0) stream->slices.clear();
    return 0;
  }

  static nghttp2_session_callbacks* Make() {
    nghttp2_session_callbacks* callbacks = nullptr;
    REMORA_CHECK(nghttp2_session_callbacks_new(&callbacks) == 0, "no memory");
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, OnBeginHeaders);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, OnFrameSent);
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, ReadLength);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, SendData);
    return callbacks;
  }
};

Http2Session::Http2Session(Http2Handler& handler) : handler_(handler) {
  static nghttp2_session_callbacks* const callbacks = Callbacks::Make();
  static nghttp2_option* const options = MakeOptions();
  REMORA_CHECK(nghttp2_session_server_new2(&session_, callbacks, this, options) == 0, "no memory");
  const std::array<nghttp2_settings_entry, 4> settings = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<uint32_t>(kMaxStreamsOfConnection)},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(kPublisherWindowBytes)},
      // A batch of a publisher arrives in one piece.
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, static_cast<uint32_t>(kMaxBatchBytes)},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, static_cast<uint32_t>(kMaxHeaderBytes)},
  }};
  nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<int32_t>(kConnectionWindowBytes));
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

Http2Session::Stream* Http2Session::Find(int32_t id) {
  const auto it = streams_.find(id);
  return it == streams_.end() ? nullptr : it->second.get();
}

bool Http2Session::Receive(absl::string_view bytes) {
  const ssize_t heard = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  // Of who makes the hub answer and reads none of it.
  return heard == static_cast<ssize_t>(bytes.size()) &&
         nghttp2_session_get_outbound_queue_size(session_) <= kMaxQueuedFrames;
}

void Http2Session::Refuse(Stream& stream, absl::Status why) {
  stream.bad = true;
  handler_.OnBadInput(stream.id, std::move(why));
}

// As gRPC over HTTP/2 has it: for who does not speak it, in the words of HTTP.
void Http2Session::RefuseType(Stream& stream) {
  stream.bad = stream.finishing = true;
  const nghttp2_nv head = Field(":status", "415");
  nghttp2_submit_response(session_, stream.id, &head, 1, nullptr);
}

void Http2Session::DropPartial(Stream& stream) {
  partial_bytes_ -= stream.partial.size();
  stream.partial = std::string();
}

// True: a whole message was at the beginning of `chunk`, or what is wrong with it was told.
bool Http2Session::TakeWhole(Stream& stream, absl::string_view* chunk) {
  if (chunk->size() < kPrefixBytes) return false;
  const uint32_t length = LengthOf(*chunk);
  if ((*chunk)[0] != 0) {
    Refuse(stream, absl::UnimplementedError("compressed messages are not taken"));
    return true;
  }
  if (length > stream.max_message) {
    Refuse(stream, absl::ResourceExhaustedError(absl::StrCat("a message of this call has at most ",
                                                             stream.max_message, " bytes")));
    return true;
  }
  if (chunk->size() - kPrefixBytes < length) return false;
  const absl::string_view message = chunk->substr(kPrefixBytes, length);
  chunk->remove_prefix(kPrefixBytes + length);
  handler_.OnMessage(stream.id, message);
  return true;
}

void Http2Session::TakeData(Stream& stream, absl::string_view chunk) {
  while (!chunk.empty() && !stream.bad && !stream.finishing) {
    if (stream.partial.empty()) {
      if (TakeWhole(stream, &chunk)) continue;
      stream.partial.assign(chunk.data(), chunk.size());
      partial_bytes_ += chunk.size();
      chunk = {};
    } else {
      const size_t there = stream.partial.size();
      const size_t wanted =
          there < kPrefixBytes ? kPrefixBytes : kPrefixBytes + LengthOf(stream.partial);
      const size_t part = std::min(wanted - there, chunk.size());
      stream.partial.append(chunk.data(), part);
      partial_bytes_ += part;
      chunk.remove_prefix(part);
      absl::string_view whole = stream.partial;
      if (part == wanted - there && whole.size() > kPrefixBytes) {
        // Whoever is told may end the call, and its bytes with it.
        partial_bytes_ -= stream.partial.size();
        const std::string message = std::move(stream.partial);
        stream.partial = std::string();
        whole = message;
        TakeWhole(stream, &whole);
        continue;
      }
      if (TakeWhole(stream, &whole)) DropPartial(stream);
    }
    if (partial_bytes_ > kMaxPartialBytes) {
      DropPartial(stream);
      Refuse(stream, absl::ResourceExhaustedError("too many messages of this connection are open"));
    }
  }
}

// The provider of a call's messages; its trailers end the call.
void Http2Session::Answer(Stream& stream) {
  stream.answered = true;
  nghttp2_data_provider provider;
  provider.source.ptr = &stream;
  provider.read_callback = Callbacks::Read;
  const std::array<nghttp2_nv, 2> head = {Field(":status", "200"),
                                          Field("content-type", "application/grpc")};
  nghttp2_submit_response(session_, stream.id, head.data(), head.size(), &provider);
}

void Http2Session::SendMessage(int32_t id, WriteBatch batch) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->finishing) return;
  REMORA_CHECK(stream->left == 0 && batch.bytes > 0, "one message at a time, and none is empty");
  stream->prefix = PrefixOf(batch.bytes);
  stream->slices = std::move(batch.slices);
  stream->slice = stream->offset = 0;
  stream->left = kPrefixBytes + batch.bytes;
  if (!stream->answered) {
    Answer(*stream);
  } else if (std::exchange(stream->deferred, false)) {
    nghttp2_session_resume_data(session_, id);
  }
}

void Http2Session::Finish(int32_t id, const absl::Status& status) {
  Stream* stream = Find(id);
  if (stream == nullptr || stream->finishing) return;
  stream->finishing = true;
  DropPartial(*stream);
  stream->status_code = absl::StrCat(static_cast<int>(status.code()));
  stream->status_message = EncodeMessage(status.message());
  if (stream->answered) {
    if (std::exchange(stream->deferred, false)) nghttp2_session_resume_data(session_, id);
    return;
  }
  const std::array<nghttp2_nv, 4> head = {
      Field(":status", "200"), Field("content-type", "application/grpc"),
      Field("grpc-status", stream->status_code), Field("grpc-message", stream->status_message)};
  nghttp2_submit_response(session_, id, head.data(), head.size(), nullptr);
}

void Http2Session::Reset(int32_t id) {
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
}

void Http2Session::Ping() {
  ping_under_way_ = true;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Session::GoAway() {
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                        nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                        nullptr, 0);
}

void Http2Session::FillOutput() {
  while (output_.bytes() < kMaxOutputBytes) {
    const uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    // What goes without a copy went to output_ in SendData; a size of 0 is the end all the same.
    if (size < 0) broken_ = true;
    if (size <= 0) return;
    output_.Add(View(bytes, static_cast<size_t>(size)));
  }
}

void Http2Session::OnSent(size_t bytes) {
  std::vector<int32_t> ended;
  output_.Pop(bytes, &ended);
  for (const int32_t id : ended) {
    if (Find(id) != nullptr) handler_.OnWritten(id);
  }
}

bool Http2Session::IsDone() const {
  return broken_ || (output_.empty() && nghttp2_session_want_read(session_) == 0 &&
                     nghttp2_session_want_write(session_) == 0);
}

}  // namespace remora::hub
