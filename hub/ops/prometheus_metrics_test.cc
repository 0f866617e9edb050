#include "hub/ops/prometheus_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace remora::hub {
namespace {

using ::testing::HasSubstr;

TEST(PrometheusMetrics, GivesWhatWasCountedAsText) {
  PrometheusMetrics metrics;
  metrics.Count(metric::kRecordsAccepted, "lane=0", 2);
  metrics.Count(metric::kRecordsAccepted, "lane=0", 3);
  metrics.Count(metric::kRecordsAccepted, "lane=5", 1);
  metrics.Count(metric::kDeliveries, "", 7);
  metrics.Gauge(metric::kRooms, 4);
  metrics.Gauge(metric::kRooms, 3);
  metrics.ObserveSeconds(metric::kCommitSeconds, 0.002);
  metrics.AddToGauge("remora_sessions_open", "transport=grpc", 2);
  metrics.AddToGauge("remora_sessions_open", "transport=grpc", -1);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("# TYPE remora_hub_records_accepted_total counter\n"));
  EXPECT_THAT(text, HasSubstr("# HELP remora_hub_rooms Cases that are in memory.\n"));
  EXPECT_THAT(text, HasSubstr("remora_hub_records_accepted_total{lane=\"0\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("remora_hub_records_accepted_total{lane=\"5\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nremora_hub_deliveries_total 7\n"));
  EXPECT_THAT(text, HasSubstr("\nremora_hub_rooms 3\n"));
  EXPECT_THAT(text, HasSubstr("remora_hub_journal_commit_seconds_count 1\n"));
  EXPECT_THAT(text, HasSubstr("remora_hub_journal_commit_seconds_bucket{le=\"0.0025\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("remora_sessions_open{transport=\"grpc\"} 1\n"));
}

TEST(PrometheusMetrics, HostileLabelsStayBounded) {
  PrometheusMetrics metrics;
  for (int i = 0; i < 1'000; ++i) metrics.Count("remora_x_total", absl::StrCat("reason=r", i), 1);
  const std::string text = metrics.Text();
  size_t lines = 0;
  for (size_t at = 0; (at = text.find("remora_x_total{", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, kMaxLabelValues + 1);
  EXPECT_THAT(text, HasSubstr(absl::StrCat("remora_x_total{reason=\"other\"} ",
                                           1'000 - kMaxLabelValues, "\n")));
}

TEST(PrometheusMetrics, TellsOfTheProcess) {
  const std::string text = PrometheusMetrics().Text();
  for (const char* name :
       {"process_resident_memory_bytes ", "process_open_fds ", "process_cpu_seconds_total "}) {
    const size_t at = text.find(absl::StrCat("\n", name));
    ASSERT_NE(at, std::string::npos) << name << text;
    EXPECT_GT(std::stod(text.substr(at + 1 + std::string(name).size())), 0) << name;
  }
}

TEST(PrometheusMetrics, CountsFromManyThreads) {
  PrometheusMetrics metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) metrics.Count("remora_y_total", "", 1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(metrics.Text(), HasSubstr("\nremora_y_total 8000\n"));
}

}  // namespace
}  // namespace remora::hub
