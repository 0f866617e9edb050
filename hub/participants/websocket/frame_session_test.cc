#include "hub/participants/websocket/frame_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "common/limits.h"

namespace remora::hub {
namespace {

using ::testing::ElementsAre;

// What a browser sends: masked, with a mask of zeros.
std::string ClientFrame(int first_byte, absl::string_view payload) {
  std::string frame(1, static_cast<char>(first_byte));
  if (payload.size() < 126) {
    frame.push_back(static_cast<char>(0x80 | payload.size()));
  } else {
    frame.push_back(static_cast<char>(0x80 | 127));
    for (int shift = 56; shift >= 0; shift -= 8) {
      frame.push_back(static_cast<char>(uint64_t{payload.size()} >> shift));
    }
  }
  return frame + std::string(4, '\0') + std::string(payload);
}

constexpr int kFinal = 0x80;
constexpr int kBinary = 2;
constexpr int kPing = 9;
constexpr int kClose = 8;

class FrameSessionTest : public ::testing::Test, public FrameHandler {
 protected:
  void OnMessage(absl::string_view message) override {
    messages_.emplace_back(message);
    if (then_) then_();
  }
  bool OnControlFrame() override { return ++control_frames_ < 5; }

  // What waits for the socket.
  std::string Output() {
    std::string output;
    std::array<iovec, 8> pieces;
    while (!session_.output().empty()) {
      const size_t count = session_.output().Fill(pieces.data(), pieces.size());
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        output.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
        bytes += pieces[i].iov_len;
      }
      ended_ |= session_.OnSent(bytes);
    }
    return output;
  }
  static WriteBatch BatchOf(const std::vector<std::string>& texts) {
    WriteBatch batch;
    for (const std::string& text : texts) {
      batch.bytes += text.size();
      batch.slices.emplace_back(text);
    }
    return batch;
  }

  FrameSession session_{*this};
  std::vector<std::string> messages_;
  std::function<void()> then_;
  int control_frames_ = 0;
  bool ended_ = false;
};

TEST_F(FrameSessionTest, MessagesComeWholeHoweverTheyAreCut) {
  const std::string bytes = ClientFrame(kFinal | kBinary, "sweep") + ClientFrame(kBinary, "in ") +
                            ClientFrame(kFinal | kPing, "p") + ClientFrame(0, "three ") +
                            ClientFrame(kFinal, "pieces") + ClientFrame(kFinal | kBinary, "");
  for (const size_t step : {size_t{1}, size_t{3}, bytes.size()}) {
    messages_.clear();
    control_frames_ = 0;
    for (size_t at = 0; at < bytes.size(); at += step) {
      session_.Receive(absl::string_view(bytes).substr(at, step));
    }
    EXPECT_THAT(messages_, ElementsAre("sweep", "in three pieces", "")) << step;
    EXPECT_EQ(Output(), std::string("\x8a\x01p", 3));
    EXPECT_EQ(control_frames_, 1);
  }
}

TEST_F(FrameSessionTest, ABatchIsOneFrameOfItsSharedBytes) {
  for (const size_t size : {size_t{1}, size_t{125}, size_t{126}, size_t{65'535}, size_t{65'536}}) {
    const std::string text(size - 1, 'w');
    WriteBatch batch = BatchOf({text, "!"});
    const SharedBytes kept = batch.slices[0];
    session_.SendMessage(std::move(batch));
    if (size > 1) {
      EXPECT_EQ(kept.owner().use_count(), 2);
    }
    const std::string frame = Output();
    EXPECT_TRUE(ended_);
    const size_t head = size < 126 ? 2 : size < 65'536 ? 4 : 10;
    ASSERT_EQ(frame.size(), head + size);
    EXPECT_EQ(frame[0], '\x82');
    uint64_t length = static_cast<uint8_t>(frame[1]);
    if (head > 2) {
      EXPECT_EQ(length, head == 4 ? 126u : 127u);
      length = 0;
      for (size_t i = 2; i < head; ++i) length = length << 8 | static_cast<uint8_t>(frame[i]);
    }
    EXPECT_EQ(length, size);
    EXPECT_EQ(frame.substr(head), text + "!");
    ended_ = false;
  }
}

TEST_F(FrameSessionTest, TheLargestMessageIsTakenInPiecesOfAnySizeAndNoLargerOne) {
  const std::string piece(1'000, 'x');
  const std::string tiny = ClientFrame(0, "y");
  session_.Receive(ClientFrame(kBinary, std::string(kMaxMessageBytes - 20'000, 'x')));
  for (int i = 0; i < 20'000; ++i) session_.Receive(tiny);
  session_.Receive(ClientFrame(kFinal, ""));
  ASSERT_EQ(messages_.size(), 1u);
  EXPECT_EQ(messages_[0].size(), kMaxMessageBytes);

  session_.Receive(ClientFrame(kBinary, std::string(kMaxMessageBytes, 'x')));
  session_.Receive(tiny);
  EXPECT_TRUE(session_.is_input_over());
  EXPECT_FALSE(session_.peer_has_closed());
  EXPECT_EQ(session_.close_code_sent(), FrameSession::kMessageTooBig);
  EXPECT_EQ(messages_.size(), 1u);
}

TEST_F(FrameSessionTest, TextIsRefusedAndNothingBehindItIsTaken) {
  session_.Receive(ClientFrame(kFinal | 1, "hello") + ClientFrame(kFinal | kBinary, "more"));
  EXPECT_TRUE(session_.is_input_over());
  EXPECT_EQ(session_.close_code_sent(), FrameSession::kUnsupportedData);
  EXPECT_TRUE(messages_.empty());
  EXPECT_EQ(Output().substr(0, 4), std::string("\x88\x16\x03\xeb", 4));
}

TEST_F(FrameSessionTest, AFloodOfPingsEndsAtTheWordOfItsHandler) {
  std::string flood;
  for (int i = 0; i < 1'000; ++i) flood += ClientFrame(kFinal | kPing, "");
  session_.Receive(flood);
  EXPECT_EQ(control_frames_, 5);
  EXPECT_TRUE(session_.is_input_over());
}

TEST_F(FrameSessionTest, AClosingPeerIsAnswered) {
  session_.Receive(ClientFrame(kFinal | kClose, std::string("\x03\xe8", 2)));
  EXPECT_TRUE(session_.is_input_over());
  EXPECT_TRUE(session_.peer_has_closed());
  EXPECT_EQ(Output(), std::string("\x88\x02\x03\xe8", 4));
}

TEST_F(FrameSessionTest, OursIsTheFirstCloseThatCounts) {
  session_.Close(FrameSession::kServiceRestart, std::string(200, 'r'));
  session_.Close(FrameSession::kNormal, "");
  const std::string close = Output();
  EXPECT_EQ(close.substr(0, 4), std::string("\x88\x7c\x03\xf4", 4));
  EXPECT_EQ(close.size(), 2u + 2 + 122);
  EXPECT_FALSE(session_.is_input_over());
  // A browser says the same code again, which wslay does not know.
  session_.Receive(ClientFrame(kFinal | kClose, std::string("\x03\xf4", 2)));
  EXPECT_TRUE(session_.is_input_over());
  EXPECT_EQ(Output(), "");
}

TEST_F(FrameSessionTest, AMessageMayCloseTheSession) {
  then_ = [this] { session_.Close(FrameSession::kPolicyViolation, "not here"); };
  session_.Receive(ClientFrame(kFinal | kBinary, "a") + ClientFrame(kFinal | kBinary, "b"));
  EXPECT_THAT(messages_, ElementsAre("a", "b"));
  EXPECT_EQ(session_.close_code_sent(), FrameSession::kPolicyViolation);
}

}  // namespace
}  // namespace remora::hub
