#include "hub/participants/loop/socket_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "hub/participants/testing/fake_session_host.h"

namespace remora::hub {
namespace {

class SocketLoopTest : public ::testing::Test {
 protected:
  void StartLoop() {
    thread_ = std::thread([this] { loop_.Run(host_, observer_); });
  }
  void StopLoop() {
    loop_.Post([this] { loop_.Stop(); });
    thread_.join();
  }

  std::unique_ptr<Clock> clock_ = MakeSystemClock();
  FakeSessionHost host_;
  CountingObserver observer_;
  SocketLoop loop_{*clock_};
  std::thread thread_;
};

TEST_F(SocketLoopTest, RunsTasksOfBeforeRunInTheOrderPosted) {
  std::string order;
  loop_.Post([&] { order += 'a'; });
  loop_.Post([&] {
    order += 'b';
    loop_.Post([&] { order += 'd'; });
    order += 'c';
  });
  StartLoop();
  StopLoop();
  EXPECT_EQ(order, "abcd");
}

TEST_F(SocketLoopTest, RunsEveryTaskOfManyThreadsOnItsOwnThread) {
  constexpr int kThreads = 4;
  constexpr int kTasks = 5'000;
  StartLoop();
  int ran = 0;  // of the sequence alone: no lock
  int elsewhere = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kTasks; ++i) {
        loop_.Post([&] {
          ++ran;
          elsewhere += loop_.IsCurrent() ? 0 : 1;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(loop_.IsCurrent());
  StopLoop();
  EXPECT_EQ(ran, kThreads * kTasks);
  EXPECT_EQ(elsewhere, 0);
}

TEST_F(SocketLoopTest, RunsTimersByDeadlineThenOrder) {
  StartLoop();
  std::string order;
  std::atomic<bool> done{false};
  loop_.Post([&] {
    loop_.PostAfter(Duration::Milliseconds(20), [&] { order += 'c'; });
    loop_.PostAfter(Duration::Milliseconds(5), [&] { order += 'a'; });
    loop_.PostAfter(Duration::Milliseconds(5), [&] { order += 'b'; });
    loop_.PostAfter(Duration::Milliseconds(25), [&] {
      done = true;
      done.notify_all();
    });
  });
  done.wait(false);
  StopLoop();
  EXPECT_EQ(order, "abc");
}

TEST_F(SocketLoopTest, TimerFromAnotherThreadShortensTheWait) {
  StartLoop();
  std::atomic<bool> done{false};
  const DeviceTime start = clock_->Now();
  loop_.PostAfter(Duration::Milliseconds(10), [&] {
    done = true;
    done.notify_all();
  });
  done.wait(false);
  const Duration waited = clock_->Now() - start;
  StopLoop();
  EXPECT_GE(waited, Duration::Milliseconds(10));
  EXPECT_LT(waited, Duration::Milliseconds(900)) << "it waited for the next regular turn";
}

TEST_F(SocketLoopTest, TasksPostedWhenItIsStoppedStillRun) {
  StartLoop();
  bool ran = false;
  loop_.Post([&] {
    loop_.Stop();
    loop_.Post([&] { loop_.Post([&] { ran = true; }); });
  });
  thread_.join();
  EXPECT_TRUE(ran);
}

TEST_F(SocketLoopTest, DestroysTasksThatNeverRan) {
  auto token = std::make_shared<int>(1);
  {
    SocketLoop loop(*clock_);
    loop.Post([token] {});
    EXPECT_EQ(token.use_count(), 2);
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace remora::hub
