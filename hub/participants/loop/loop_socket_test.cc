#include "hub/participants/loop/loop_socket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/random.h"
#include "hub/participants/loop/listener.h"
#include "hub/participants/testing/fake_session_host.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

// Two ends of a connection; the far one is the test's.
struct Pair {
  Pair() {
    std::array<int, 2> ends;
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    near = ends[0];
    far = ends[1];
  }
  ~Pair() { close(far); }
  void Say(absl::string_view text) const {
    EXPECT_EQ(write(far, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  int near = -1;
  int far = -1;
};

class Hearer final : public SocketEvents {
 public:
  Hearer(SocketLoop& loop, int socket) : socket_(loop, socket) { socket_.Watch(this); }
  void OnReadable() override {
    const std::optional<absl::string_view> bytes = socket_.Read();
    if (bytes.has_value()) {
      absl::StrAppend(&heard_, *bytes);
    } else {
      ended_ = true;
      socket_.Close();
    }
    if (then_) then_();
  }
  void OnWritable() override {
    socket_.Unblock();
    ++writable_;
    if (then_) then_();
  }

  LoopSocket socket_;
  std::string heard_;
  bool ended_ = false;
  int writable_ = 0;
  std::function<void()> then_;
};

class LoopSocketTest : public ::testing::Test {
 protected:
  // Runs the loop until somebody stops it.
  void Run() { loop_.Run(host_, observer_); }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  FakeSessionHost host_;
  CountingObserver observer_;
  SocketLoop loop_{*clock_};
};

TEST_F(LoopSocketTest, TellsWhatComesAndTheEnd) {
  Pair pair;
  Hearer hearer(loop_, pair.near);
  hearer.then_ = [&] {
    if (hearer.heard_ == "spine") shutdown(pair.far, SHUT_WR);
    if (hearer.ended_) loop_.Stop();
  };
  pair.Say("spine");
  Run();
  EXPECT_EQ(hearer.heard_, "spine");
  EXPECT_TRUE(hearer.ended_);
}

TEST_F(LoopSocketTest, AnEventOfASocketThatWasClosedInTheSameTurnIsNobodys) {
  Pair first;
  Pair second;
  auto one = std::make_unique<Hearer>(loop_, first.near);
  auto two = std::make_unique<Hearer>(loop_, second.near);
  Pair late;
  std::unique_ptr<Hearer> in_its_place;
  // Whoever is told first takes the other away, and a third takes the other's number.
  one->then_ = [&] {
    two.reset();
    if (in_its_place == nullptr) in_its_place = std::make_unique<Hearer>(loop_, late.near);
    loop_.Stop();
  };
  two->then_ = [&] {
    one.reset();
    if (in_its_place == nullptr) in_its_place = std::make_unique<Hearer>(loop_, late.near);
    loop_.Stop();
  };
  first.Say("a");
  second.Say("b");
  Run();
  EXPECT_EQ((one == nullptr) + (two == nullptr), 1);
  ASSERT_NE(in_its_place, nullptr);
  EXPECT_EQ(in_its_place->heard_, "");
}

TEST_F(LoopSocketTest, ADeferredSocketIsHeardAllTheSame) {
  constexpr int kRounds = 300;
  Pair pair;
  Hearer hearer(loop_, pair.near);
  hearer.socket_.SetDeferred(true);
  int rounds = 0;
  hearer.then_ = [&] {
    if (++rounds == kRounds) return loop_.Stop();
    // Some at once, some after the loop has begun to wait for it again.
    if (rounds % 3 != 0) return pair.Say("x");
    loop_.PostAfter(Duration::Milliseconds(rounds % 7), [&] { pair.Say("x"); });
  };
  pair.Say("x");
  const DeviceTime start = clock_->Now();
  Run();
  EXPECT_EQ(hearer.heard_.size(), static_cast<size_t>(kRounds));
  // Once forgotten it would be heard at the loop's regular turn, a second later.
  EXPECT_LT(clock_->Now() - start, Duration::Seconds(20));
}

TEST_F(LoopSocketTest, ADeferredSocketIsHeardInTheTurnsOfOthers) {
  Pair busy;
  Pair quiet;
  Hearer publisher(loop_, busy.near);
  Hearer reader(loop_, quiet.near);
  reader.socket_.SetDeferred(true);
  publisher.then_ = [&] {
    if (reader.heard_.size() >= 50) return loop_.Stop();
    busy.Say("p");
    quiet.Say("r");
  };
  busy.Say("p");
  Run();
  EXPECT_GE(reader.heard_.size(), 50u);
}

class BlockedSocketTest : public LoopSocketTest, public ::testing::WithParamInterface<bool> {};

TEST_P(BlockedSocketTest, GoesOnWhenThePeerReads) {
  constexpr size_t kBytes = 4'000'000;
  Pair pair;
  Hearer hearer(loop_, pair.near);
  hearer.socket_.SetDeferred(GetParam());
  OutputQueue output;
  output.Add(SharedBytes(std::string(kBytes, 'w')), 7);
  std::vector<int32_t> ended;
  hearer.then_ = [&] {
    while (!output.empty()) {
      const std::optional<size_t> sent = hearer.socket_.Send(output);
      ASSERT_TRUE(sent.has_value());
      if (*sent == 0) return;
      output.Pop(*sent, &ended);
    }
    loop_.Stop();
  };
  hearer.then_();
  EXPECT_TRUE(hearer.socket_.blocked());
  size_t read_by_peer = 0;
  std::thread peer([&] {
    std::string buffer(100'000, '\0');
    while (read_by_peer < kBytes) {
      const ssize_t size = read(pair.far, buffer.data(), buffer.size());
      if (size <= 0) return;
      read_by_peer += static_cast<size_t>(size);
    }
  });
  Run();
  peer.join();
  EXPECT_EQ(read_by_peer, kBytes);
  EXPECT_EQ(ended, std::vector<int32_t>{7});
  EXPECT_GT(hearer.writable_, 0);
}

INSTANTIATE_TEST_SUITE_P(UrgentAndDeferred, BlockedSocketTest, ::testing::Bool());

TEST_F(LoopSocketTest, ABrokenSocketIsToldWhenItIsWritten) {
  Pair pair;
  Hearer hearer(loop_, pair.near);
  shutdown(pair.near, SHUT_WR);
  OutputQueue output;
  output.Add("nobody hears it");
  EXPECT_EQ(hearer.socket_.Send(output), std::nullopt);
}

TEST_F(LoopSocketTest, ListensWhereAnEarlierProcessLeftItsSocket) {
  std::unique_ptr<Random> random = MakeSystemRandom();
  const std::string path = absl::StrCat(::testing::TempDir(), "listener_", random->Uint64());
  ListenAddress address;
  address.unix_path = path;
  int accepted = 0;
  const auto take = [&](int socket) {
    ++accepted;
    close(socket);
  };
  {
    Listener earlier(loop_, take);
    ASSERT_TRUE(earlier.Listen(address).ok());
  }
  ASSERT_TRUE(std::filesystem::exists(path));
  Listener listener(loop_, take);
  const absl::Status listens = listener.Listen(address);
  EXPECT_TRUE(listens.ok()) << listens;
  EXPECT_EQ(listener.port(), 0);
  std::filesystem::remove(path);
}

TEST_F(LoopSocketTest, SaysWhyItCannotListen) {
  Listener first(loop_, [](int) {});
  ASSERT_TRUE(first.Listen(ListenAddress{"127.0.0.1", 0, ""}).ok());
  EXPECT_GT(first.port(), 0);
  Listener second(loop_, [](int) {});
  const absl::Status status =
      second.Listen(ListenAddress{"127.0.0.1", static_cast<uint16_t>(first.port()), ""});
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use"));
  EXPECT_FALSE(second.is_open());
  Listener third(loop_, [](int) {});
  EXPECT_FALSE(third.Listen(ListenAddress{"theatre-3", 0, ""}).ok());
  ListenAddress long_path;
  long_path.unix_path = std::string(300, 'x');
  EXPECT_FALSE(third.Listen(long_path).ok());
}

}  // namespace
}  // namespace remora::hub
