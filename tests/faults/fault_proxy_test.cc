#include "tests/faults/fault_proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace remora::testing {
namespace {

constexpr int kPatienceMs = 10'000;

bool Ready(const Descriptor& socket, short what, int timeout_ms = kPatienceMs) {
  pollfd ready{socket.get(), what, 0};
  return poll(&ready, 1, timeout_ms) == 1;
}

// One end of a connection; blocking, with patience.
class End {
 public:
  explicit End(Descriptor socket) : socket_(std::move(socket)) {}
  void Say(const std::string& bytes) {
    Ready(socket_, POLLOUT);
    EXPECT_EQ(send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // So many bytes, or what came before the end.
  std::string Hear(size_t count) {
    std::string heard;
    char bytes[65536];
    while (heard.size() < count && Ready(socket_, POLLIN)) {
      const ssize_t got = read(socket_.get(), bytes, std::min(sizeof(bytes), count - heard.size()));
      if (got <= 0) break;
      heard.append(bytes, static_cast<size_t>(got));
    }
    return heard;
  }
  // How it ended: "end", "reset", or "open".
  std::string Ending() {
    char byte;
    if (!Ready(socket_, POLLIN)) return "open";
    const ssize_t got = read(socket_.get(), &byte, 1);
    return got == 0 ? "end" : got < 0 && errno == ECONNRESET ? "reset" : "bytes";
  }
  bool Silent() { return !Ready(socket_, POLLIN, 100); }
  void Finish() { shutdown(socket_.get(), SHUT_WR); }
  void Close() { socket_.Close(); }
  void Reset() { socket_.Reset(); }

 private:
  Descriptor socket_;
};

class FaultProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    target_ = *BoundSocket(0);
    ASSERT_TRUE(Listen(target_).ok());
    const auto port = proxy_.AddLink("hub", *PortOf(target_));
    ASSERT_TRUE(port.ok()) << port.status();
    port_ = *port;
  }
  End Connect() { return End(*ConnectingSocket(port_)); }
  std::optional<End> AcceptOne(int timeout_ms = kPatienceMs) {
    if (!Ready(target_, POLLIN, timeout_ms)) return std::nullopt;
    return End(*Accept(target_));
  }
  // A connection that has carried something both ways.
  std::pair<End, End> Pair() {
    End client = Connect();
    End server = *AcceptOne();
    client.Say("hello");
    EXPECT_EQ(server.Hear(5), "hello");
    server.Say("welcome");
    EXPECT_EQ(client.Hear(7), "welcome");
    return {std::move(client), std::move(server)};
  }
  void Tell(const std::string& command) {
    const absl::Status told = proxy_.Tell(command);
    EXPECT_TRUE(told.ok()) << told;
  }
  bool Refused() {
    const auto socket = ConnectingSocket(port_);
    if (!socket.ok()) return true;
    Ready(*socket, POLLOUT);
    int error = 0;
    socklen_t length = sizeof(error);
    getsockopt(socket->get(), SOL_SOCKET, SO_ERROR, &error, &length);
    return error == ECONNREFUSED;
  }

  bool Becomes(bool refused) {
    const DeviceTime end = clock_->Now() + Duration::Milliseconds(kPatienceMs);
    while (Refused() != refused && clock_->Now() < end) poll(nullptr, 0, 5);
    return clock_->Now() < end;
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  Descriptor target_;
  FaultProxy proxy_{*clock_, *random_};
  int port_ = 0;
};

TEST_F(FaultProxyTest, ForwardsBothWaysAndEndsEachWayByItself) {
  auto [client, server] = Pair();
  client.Finish();
  EXPECT_EQ(server.Ending(), "end");
  server.Say("more");
  EXPECT_EQ(client.Hear(4), "more");
  server.Finish();
  EXPECT_EQ(client.Ending(), "end");
}

TEST_F(FaultProxyTest, AResetIsPassedOn) {
  auto [client, server] = Pair();
  client.Reset();
  EXPECT_EQ(server.Ending(), "reset");
}

TEST_F(FaultProxyTest, ManyMegabytesArriveAsTheyWere) {
  auto [client, server] = Pair();
  std::string sent;
  while (sent.size() < 4u << 20) sent += std::to_string(random_->Uint64());
  std::thread sender([&, c = &client] {
    for (size_t begin = 0; begin < sent.size(); begin += 8192) c->Say(sent.substr(begin, 8192));
  });
  EXPECT_EQ(server.Hear(sent.size()), sent);
  sender.join();
}

TEST_F(FaultProxyTest, ADelayIsThereBothWays) {
  auto [client, server] = Pair();
  Tell("delay 50 ms");
  const DeviceTime began = clock_->Now();
  client.Say("a");
  EXPECT_EQ(server.Hear(1), "a");
  EXPECT_GE(clock_->Now() - began, Duration::Milliseconds(50));
  server.Say("b");
  EXPECT_EQ(client.Hear(1), "b");
  EXPECT_GE(clock_->Now() - began, Duration::Milliseconds(100));
}

TEST_F(FaultProxyTest, ARateTakesTheTimeItTakesAndTheQueueIsBounded) {
  auto [client, server] = Pair();
  Tell("rate 800 kbit/s up");
  Tell("buffer 16 KiB up");
  const DeviceTime began = clock_->Now();
  std::thread sender([c = &client] { c->Say(std::string(20'000, 'x')); });
  EXPECT_EQ(server.Hear(20'000).size(), 20'000u);
  sender.join();
  const Duration least = Duration::Milliseconds((20'000 - kDefaultBucketBytes) * 8 / 800);
  EXPECT_GE(clock_->Now() - began, least);
}

TEST_F(FaultProxyTest, ACutEndsConnectionsAndRefusesNewOnesUntilItPasses) {
  auto [client, server] = Pair();
  Tell("cut rst");
  EXPECT_EQ(client.Ending(), "reset");
  EXPECT_EQ(server.Ending(), "reset");
  EXPECT_TRUE(Refused());
  Tell("pass");
  Pair();
}

TEST_F(FaultProxyTest, ACutMayLastForATime) {
  Tell("cut for 50 ms");
  EXPECT_TRUE(Refused());
  EXPECT_TRUE(Becomes(/*refused=*/false));
  EXPECT_TRUE(AcceptOne()) << "who was welcome is forwarded";
}

TEST_F(FaultProxyTest, ADropEndsWithFinAndWelcomesNewOnes) {
  auto [client, server] = Pair();
  Tell("drop fin");
  EXPECT_EQ(client.Ending(), "end");
  EXPECT_EQ(server.Ending(), "end");
  Pair();
}

TEST_F(FaultProxyTest, RefusingLeavesOpenConnectionsAlone) {
  auto [client, server] = Pair();
  Tell("refuse");
  EXPECT_TRUE(Refused());
  client.Say("still here");
  EXPECT_EQ(server.Hear(10), "still here");
}

TEST_F(FaultProxyTest, AStallLosesNothing) {
  auto [client, server] = Pair();
  Tell("stall up");
  client.Say("waits");
  EXPECT_TRUE(server.Silent());
  server.Say("goes");
  EXPECT_EQ(client.Hear(4), "goes") << "the other way goes on";
  End late = Connect();
  late.Say("hello");
  EXPECT_FALSE(AcceptOne(100)) << "nobody new gets through";
  Tell("pass");
  EXPECT_EQ(server.Hear(5), "waits");
  std::optional<End> accepted = AcceptOne();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->Hear(5), "hello");
}

TEST_F(FaultProxyTest, WhatIsSwallowedIsLostAndItsConnectionEndsWhenThatPasses) {
  auto [client, server] = Pair();
  Tell("swallow up");
  client.Say("into the void");
  server.Say("still heard");
  EXPECT_EQ(client.Hear(11), "still heard");
  EXPECT_TRUE(server.Silent());
  End half_open = Connect();
  half_open.Say("anybody?");
  EXPECT_FALSE(AcceptOne(100));
  Tell("pass");
  EXPECT_EQ(client.Ending(), "reset");
  EXPECT_EQ(server.Ending(), "reset");
  EXPECT_EQ(half_open.Ending(), "reset");
  EXPECT_EQ(proxy_.Counts("hub")->swallowed_bytes, 21u);
  Pair();
}

TEST_F(FaultProxyTest, ALaterConnectionOvertakesAnEarlierOne) {
  Tell("reorder");
  End first = Connect();
  first.Say("first");
  first.Finish();
  EXPECT_FALSE(AcceptOne(50));
  auto [second, server] = Pair();
  std::optional<End> late = AcceptOne();
  ASSERT_TRUE(late) << "it comes after the later one has had its answer";
  EXPECT_EQ(late->Hear(5), "first");
}

TEST_F(FaultProxyTest, ATargetThatIsNotThereResetsWhoConnects) {
  target_.Close();
  End client = Connect();
  EXPECT_EQ(client.Ending(), "reset");
}

TEST_F(FaultProxyTest, AScriptRunsByItsTimes) {
  auto [client, server] = Pair();
  ASSERT_TRUE(proxy_.Run("at 20 ms drop; at 40 ms refuse").ok());
  EXPECT_EQ(client.Ending(), "reset");
  EXPECT_TRUE(Becomes(/*refused=*/true));
  EXPECT_FALSE(proxy_.Run("at 1 s on nowhere cut").ok());
}

TEST_F(FaultProxyTest, CommandsComeOnASocketAndHostileOnesHarmNobody) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("remora-control-" + std::to_string(getpid())))
          .string();
  ASSERT_TRUE(proxy_.ListenForCommands(path).ok());
  const auto dial = [&] {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    return End(std::move(socket));
  };
  End peer = dial();
  peer.Say("refuse\nnonsense\n");
  EXPECT_EQ(peer.Hear(3), "ok\n");
  EXPECT_TRUE(Refused());
  EXPECT_EQ(peer.Hear(7), "error: ");
  End flood = dial();
  flood.Say(std::string(2 * kMaxControlLineBytes, 'x'));
  EXPECT_NE(flood.Ending(), "open");
  End status = dial();
  status.Say("status\n");
  std::string line;
  while (line.empty() || line.back() != '\n') line += status.Hear(1);
  EXPECT_EQ(nlohmann::json::parse(line)["hub"]["port"], port_);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace remora::testing
