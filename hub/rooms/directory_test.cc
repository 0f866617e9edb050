#include "hub/rooms/directory.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/random.h"
#include "common/testing/fake_clock.h"
#include "common/testing/manual_executor.h"
#include "hub/journal/memory_journal.h"
#include "hub/rooms/limits.h"

namespace remora::hub {
namespace {

class DirectoryTest : public ::testing::Test {
 protected:
  RoomParts Parts() {
    RoomParts parts;
    parts.journal = &journal_;
    parts.executor = &executor_;
    parts.clock = &clock_;
    parts.hub_time = &hub_time_;
    parts.metrics = &metrics_;
    parts.hub = {OriginId::Draw(*random_), &clock_};
    return parts;
  }

  const std::unique_ptr<Random> random_ = MakeSeededRandom(1);
  FakeClock clock_;
  ManualExecutor executor_{clock_};
  MemoryJournal journal_{executor_};
  HubTimeSource hub_time_{clock_};
  FakeMetrics metrics_;
  Directory directory_{Parts(), [] {}, nullptr};
};

// The journal knows each, and gives it no second time.
TEST_F(DirectoryTest, OfManyOpeningsThatFailedTheNewestCanBeTriedAgain) {
  std::vector<CaseId> cases;
  for (size_t i = 0; i <= kMaxVoidCases; ++i) {
    cases.push_back(CaseId::Draw(*random_));
    ASSERT_TRUE(directory_.Create(cases.back()).ok());
    directory_.Tick();
    ASSERT_EQ(directory_.size(), 0u) << "nobody is in it, and nothing of it is on record";
  }
  const CaseId first_by_id = *std::min_element(cases.begin() + 1, cases.end());
  ASSERT_LT(first_by_id, cases.front());
  EXPECT_TRUE(directory_.Create(first_by_id).ok());
  EXPECT_TRUE(directory_.Create(cases.back()).ok());
  EXPECT_FALSE(directory_.Create(cases.front()).ok()) << "this one was too long ago";
}

}  // namespace
}  // namespace remora::hub
