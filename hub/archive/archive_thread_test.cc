#include "hub/archive/archive_thread.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/fake_file_system.h"
#include "common/testing/manual_executor.h"
#include "hub/archive/limits.h"
#include "hub/journal/memory_journal.h"

namespace remora::hub {
namespace {

// From Hang to Return, whoever opens a file does not come back.
class HangingFiles final : public FakeFileSystem {
 public:
  absl::StatusOr<std::unique_ptr<ReadFile>> OpenRead(const std::string& path) override {
    {
      MutexLock lock(&mutex_);
      ++inside_;
      changed_.NotifyAll();
      while (hangs_) changed_.Wait(&mutex_);
      --inside_;
    }
    return FakeFileSystem::OpenRead(path);
  }
  void Hang() {
    MutexLock lock(&mutex_);
    hangs_ = true;
  }
  void WaitForSomebody() {
    MutexLock lock(&mutex_);
    while (inside_ == 0) changed_.Wait(&mutex_);
  }
  void Return() {
    MutexLock lock(&mutex_);
    hangs_ = false;
    changed_.NotifyAll();
  }

 private:
  Mutex mutex_;
  ConditionVariable changed_;
  bool hangs_ ABSL_GUARDED_BY(mutex_) = false;
  int inside_ ABSL_GUARDED_BY(mutex_) = 0;
};

class ArchiveThreadTest : public ::testing::Test {
 protected:
  ArchiveThreadTest() {
    RecordArchive::Parts parts;
    parts.folder = {&files_, random_.get(), "archive", ""};
    parts.journal = &journal_;
    parts.hub = &executor_;
    thread_ = std::make_unique<ArchiveThread>(clock_, std::move(parts));
  }
  ~ArchiveThreadTest() override { files_.Return(); }

  FakeClock clock_;
  ManualExecutor executor_{clock_};
  MemoryJournal journal_{executor_};
  const std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  HangingFiles files_;
  std::unique_ptr<ArchiveThread> thread_;
};

TEST_F(ArchiveThreadTest, EndsAtOnceWhereTheDiskAnswers) {
  std::promise<absl::Status> looked;
  thread_->Watch([&](const absl::Status& there, uint64_t) { looked.set_value(there); });
  EXPECT_TRUE(looked.get_future().get().ok());
  EXPECT_TRUE(thread_->Stop());
  EXPECT_TRUE(thread_->Stop());
}

TEST_F(ArchiveThreadTest, NobodyWaitsForADiskThatHangs) {
  files_.Hang();
  thread_->Watch([](const absl::Status&, uint64_t) {});
  files_.WaitForSomebody();
  EXPECT_FALSE(thread_->Stop());
  files_.Return();
  while (!thread_->Stop()) {
  }
}

TEST_F(ArchiveThreadTest, TellsHowLongTheDiskHasNotAnswered) {
  EXPECT_FALSE(thread_->hangs());
  files_.Hang();
  thread_->Watch([](const absl::Status&, uint64_t) {});
  files_.WaitForSomebody();
  clock_.Advance(kArchiveLookInterval * 4);
  EXPECT_EQ(thread_->since_look(), kArchiveLookInterval * 4);
  EXPECT_TRUE(thread_->hangs());
  files_.Return();
  while (!thread_->Stop()) {
  }
  EXPECT_EQ(thread_->since_look(), Duration());
  EXPECT_FALSE(thread_->hangs());
}

TEST_F(ArchiveThreadTest, TellsHowLongOneStepKeepsItFromTheNext) {
  files_.Hang();
  thread_->Watch([](const absl::Status&, uint64_t) {});
  files_.WaitForSomebody();
  EXPECT_EQ(thread_->StuckFor(), Duration());
  clock_.Advance(Duration::Seconds(4));
  EXPECT_EQ(thread_->StuckFor(), Duration::Seconds(4));
  clock_.Advance(kArchiveStepHangsAfter);
  EXPECT_EQ(thread_->StuckFor(), Duration::Seconds(4) + kArchiveStepHangsAfter);
  files_.Return();
  while (thread_->StuckFor() > Duration()) {
  }
  while (!thread_->Stop()) {
  }
}

}  // namespace
}  // namespace remora::hub
