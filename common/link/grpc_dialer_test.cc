// The dialer against a small server in this process, over a Unix socket of the test's own.

#include "common/link/grpc_dialer.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <stdlib.h>

#include <filesystem>
#include <future>

#include "common/clock.h"
#include "common/link/participant_link.h"
#include "common/thread_executor.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

grpc::ByteBuffer Buffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Bytes(const grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  EXPECT_TRUE(buffer.DumpToSingleSlice(&slice).ok());
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size());
}

// Welcomes whoever says anything, then sends back what comes. "end" ends the call.
class Echo : public grpc::ServerGenericBidiReactor {
 public:
  explicit Echo(bool permitted) {
    if (permitted) {
      StartRead(&up_);
    } else {
      Finish(grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "no token"));
    }
  }
  void OnReadDone(bool ok) override {
    const std::string up = ok ? Bytes(up_) : "end";
    if (up == "end") return Finish(grpc::Status::OK);
    if (!welcomed_) {
      v1::Down down;
      down.mutable_welcome()->set_version(1);
      down_ = Buffer(down.SerializeAsString());
    } else {
      down_ = Buffer(up);
    }
    welcomed_ = true;
    StartWrite(&down_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    StartRead(&up_);
  }
  void OnDone() override { delete this; }

 private:
  grpc::ByteBuffer up_;
  grpc::ByteBuffer down_;
  bool welcomed_ = false;
};

class EchoService : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    EXPECT_EQ(context->method(), "/remora.v1.SessionService/Session");
    const auto& metadata = context->client_metadata();
    const auto it = metadata.find("authorization");
    return new Echo(it != metadata.end() && it->second == "Bearer secret");
  }
};

class GrpcDialerTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/remora-dialer-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    options_.address = "unix:" + directory_ + "/hub.sock";
    options_.token = "secret";
    StartServer();
  }
  void TearDown() override {
    StopServer();
    std::filesystem::remove_all(directory_);
  }
  void StartServer() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(options_.address, grpc::InsecureServerCredentials());
    service_ = std::make_unique<EchoService>();  // a service serves one server only
    builder.RegisterCallbackGenericService(service_.get());
    server_ = builder.BuildAndStart();
    ASSERT_NE(server_, nullptr);
  }
  void StopServer() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  // Runs on the executor and waits for it.
  template <typename F>
  void Run(F task) {
    std::promise<void> done;
    executor_.Post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  std::unique_ptr<EchoService> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string directory_;
  GrpcDialerOptions options_;
  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  ThreadExecutor executor_{*clock_, "test"};
};

class Collector : public Stream::Listener {
 public:
  void OnMessage(SharedBytes down) override {
    messages.emplace_back(down.view());
    if (messages.size() == want_messages) enough.set_value();
  }
  void OnWritable() override {
    if (next < to_write.size()) stream->Write(to_write[next++]);
  }
  void OnClosed(absl::Status status) override { closed.set_value(status); }

  std::unique_ptr<Stream> stream;
  std::vector<std::string> to_write;
  size_t next = 0;
  std::vector<std::string> messages;
  size_t want_messages = 0;
  std::promise<void> enough;
  std::promise<absl::Status> closed;
};

TEST_F(GrpcDialerTest, CarriesBytesAsTheyCome) {
  auto dialer = MakeGrpcDialer(options_, executor_);
  ASSERT_TRUE(dialer.ok());
  Collector collector;
  // Not messages of the contract at all: nothing on the way may look into them.
  const std::string large(300'000, 'x');
  collector.to_write = {"hello", "\xff\xfe", "", large, "end"};
  collector.want_messages = 4;
  Run([&] { collector.stream = (*dialer)->Dial(collector); });
  collector.enough.get_future().wait();
  EXPECT_TRUE(collector.closed.get_future().get().ok());
  Run([&] { collector.stream.reset(); });
  EXPECT_EQ(collector.messages[1], "\xff\xfe");
  EXPECT_EQ(collector.messages[2], "");
  EXPECT_EQ(collector.messages[3], large);
}

TEST_F(GrpcDialerTest, SaysWhyACallWasRefused) {
  options_.token = "wrong";
  auto dialer = MakeGrpcDialer(options_, executor_);
  Collector collector;
  Run([&] { collector.stream = (*dialer)->Dial(collector); });
  EXPECT_TRUE(absl::IsUnauthenticated(collector.closed.get_future().get()));
  Run([&] { collector.stream.reset(); });
}

TEST_F(GrpcDialerTest, MayBeDroppedAtAnyMoment) {
  for (int i = 0; i < 50; ++i) {
    auto dialer = MakeGrpcDialer(options_, executor_);
    Collector collector;
    collector.to_write = {"hello", "again"};
    Run([&] { collector.stream = (*dialer)->Dial(collector); });
    if (i % 3 == 1) std::this_thread::yield();
    if (i % 3 == 2) Run([&] { collector.stream->Close(); });
    Run([&] { collector.stream.reset(); });
    if (i % 2 == 0) Run([&] { (*dialer).reset(); });
  }
}

class LiveObserver : public LinkObserver {
 public:
  void OnState(LinkState state) override {
    if (state == LinkState::kLive && ++sessions <= 2) live[sessions - 1].set_value();
  }
  int sessions = 0;
  std::promise<void> live[2];
};

TEST_F(GrpcDialerTest, ALinkFindsAHubThatRestarted) {
  auto dialer = MakeGrpcDialer(options_, executor_);
  const auto random = MakeSystemRandom();
  LiveObserver observer;
  std::unique_ptr<ParticipantLink> link;
  Run([&] {
    link = std::make_unique<ParticipantLink>(LinkOptions(), executor_, *clock_, *random, **dialer,
                                             observer);
    link->Start();
  });
  observer.live[0].get_future().wait();
  StopServer();
  StartServer();
  EXPECT_EQ(observer.live[1].get_future().wait_for(std::chrono::seconds(20)),
            std::future_status::ready);
  Run([&] { link.reset(); });
}

TEST_F(GrpcDialerTest, HostileAddressesAreRefused) {
  options_.address = "";
  EXPECT_TRUE(absl::IsInvalidArgument(MakeGrpcDialer(options_, executor_).status()));
  options_.address = "hub.example:7443";
  EXPECT_TRUE(absl::IsInvalidArgument(MakeGrpcDialer(options_, executor_).status()));
  options_.plaintext_beyond_loopback = true;
  EXPECT_TRUE(MakeGrpcDialer(options_, executor_).ok());
  for (const char* address : {"127.0.0.1:7443", "[::1]:7443", "localhost:7443", "unix:/x"}) {
    options_.plaintext_beyond_loopback = false;
    options_.address = address;
    EXPECT_TRUE(MakeGrpcDialer(options_, executor_).ok()) << address;
  }
}

}  // namespace
}  // namespace remora
