// Clock, random, hub time, number ranges, bounded queue, UTF-8: small parts, small tests.

#include <algorithm>
#include <set>
#include <string>

#include "common/bounded_queue.h"
#include "common/clock.h"
#include "common/hub_time.h"
#include "common/ids.h"
#include "common/origin_seq.h"
#include "common/random.h"
#include "common/seq_ranges.h"
#include "common/testing/fake_clock.h"
#include "common/utf8.h"
#include "gtest/gtest.h"

namespace remora {
namespace {

TEST(SystemClock, GoesForwardAndKeepsItsBootId) {
  const auto clock = MakeSystemClock();
  const DeviceTime first = clock->Now();
  EXPECT_GE(clock->Now(), first);
  EXPECT_GT(clock->WallNow().nanoseconds(), int64_t{1'600'000'000} * 1'000'000'000);
  EXPECT_NE(clock->boot_id(), 0u);
  EXPECT_EQ(clock->boot_id(), MakeSystemClock()->boot_id());
}

TEST(Random, SystemNumbersDiffer) {
  const auto random = MakeSystemRandom();
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(CaseId::Draw(*random).Hex());
  EXPECT_EQ(ids.size(), 100u);
}

TEST(Random, ASeedRepeatsItsNumbers) {
  const auto a = MakeSeededRandom(7);
  const auto b = MakeSeededRandom(7);
  const auto c = MakeSeededRandom(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t number = a->Uint64();
    EXPECT_EQ(number, b->Uint64());
    differs = differs || number != c->Uint64();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, BelowIsEvenAndUniformStaysInItsRange) {
  const auto random = MakeSeededRandom(1);
  int counts[6] = {};
  for (int i = 0; i < 60'000; ++i) ++counts[random->Below(6)];
  for (int count : counts) EXPECT_NEAR(count, 10'000, 500);  // 5 sigma
  for (int i = 0; i < 1000; ++i) {
    const double number = random->Uniform();
    EXPECT_GE(number, 0);
    EXPECT_LT(number, 1);
  }
  EXPECT_EQ(random->Below(1), 0u);
}

TEST(SeqRanges, JoinsNeighboursAndNamesWhatIsMissing) {
  SeqRanges ranges;
  EXPECT_TRUE(ranges.Insert(2));
  EXPECT_TRUE(ranges.Insert(4));
  EXPECT_FALSE(ranges.Insert(4));
  EXPECT_EQ(ranges.contiguous(), 0u);
  EXPECT_TRUE(ranges.Insert(3));
  EXPECT_EQ(ranges.ranges(), (std::vector<SeqRanges::Range>{{2, 4}}));
  EXPECT_TRUE(ranges.Insert(1));
  EXPECT_EQ(ranges.contiguous(), 4u);
  ranges.InsertRange(7, 9);
  EXPECT_EQ(ranges.Missing(1, 12), (std::vector<SeqRanges::Range>{{5, 6}, {10, 12}}));
  EXPECT_EQ(ranges.Missing(8, 9), (std::vector<SeqRanges::Range>{}));
  EXPECT_EQ(ranges.count(), 7u);
  EXPECT_EQ(ranges.largest(), 9u);
}

TEST(SeqRanges, AgreesWithASetOnRandomRanges) {
  const auto random = MakeSeededRandom(3);
  SeqRanges ranges;
  std::set<uint64_t> want;
  for (int i = 0; i < 300; ++i) {
    const uint64_t first = random->Below(200);
    const uint64_t last = first + random->Below(6);
    ranges.InsertRange(first, last);
    if (first == 0) continue;  // no number: the whole range is refused
    for (uint64_t n = first; n <= last; ++n) want.insert(n);
    ASSERT_EQ(ranges.count(), want.size());
    for (size_t r = 1; r < ranges.ranges().size(); ++r) {
      ASSERT_GT(ranges.ranges()[r].first, ranges.ranges()[r - 1].last + 1);
    }
    for (uint64_t n = 0; n < 210; ++n) ASSERT_EQ(ranges.Contains(n), want.count(n) == 1) << n;
    uint64_t missing = 0;
    for (const auto& range : ranges.Missing(1, 210)) missing += range.last - range.first + 1;
    ASSERT_EQ(missing, 210 - want.size());
  }
}

TEST(SeqRanges, HostileEndsDoNotWrapAround) {
  SeqRanges ranges;
  ranges.InsertRange(5, UINT64_MAX);
  ranges.InsertRange(9, 8);
  ranges.InsertRange(0, 3);
  EXPECT_EQ(ranges.largest(), UINT64_MAX);
  EXPECT_EQ(ranges.Missing(1, UINT64_MAX), (std::vector<SeqRanges::Range>{{1, 4}}));
  EXPECT_FALSE(ranges.Contains(0));
}

TEST(SeqRanges, CountsToTheLargestNumberThatARecordMayHave) {
  SeqRanges ranges;
  EXPECT_TRUE(ranges.Insert(kMaxOriginSeq));
  EXPECT_FALSE(ranges.Insert(kMaxOriginSeq));
  EXPECT_EQ(ranges.Missing(1, kMaxOriginSeq),
            (std::vector<SeqRanges::Range>{{1, kMaxOriginSeq - 1}}));
  EXPECT_EQ(ranges.contiguous(), 0u);
  ranges.InsertRange(1, kMaxOriginSeq - 1);
  EXPECT_EQ(ranges.ranges(), (std::vector<SeqRanges::Range>{{1, kMaxOriginSeq}}));
  EXPECT_EQ(ranges.count(), kMaxOriginSeq);
  EXPECT_EQ(ranges.contiguous(), kMaxOriginSeq);
  SeqRanges last;
  last.Insert(kMaxOriginSeq);
  EXPECT_EQ(ranges.Without(last).count(), kMaxOriginSeq - 1);
  EXPECT_TRUE(last.Without(ranges).empty());
}

TEST(SeqRanges, WithoutOthersKeepsTheRest) {
  const auto make = [](std::initializer_list<SeqRanges::Range> ranges) {
    SeqRanges all;
    for (const SeqRanges::Range& range : ranges) all.InsertRange(range.first, range.last);
    return all;
  };
  const SeqRanges some = make({{1, 5}, {10, 20}, {30, UINT64_MAX}});
  EXPECT_EQ(some.Without({}), some);
  EXPECT_EQ(SeqRanges().Without(some), SeqRanges());
  EXPECT_EQ(some.Without(some), SeqRanges());
  EXPECT_EQ(some.Without(make({{1, UINT64_MAX}})), SeqRanges());
  EXPECT_EQ(some.Without(make({{6, 9}, {21, 29}})), some);
  EXPECT_EQ(some.Without(make({{3, 11}, {13, 13}, {15, 16}, {19, 31}})),
            make({{1, 2}, {12, 12}, {14, 14}, {17, 18}, {32, UINT64_MAX}}));
  EXPECT_EQ(some.Without(make({{1, 1}, {20, 20}, {40, UINT64_MAX}})),
            make({{2, 5}, {10, 19}, {30, 39}}));
}

TEST(BoundedQueue, DropsTheOldestAndCountsIt) {
  BoundedQueue<std::string> queue({3, 100}, WhenFull::kDropOldest);
  std::vector<std::string> dropped;
  const auto on_drop = [&dropped](std::string&& element) { dropped.push_back(std::move(element)); };
  for (const char* element : {"a", "b", "c", "d"}) EXPECT_TRUE(queue.Push(element, 10, on_drop));
  EXPECT_TRUE(queue.Push("large", 85, on_drop));
  EXPECT_EQ(dropped, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(queue.drops().count, 3u);
  EXPECT_EQ(queue.drops().bytes, 30u);
  EXPECT_EQ(queue.bytes(), 95u);
  EXPECT_EQ(queue.Pop(), "d");
  EXPECT_EQ(queue.Pop(), "large");
  EXPECT_EQ(queue.Pop(), std::nullopt);
  EXPECT_FALSE(queue.Push("larger than the queue", 101));
}

TEST(BoundedQueue, RefusesWhenNothingMayBeLost) {
  BoundedQueue<int> queue({2, 100}, WhenFull::kRefuse);
  EXPECT_TRUE(queue.Push(1, 40));
  EXPECT_FALSE(queue.Push(2, 61));
  EXPECT_TRUE(queue.Push(3, 60));
  EXPECT_FALSE(queue.Push(4, 0));
  EXPECT_EQ(queue.drops().count, 2u);
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_TRUE(queue.Push(5, 1));
  EXPECT_EQ(*queue.Front(), 3);
}

TEST(HubTime, StartsAtUtcAndFollowsTheMonotonicClock) {
  FakeClock clock;
  HubTimeSource hub(clock);
  const HubTime start = hub.Now();
  EXPECT_EQ(start.nanoseconds(), clock.WallNow().nanoseconds());
  clock.Advance(Duration::Seconds(10));
  EXPECT_EQ(hub.Now() - start, Duration::Seconds(10));
}

TEST(HubTime, NeverStepsAndSlewsByAtMost500Ppm) {
  for (int64_t step_ms : {3'600'000, -3'600'000, 3, -3}) {
    FakeClock clock;
    HubTimeSource hub(clock);
    clock.StepWall(Duration::Milliseconds(step_ms));
    HubTime last = hub.Now();
    for (int i = 0; i < 20'000; ++i) {
      const Duration by = Duration::Microseconds(i % 3 == 0 ? 10 : 1500);
      clock.Advance(by);
      const HubTime now = hub.Now();
      ASSERT_GE(now, last);
      const double rate = (now - last).seconds() / by.seconds();
      // What is held back for 1 ms may come within a shorter interval.
      ASSERT_NEAR(rate, 1, i % 3 == 0 ? 0.11 : 0.0011) << "step " << step_ms << " ms, " << i;
      last = now;
    }
    const double moved_ms = step_ms > 0 ? 20'000 * 1.0033 * 0.5e-3 : -20'000 * 1.0033 * 0.5e-3;
    const double want = std::abs(step_ms) < 10 ? 0 : static_cast<double>(step_ms) - moved_ms;
    EXPECT_NEAR(hub.BehindUtc().milliseconds(), want, 0.1);
  }
}

TEST(HubTime, IsNeverBeforeItsFloor) {
  FakeClock clock;
  const HubTime floor =
      HubTime::FromNanoseconds(clock.WallNow().nanoseconds()) + Duration::Seconds(5);
  HubTimeSource hub(clock, floor);
  EXPECT_EQ(hub.Now(), floor);
  clock.Advance(Duration::Seconds(1));
  EXPECT_GT(hub.Now(), floor);
  EXPECT_LT(hub.BehindUtc(), Duration());
  const HubTime later = hub.Now() + Duration::Seconds(60);
  EXPECT_EQ(hub.NowNotBefore(later), later);
  EXPECT_LT(hub.Now(), later);
}

TEST(Utf8, TakesWellFormedTextOnly) {
  EXPECT_TRUE(IsValidUtf8(""));
  EXPECT_TRUE(IsValidUtf8("N20-P25 \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\xc3\x28"}) {
    EXPECT_FALSE(IsValidUtf8(bad));
  }
}

}  // namespace
}  // namespace remora
