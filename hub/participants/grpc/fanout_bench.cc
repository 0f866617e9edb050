// How many 4 KiB records a second one hub sequence hands to R readers over gRPC on loopback, and
// how many records one write carries. Readers run in this process, on gRPC's own threads: they cost
// about as much as the hub.
//
//   remora_hub_grpc_bench [SECONDS]

#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "hub/participants/grpc/grpc_server.h"
#include "hub/participants/testing/fake_session_host.h"
#include "hub/participants/testing/raw_grpc_client.h"

namespace remora::hub {
namespace {

constexpr size_t kRecordBytes = 4'096;
// Records on their way to one reader: what keeps every pipe full without queues growing.
constexpr int64_t kWindow = 64;

class Reader final : public ::grpc::ClientBidiReactor<::grpc::ByteBuffer, ::grpc::ByteBuffer> {
 public:
  Reader(int port, std::atomic<int64_t>* received_bytes)
      : stub_(RawChannel(port)), received_bytes_(received_bytes) {
    context_.AddMetadata("authorization", "Bearer token-reader");
    stub_.PrepareBidiStreamingCall(&context_, RawClient::kSessionMethod, {}, this);
    StartRead(&message_);
    StartCall();
  }
  ~Reader() override {
    context_.TryCancel();
    done_.wait(false);
  }
  void OnReadDone(bool ok) override {
    if (!ok) return;
    *received_bytes_ += static_cast<int64_t>(message_.Length());
    StartRead(&message_);
  }
  void OnDone(const ::grpc::Status&) override {
    done_ = true;
    done_.notify_all();
  }

 private:
  ::grpc::GenericStub stub_;
  ::grpc::ClientContext context_;
  ::grpc::ByteBuffer message_;
  std::atomic<int64_t>* received_bytes_;
  std::atomic<bool> done_{false};
};

void Measure(int readers, Duration length, Clock& clock) {
  CountingObserver observer;
  FakeAuthenticator authenticator;
  FakeSessionHost host;
  GrpcServer server(GrpcServer::Options{"127.0.0.1:0"}, clock, observer);
  if (const absl::Status started = server.Start(authenticator, host); !started.ok()) {
    std::fprintf(stderr, "%s\n", std::string(started.message()).c_str());
    std::exit(1);
  }
  std::thread sequence([&] { server.Run(); });
  std::atomic<int64_t> received_bytes{0};
  std::vector<std::unique_ptr<Reader>> all;
  for (int i = 0; i < readers; ++i) {
    all.push_back(std::make_unique<Reader>(server.port(), &received_bytes));
  }
  while (host.open_sessions() < readers) std::this_thread::yield();

  // A source that is a window ahead of its readers, on the sequence like a room.
  std::atomic<bool> stop{false};
  int64_t sent = 0;
  const SharedBytes record(std::string(kRecordBytes, 'r'));
  std::function<void()> offer = [&] {
    const int64_t done = received_bytes / static_cast<int64_t>(kRecordBytes) / readers;
    for (; sent < done + kWindow; ++sent) host.Broadcast(record);
    if (!stop) server.executor().Post(offer);
  };
  server.executor().Post(offer);
  const DeviceTime start = clock.Now();
  std::this_thread::sleep_for(std::chrono::nanoseconds(length.nanoseconds()));
  const double seconds = (clock.Now() - start).seconds();
  const double deliveries = static_cast<double>(received_bytes) / kRecordBytes;
  std::printf("%7d readers %10.0f deliveries/s %6.1f records a write\n", readers,
              deliveries / seconds, deliveries / observer.batches);
  stop = true;
  server.Stop();
  sequence.join();
  all.clear();
}

}  // namespace
}  // namespace remora::hub

int main(int argc, char** argv) {
  remora::hub::PrepareGrpcProcess();
  const auto clock = remora::MakeSystemClock();
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 2;
  for (const int readers : {1, 10, 50, 200}) {
    remora::hub::Measure(readers, remora::Duration::Seconds(seconds), *clock);
  }
}
