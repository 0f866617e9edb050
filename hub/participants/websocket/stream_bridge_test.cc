#include "hub/participants/websocket/stream_bridge.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "hub/participants/limits.h"
#include "hub/participants/testing/fake_session_host.h"

namespace remora::hub {
namespace {

// What the socket's side was asked for.
struct SinkLog {
  std::vector<std::string> written;
  int reads = 0;
  std::vector<absl::Status> closed;
  int aborts = 0;
};

class LoggingSink final : public StreamSink {
 public:
  explicit LoggingSink(SinkLog* log) : log_(log) {}
  void Write(WriteBatch batch) override {
    std::string message;
    for (const SharedBytes& slice : batch.slices) message += std::string(slice.view());
    log_->written.push_back(message);
  }
  void ReadNext() override { ++log_->reads; }
  void Close(absl::Status status) override { log_->closed.push_back(std::move(status)); }
  void Abort() override { ++log_->aborts; }

 private:
  SinkLog* log_;
};

class StreamBridgeTest : public ::testing::Test {
 protected:
  StreamBridgeTest() {
    bridge_ = std::make_shared<StreamBridge>(hub_, host_, Identity{"anna", "Anna", {}, {}},
                                             std::make_unique<LoggingSink>(&log_));
    bridge_->Start();
    Turn();
  }
  // One turn of the hub's sequence, then what that posted.
  void Turn() {
    hub_.RunUntilIdle();
    host_.EndOfDrain();
    hub_.RunUntilIdle();
  }

  FakeClock clock_;
  ManualExecutor hub_{clock_};
  FakeSessionHost host_;
  SinkLog log_;
  std::shared_ptr<StreamBridge> bridge_;
};

TEST_F(StreamBridgeTest, ReadsTheNextMessageOnlyWhenTheLastIsHandled) {
  EXPECT_EQ(log_.reads, 1);
  bridge_->OnMessage("echo a");
  EXPECT_EQ(log_.reads, 1);
  Turn();
  EXPECT_EQ(log_.reads, 2);
}

TEST_F(StreamBridgeTest, HasOneBatchOnItsWay) {
  bridge_->OnMessage("echo a");
  Turn();
  bridge_->OnMessage("echo b");
  Turn();
  bridge_->OnMessage("echo c");
  Turn();
  EXPECT_EQ(log_.written, (std::vector<std::string>{"a"}));
  bridge_->OnWritten();
  Turn();
  EXPECT_EQ(log_.written, (std::vector<std::string>{"a", "bc"}));
  bridge_->OnWritten();
  Turn();
  EXPECT_EQ(log_.written.size(), 2u);
  bridge_->OnMessage("echo d");
  Turn();
  EXPECT_EQ(log_.written.back(), "d");
}

TEST_F(StreamBridgeTest, ClosesAfterWhatWaits) {
  bridge_->OnMessage("echo a");
  Turn();
  bridge_->OnMessage("echo b");
  Turn();
  bridge_->OnMessage(absl::StrCat("close ", static_cast<int>(absl::StatusCode::kAborted)));
  Turn();
  EXPECT_TRUE(log_.closed.empty());
  bridge_->OnMessage("echo too late");
  bridge_->OnWritten();
  Turn();
  EXPECT_EQ(log_.written.back(), "b");
  bridge_->OnWritten();
  Turn();
  ASSERT_EQ(log_.closed.size(), 1u);
  EXPECT_TRUE(absl::IsAborted(log_.closed[0]));
  EXPECT_EQ(host_.open_sessions(), 0);
  EXPECT_EQ(log_.written.size(), 2u);
}

TEST_F(StreamBridgeTest, AbortsAPeerThatTakesNothingMore) {
  bridge_->OnMessage("echo a");
  Turn();
  bridge_->Drain(absl::UnavailableError("going down"));
  Turn();
  EXPECT_TRUE(log_.closed.empty());
  hub_.RunFor(kCloseTimeout);
  EXPECT_EQ(log_.aborts, 1);
}

TEST_F(StreamBridgeTest, ASocketThatIsGoneEndsTheSessionAtOnce) {
  bridge_->OnMessage("bulk 1000");
  bridge_->OnGone();
  Turn();
  EXPECT_EQ(host_.open_sessions(), 0);
  bridge_->OnWritten();
  bridge_->OnMessage("echo late");
  bridge_->Drain(absl::UnavailableError("going down"));
  Turn();
  hub_.RunFor(kCloseTimeout);
  EXPECT_LE(log_.written.size(), 1u);
  EXPECT_EQ(log_.aborts, 0);
}

TEST_F(StreamBridgeTest, IsGoneWithItsLastTask) {
  const std::weak_ptr<StreamBridge> weak = bridge_;
  bridge_->OnGone();
  bridge_.reset();
  EXPECT_FALSE(weak.expired());
  hub_.RunUntilIdle();
  EXPECT_TRUE(weak.expired());
}

}  // namespace
}  // namespace remora::hub
