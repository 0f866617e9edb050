#include "common/thread_executor.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

TEST(ThreadExecutor, RunsInOrderOnItsOwnThread) {
  const auto clock = MakeSystemClock();
  ThreadExecutor executor(*clock, "test");
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 1000; ++i) {
    executor.Post([&order, i] { order.push_back(i); });
  }
  executor.Post([&] {
    EXPECT_TRUE(executor.IsCurrent());
    done.set_value();
  });
  done.get_future().wait();
  EXPECT_FALSE(executor.IsCurrent());
  executor.Stop();
  ASSERT_EQ(order.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(ThreadExecutor, TakesPostsFromManyThreadsOneAtATime) {
  const auto clock = MakeSystemClock();
  ThreadExecutor executor(*clock, "test");
  int count = 0;  // unguarded: the executor is what orders the tasks
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) executor.Post([&count] { ++count; });
    });
  }
  for (std::thread& thread : threads) thread.join();
  executor.Stop();
  EXPECT_EQ(count, 4000);
}

TEST(ThreadExecutor, RunsDelayedTasksWhenDueAndInOrder) {
  const auto clock = MakeSystemClock();
  ThreadExecutor executor(*clock, "test");
  std::vector<int> order;
  std::promise<void> done;
  const DeviceTime start = clock->Now();
  executor.PostAfter(Duration::Milliseconds(20), [&] {
    order.push_back(3);
    EXPECT_GE(clock->Now() - start, Duration::Milliseconds(20));
    done.set_value();
  });
  executor.PostAfter(Duration::Milliseconds(5), [&] { order.push_back(1); });
  executor.PostAfter(Duration::Milliseconds(5), [&] { order.push_back(2); });
  executor.PostAfter(Duration::Milliseconds(-5), [&] { order.push_back(0); });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3}));
}

TEST(ThreadExecutor, StopFinishesWhatWasPostedAndDropsWhatIsDelayed) {
  const auto clock = MakeSystemClock();
  ThreadExecutor executor(*clock, "test");
  std::atomic<int> ran{0};
  executor.PostAfter(Duration::Seconds(1000), [&] { ran += 100; });
  executor.Post([&] {
    ++ran;
    executor.Post([&] { ++ran; });
  });
  executor.Stop();
  executor.Post([&] { ran += 100; });
  executor.Stop();
  EXPECT_EQ(ran, 2);
  EXPECT_GE(executor.high_water_tasks(), 1u);
}

TEST(ManualExecutor, RunsEachTaskAtItsOwnTime) {
  FakeClock clock;
  ManualExecutor executor(clock);
  const DeviceTime start = clock.Now();
  std::vector<int64_t> at_ms;
  const auto note = [&] { at_ms.push_back((clock.Now() - start).nanoseconds() / 1'000'000); };
  executor.PostAfter(Duration::Milliseconds(30), note);
  executor.PostAfter(Duration::Milliseconds(10), [&] {
    note();
    executor.PostAfter(Duration::Milliseconds(5), note);
    executor.Post(note);
  });
  EXPECT_EQ(executor.RunUntilIdle(), 0);
  EXPECT_EQ(executor.RunFor(Duration::Milliseconds(20)), 3);
  EXPECT_EQ(at_ms, (std::vector<int64_t>{10, 10, 15}));
  EXPECT_EQ(clock.Now() - start, Duration::Milliseconds(20));
  EXPECT_TRUE(executor.RunNext());
  EXPECT_EQ(at_ms.back(), 30);
  EXPECT_FALSE(executor.RunNext());
}

}  // namespace
}  // namespace remora
