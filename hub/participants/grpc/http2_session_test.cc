#include "hub/participants/grpc/http2_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/limits.h"
#include "hub/participants/limits.h"

namespace remora::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Writes down what comes.
struct Log final : Http2Handler {
  size_t OnCall(int32_t stream, const CallHead& head) override {
    calls[stream] = head;
    events += absl::StrCat("call ", stream, ";");
    return max_message;
  }
  void OnMessage(int32_t, absl::string_view message) override { messages.emplace_back(message); }
  void OnBadInput(int32_t stream, absl::Status why) override {
    events += absl::StrCat("bad ", stream, " ", absl::StatusCodeToString(why.code()), ";");
  }
  void OnInputEnd(int32_t stream) override { events += absl::StrCat("end ", stream, ";"); }
  void OnWritten(int32_t stream) override { events += absl::StrCat("written ", stream, ";"); }
  void OnClosed(int32_t stream) override { events += absl::StrCat("closed ", stream, ";"); }

  size_t max_message = kMaxMessageBytes;
  std::map<int32_t, CallHead> calls;
  std::vector<std::string> messages;
  std::string events;
};

// The other end, by the same library: what it sends is as frames come from any client.
class Client {
 public:
  explicit Client(Http2Session& hub) : hub_(hub) {
    nghttp2_session_callbacks* callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(
        callbacks,
        [](nghttp2_session*, uint8_t, int32_t, const uint8_t* data, size_t size, void* self) {
          static_cast<Client*>(self)->received.append(reinterpret_cast<const char*>(data), size);
          return 0;
        });
    nghttp2_session_callbacks_set_on_header_callback(
        callbacks, [](nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* self) {
          absl::StrAppend(&static_cast<Client*>(self)->head,
                          absl::string_view(reinterpret_cast<const char*>(name), name_size), "=",
                          absl::string_view(reinterpret_cast<const char*>(value), value_size), ";");
          return 0;
        });
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~Client() { nghttp2_session_del(session_); }

  // Opens a call; its data comes from Say.
  int32_t Call(const std::string& path, const std::vector<std::string>& authorizations = {}) {
    std::vector<std::pair<std::string, std::string>> fields = {{":method", "POST"},
                                                               {":scheme", "http"},
                                                               {":path", path},
                                                               {":authority", "hub"},
                                                               {"content-type", content_type}};
    for (const std::string& value : authorizations) fields.emplace_back("authorization", value);
    std::vector<nghttp2_nv> values;
    for (auto& [name, value] : fields) {
      values.push_back({reinterpret_cast<uint8_t*>(name.data()),
                        reinterpret_cast<uint8_t*>(value.data()), name.size(), value.size(),
                        NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider;
    provider.source.ptr = this;
    provider.read_callback = [](nghttp2_session*, int32_t id, uint8_t* out, size_t size,
                                uint32_t* flags, nghttp2_data_source* source, void*) -> ssize_t {
      auto* self = static_cast<Client*>(source->ptr);
      std::string& waiting = self->to_say_[id];
      if (waiting.empty() && !self->done_) return NGHTTP2_ERR_DEFERRED;
      const size_t part = std::min(size, waiting.size());
      waiting.copy(reinterpret_cast<char*>(out), part);
      waiting.erase(0, part);
      if (waiting.empty() && self->done_) *flags |= NGHTTP2_DATA_FLAG_EOF;
      return static_cast<ssize_t>(part);
    };
    return nghttp2_submit_request(session_, nullptr, values.data(), values.size(), &provider,
                                  nullptr);
  }
  void Say(int32_t stream, const std::string& bytes, bool done = false) {
    to_say_[stream] += bytes;
    done_ = done;
    nghttp2_session_resume_data(session_, stream);
  }
  void Reset(int32_t stream) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }

  // The hub may send whatever it has.
  void OpenWindows() {
    const nghttp2_settings_entry wide{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &wide, 1);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 1 << 24);
  }

  std::string content_type = "application/grpc";

  // Carries bytes both ways, `piece` at a time, until there are none.
  bool Exchange(size_t piece = 1 << 20) {
    for (bool moved = true; moved;) {
      moved = false;
      const uint8_t* bytes;
      for (ssize_t size; (size = nghttp2_session_mem_send(session_, &bytes)) > 0;) {
        moved = true;
        for (ssize_t at = 0; at < size; at += static_cast<ssize_t>(piece)) {
          const size_t part = std::min(piece, static_cast<size_t>(size - at));
          if (!hub_.Receive({reinterpret_cast<const char*>(bytes) + at, part})) return false;
        }
      }
      hub_.FillOutput();
      while (!hub_.output().empty()) {
        moved = true;
        std::array<iovec, 4> pieces;
        const size_t count = hub_.output().Fill(pieces.data(), pieces.size());
        size_t taken = 0;
        for (size_t i = 0; i < count && taken < piece; ++i) {
          const size_t part = std::min(pieces[i].iov_len, piece - taken);
          const ssize_t heard = nghttp2_session_mem_recv(
              session_, static_cast<const uint8_t*>(pieces[i].iov_base), part);
          EXPECT_EQ(heard, static_cast<ssize_t>(part));
          taken += part;
        }
        hub_.OnSent(taken);
        hub_.FillOutput();
      }
    }
    return true;
  }

  std::string received;
  std::string head;

 private:
  Http2Session& hub_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::string> to_say_;
  bool done_ = false;
};

std::string Framed(const std::string& message) {
  const uint32_t size = static_cast<uint32_t>(message.size());
  std::string out(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
  return out + message;
}

WriteBatch BatchOf(const std::vector<std::string>& slices) {
  WriteBatch batch;
  for (const std::string& slice : slices) {
    batch.bytes += slice.size();
    batch.slices.emplace_back(slice);
  }
  return batch;
}

class Http2SessionTest : public ::testing::Test {
 protected:
  Log log_;
  Http2Session hub_{log_};
  Client peer_{hub_};
};

TEST_F(Http2SessionTest, ACallComesWithItsHeadAndItsMessagesHoweverTheyAreCut) {
  const std::vector<std::string> messages = {"one", "", std::string(100'000, 'x'), "two"};
  for (const size_t piece : {size_t{1} << 20, size_t{7}, size_t{1}}) {
    Log log;
    Http2Session hub(log);
    Client peer(hub);
    const int32_t id = peer.Call("/service/Method", {"Bearer a", "Bearer b"});
    std::string all;
    for (const std::string& message : messages) all += Framed(message);
    peer.Say(id, all, /*done=*/true);
    ASSERT_TRUE(peer.Exchange(piece));
    EXPECT_EQ(log.calls[id].path, "/service/Method");
    EXPECT_EQ(log.calls[id].content_type, "application/grpc");
    EXPECT_THAT(log.calls[id].authorizations, ElementsAre("Bearer a", "Bearer b"));
    EXPECT_TRUE(log.messages == messages) << piece;
    EXPECT_EQ(log.events, "call 1;end 1;");
  }
}

TEST_F(Http2SessionTest, WhatIsSentArrivesWholeAndIsWrittenOnce) {
  const int32_t id = peer_.Call("/service/Method");
  ASSERT_TRUE(peer_.Exchange());
  hub_.SendMessage(id, BatchOf({"first ", "message"}));
  ASSERT_TRUE(peer_.Exchange(3));
  EXPECT_EQ(peer_.received, Framed("first message"));
  EXPECT_EQ(log_.events, "call 1;written 1;");
  EXPECT_THAT(peer_.head, HasSubstr(":status=200;content-type=application/grpc"));
  peer_.received.clear();
  // Larger than frames and windows.
  const std::string large(300'000, 'y');
  hub_.SendMessage(id, BatchOf({large}));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_TRUE(peer_.received == Framed(large));
  hub_.Finish(id, absl::AbortedError("100 % \n over"));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_THAT(peer_.head, HasSubstr("grpc-status=10;grpc-message=100 %25 %0A over"));
  EXPECT_THAT(log_.events, HasSubstr("closed 1;"));
}

TEST_F(Http2SessionTest, SlicesAreNotCopied) {
  const int32_t id = peer_.Call("/service/Method");
  ASSERT_TRUE(peer_.Exchange());
  WriteBatch batch = BatchOf({std::string(1'000, 'z')});
  const char* where = batch.slices[0].view().data();
  hub_.SendMessage(id, std::move(batch));
  hub_.FillOutput();
  std::array<iovec, 8> pieces;
  const size_t count = hub_.output().Fill(pieces.data(), pieces.size());
  bool found = false;
  for (size_t i = 0; i < count; ++i) found |= pieces[i].iov_base == where;
  EXPECT_TRUE(found);
}

TEST_F(Http2SessionTest, ACallThatIsRefusedHasItsReasonInItsHead) {
  const int32_t id = peer_.Call("/service/Method");
  ASSERT_TRUE(peer_.Exchange());
  hub_.Finish(id, absl::UnauthenticatedError("who are you?"));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_THAT(peer_.head, HasSubstr("grpc-status=16;grpc-message=who are you?"));
  EXPECT_EQ(log_.events, "call 1;closed 1;");
}

TEST_F(Http2SessionTest, WhatIsNoGrpcIsRefusedInTheWordsOfHttp) {
  for (const char* type : {"application/grpc-web", "text/html", ""}) {
    peer_.content_type = type;
    peer_.head.clear();
    peer_.Say(peer_.Call("/x"), "something");
    peer_.Exchange();
    EXPECT_EQ(peer_.head, ":status=415;") << type;
  }
  EXPECT_THAT(log_.calls, ::testing::IsEmpty());
  peer_.content_type = "application/grpc+proto";
  peer_.Call("/x");
  peer_.Exchange();
  EXPECT_EQ(log_.calls.size(), 1u);
}

TEST_F(Http2SessionTest, OutputIsBoundedHoweverManyStreamsHaveSomething) {
  constexpr int kStreams = 40;
  peer_.OpenWindows();
  std::vector<int32_t> streams;
  for (int i = 0; i < kStreams; ++i) streams.push_back(peer_.Call("/x"));
  peer_.Exchange();
  for (const int32_t stream : streams) {
    hub_.SendMessage(stream, BatchOf({std::string(60'000, 'x')}));
  }
  hub_.FillOutput();
  EXPECT_GE(hub_.output().bytes(), kMaxOutputBytes);
  EXPECT_LE(hub_.output().bytes(), kMaxOutputBytes + 2 * 60'000);
  peer_.Exchange();
  EXPECT_EQ(peer_.received.size(), kStreams * 60'005u) << "all of it comes, in its turn";
}

TEST_F(Http2SessionTest, APeerThatBreaksOffLeavesNothing) {
  const int32_t id = peer_.Call("/service/Method");
  ASSERT_TRUE(peer_.Exchange());
  hub_.SendMessage(id, BatchOf({std::string(1'000'000, 'x')}));
  hub_.FillOutput();
  peer_.Reset(id);
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_THAT(log_.events, HasSubstr("closed 1;"));
  hub_.SendMessage(id, BatchOf({"too late"}));
  hub_.Finish(id, absl::OkStatus());
  ASSERT_TRUE(peer_.Exchange());
}

TEST_F(Http2SessionTest, HostileMessagesAreToldAndTheirRestIsIgnored) {
  const int32_t large = peer_.Call("/service/Method");
  peer_.Say(large, std::string("\x00\x7f\xff\xff\xff", 5) + std::string(50'000, 'x'));
  const int32_t compressed = peer_.Call("/service/Method");
  peer_.Say(compressed, std::string("\x01\x00\x00\x00\x01z", 6));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_THAT(log_.events, HasSubstr("bad 1 RESOURCE_EXHAUSTED;"));
  EXPECT_THAT(log_.events, HasSubstr("bad 3 UNIMPLEMENTED;"));
  EXPECT_TRUE(log_.messages.empty());
  peer_.Say(large, Framed("more"));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_TRUE(log_.messages.empty());
}

TEST_F(Http2SessionTest, HostileMessagesThatNeverEndHoldLittle) {
  const std::string begun = std::string("\x00\x00\x3f\xff\xff", 5) + std::string(900'000, 'x');
  for (int i = 0; i < 12; ++i) {
    const int32_t id = peer_.Call("/service/Method");
    peer_.Say(id, begun);
    ASSERT_TRUE(peer_.Exchange());
  }
  EXPECT_THAT(log_.events, HasSubstr("RESOURCE_EXHAUSTED"));
  log_.max_message = 1'000;
  const int32_t id = peer_.Call("/service/Method");
  peer_.Say(id, Framed(std::string(1'001, 'x')));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_THAT(log_.events, HasSubstr(absl::StrCat("bad ", id, " RESOURCE_EXHAUSTED")));
}

TEST_F(Http2SessionTest, HostilePeerThatReadsNothingIsCutOff) {
  ASSERT_TRUE(peer_.Exchange());
  std::string pings;
  for (int i = 0; i < 20'000; ++i) {
    pings += std::string("\x00\x00\x08\x06\x00\x00\x00\x00\x00", 9) + "12345678";
  }
  EXPECT_FALSE(hub_.Receive(pings));
}

TEST_F(Http2SessionTest, NothingIsSentBehindTheEndOfACall) {
  const int32_t id = peer_.Call("/service/Method");
  ASSERT_TRUE(peer_.Exchange());
  hub_.SendMessage(id, BatchOf({std::string(200'000, 'x')}));  // more than the peer's window
  hub_.FillOutput();
  hub_.Finish(id, absl::OkStatus());
  hub_.SendMessage(id, BatchOf({"too late"}));
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_EQ(peer_.received.size(), 200'005u);
}

TEST_F(Http2SessionTest, HostileBytesEndTheConnection) {
  Log log;
  Http2Session hub(log);
  EXPECT_FALSE(hub.Receive("GET / HTTP/1.1\r\nhost: hub\r\n\r\n"));
  EXPECT_EQ(log.events, "");
}

TEST_F(Http2SessionTest, AQuestionWaitsForItsAnswer) {
  hub_.Ping();
  EXPECT_TRUE(hub_.ping_under_way());
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_FALSE(hub_.ping_under_way());
  EXPECT_TRUE(hub_.greeted());
}

TEST_F(Http2SessionTest, IsDoneOnceAllIsSaid) {
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_FALSE(hub_.IsDone());
  const int32_t id = peer_.Call("/service/Method");
  ASSERT_TRUE(peer_.Exchange());
  hub_.GoAway();
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_FALSE(hub_.IsDone()) << "the call goes on";
  hub_.Finish(id, absl::OkStatus());
  ASSERT_TRUE(peer_.Exchange());
  EXPECT_TRUE(hub_.IsDone());
}

TEST(OutputQueue, TellsTheEndOfAMessageWhenItsLastByteLeaves) {
  OutputQueue queue;
  queue.Add("head");
  queue.Add(SharedBytes("body"), 7);
  queue.Add("tail");
  EXPECT_EQ(queue.bytes(), 12u);
  std::vector<int32_t> ended;
  queue.Pop(7, &ended);
  EXPECT_TRUE(ended.empty());
  queue.Pop(1, &ended);
  EXPECT_THAT(ended, ElementsAre(7));
  std::array<iovec, 4> pieces;
  ASSERT_EQ(queue.Fill(pieces.data(), pieces.size()), 1u);
  EXPECT_EQ(absl::string_view(static_cast<char*>(pieces[0].iov_base), pieces[0].iov_len), "tail");
  queue.Pop(4, &ended);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace remora::hub
