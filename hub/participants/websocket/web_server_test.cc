#include "hub/participants/websocket/web_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/clock.h"
#include "common/limits.h"
#include "hub/participants/limits.h"
#include "hub/participants/loop/socket_loop.h"
#include "hub/participants/testing/fake_session_host.h"
#include "hub/participants/testing/raw_web_client.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

class WebServerTest : public ::testing::Test {
 protected:
  WebServerTest() {
    directory_ = std::filesystem::path(::testing::TempDir()) /
                 absl::StrCat("web_server_", random_->Uint64());
    std::filesystem::create_directories(directory_ / "assets");
    std::ofstream(directory_ / "index.html") << "<p>workstation</p>";
    std::ofstream(directory_ / "assets" / "large.bin") << std::string(3'000'000, 'x');
    WebServer::Options options;
    options.address = ListenAddress{"127.0.0.1", 0, ""};
    options.web_directory = directory_.string();
    server_ = std::make_unique<WebServer>(
        std::move(options),
        WebServerParts{&hub_, &host_, &authenticator_, &observer_, &sessions_, clock_.get()});
    const absl::Status started = server_->Start();
    EXPECT_TRUE(started.ok()) << started;
  }
  ~WebServerTest() override {
    server_.reset();
    hub_.Post([this] { hub_.Stop(); });
    sequence_.join();
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<RawWebClient> Connect() {
    return std::make_unique<RawWebClient>(server_->port());
  }
  std::unique_ptr<RawWebClient> OpenStream(const std::string& token) {
    auto client = Connect();
    const auto response =
        client->Upgrade("/v1/stream", absl::StrCat("Authorization: Bearer ", token, "\r\n"));
    EXPECT_TRUE(response.has_value());
    if (response.has_value()) {
      EXPECT_EQ(response->status, 101) << response->head;
    }
    return client;
  }
  static void Echo(RawWebClient& client, const std::string& text) {
    ASSERT_TRUE(client.SendMessage("echo " + text));
    ASSERT_THAT(client.ReadMessage(), Optional(text));
  }
  // Waits until no more than `count` sessions are left, with `client` to pass the time.
  void WaitForSessions(RawWebClient& client, int count) {
    const auto settled = [this, count] {
      return host_.open_sessions() == count && observer_.opened - observer_.closed == count;
    };
    for (int i = 0; i < 2'000 && !settled(); ++i) Echo(client, "wait");
    EXPECT_EQ(host_.open_sessions(), count);
    EXPECT_EQ(observer_.opened - observer_.closed, count);
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  std::unique_ptr<Random> random_ = MakeSystemRandom();
  CountingObserver observer_;
  FakeAuthenticator authenticator_;
  FakeSessionHost host_;
  SocketLoop hub_{*clock_};
  std::thread sequence_{[this] { hub_.Run(host_, observer_); }};
  WebSessions sessions_{WebSessions::Key{1}, *clock_, *random_};
  std::filesystem::path directory_;
  std::unique_ptr<WebServer> server_;
};

TEST_F(WebServerTest, ServesPagesWithTheirSecurityHeadersOnOneConnection) {
  auto client = Connect();
  for (int i = 0; i < 3; ++i) {
    const auto page = client->Request("GET", "/");
    ASSERT_TRUE(page.has_value());
    EXPECT_EQ(page->status, 200);
    EXPECT_EQ(page->body, "<p>workstation</p>");
    EXPECT_THAT(page->Header("content-security-policy"), HasSubstr("default-src 'self'"));
    EXPECT_THAT(page->Header("content-security-policy"), HasSubstr("frame-ancestors 'none'"));
    EXPECT_EQ(page->Header("x-content-type-options"), "nosniff");
    EXPECT_EQ(page->Header("referrer-policy"), "no-referrer");
    EXPECT_EQ(page->Header("cross-origin-opener-policy"), "same-origin");
  }
  const auto tag = client->Request("HEAD", "/");
  ASSERT_TRUE(tag.has_value());
  EXPECT_EQ(tag->Header("content-length"), "18");
  const auto unchanged =
      client->Request("GET", "/", absl::StrCat("If-None-Match: ", tag->Header("etag"), "\r\n"));
  ASSERT_TRUE(unchanged.has_value());
  EXPECT_EQ(unchanged->status, 304);
  const auto large = client->Request("GET", "/assets/large.bin");
  ASSERT_TRUE(large.has_value());
  EXPECT_EQ(large->body.size(), 3'000'000u);
}

TEST_F(WebServerTest, ABrowserSignsInAndOpensItsStream) {
  auto client = Connect();
  const std::string origin = absl::StrCat("Origin: http://", client->host(), "\r\n");
  const auto session =
      client->Request("POST", "/v1/session", origin + "Content-Type: application/json\r\n",
                      "{\"token\":\"token-anna\"}");
  ASSERT_TRUE(session.has_value());
  EXPECT_EQ(session->status, 200);
  const std::string set_cookie = session->Header("set-cookie");
  const std::string cookie =
      absl::StrCat("Cookie: ", set_cookie.substr(0, set_cookie.find(';')), "\r\n");
  const auto who = client->Request("GET", "/v1/session?identity=anna", cookie);
  ASSERT_TRUE(who.has_value());
  EXPECT_THAT(who->body, HasSubstr("neurophysiologist"));

  auto stream = Connect();
  const auto upgraded = stream->Upgrade("/v1/stream?identity=anna", origin + cookie);
  ASSERT_TRUE(upgraded.has_value());
  EXPECT_EQ(upgraded->status, 101);
  EXPECT_EQ(upgraded->Header("sec-websocket-extensions"), "");
  Echo(*stream, "hello");
}

TEST_F(WebServerTest, HostileUpgradesAreRefused) {
  const auto status = [this](const std::string& target, const std::string& headers) {
    auto client = Connect();
    const auto response = client->Upgrade(target, headers);
    return response.has_value() ? response->status : 0;
  };
  EXPECT_EQ(
      status("/v1/stream", absl::StrCat("Origin: http://127.0.0.1:", server_->port(), "\r\n")),
      401);
  EXPECT_EQ(status("/v1/stream", "Authorization: Bearer token-nobody\r\n"), 401);
  EXPECT_EQ(status("/v1/stream", "Origin: http://evil.example\r\n"), 403);
  EXPECT_EQ(status("/v1/stream", ""), 403);
  EXPECT_EQ(status("/", "Authorization: Bearer token-anna\r\n"), 404);
  EXPECT_EQ(status("/v1/stream/../x", "Authorization: Bearer token-anna\r\n"), 404);
  EXPECT_EQ(host_.opened(), 0);
  EXPECT_EQ(observer_.refusals(TransportRefusal::kOrigin), 2);
  EXPECT_EQ(observer_.refusals(TransportRefusal::kUnauthenticated), 2);
}

TEST_F(WebServerTest, CarriesMessagesBothWaysInOrder) {
  auto client = OpenStream("token-anna");
  std::string expected;
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(client->SendMessage(absl::StrCat("echo ", i, ";")));
    absl::StrAppend(&expected, i, ";");
  }
  std::string received;
  while (received.size() < expected.size()) {
    const auto message = client->ReadMessage();
    ASSERT_TRUE(message.has_value());
    received += *message;
  }
  EXPECT_EQ(received, expected);
  EXPECT_EQ(observer_.messages, 300);
}

TEST_F(WebServerTest, ABatchOfManySlicesIsOneFrame) {
  auto client = OpenStream("token-anna");
  ASSERT_TRUE(client->SendMessage("bulk 64"));
  const auto frame = client->ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_TRUE(frame->final);
  EXPECT_EQ(frame->opcode, 2);
  EXPECT_EQ(frame->payload, std::string(64 * 1024, 'B'));
}

TEST_F(WebServerTest, WhatGoesToManySharesItsBytes) {
  constexpr int kReaders = 30;
  std::vector<std::unique_ptr<RawWebClient>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(OpenStream(absl::StrCat("token-reader", i)));
    Echo(*readers.back(), "open");
  }
  const std::string text(4'000, 'w');
  ASSERT_TRUE(readers[0]->SendMessage("all " + text));
  for (auto& reader : readers) EXPECT_THAT(reader->ReadMessage(), Optional(text));
  // Those that wrote theirs may have let go already.
  EXPECT_GT(host_.most_owners(), 3);
}

TEST_F(WebServerTest, PutsFragmentsTogether) {
  auto client = OpenStream("token-anna");
  ASSERT_TRUE(client->SendFrame(2, "echo ", false));
  ASSERT_TRUE(client->SendFrame(0, "in ", false));
  ASSERT_TRUE(client->SendFrame(9, "between", true));
  ASSERT_TRUE(client->SendFrame(0, "pieces", true));
  const auto pong = client->ReadFrame();
  ASSERT_TRUE(pong.has_value());
  EXPECT_EQ(pong->opcode, 10);
  EXPECT_EQ(pong->payload, "between");
  EXPECT_THAT(client->ReadMessage(), Optional(std::string("in pieces")));
}

TEST_F(WebServerTest, TheLargestMessageArrivesWhole) {
  auto client = OpenStream("token-anna");
  const std::string text(kMaxMessageBytes - 5, 'x');
  ASSERT_TRUE(client->SendMessage("echo " + text));
  const auto message = client->ReadMessage();
  ASSERT_TRUE(message.has_value());
  EXPECT_TRUE(*message == text);
}

TEST_F(WebServerTest, HostileMessageBeyondTheLimitClosesWith1009) {
  auto client = OpenStream("token-anna");
  // The header of a frame of 5 MiB and one byte of it are enough.
  ASSERT_TRUE(
      client->SendRaw(absl::string_view("\x82\xff\x00\x00\x00\x00\x00\x50\x00\x00maskx", 15)));
  const auto frame = client->ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->opcode, 8);
  EXPECT_EQ(frame->close_code(), 1009);
}

TEST_F(WebServerTest, HostileFragmentsWithoutEndCloseWith1009) {
  auto client = OpenStream("token-anna");
  ASSERT_TRUE(client->SendFrame(2, "echo", false));
  const std::string piece(64 * 1024, 'x');
  for (size_t sent = 0; sent <= kMaxMessageBytes; sent += piece.size()) {
    if (!client->SendFrame(0, piece, false)) break;
  }
  const auto frame = client->ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->close_code(), 1009);
  // Counted on the server's thread, after the close has left; the test's timeout bounds the wait.
  while (observer_.refusals(TransportRefusal::kTooLarge) == 0) std::this_thread::yield();
  EXPECT_EQ(observer_.refusals(TransportRefusal::kTooLarge), 1);
}

TEST_F(WebServerTest, HostileFramesEndOnlyTheirOwnStream) {
  auto good = OpenStream("token-good");
  Echo(*good, "before");
  const std::vector<std::pair<std::string, int>> attempts = {
      {std::string("\x82\x05hello", 7), 1002},  // not masked
      {std::string("\xf2\x80mask", 6), 1002},   // reserved bits
      {std::string("\x83\x80mask", 6), 1002},   // unknown opcode
      {std::string("\x80\x80mask", 6), 1002},   // continues nothing
      // Of a head that makes no sense wslay says no more than close.
      {std::string("\x09\x80mask", 6), 0},          // a ping in pieces
      {std::string("\x89\xfe\x00\x7emask", 8), 0},  // a ping of 126 bytes
      {std::string("\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask", 14), 0},
      {std::string("\x81\x85\0\0\0\0hello", 11), 1003},  // text
  };
  for (const auto& [bytes, code] : attempts) {
    auto client = OpenStream("token-bad");
    ASSERT_TRUE(client->SendRaw(bytes));
    const auto frame = client->ReadFrame();
    ASSERT_TRUE(frame.has_value()) << code;
    EXPECT_EQ(frame->opcode, 8);
    EXPECT_EQ(frame->close_code(), code) << frame->payload;
  }
  Echo(*good, "after");
  WaitForSessions(*good, 1);
}

TEST_F(WebServerTest, HostilePingFloodIsCut) {
  auto client = OpenStream("token-anna");
  std::string flood;
  for (int i = 0; i < 1'000; ++i) flood += std::string("\x89\x80mask", 6);
  client->SendRaw(flood);
  EXPECT_TRUE(client->WaitForClose());
  EXPECT_EQ(observer_.refusals(TransportRefusal::kFlood), 1);
}

TEST_F(WebServerTest, HostilePeersThatVanishLeaveNothingBehind) {
  auto last = OpenStream("token-last");
  for (int i = 0; i < 40; ++i) {
    auto client = OpenStream("token-anna");
    client->SendMessage("bulk 2000");
    if (i % 2 == 0) client->ReadFrame();
    if (i % 4 == 1) client->SendRaw("\x82\xfe");  // a torn frame
    client->Disconnect();
  }
  WaitForSessions(*last, 1);
}

TEST_F(WebServerTest, AReaderThatStopsReadingDelaysNobodyAndHoldsLittle) {
  auto slow = OpenStream("token-slow");
  Echo(*slow, "open");
  const size_t before = host_.bytes_taken();
  ASSERT_TRUE(slow->SendMessage("bulk 40000"));  // 40 MB that it never reads
  auto quick = OpenStream("token-quick");
  for (int i = 0; i < 100; ++i) Echo(*quick, "still quick");
  EXPECT_LT(host_.bytes_taken() - before, 12u * 1024 * 1024);
}

TEST_F(WebServerTest, HostileRequestsGetAnAnswerOrNone) {
  const auto status = [this](const std::string& bytes) {
    auto client = Connect();
    client->SendRaw(bytes);
    const auto response = client->ReadResponse();
    return response.has_value() ? response->status : 0;
  };
  EXPECT_EQ(status("nonsense\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/9.9\r\n\r\n"), 400);
  EXPECT_EQ(status("GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
  EXPECT_EQ(status("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
  EXPECT_EQ(status("GET /x%00.html HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
  EXPECT_EQ(status("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(status("POST /v1/session HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"), 413);
  EXPECT_EQ(status("POST /v1/session HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   absl::StrCat(absl::Hex(8'000), "\r\n", std::string(8'000, 'x'))),
            413);
  EXPECT_EQ(status("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400) << "TLS on a plain port";
}

TEST_F(WebServerTest, HostileHeadersThatDripAreCutInTime) {
  auto client = Connect();
  ASSERT_TRUE(client->SendRaw("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "));
  const DeviceTime start = clock_->Now();
  EXPECT_TRUE(client->WaitForClose());
  EXPECT_LT(clock_->Now() - start, kHandshakeTimeout + Duration::Seconds(3));
}

TEST_F(WebServerTest, DrainTellsThoseInsideAndRefusesThoseOutside) {
  auto inside = OpenStream("token-inside");
  Echo(*inside, "open");
  server_->Drain();
  const auto frame = inside->ReadFrame();
  ASSERT_TRUE(frame.has_value());
  EXPECT_EQ(frame->close_code(), 1012);
  auto outside = Connect();
  const auto response = outside->Upgrade("/v1/stream", "Authorization: Bearer token-outside\r\n");
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 503);
}

TEST_F(WebServerTest, ACloseThatIsAnsweredEndsTheConnectionAtOnce) {
  auto quick = OpenStream("token-quick");
  Echo(*quick, "open");
  const DeviceTime start = clock_->Now();
  server_->Drain();
  const auto frame = quick->ReadFrame();
  ASSERT_TRUE(frame.has_value());
  ASSERT_EQ(frame->close_code(), 1012);
  ASSERT_TRUE(quick->SendFrame(8, std::string("\x03\xf4", 2), true));
  EXPECT_TRUE(quick->WaitForClose());
  server_->Stop();
  EXPECT_LT(clock_->Now() - start, kDrainTimeout) << "it was waited for";
}

TEST_F(WebServerTest, HostilePingsOfOneThatDoesNotReadAreCut) {
  auto slow = OpenStream("token-slow");
  ASSERT_TRUE(slow->SendMessage("bulk 40000"));
  // Slower than a flood: each is answered, and no answer is read.
  for (int i = 0; i < 200 && observer_.refusals(TransportRefusal::kFlood) == 0; ++i) {
    if (!slow->SendRaw(std::string("\x89\x80mask", 6))) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
  }
  EXPECT_EQ(observer_.refusals(TransportRefusal::kFlood), 1);
}

TEST_F(WebServerTest, StopsSoonEvenWithAReaderThatStalls) {
  auto slow = OpenStream("token-slow");
  ASSERT_TRUE(slow->SendMessage("bulk 40000"));
  ASSERT_TRUE(slow->ReadFrame().has_value());
  auto idle = Connect();
  const DeviceTime start = clock_->Now();
  server_->Stop();
  EXPECT_LT(clock_->Now() - start, Duration::Seconds(2));
}

TEST_F(WebServerTest, APortInUseIsRefusedWithTheReason) {
  WebServer::Options options;
  options.address = ListenAddress{"127.0.0.1", server_->port(), ""};
  WebServer second(std::move(options), WebServerParts{&hub_, &host_, &authenticator_, &observer_,
                                                      &sessions_, clock_.get()});
  const absl::Status status = second.Start();
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use"));
}

}  // namespace
}  // namespace remora::hub
