#include "hub/app/hub_news.h"

#include <gtest/gtest.h>

#include "hub/archive/limits.h"

namespace remora::hub {
namespace {

class HubNewsTest : public ::testing::Test {
 protected:
  // What was said since it was last asked.
  std::string Said() { return std::exchange(text_, ""); }

  std::string text_;
  EventLog log_{LogLevel::kInfo, &text_};
  PrometheusMetrics metrics_;
  HubNews news_{log_, metrics_, "/mnt/archive"};
};

TEST_F(HubNewsTest, StepThatHangsIsSaidOnceAndSoIsThatItGoesOn) {
  for (const int seconds : {0, 1, 9, 10}) news_.OnArchiveStep(Duration::Seconds(seconds));
  EXPECT_EQ(Said(), "");
  EXPECT_EQ(metrics_.GaugeValue("remora_archive_step_stuck_seconds"), 10);
  for (const int seconds : {11, 12, 600}) news_.OnArchiveStep(Duration::Seconds(seconds));
  EXPECT_EQ(Said(),
            "warning archive-step-hangs directory=/mnt/archive why=\"its disk has not answered a "
            "call for 10 s. Nobody waits for it\"\n");
  EXPECT_EQ(metrics_.GaugeValue("remora_archive_step_stuck_seconds"), 600);
  for (const int seconds : {0, 1, 0}) news_.OnArchiveStep(Duration::Seconds(seconds));
  EXPECT_EQ(Said(), "info archive-goes-on directory=/mnt/archive\n");
  news_.OnArchiveStep(Duration::Seconds(11));
  EXPECT_NE(Said(), "") << "the next time too";
}

TEST_F(HubNewsTest, JournalIsSaidToFailAndToWriteAgainOnceEach) {
  news_.OnJournal(absl::OkStatus());
  EXPECT_EQ(Said(), "");
  for (int i = 0; i < 3; ++i) news_.OnJournal(absl::UnavailableError("no disk"));
  EXPECT_EQ(Said(), "error journal-failed why=\"UNAVAILABLE: no disk\"\n");
  for (int i = 0; i < 3; ++i) news_.OnJournal(absl::OkStatus());
  EXPECT_EQ(Said(), "info journal-writes-again\n");
}

TEST_F(HubNewsTest, ArchiveIsSaidWhenItBecomesAnother) {
  for (int i = 0; i < 2; ++i) news_.OnArchiveLook(absl::OkStatus(), 5);
  EXPECT_EQ(Said(), "info archive-there directory=/mnt/archive\n");
  for (int i = 0; i < 2; ++i) news_.OnArchiveLook(absl::NotFoundError("no mark"), 0);
  EXPECT_EQ(Said(), "warning archive-not-there why=\"no mark\"\n");
  EXPECT_EQ(metrics_.GaugeValue("remora_archive_there"), 0);
}

}  // namespace
}  // namespace remora::hub
