#include "hub/ops/operations_observer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/testing/fake_clock.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OperationsObserverTest : public ::testing::Test {
 protected:
  FakeClock clock_;
  std::string text_;
  EventLog log_{LogLevel::kInfo, &text_};
  PrometheusMetrics metrics_;
  OperationsObserver observer_{metrics_, log_, clock_};
};

TEST_F(OperationsObserverTest, SaysWhatASessionIsAndNotWhose) {
  observer_.OnSessionOpened(Transport::kWebSocket, v1::ROLE_NEUROPHYSIOLOGIST);
  observer_.OnSessionClosed(Transport::kWebSocket, v1::ROLE_NEUROPHYSIOLOGIST,
                            absl::AbortedError("text with a name in it"));
  EXPECT_EQ(text_,
            "info session-opened transport=websocket role=neurophysiologist\n"
            "info session-closed transport=websocket role=neurophysiologist status=aborted\n");
  EXPECT_THAT(metrics_.Text(), HasSubstr("remora_sessions_open{transport=\"websocket\"} 0\n"));
}

TEST_F(OperationsObserverTest, HostileFloodOfRefusalsFillsNoLog) {
  for (int i = 0; i < 1'000; ++i) {
    observer_.OnRefused(Transport::kGrpc, TransportRefusal::kUnauthenticated);
  }
  EXPECT_EQ(std::count(text_.begin(), text_.end(), '\n'), kMaxRefusalLinesPerSecond);
  clock_.Advance(Duration::Seconds(1));
  observer_.OnRefused(Transport::kGrpc, TransportRefusal::kUnauthenticated);
  EXPECT_THAT(text_, HasSubstr("not_logged_before=995\n"));
  EXPECT_THAT(metrics_.Text(),
              HasSubstr("remora_transport_refused_total{reason=\"unauthenticated\","
                        "transport=\"grpc\"} 1001\n"));
}

TEST_F(OperationsObserverTest, CountsTraffic) {
  observer_.OnMessageReceived(Transport::kGrpc, 100);
  observer_.OnBatchWritten(Transport::kGrpc, 7, 4'000);
  observer_.OnHttpResponse(404);
  observer_.OnDrain(3, Duration::Microseconds(50));
  const std::string text = metrics_.Text();
  EXPECT_THAT(text, HasSubstr("remora_transport_received_bytes_total{transport=\"grpc\"} 100\n"));
  EXPECT_THAT(text, HasSubstr("remora_transport_written_slices_total{transport=\"grpc\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("remora_http_responses_total{code=\"404\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nremora_sequence_events_total 3\n"));
  EXPECT_EQ(text_, "") << "traffic is no event";
}

}  // namespace
}  // namespace remora::hub
