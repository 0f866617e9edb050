#include "hub/participants/grpc/grpc_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "common/limits.h"
#include "hub/participants/limits.h"
#include "hub/participants/testing/fake_session_host.h"
#include "hub/participants/testing/no_window_call.h"
#include "hub/participants/testing/raw_grpc_client.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

class GrpcServerTest : public ::testing::Test {
 protected:
  GrpcServerTest() {
    const absl::Status started = server_.Start(authenticator_, host_);
    EXPECT_TRUE(started.ok()) << started;
    thread_ = std::thread([this] { loop_.Run(host_, observer_); });
  }
  ~GrpcServerTest() override { Stop(); }

  void Stop() {
    if (!thread_.joinable()) return;
    server_.Stop([this] { loop_.Stop(); });
    thread_.join();
  }
  RawClient Client(const std::string& token) {
    return RawClient(RawChannel(server_.port()), token);
  }
  // Waits until what was posted before has run.
  void Settle() {
    std::atomic<bool> done{false};
    loop_.Post([&] {
      done = true;
      done.notify_all();
    });
    done.wait(false);
  }
  // A session is open when it has answered.
  static void WaitUntilOpen(RawClient& client) {
    ASSERT_TRUE(client.Send("echo open"));
    EXPECT_THAT(client.Read(), Optional(std::string("open")));
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  CountingObserver observer_;
  FakeAuthenticator authenticator_;
  FakeSessionHost host_;
  SocketLoop loop_{*clock_};
  GrpcServer server_{*ListenAddress::Parse("127.0.0.1:0"), loop_, *clock_, observer_};
  std::thread thread_;
};

TEST_F(GrpcServerTest, CarriesMessagesBothWaysInOrder) {
  RawClient client = Client("token-anna");
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(client.Send(absl::StrCat("echo ", i, ";")));
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += absl::StrCat(i, ";");
  std::string received;
  while (received.size() < expected.size()) {
    const std::optional<std::string> message = client.Read();
    ASSERT_TRUE(message.has_value());
    received += *message;
  }
  EXPECT_EQ(received, expected);
  client.WritesDone();
  EXPECT_TRUE(client.Finish().ok());
  Settle();
  EXPECT_EQ(host_.open_sessions(), 0);
  EXPECT_EQ(observer_.messages, 200);
}

TEST_F(GrpcServerTest, EndsWithTheStatusThatTheSessionGives) {
  RawClient client = Client("token-anna");
  ASSERT_TRUE(client.Send("echo last words"));
  ASSERT_TRUE(client.Send(absl::StrCat("close ", static_cast<int>(absl::StatusCode::kAborted))));
  EXPECT_THAT(client.Read(), Optional(std::string("last words")));
  const ::grpc::Status status = client.Finish();
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::ABORTED);
  EXPECT_EQ(status.error_message(), "closed by test");
}

TEST_F(GrpcServerTest, HostileCallsWithoutAGoodTokenGetNoSession) {
  const std::vector<std::vector<std::pair<std::string, std::string>>> attempts = {
      {},
      {{"authorization", "Bearer token-nobody"}},
      {{"authorization", "Bearer "}},
      {{"authorization", "Basic dG9rZW4tYW5uYQ=="}},
      {{"authorization", "token-anna"}},
      {{"authorization", "Bearer token-anna"}, {"authorization", "Bearer token-bob"}},
      {{"authorization", "Bearer " + std::string(2'000, 'x')}},
  };
  for (const auto& metadata : attempts) {
    RawClient client(RawChannel(server_.port()), metadata);
    const ::grpc::Status status = client.Finish();
    EXPECT_EQ(status.error_code(), ::grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
  }
  EXPECT_EQ(host_.opened(), 0);
  EXPECT_EQ(observer_.refusals(TransportRefusal::kUnauthenticated), attempts.size());
}

TEST_F(GrpcServerTest, HostileMessageBeyondTheLimitEndsOnlyItsOwnSession) {
  RawClient good = Client("token-good");
  WaitUntilOpen(good);
  RawClient bad = Client("token-bad");
  WaitUntilOpen(bad);
  bad.Send("echo " + std::string(kMaxMessageBytes + 1, 'x'));
  const ::grpc::Status status = bad.Finish();
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
  ASSERT_TRUE(good.Send("echo still here"));
  EXPECT_THAT(good.Read(), Optional(std::string("still here")));
}

TEST_F(GrpcServerTest, HostileMetadataBeyondTheLimitGetsNoSession) {
  RawClient client(RawChannel(server_.port()),
                   {{"authorization", "Bearer token-anna"}, {"x-large", std::string(64'000, 'x')}});
  EXPECT_FALSE(client.Finish().ok());
  EXPECT_EQ(host_.opened(), 0);
}

TEST_F(GrpcServerTest, TheLargestMessageArrivesWhole) {
  RawClient client = Client("token-anna");
  const std::string text(kMaxMessageBytes - 5, 'x');
  ASSERT_TRUE(client.Send("echo " + text));
  const std::optional<std::string> message = client.Read();
  ASSERT_TRUE(message.has_value());
  EXPECT_TRUE(*message == text);
}

TEST_F(GrpcServerTest, WhatGoesToManySharesItsBytes) {
  constexpr int kReaders = 30;
  std::vector<std::unique_ptr<RawClient>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(
        std::make_unique<RawClient>(RawChannel(server_.port()), absl::StrCat("token-reader", i)));
    WaitUntilOpen(*readers.back());
  }
  EXPECT_EQ(host_.open_sessions(), kReaders);
  const std::string text(4'000, 'w');
  ASSERT_TRUE(readers[0]->Send("all " + text));
  for (auto& reader : readers) EXPECT_THAT(reader->Read(), Optional(text));
  EXPECT_GE(host_.most_owners(), kReaders);
}

TEST_F(GrpcServerTest, WhatWaitsBehindAWriteLeavesAsOneBatchWithinItsLimit) {
  RawClient client = Client("token-anna");
  ASSERT_TRUE(client.Send("bulk 256"));
  size_t bytes = 0;
  int messages = 0;
  while (bytes < 256 * 1024) {
    const std::optional<std::string> message = client.Read();
    ASSERT_TRUE(message.has_value());
    EXPECT_LE(message->size(), kMaxBatchBytes);
    bytes += message->size();
    ++messages;
  }
  EXPECT_EQ(messages, 4);
}

TEST_F(GrpcServerTest, AReaderThatStopsReadingDelaysNobodyAndHoldsLittle) {
  RawClient slow = Client("token-slow");
  WaitUntilOpen(slow);
  const size_t before = host_.bytes_taken();
  ASSERT_TRUE(slow.Send("bulk 40000"));  // 40 MB that it never reads
  RawClient quick = Client("token-quick");
  for (int i = 0; i < 50; ++i) WaitUntilOpen(quick);
  Settle();
  const size_t given_away = host_.bytes_taken() - before;
  RecordProperty("given_away_bytes", static_cast<int>(given_away));
  EXPECT_LT(given_away, 12u * 1024 * 1024) << "gRPC holds more than its windows and socket buffers";
}

TEST_F(GrpcServerTest, HostileFloodLetsOthersHaveTheirTurn) {
  RawClient flood = Client("token-flood");
  WaitUntilOpen(flood);
  std::atomic<bool> enough{false};
  std::thread sender([&] {
    const std::string message = "unknown " + std::string(60'000, 'x');
    while (!enough && flood.Send(message)) {
    }
  });
  std::thread receiver([&] {
    while (!enough && flood.Read().has_value()) {
    }
  });
  RawClient quiet = Client("token-quiet");
  for (int i = 0; i < 200; ++i) WaitUntilOpen(quiet);
  enough = true;
  flood.Cancel();
  sender.join();
  receiver.join();
}

TEST_F(GrpcServerTest, HostilePeersThatVanishLeaveNothingBehind) {
  for (int i = 0; i < 50; ++i) {
    RawClient client = Client("token-anna");
    client.Send("bulk 2000");
    if (i % 2 == 0) client.Read();
    client.Cancel();
  }
  RawClient last = Client("token-last");
  WaitUntilOpen(last);
  // The cancelled ones end within a turn or two of the sequence, whatever the order.
  for (int i = 0; i < 1'000 && host_.open_sessions() > 1; ++i) WaitUntilOpen(last);
  EXPECT_EQ(host_.open_sessions(), 1);
  EXPECT_EQ(observer_.opened - observer_.closed, 1);
}

TEST_F(GrpcServerTest, DrainTellsThoseInsideAndRefusesThoseOutside) {
  RawClient inside = Client("token-inside");
  WaitUntilOpen(inside);
  server_.Drain();
  Settle();
  EXPECT_EQ(inside.Finish().error_code(), ::grpc::StatusCode::UNAVAILABLE);
  RawClient outside = Client("token-outside");
  EXPECT_EQ(outside.Finish().error_code(), ::grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(observer_.refusals(TransportRefusal::kDraining), 1);
}

// A message and its answer, as bytes.
std::string Ask(int port, const char* method, const std::string& request) {
  RawClient client(RawChannel(port), {}, method);
  EXPECT_TRUE(client.Send(request));
  client.WritesDone();
  return client.Read().value_or("no answer");
}

TEST_F(GrpcServerTest, HealthSaysServingUntilItDrains) {
  constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
  const std::string serving("\x08\x01");
  const std::string not_serving("\x08\x02");
  const std::string session_service("\x0a\x18remora.v1.SessionService");
  EXPECT_EQ(Ask(server_.port(), kCheck, ""), serving);
  EXPECT_EQ(Ask(server_.port(), kCheck, session_service), serving);
  server_.Drain();
  Settle();
  EXPECT_EQ(Ask(server_.port(), kCheck, ""), not_serving);
  EXPECT_EQ(Ask(server_.port(), kCheck, session_service), not_serving);
}

TEST_F(GrpcServerTest, HealthOfAnotherServiceIsNotFound) {
  RawClient client(RawChannel(server_.port()), {}, "/grpc.health.v1.Health/Check");
  EXPECT_TRUE(client.Send("\x0a\x03lsl"));
  client.WritesDone();
  EXPECT_EQ(client.Finish().error_code(), ::grpc::StatusCode::NOT_FOUND);
}

TEST_F(GrpcServerTest, HealthIsToldAgainToThoseWhoWatchIt) {
  RawClient watch(RawChannel(server_.port()), {}, "/grpc.health.v1.Health/Watch");
  EXPECT_TRUE(watch.Send(""));
  watch.WritesDone();
  EXPECT_EQ(watch.Read().value_or("no answer"), "\x08\x01");
  server_.Drain();
  EXPECT_EQ(watch.Read().value_or("no answer"), "\x08\x02");
}

TEST_F(GrpcServerTest, ReflectionDescribesItsServices) {
  constexpr char kReflect[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  const std::string list = Ask(server_.port(), kReflect, "\x3a\x01*");
  EXPECT_THAT(list, HasSubstr("remora.v1.SessionService"));
  EXPECT_THAT(list, HasSubstr("grpc.health.v1.Health"));
  const std::string symbol = "\x22\x18remora.v1.SessionService";
  EXPECT_THAT(Ask(server_.port(), kReflect, symbol), HasSubstr("remora/v1/room.proto"));
#ifdef REMORA_HEALTH_DESCRIPTOR
  EXPECT_THAT(Ask(server_.port(), kReflect, "\x22\x15grpc.health.v1.Health"),
              HasSubstr("HealthCheckRequest"));
#endif
}

TEST_F(GrpcServerTest, HostileFloodsOfWhoNeedsNoTokenEndOnlyTheirOwnCall) {
  constexpr char kReflect[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  RawClient flood(RawChannel(server_.port()), {}, kReflect);
  for (int i = 0; i < 200 && flood.Send("\x22\x18remora.v1.SessionService"); ++i) {
  }
  EXPECT_EQ(flood.Finish().error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED);
  for (const char* method : {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}) {
    RawClient large(RawChannel(server_.port()), {}, method);
    large.Send(std::string(100'000, 'x'));
    EXPECT_EQ(large.Finish().error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED) << method;
  }
  server_.Drain();
  Settle();
}

TEST_F(GrpcServerTest, HostileCallsThatAskNothingLoseTheirPlace) {
  const DeviceTime start = clock_->Now();
  std::vector<std::unique_ptr<RawClient>> silent;
  for (const char* method : {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    silent.push_back(std::make_unique<RawClient>(
        RawChannel(server_.port()), std::vector<std::pair<std::string, std::string>>(), method));
  }
  for (const auto& client : silent) {
    EXPECT_EQ(client->Finish().error_code(), ::grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  EXPECT_LT(clock_->Now() - start, kHandshakeTimeout + Duration::Seconds(3));
}

TEST_F(GrpcServerTest, HostileCallsThatAskOnceAndThenNothingLoseTheirPlace) {
  RawClient client(RawChannel(server_.port()), {},
                   "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
  ASSERT_TRUE(client.Send("\x22\x18remora.v1.SessionService"));
  EXPECT_TRUE(client.Read().has_value());
  EXPECT_EQ(client.Finish().error_code(), ::grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(GrpcServerTest, HostileCallsThatTakeNoAnswerLoseTheirPlace) {
  const DeviceTime start = clock_->Now();
  std::vector<std::unique_ptr<NoWindowCall>> calls;
  for (const char* method : {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                             "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"}) {
    calls.push_back(std::make_unique<NoWindowCall>(server_.port(), method));
  }
  for (const auto& call : calls) EXPECT_TRUE(call->IsReset(Duration::Seconds(20)));
  EXPECT_LT(clock_->Now() - start, kCloseTimeout + Duration::Seconds(3));
}

TEST_F(GrpcServerTest, HostileUnknownMethodsAreUnimplemented) {
  RawClient client(RawChannel(server_.port()), {{"authorization", "Bearer token-anna"}},
                   "/remora.v1.SessionService/Other");
  EXPECT_EQ(client.Finish().error_code(), ::grpc::StatusCode::UNIMPLEMENTED);
}

TEST_F(GrpcServerTest, StopsSoonEvenWithAReaderThatStalls) {
  RawClient slow = Client("token-slow");
  WaitUntilOpen(slow);
  ASSERT_TRUE(slow.Send("bulk 40000"));
  ASSERT_TRUE(slow.Read().has_value());
  const DeviceTime start = clock_->Now();
  Stop();
  EXPECT_LT(clock_->Now() - start, Duration::Seconds(3));
  EXPECT_EQ(host_.open_sessions(), 0);
}

TEST_F(GrpcServerTest, APortInUseIsRefusedWithTheReason) {
  GrpcServer second(*ListenAddress::Parse(absl::StrCat("127.0.0.1:", server_.port())), loop_,
                    *clock_, observer_);
  const absl::Status status = second.Start(authenticator_, host_);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("in use"));
}

TEST(GrpcServerLifetime, CanBeStartedAndNeverRun) {
  const std::unique_ptr<Clock> clock = MakeSystemClock();
  CountingObserver observer;
  FakeAuthenticator authenticator;
  FakeSessionHost host;
  SocketLoop loop(*clock);
  GrpcServer server(*ListenAddress::Parse("127.0.0.1:0"), loop, *clock, observer);
  ASSERT_TRUE(server.Start(authenticator, host).ok());
  EXPECT_GT(server.port(), 0);
}

}  // namespace
}  // namespace remora::hub
